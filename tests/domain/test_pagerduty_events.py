"""Each of PagerDuty's events: first news, later news, echoes of our own acts, and types we do not know."""

import pytest
from tests.domain.play import ID, MINUTE, START, Play

from warroom.domain import facts as f
from warroom.domain.inputs import PagerDutyEvent
from warroom.domain.outgoing import OUR_NOTE
from warroom.domain.people import By

OPENING = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.escalated",
    "incident.reassigned",
    "incident.delegated",
    "incident.priority_updated",
    "incident.reopened",
    "incident.responder.added",
    "incident.responder.replied",
]
CLOSING = ["incident.resolved", "incident.annotated", "incident.status_update_published"]
NEWS = {
    "incident.escalated": "Escalated in PagerDuty",
    "incident.reassigned": "Reassigned in PagerDuty",
    "incident.delegated": "Delegated in PagerDuty",
    "incident.responder.added": "Responder asked for in PagerDuty",
    "incident.responder.replied": "Responder answered in PagerDuty",
    "incident.status_update_published": "Status update published in PagerDuty",
    "incident.annotated": "Note in PagerDuty",
}


def an_alert() -> Play:
    play = Play()
    play.alert()
    return play


@pytest.mark.row("L4")
def test_a_trigger_opens_the_incident_with_pagerdutys_time_and_link() -> None:
    play = Play(now=START + 2 * MINUTE)
    play.hear("incident.triggered", at=START, created_at=START)
    assert (play.incident.opened, play.incident.reached("declared")) == (START, START)
    assert play.incident.pagerduty_id == "PINC1"
    assert [e.data["url"] for e in play.sent if e.kind == "slack.bookmark"] == [
        "https://pagerduty.example/incidents/PINC1"
    ]
    assert not [e for e in play.sent if e.kind == "pagerduty.trigger"]
    find = next(e for e in play.sent if e.kind == "people.find")
    assert find.data == {"groups": ["on_call", "risk_managers", "cto", "commanders"], "service": "PSVC1"}


@pytest.mark.row("S1")
def test_the_same_trigger_twice_opens_one_incident() -> None:
    play = an_alert()
    before = play.incident
    play.alert()
    assert list(play.incidents) == [ID]
    assert play.incident == before


@pytest.mark.parametrize("kind", OPENING)
def test_an_incident_first_heard_of_by_a_later_event_is_opened(kind: str) -> None:
    play = Play(now=START + 10 * MINUTE)
    play.hear(kind, at=START + 5 * MINUTE, created_at=START, priority="P0")
    assert play.incident.opened == START
    assert len(play.posts("p0_initial_alert")) == 1
    acknowledged = START + 5 * MINUTE if kind == "incident.acknowledged" else None
    assert play.incident.reached("acknowledged") == acknowledged
    assert play.incident.is_open


@pytest.mark.parametrize("kind", [*CLOSING, "pagey.ping", "incident.workflow.started", "service.updated"])
def test_news_of_an_unknown_incident_that_opens_nothing(kind: str) -> None:
    play = Play()
    play.hear(kind)
    assert (play.incidents, play.stray, play.sent) == ({}, [], [])


def test_an_alert_that_is_over_when_we_hear_of_it_opens_and_joins_nothing() -> None:
    play = Play()
    play.alert(status="resolved")
    assert (play.incidents, play.sent) == ({}, [])
    for number in range(8):
        play.alert(id=f"P{number}", title="Risk violation", status="resolved")
    play.alert(id="PNEW", title="Risk violation")
    play.hear("incident.triggered", id="POLD", title="Risk violation", status="resolved")
    assert len(play.incidents) == 1
    assert play.incident.joined_ids == ()


@pytest.mark.parametrize("kind", ["pagey.ping", "incident.workflow.started", "incident.conference_bridge.updated"])
def test_a_type_we_do_not_know_changes_nothing(kind: str) -> None:
    play = an_alert()
    before = play.incident
    play.hear(kind, text="hello")
    play.give(PagerDutyEvent(type=kind, at=play.now, incident=None, agent=By("pagerduty", "PagerDuty")))
    assert play.incident == before


@pytest.mark.parametrize("kind", NEWS)
def test_news_becomes_a_line_in_the_room_and_the_timeline(kind: str) -> None:
    play = an_alert()
    play.at(3).hear(kind, at=START + 2 * MINUTE, text="it is bad", people=("Raj", "Mia"))
    said = play.seen("note")[0]
    assert NEWS[kind] in said
    assert "Raj, Mia" in said
    assert "it is bad" in said
    notes = [x for x in play.facts[ID] if isinstance(x.what, f.NoteAdded)]
    assert [(n.at, n.by.name) for n in notes] == [(START + 2 * MINUTE, "Ana")]


def test_our_own_note_come_back_says_nothing() -> None:
    play = an_alert()
    play.type("/incident take")
    sent = [str(e.data["text"]) for e in play.sent if e.kind == "pagerduty.note"]
    assert sent
    assert all(text.startswith(OUR_NOTE) for text in sent)
    posted = len(play.posts("note"))
    for text in sent:
        play.hear("incident.annotated", text=text)
    assert len(play.posts("note")) == posted
    assert play.whats(f.NoteAdded) == []


def test_our_own_page_come_back_says_nothing() -> None:
    play = an_alert()
    page = next(e for e in play.sent if e.kind == "pagerduty.page")
    play.hear("incident.responder.added", text=str(page.data["message"]), people=("Ana",))
    assert play.whats(f.NoteAdded) == []


@pytest.mark.parametrize("kind", ["incident.annotated", "incident.status_update_published"])
def test_what_a_person_writes_in_pagerduty_is_told_also_when_it_begins_with_our_id(kind: str) -> None:
    play = an_alert()
    play.hear(kind, text=f"{ID} vendor confirms the outage")
    assert "vendor confirms the outage" in play.seen("note")[0]


def test_an_acknowledgement_in_pagerduty_shows_in_slack_with_its_time() -> None:
    play = an_alert()
    play.at(4).hear("incident.acknowledged", at=START + 3 * MINUTE, agent=By("pagerduty:PMIA", "Mia"))
    assert "Mia acknowledged at 14:34" in play.seen("acknowledged")[0]
    assert "in PagerDuty" in play.seen("acknowledged")[0]
    assert not [e for e in play.sent if e.kind == "pagerduty.change"]
    assert "Acknowledged after 3 m" in play.render(play.made[ID, "announce"]).plain


def test_a_resolution_in_pagerduty_is_told_and_not_sent_back() -> None:
    play = an_alert()
    play.at(4).hear("incident.resolved")
    assert not play.incident.is_open
    assert len(play.posts("resolution_notice")) == 4
    assert not [e for e in play.sent if e.kind == "pagerduty.change"]


@pytest.mark.parametrize(("text", "responded"), [("accepted", True), ("declined", False), ("pending", False)])
def test_a_responder_who_accepts_is_the_response(text: str, responded: bool) -> None:
    play = an_alert()
    play.at(4).hear("incident.responder.replied", at=START + 3 * MINUTE, text=text, people=("Raj",))
    assert (play.incident.reached("responding") is not None) == responded


def test_a_responder_who_accepts_later_does_not_undo_an_earlier_response() -> None:
    play = an_alert()
    play.at(2).type("/incident take")
    play.at(20).hear("incident.responder.replied", text="accepted", people=("Raj",))
    assert play.incident.reached("responding") == START + 2 * MINUTE
    assert [v.state for v in play.clocks("response")] == ["met"]


def test_of_responders_who_accepted_the_earlier_one_counts_though_heard_of_later() -> None:
    play = an_alert()
    play.at(20).hear("incident.responder.replied", at=START + 18 * MINUTE, text="accepted", people=("Raj",))
    assert [v.state for v in play.clocks("response")] == ["late"]
    play.at(21).hear("incident.responder.replied", at=START + 5 * MINUTE, text="accepted", people=("Mia",))
    assert play.incident.reached("responding") == START + 5 * MINUTE
    assert [v.state for v in play.clocks("response")] == ["corrected"]


def test_an_escalation_from_before_the_acknowledgement_takes_nothing_back() -> None:
    play = an_alert()
    play.at(6).hear("incident.acknowledged", at=START + 3 * MINUTE)
    play.hear("incident.escalated", at=START + 2 * MINUTE, status="triggered")
    assert play.incident.reached("acknowledged") == START + 3 * MINUTE
    assert play.whats(f.MilestoneWithdrawn) == []


def test_escalating_an_acknowledged_incident_makes_it_unacknowledged() -> None:
    play = an_alert()
    play.at(2).hear("incident.acknowledged")
    play.at(6).hear("incident.escalated", status="triggered")
    assert play.incident.reached("acknowledged") is None
    assert len(play.posts("unacknowledged")) == 1
    play.at(8).hear("incident.escalated", at=START + 7 * MINUTE, status="acknowledged")
    assert len(play.posts("unacknowledged")) == 1


def test_a_clock_of_pagerduty_that_runs_ahead_of_ours_breaks_nothing() -> None:
    play = Play()
    play.hear("incident.triggered", at=START + 2 * MINUTE, created_at=START + 2 * MINUTE)
    play.wait(30 * MINUTE)
    assert play.broken == []
    assert play.clocks("acknowledge")[0].used == 28 * MINUTE


def test_a_title_of_many_lines_becomes_one() -> None:
    play = Play()
    play.alert(title="Market\n  Sentinel\tdown ")
    assert play.incident.title == "Market Sentinel down"
    nameless = Play()
    nameless.alert(title=" ")
    assert nameless.incident.title == "PagerDuty incident PINC1"
