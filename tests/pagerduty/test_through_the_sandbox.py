"""The whole way over HTTP: an alert is raised, its signed webhooks arrive, we change it and read what we missed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.pagerduty.conftest import People, a_job

from warroom.domain.inputs import Input, PagerDutyEvent, PagerDutyIncident
from warroom.domain.people import PAGERDUTY
from warroom.engine.ports import Job
from warroom.errors import BadRequest, Refused, Uncertain
from warroom.pagerduty import webhook
from warroom.pagerduty.client import Client
from warroom.pagerduty.enrich import enrich
from warroom.pagerduty.events import Events
from warroom.pagerduty.performer import PagerDutyPerformer
from warroom.pagerduty.reconcile import Known, news
from warroom.pagerduty.rest import Rest
from warroom.sandbox import Sandbox, serve
from warroom.sandbox.server import embedded

TOKEN = "sandbox-token-of-this-test"
ROUTING_KEY = "R0SENTINEL0000000000000000000001"
BEGIN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
TRIGGER = {"summary": "Market Sentinel down", "severity": "critical", "details": {"lag": 1200}, "dedup_key": "k1"}


@dataclass
class Firm:
    """The sandbox, our adapters on it, and the webhook inputs that reached us."""

    sandbox: Sandbox
    client: Client
    performer: PagerDutyPerformer
    secrets: list[str]
    inputs: list[Input] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    async def webhook(self, request: Request) -> Response:
        body = await request.body()
        try:
            webhook.verify(body, request.headers.get("x-pagerduty-signature", ""), self.secrets)
            self.inputs.append(webhook.parse(body, BEGIN))
        except BadRequest as error:
            self.refused.append(error.status)
            return PlainTextResponse(str(error), error.status)
        return PlainTextResponse("ok")

    async def heard(self) -> list[str]:
        await self.sandbox.webhooks.settle()
        return [i.body.type for i in self.inputs if isinstance(i.body, PagerDutyEvent)]

    @property
    def incident(self) -> str:
        return next(iter(self.sandbox.pagerduty.incidents))

    def job(self, kind: str, **data: object) -> Job:
        job = a_job(kind, data, at=BEGIN)
        return replace(job, incident=replace(job.incident, pagerduty_id=self.incident, pagerduty_service="PSVCSEN"))


@pytest.fixture
async def firm() -> AsyncIterator[Firm]:
    # the speed is for the webhooks' repetitions
    sandbox = Sandbox(lambda: BEGIN, speed=10_000, webhook_secrets=("old", "new"), pagerduty_token=TOKEN)
    async with serve(sandbox) as url, aiohttp.ClientSession() as session:
        client = Client(Rest(TOKEN, f"{url}/pagerduty", timeout=2), "rita@sandbox.example")
        events = Events(session, ROUTING_KEY, f"{url}/pagerduty-events", timeout=2)
        firm = Firm(sandbox, client, PagerDutyPerformer(client, People(), events), ["new"])

        async def receive(request: Request) -> Response:
            return await firm.webhook(request)

        app = Starlette(routes=[Route("/pagerduty/webhook", receive, methods=["POST"])])
        async with embedded(app) as (bot, _):
            sandbox.bot_url = bot
            yield firm
            await sandbox.webhooks.settle()
        await client.close()


async def test_an_alert_we_raise_comes_back_as_a_signed_webhook_and_is_acknowledged_and_resolved(firm: Firm) -> None:
    await firm.performer.perform(a_job("trigger", TRIGGER))
    await firm.performer.perform(a_job("trigger", TRIGGER))
    assert await firm.heard() == ["incident.triggered"]
    acknowledged = await firm.performer.perform(firm.job("change", status="acknowledged", email="ana@sandbox.example"))
    resolved = await firm.performer.perform(firm.job("change", status="resolved", email="tom@sandbox.example"))
    assert (acknowledged["at"], resolved["at"]) == (BEGIN.isoformat(), BEGIN.isoformat())
    assert await firm.heard() == ["incident.triggered", "incident.acknowledged", "incident.resolved"]
    agents = [i.body.agent.name for i in firm.inputs if isinstance(i.body, PagerDutyEvent)]
    assert agents[1:] == ["Ana Souza", "Rita Okafor"]
    assert firm.refused == []


async def test_a_webhook_signed_with_retired_secrets_only_is_refused(firm: Firm) -> None:
    firm.sandbox.webhooks.secrets = ("retired",)
    await firm.performer.perform(a_job("trigger", TRIGGER))
    assert await firm.heard() == []
    assert set(firm.refused) == {401}


async def test_an_acknowledgement_whose_answer_was_lost_is_found(firm: Firm) -> None:
    await firm.performer.perform(a_job("trigger", TRIGGER))
    job = firm.job("change", status="acknowledged", email="ana@sandbox.example")
    firm.sandbox.faults.add("pagerduty", "PUT *", "drop_after")
    with pytest.raises(Uncertain):
        await firm.performer.perform(job)
    assert await firm.performer.find(job) == {"at": BEGIN.isoformat(), "status": "acknowledged"}


async def test_a_page_whose_answer_was_lost_is_found_and_wakes_nobody_twice(firm: Firm) -> None:
    await firm.performer.perform(a_job("trigger", TRIGGER))
    job = firm.job("page", groups=["on_call"], message="Please join the war room.")
    assert await firm.performer.find(job) is None
    firm.sandbox.faults.add("pagerduty", "POST *responder_requests", "drop_after")
    with pytest.raises(Uncertain):
        await firm.performer.perform(job)
    everybody = ["Ana Souza", "Lukas Weber", "Mei Tanaka", "Raj Patel"]
    assert await firm.performer.find(job) == {"paged": everybody, "missing": []}
    assert sorted(p["to"] for p in firm.sandbox.pagerduty.pages if p["why"].startswith("asked")) == everybody


async def test_the_webhook_lacks_the_details_and_they_are_fetched(firm: Firm) -> None:
    await firm.performer.perform(a_job("trigger", TRIGGER))
    await firm.heard()
    full = await enrich(firm.inputs[0], firm.client, budget=5)
    assert isinstance(full.body, PagerDutyEvent)
    assert isinstance(full.body.incident, PagerDutyIncident)
    assert full.body.incident.details["lag"] == 1200


async def test_a_whole_escalation_wakes_the_levels_and_then_says_that_there_are_no_more(firm: Firm) -> None:
    await firm.performer.perform(a_job("trigger", TRIGGER))
    job = firm.job("escalate", message="nobody answers")
    assert [(await firm.performer.perform(job))["level"] for _ in range(2)] == [2, 3]
    paged = [p["user_id"] for p in firm.sandbox.pagerduty.pages]
    assert paged == ["PUSRANA", "PUSRRAJ", "PUSRMEI", "PUSRLUK"]
    assert {p.pagerduty_id for p in await firm.client.on_call("PSVCSEN")} == set(paged)
    with pytest.raises(Refused, match="level 3, the last one"):
        await firm.performer.perform(job)


async def test_lost_webhooks_are_found_by_reading_and_only_what_was_lost(firm: Firm) -> None:
    firm.sandbox.webhooks.drop_next = 2
    await firm.performer.perform(a_job("trigger", TRIGGER))
    await firm.performer.perform(firm.job("change", status="acknowledged", email="ana@sandbox.example"))
    assert await firm.heard() == []
    found = await news(firm.client, ["PSVCSEN"], {}, BEGIN, BEGIN + timedelta(minutes=5))
    events = [i.body for i in found if isinstance(i.body, PagerDutyEvent)]
    assert [(e.type, e.at) for e in events] == [("incident.triggered", BEGIN), ("incident.acknowledged", BEGIN)]
    assert events[0].agent == PAGERDUTY
    known = {firm.incident: Known(status="acknowledged", changed_at=BEGIN)}
    assert await news(firm.client, ["PSVCSEN"], known, BEGIN, BEGIN + timedelta(minutes=5)) == []
