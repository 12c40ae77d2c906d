"""Socket Mode feeds the same app: against a loopback server that speaks as much of it as is needed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from tests.slack.support import ANA, SECRET, Desk, Watch

from warroom.domain.effects import Reply
from warroom.errors import StoreError
from warroom.rendering import Catalog
from warroom.slack.api import Api
from warroom.slack.app import create_app
from warroom.slack.directory import Directory
from warroom.slack.socket import Socket

COMMAND = {
    "command": "/incident",
    "text": "list",
    "trigger_id": "1.2.3",
    "user_id": ANA,
    "user_name": "ana",
    "channel_id": "C1",
}


class Slack:
    """apps.connections.open and the web socket behind it."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.socket: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()
        self.url = ""

    async def open(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers["Authorization"])
        return web.json_response({"ok": True, "url": self.url.replace("http", "ws") + "/link"})

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.socket.set_result(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.answers.put_nowait(json.loads(message.data))
        return socket

    async def send(self, kind: str, payload: Any) -> None:
        envelope = {"type": kind, "envelope_id": f"e-{kind}", "payload": payload, "accepts_response_payload": True}
        await (await self.socket).send_json(envelope)


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack()
    app = web.Application()
    app.add_routes([web.post("/api/apps.connections.open", slack.open), web.get("/link", slack.link)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield slack
    await runner.cleanup()


async def test_a_command_over_the_socket_is_written_down_and_answered(
    slack: Slack, catalog: Catalog, desk: Desk
) -> None:
    desk.answer = lambda given: Reply("hello", {"name": "Ana"})
    async with Api("xoxb-x", f"{slack.url}/api/") as api:
        app = create_app(
            signing_secret=SECRET,
            api=api,
            submit=lambda given: desk.submit(given),
            directory=Directory(api, {"on": (ANA,)}, budget=0.2),
            catalog=catalog,
            clock=Watch(),
        )
        socket = Socket(app, api, "xapp-secret")
        assert not await socket.connected()
        await socket.start()
        try:
            assert await socket.connected()
            assert slack.tokens == ["Bearer xapp-secret"]
            await slack.send("slash_commands", COMMAND)
            answer = await asyncio.wait_for(slack.answers.get(), 5)
            assert answer["envelope_id"] == "e-slash_commands"
            assert answer["payload"]["response_type"] == "ephemeral"
            assert desk.last.text == "list"
            assert desk.last.actor.groups == {"on"}

            desk.fails = StoreError("not now")
            item = {"type": "message", "channel": "C1", "ts": "1.1"}
            event = {"type": "reaction_added", "user": ANA, "reaction": "pushpin", "item": item}
            await slack.send("events_api", {"type": "event_callback", "event_id": "Ev1", "event": event})
            await slack.send("slash_commands", COMMAND | {"trigger_id": "4.5.6"})
            answer = await asyncio.wait_for(slack.answers.get(), 5)
            assert answer["envelope_id"] == "e-slash_commands"  # the event was not taken: Slack sends it again
        finally:
            await socket.stop()
        await asyncio.wait_for((await slack.socket).close(), 5)
