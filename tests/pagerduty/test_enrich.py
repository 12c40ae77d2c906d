"""Details that webhooks leave out, fetched in the little time there is."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.pagerduty.loopback import START, PagerDuty

from warroom.domain.inputs import Input, PagerDutyEvent, PagerDutyIncident, TimerDue
from warroom.domain.people import PAGERDUTY
from warroom.pagerduty.client import Client
from warroom.pagerduty.enrich import enrich, lacks_details


def heard(kind: str = "incident.triggered", **details: Any) -> Input:
    incident = PagerDutyIncident(id="PINC1", details=details)
    body = PagerDutyEvent(type=kind, at=START, incident=incident, agent=PAGERDUTY)
    return Input(source="pagerduty", source_id="e1", received=START, body=body)


@pytest.fixture
def alert(pagerduty: PagerDuty) -> None:
    pagerduty.open()
    pagerduty.alerts["PINC1"] = [{"severity": "critical", "body": {"details": {"lag": 1200}}}]


@pytest.mark.usefixtures("alert")
async def test_a_triggered_event_gets_the_details_of_its_alerts_and_keeps_its_bridge(client: Client) -> None:
    given = heard(conference_bridge={"url": "https://b.example"})
    assert lacks_details(given)
    full = await enrich(given, client, budget=5)
    expected = heard(lag=1200, severity="critical", conference_bridge={"url": "https://b.example"})
    assert full == expected


@pytest.mark.usefixtures("alert")
@pytest.mark.parametrize(
    "given",
    [
        heard(lag=1),
        heard("incident.acknowledged"),
        replace(heard(), body=TimerDue(incident="i", key="k", due=START)),
        replace(heard(), body=PagerDutyEvent(type="pagey.ping", at=START, incident=None, agent=PAGERDUTY)),
    ],
    ids=["has details", "not triggered", "a timer", "no incident"],
)
async def test_nothing_is_asked_where_nothing_lacks(pagerduty: PagerDuty, client: Client, given: Input) -> None:
    assert not lacks_details(given)
    assert await enrich(given, client) is given
    assert pagerduty.requests == []


@pytest.mark.usefixtures("alert")
@pytest.mark.parametrize("kind", ["500", "404", "drop_after", "garbage"])
async def test_a_failure_leaves_the_input_as_it_is(pagerduty: PagerDuty, client: Client, kind: str) -> None:
    pagerduty.fail("alerts", kind)
    given = heard()
    assert await enrich(given, client, budget=5) is given


@pytest.mark.usefixtures("alert")
async def test_a_slow_answer_costs_no_more_than_the_budget(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.fail("alerts", "hang")
    given, loop = heard(), asyncio.get_running_loop()
    begin = loop.time()
    assert await enrich(given, client, budget=0.05) is given
    assert loop.time() - begin < 0.25
