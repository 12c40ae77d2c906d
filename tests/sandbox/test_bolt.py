"""A Bolt app takes what the sandbox sends as it takes what Slack sends."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.sandbox.conftest import TOKEN
from tests.sandbox.test_slack_people import buttons, modal

from warroom.sandbox import Sandbox
from warroom.sandbox.server import embedded


@pytest.fixture
async def heard(url: str, sandbox: Sandbox) -> AsyncIterator[list[Any]]:
    """A Bolt app on the sandbox; yields what its listeners heard."""
    heard: list[Any] = []
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=TOKEN, base_url=f"{url}/slack/api/", session=session, retry_handlers=[])
        app = AsyncApp(client=client, signing_secret="sandbox-signing-secret", process_before_response=True)

        @app.command("/halt")
        async def halt(ack: Any, body: Any, client: Any) -> None:
            await client.views_open(trigger_id=body["trigger_id"], view=modal())
            await ack()

        @app.command("/incident")
        async def incident(ack: Any, respond: Any, command: Any) -> None:
            await ack()
            await respond(text=f"You said {command['text']}", blocks=buttons("incident.ack"))

        @app.action("incident.ack")
        async def acknowledge(ack: Any, action: Any, respond: Any) -> None:
            heard.append(action["value"])
            await ack()
            await respond(text="Acknowledged", replace_original=True)

        @app.view("halt")
        async def submitted(ack: Any, view: Any) -> None:
            reason = view["state"]["values"]["reason"]["value"]["value"]
            if reason == "x":
                await ack(response_action="errors", errors={"reason": "Say more."})
            else:
                heard.append(reason)
                await ack()

        @app.event("message")
        async def message(event: Any) -> None:
            heard.append(event["text"])

        @app.event("reaction_added")
        async def reaction(event: Any) -> None:
            heard.append(event["reaction"])

        @app.shortcut("add_to_timeline")
        async def shortcut(ack: Any, payload: Any) -> None:
            heard.append(payload["message"]["text"])
            await ack()

        handler = AsyncSlackRequestHandler(app)

        async def endpoint(request: Request) -> Response:
            return await handler.handle(request)

        web = Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])
        async with embedded(web) as (bot_url, _):
            sandbox.bot_url = bot_url
            yield heard


async def test_commands_buttons_modals_shortcuts_and_events_arrive(heard: list[Any], sandbox: Sandbox) -> None:
    answer = await sandbox.command("ana", "war-room", "/incident", "list")
    assert answer.text == "[incident.ack]"
    await sandbox.click("ana", "war-room", answer.messages[0]["ts"], "incident.ack")
    assert sandbox.transcript()[-1]["text"] == "Acknowledged"

    opened = await sandbox.command("ana", "war-room", "/halt")
    assert opened.view is not None
    assert (await sandbox.submit("ana", values={"reason": "x"})).errors == {"reason": "Say more."}
    assert (await sandbox.submit("ana", values={"reason": "stale"})).view is None

    said = await sandbox.say("raj", "war-room", "hello")
    await sandbox.react("raj", "war-room", said.ts, "pushpin")
    await sandbox.delivery.settle()
    await sandbox.shortcut("raj", "war-room", said.ts, "add_to_timeline")
    assert sorted(heard) == ["hello", "hello", "pushpin", "stale", "v-incident.ack"]


async def test_a_command_nobody_listens_to_fails_visibly(heard: list[Any], sandbox: Sandbox) -> None:
    assert (await sandbox.command("ana", "war-room", "/nothing")).error == "dispatch_failed"
