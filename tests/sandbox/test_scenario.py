"""Stories: they use what the bot offers, in time, and name what was missing."""

import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.sandbox.test_slack_people import buttons, modal

from warroom.sandbox import Sandbox, serve
from warroom.sandbox.acts import alert, bot_said, expect, paged, press, say, switch, type_command
from warroom.sandbox.clock import StoryClock
from warroom.sandbox.scenario import Step, fit, play
from warroom.sandbox.server import embedded
from warroom.sandbox.stories.market_sentinel_down import SCENARIO, STEPS

SPEED = 2000.0


class SmallBot:
    """Announces an incident, opens a room, asks before it halts, and takes a modal."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client: AsyncWebClient | None = None
        self.pressed: list[str] = []
        self.submitted: list[Any] = []
        self.app = Starlette(
            routes=[
                Route("/slack/events", self.slack, methods=["POST"]),
                Route("/pagerduty/webhook", self.webhook, methods=["POST"]),
            ]
        )

    async def webhook(self, request: Request) -> Response:
        event = (await request.json())["event"]
        if event["event_type"] == "incident.triggered" and self.client:
            war_room = self.sandbox.slack.find("war-room").id
            offered = buttons("incident.ack")
            await self.client.chat_postMessage(channel=war_room, text="P0", blocks=offered)
            room = await self.client.conversations_create(name="inc-1")
            await self.client.chat_postMessage(channel=room["channel"]["id"], text="panel")
        return Response("")

    async def slack(self, request: Request) -> Response:
        if request.headers["content-type"] == "application/json":
            return Response("")
        form = await request.form()
        if form.get("command") == "/halt":
            return JSONResponse({"text": "Sure?", "blocks": buttons("halt.confirm")})
        if form.get("command") == "/incident" and self.client:
            await self.client.views_open(trigger_id=str(form["trigger_id"]), view=modal("resolve"))
        payload = json.loads(str(form.get("payload", "{}")))
        if payload.get("type") == "block_actions":
            self.pressed.append(payload["actions"][0]["action_id"])
        if payload.get("type") == "view_submission":
            self.submitted.append(payload["view"]["state"]["values"])
        return Response("")


async def test_a_story_is_played_through_what_the_bot_offers() -> None:
    sandbox = Sandbox(StoryClock(SCENARIO.begins, SPEED), speed=SPEED)
    bot = SmallBot(sandbox)
    steps = [
        Step("0:00", "platform", "stops", switch(sentinel_down=True)),
        Step("0:05", "monitoring", "alerts", alert("lav-adaf-market-sentinel", "down", key="k")),
        Step("1:00", "ana", "acknowledges", press("incident.ack")),
        Step("2:00", "mei", "says something", say("hello")),
        Step("2:30", "raj", "answers", say("yes", thread=True)),
        Step("3:00", "rita", "halts", type_command("/halt", "all x", modal="halt", confirm="halt.confirm")),
        Step(
            "4:00", "raj", "resolves", type_command("/incident", "resolve", modal="resolve", reason="leak", other="x")
        ),
        Step("5:00", "ana", "was called", expect("a page", paged("ana"))),
        Step("5:00", "ana", "sees the panel", expect("a panel", bot_said("0:00", words=["PANEL"]))),
        Step("6:00", "ana", "wants what is not there", press("incident.sing")),
    ]
    told: list[str] = []
    async with serve(sandbox) as url, embedded(bot.app) as (bot_url, _), aiohttp.ClientSession() as session:
        sandbox.bot_url = bot_url
        bot.client = AsyncWebClient(
            token="xoxb-sandbox-bot-token", base_url=f"{url}/slack/api/", session=session, retry_handlers=[]
        )
        report = await play(sandbox, steps, told.append, patience_s=0.3)
        await sandbox.delivery.settle()
    assert report.missing == ["6:00 ana (wants what is not there): expected a button incident.sing for Ana Souza"]
    assert not report.complete
    assert bot.pressed == ["incident.ack", "halt.confirm"]
    assert bot.submitted[0]["reason"]["value"]["value"] == "leak"
    assert len(told) == len(steps)
    people_said = [(m["author"], bool(m["thread_ts"])) for m in sandbox.transcript() if m["text"] in ("hello", "yes")]
    assert people_said == [("Mei Tanaka", False), ("Raj Patel", True)]
    assert sandbox.now() - SCENARIO.begins >= timedelta(minutes=6)


async def test_with_a_silent_bot_every_step_that_needs_it_says_what_it_missed() -> None:
    sandbox = Sandbox(StoryClock(SCENARIO.begins, 100_000), speed=100_000)
    async with serve(sandbox):
        report = await play(sandbox, STEPS, patience_s=0.001)
    missed = "\n".join(report.missing)
    for wanted in (
        "a button incident.ack for Ana Souza",
        "a room for the incident",
        "risk manager",
        "trading to be halted",
    ):
        assert wanted in missed
    assert len(report.lines) == len(STEPS)
    assert not sandbox.platform.switches.sentinel_down


def test_a_modal_gets_the_values_it_has_inputs_for() -> None:
    blocks = modal()["blocks"]
    assert fit(blocks, {"reason": "x", "scope": "everything", "eta": "1 h"}) == {"reason": "x", "scope": "all"}
    assert fit(blocks, {"scope": "unknown"}) == {"scope": "all"}


@pytest.mark.parametrize("wrong", ["5", "1:2:3:4"])
def test_a_time_of_a_step_must_be_readable(wrong: str) -> None:
    with pytest.raises(ValueError, match="m:ss"):
        _ = Step(wrong, "ana", "x", switch()).offset


def test_the_steps_of_the_demo_are_in_order() -> None:
    offsets = [step.offset for step in STEPS]
    assert offsets == sorted(offsets)
