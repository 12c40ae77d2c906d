"""News of webhooks that never came: each kind, with PagerDuty's times, found as the same news every time."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from tests.pagerduty.conftest import LINKED, OPENED, an_incident
from tests.pagerduty.loopback import START, PagerDuty, ref

from warroom.domain.facts import MilestoneReached, MilestoneWithdrawn
from warroom.domain.inputs import Input, PagerDutyEvent
from warroom.domain.people import By
from warroom.errors import TryAgain
from warroom.pagerduty.client import Client
from warroom.pagerduty.reconcile import JOINED, Known, news, what_we_know

LATER = START + timedelta(hours=3)
TRIGGERED = {"PINC1": Known()}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def missed(client: Client, known: Mapping[str, Known], since: datetime = START) -> list[Input]:
    return await news(client, ["PSVC"], known, since, LATER)


def told(inputs: list[Input]) -> list[tuple[str, datetime]]:
    return [(e.body.type, e.body.at) for e in inputs if isinstance(e.body, PagerDutyEvent)]


def event(given: Input) -> PagerDutyEvent:
    assert isinstance(given.body, PagerDutyEvent)
    return given.body


async def test_an_incident_we_never_heard_of_is_told_from_its_beginning(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.tick()
    pagerduty.acknowledge()
    pagerduty.tick()
    pagerduty.unacknowledge()
    found = await missed(client, {})
    assert told(found) == [
        ("incident.triggered", at(0)),
        ("incident.acknowledged", at(60)),
        ("incident.unacknowledged", at(120)),
    ]
    first = event(found[0])
    assert first.incident is not None
    assert (first.incident.title, first.incident.service_id, first.incident.status, first.people) == (
        "Market Sentinel down",
        "PSVC",
        "triggered",
        ("Ana",),
    )
    assert (found[0].source, found[0].received) == ("pagerduty-reconcile", LATER)
    assert event(found[1]).agent == By("pagerduty:PANA", "Ana")


async def test_it_is_told_of_even_when_its_log_cannot_be_read_and_then_under_the_same_id(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    pagerduty.fail("log_entries", "500")
    (blind,) = await missed(client, {})
    (seen,) = await missed(client, {})
    assert (blind.source_id, told([blind])) == (seen.source_id, told([seen]))


async def test_a_missed_acknowledgement_has_the_time_and_the_person_of_the_log(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    pagerduty.tick(90)
    pagerduty.acknowledge(who="PRAJ")
    pagerduty.tick(900)
    pagerduty.escalated("PINC1", 2, None)
    (found,) = await missed(client, TRIGGERED)
    assert told([found]) == [("incident.acknowledged", at(90))]
    assert event(found).agent == By("pagerduty:PRAJ", "Raj")


async def test_a_missed_resolution_of_an_incident_we_take_to_be_open_is_found(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    pagerduty.tick(30)
    pagerduty.acknowledge()
    pagerduty.tick(600)
    pagerduty.resolve()
    assert told(await missed(client, {"PINC1": Known(status="acknowledged", changed_at=at(30))})) == [
        ("incident.resolved", at(630))
    ]
    assert told(await missed(client, TRIGGERED)) == [
        ("incident.acknowledged", at(30)),
        ("incident.resolved", at(630)),
    ]


async def test_a_missed_unacknowledgement_and_a_missed_reopening_are_found(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    pagerduty.tick(30)
    pagerduty.acknowledge()
    pagerduty.tick(30)
    pagerduty.unacknowledge()
    assert told(await missed(client, {"PINC1": Known(status="acknowledged", changed_at=at(30))})) == [
        ("incident.unacknowledged", at(60))
    ]
    pagerduty.tick(30)
    pagerduty.resolve()
    pagerduty.tick(30)
    pagerduty.reopen()
    assert told(await missed(client, {"PINC1": Known(status="resolved", changed_at=at(90))})) == [
        ("incident.reopened", at(120))
    ]


async def test_reopening_by_acknowledging_is_both(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.tick(30)
    pagerduty.resolve()
    pagerduty.tick(30)
    pagerduty.acknowledge()
    found = await missed(client, {"PINC1": Known(status="resolved", changed_at=at(30))})
    assert told(found) == [("incident.reopened", at(60)), ("incident.acknowledged", at(60))]
    assert [e.incident.status for e in map(event, found) if e.incident] == ["triggered", "acknowledged"]


async def test_a_turn_missed_in_both_directions_is_told_although_the_status_is_the_same(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    pagerduty.acknowledge()
    known = {"PINC1": Known(status="acknowledged", changed_at=at(0))}
    pagerduty.tick(60)
    pagerduty.unacknowledge()
    pagerduty.tick(60)
    pagerduty.acknowledge()
    assert told(await missed(client, known)) == [
        ("incident.unacknowledged", at(60)),
        ("incident.acknowledged", at(120)),
    ]


async def test_a_missed_change_of_priority_is_found(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.tick(60)
    pagerduty.prioritise("PINC1", "P2")
    pagerduty.tick(60)
    pagerduty.prioritise("PINC1", "P1", who="PRAJ")
    (found,) = await missed(client, TRIGGERED)
    assert told([found]) == [("incident.priority_updated", at(120))]
    assert event(found).incident is not None
    assert event(found).incident.priority == "P1"  # type: ignore[union-attr]
    assert event(found).agent == By("pagerduty:PRAJ", "Raj")
    assert await missed(client, {"PINC1": Known(priority="P1")}) == []
    assert await missed(client, TRIGGERED, since=at(600)) == []


async def test_a_priority_that_differs_from_ours_is_news_even_if_the_log_does_not_say_so(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()["priority"] = ref("priority", "PPRI1", "P1")
    (found,) = await missed(client, {"PINC1": Known(priority="P2")}, since=at(3600))
    assert told([found]) == [("incident.priority_updated", at(0))]


async def test_the_same_news_has_the_same_id_however_often_and_when_it_is_found(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open("PNEW")
    pagerduty.open()
    pagerduty.tick(60)
    pagerduty.acknowledge()
    pagerduty.prioritise("PINC1", "P1")
    first = await news(client, ["PSVC"], TRIGGERED, START, LATER)
    pagerduty.tick(3600)
    pagerduty.log("PINC1", "annotate_log_entry", None)
    second = await news(client, ["PSVC"], TRIGGERED, at(30), LATER + timedelta(hours=1))
    assert len(first) == 3
    assert [(i.source, i.source_id, told([i])) for i in first] == [(i.source, i.source_id, told([i])) for i in second]
    assert len({i.source_id for i in first}) == 3


async def test_every_turn_has_an_id_of_its_own(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    for _ in range(3):
        pagerduty.tick(60)
        pagerduty.acknowledge()
        pagerduty.tick(60)
        pagerduty.unacknowledge()
    found = await missed(client, TRIGGERED)
    assert len({i.source_id for i in found}) == 6


async def test_what_we_know_already_is_no_news(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.tick(60)
    pagerduty.acknowledge()
    # webhooks tell milliseconds, the log whole seconds
    known = {"PINC1": Known(status="acknowledged", changed_at=at(60.169))}
    pagerduty.tick(60)
    pagerduty.acknowledge(who="PRAJ")
    assert await missed(client, known) == []
    pagerduty.requests.clear()
    assert await missed(client, known, since=at(3600)) == []
    assert pagerduty.calls() == ["GET /incidents"]


async def test_what_becomes_of_an_alert_that_joined_an_incident_is_no_news_and_is_not_read(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    pagerduty.tick(60)
    pagerduty.acknowledge()
    assert await missed(client, {"PINC1": JOINED}) == []
    pagerduty.tick(60)
    pagerduty.resolve()
    assert await missed(client, {"PINC1": JOINED}) == []
    assert pagerduty.calls() == ["GET /incidents", "GET /incidents"]


async def test_a_status_that_the_log_does_not_explain_is_told_once(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.tick(60)
    pagerduty.acknowledge()
    pagerduty.tick(60)
    pagerduty.incidents["PINC1"] |= {"status": "triggered", "last_status_change_at": pagerduty.now.isoformat()}
    known = {"PINC1": Known(status="acknowledged", changed_at=at(60))}
    (found,) = await missed(client, known)
    assert told([found]) == [("incident.unacknowledged", at(120))]
    pagerduty.tick(60)
    pagerduty.incidents["PINC1"]["last_status_change_at"] = pagerduty.now.isoformat()
    assert [i.source_id for i in await missed(client, known)] == [found.source_id]


async def test_what_changes_while_we_read_is_not_told_backwards(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    listed = pagerduty.list_log

    def late(*given: object) -> object:
        if pagerduty.incidents["PINC1"]["status"] == "triggered":
            pagerduty.tick(60)
            pagerduty.acknowledge()
        return listed(*given)  # type: ignore[arg-type]

    pagerduty.list_log = late  # type: ignore[assignment,method-assign]
    assert told(await missed(client, TRIGGERED)) == [("incident.acknowledged", at(60))]


async def test_one_incident_that_cannot_be_read_does_not_keep_the_others_from_us(
    pagerduty: PagerDuty, client: Client
) -> None:
    for ident in ("PINC1", "PINC2"):
        pagerduty.open(ident)
        pagerduty.tick(60)
        pagerduty.acknowledge(ident)
    known = {"PINC1": Known(), "PINC2": Known(), "PGONE": Known()}
    pagerduty.fail("PINC1/log_entries", "500")
    assert told(await missed(client, known)) == [("incident.acknowledged", at(120))]
    assert len(await missed(client, known)) == 2


async def test_an_outage_is_told_to_the_caller(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.fail("GET /incidents$", "500")
    with pytest.raises(TryAgain):
        await missed(client, {})


async def test_the_news_of_several_incidents_come_in_the_order_in_which_they_happened(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open("PA")
    pagerduty.tick()
    pagerduty.open("PB")
    pagerduty.tick()
    pagerduty.acknowledge("PA")
    found = await missed(client, {})
    assert [(e.incident.id, e.type) for e in map(event, found) if e.incident] == [
        ("PA", "incident.triggered"),
        ("PB", "incident.triggered"),
        ("PA", "incident.acknowledged"),
    ]


# -- what we know


def test_only_pagerdutys_own_word_counts_as_what_we_know() -> None:
    assert OPENED.id
    incident = an_incident(LINKED, MilestoneReached(milestone="acknowledged", source="slack"), at=at(30))
    assert what_we_know(incident) == Known(status="triggered", changed_at=None)
    reached = MilestoneReached(milestone="acknowledged", source="pagerduty")
    assert what_we_know(an_incident(LINKED, reached, at=at(30))) == Known(status="acknowledged", changed_at=at(30))


@pytest.mark.parametrize(
    ("moments", "status"),
    [
        (("+acknowledged",), "acknowledged"),
        (("+acknowledged", "-acknowledged"), "triggered"),
        (("+acknowledged", "+resolved"), "resolved"),
        (("+resolved",), "resolved"),
        (("+acknowledged", "+resolved", "-resolved"), "triggered"),
        (("+resolved", "-resolved", "+acknowledged"), "acknowledged"),
        (("+acknowledged", "+responding"), "acknowledged"),
    ],
)
def test_the_status_we_know_follows_from_the_moments(moments: tuple[str, ...], status: str) -> None:
    whats = [
        (MilestoneReached if m[0] == "+" else MilestoneWithdrawn)(milestone=m[1:], source="pagerduty")  # type: ignore[arg-type]
        for m in moments
    ]
    incident = an_incident(LINKED, *whats, step=60)
    assert what_we_know(incident).status == status
