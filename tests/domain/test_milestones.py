"""PagerDuty's news may come late, twice and in any order; what it adds up to is always the same."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import ID, MINUTE, START, Play, a_pack, text_of

from warroom.domain import facts as f
from warroom.domain import milestones
from warroom.domain.milestones import Moment, Span

ONLY_CLOCKS = a_pack(steps=(), cadences=(), communications=())
KINDS = ["incident.acknowledged", "incident.unacknowledged", "incident.resolved", "incident.reopened"]
TIMES = st.integers(0, 50 * 60)
EVENTS = st.lists(st.tuples(st.sampled_from(KINDS), TIMES), max_size=7, unique_by=lambda e: e[1])
MOMENTS = st.builds(
    Moment,
    at=TIMES.map(lambda s: START + timedelta(seconds=s)),
    reached=st.booleans(),
    milestone=st.sampled_from(["declared", "acknowledged", "resolved"]),
    source=st.sampled_from(["pagerduty", "slack", "warroom"]),
)


def minute(n: float) -> datetime:
    return START + n * MINUTE


def moment(n: float, reached: bool = True, source: str = "pagerduty") -> Moment:
    return Moment(minute(n), reached, "acknowledged", source)


def added(*moments: Moment) -> milestones.History:
    history: milestones.History = ()
    for one in moments:
        history = milestones.add(history, one)
    return history


def shape(play: Play) -> Any:
    """What an incident adds up to, without what was announced on the way."""
    runs = [
        (v.id, v.start, v.end, v.within, v.used, v.left, v.deadline, v.end is not None and v.end <= v.deadline)
        for clock in ("acknowledge", "announce", "response", "resolve", "recovery")
        for v in play.clocks(clock)
    ]
    return play.incident.history, play.incident.is_open, play.incident.status, sorted(runs, key=str)


@given(st.data(), st.lists(MOMENTS, max_size=10))
def test_any_order_and_repetition_gives_the_same_history_and_spans(data: st.DataObject, news: list[Moment]) -> None:
    shuffled = data.draw(st.permutations(news + news[:3]))
    assert added(*shuffled) == added(*news)
    spans = milestones.spans(added(*shuffled), "declared", "acknowledged")
    assert spans == milestones.spans(added(*news), "declared", "acknowledged")
    assert all(s.end is None or s.start <= s.end for s in spans)
    assert all(a.end is not None and a.end <= b.start for a, b in pairwise(spans))


@settings(settings.get_profile("plays"))
@given(st.data(), EVENTS)
@pytest.mark.row("S1")
def test_pagerdutys_events_in_any_order_give_the_same_incident(
    data: st.DataObject, events: list[tuple[str, int]]
) -> None:
    told = [("incident.triggered", 0), *events]
    shuffled = data.draw(st.permutations(told + told[:2]).filter(lambda e: e[0][0] != "incident.resolved"))
    plays = []
    for news in (told, shuffled):
        play = Play(ONLY_CLOCKS, now=minute(60))
        for kind, second in news:
            play.hear(kind, at=START + timedelta(seconds=second), created_at=START)
        assert list(play.incidents) == [ID]
        assert play.broken == []
        plays.append(play)
    assert shape(plays[0]) == shape(plays[1])


def test_a_milestone_is_reached_at_its_first_moment_of_the_current_turn() -> None:
    history = added(moment(9), moment(7), moment(6, reached=False), moment(2))
    assert milestones.reached(history, "acknowledged") == minute(7)
    assert milestones.first(history, "acknowledged") == minute(2)


def test_pagerdutys_time_replaces_our_claim_in_its_own_turn_only() -> None:
    assert milestones.reached(added(moment(2, source="slack"), moment(3)), "acknowledged") == minute(3)
    later = added(moment(1), moment(4, reached=False), moment(5, source="slack"))
    assert milestones.reached(later, "acknowledged") == minute(5)


def test_waiting_starts_again_with_every_withdrawal() -> None:
    declared = Moment(START, True, "declared", "pagerduty")
    history = added(declared, moment(2), moment(6, reached=False), moment(9), moment(12, reached=False))
    assert milestones.spans(history, "declared", "acknowledged") == (
        Span(START, minute(2)),
        Span(minute(6), minute(9)),
        Span(minute(12), None),
    )


def test_nothing_is_waited_for_before_the_start_is_known() -> None:
    assert milestones.spans(added(moment(2)), "declared", "acknowledged") == ()


def test_an_acknowledgement_in_slack_takes_pagerdutys_time_when_it_answers() -> None:
    def world(effect: Any, incident: Any) -> Any:
        return {"at": minute(2.5).isoformat()} if effect.kind == "pagerduty.change" else usual(effect, incident)

    play = Play()
    usual, play.world = play.world, world
    play.alert()
    play.at(2).type("/incident ack")
    assert play.incident.reached("acknowledged") == minute(2.5)
    assert [v.end for v in play.clocks("acknowledge")] == [minute(2.5)]
    assert len(play.posts("acknowledged")) == 1


def test_the_echo_of_our_own_acknowledgement_says_nothing_twice() -> None:
    play = Play()
    play.alert()
    play.at(2).type("/incident ack")
    play.hear("incident.acknowledged", at=minute(2.1))
    play.hear("incident.acknowledged", at=minute(2.1))
    assert len(play.posts("acknowledged")) == 1
    assert play.keys("pagerduty.acknowledged") == ["pagerduty.acknowledged:1"]
    assert play.incident.reached("acknowledged") == minute(2.1)


def test_an_unacknowledgement_is_said_and_may_be_acknowledged_again() -> None:
    play = Play()
    play.alert()
    play.at(1).hear("incident.acknowledged")
    play.at(2).hear("incident.unacknowledged")
    assert len(play.posts("unacknowledged")) == 1
    assert "already" not in text_of(play.at(3).type("/incident ack"))
    assert len(play.posts("acknowledged")) == 2
    assert play.keys("pagerduty.acknowledged") == ["pagerduty.acknowledged:2"]


def test_an_unacknowledgement_that_was_overtaken_is_not_said() -> None:
    play = Play()
    play.alert()
    play.at(1).hear("incident.acknowledged")
    play.at(5).hear("incident.acknowledged", at=minute(4))
    play.hear("incident.unacknowledged", at=minute(3))
    assert play.posts("unacknowledged") == []
    assert play.incident.reached("acknowledged") == minute(4)


def test_a_resolution_that_arrives_after_its_reopening_leaves_the_incident_open() -> None:
    play = Play()
    play.alert()
    play.at(20).hear("incident.reopened", at=minute(15))
    play.hear("incident.resolved", at=minute(10))
    assert play.incident.is_open
    assert play.incident.status == "investigating"
    assert play.posts("resolution_notice") == []
    assert play.whats(f.DraftAsked) == []


def test_a_reopened_incident_is_told_wherever_its_end_was_told_and_goes_on() -> None:
    play = Play()
    play.alert()
    play.at(10).hear("incident.resolved")
    assert len(play.posts("resolution_notice")) == 4
    play.at(20).hear("incident.reopened")
    where = sorted(str(e.data["to"]) for e in play.posts("reopened"))
    assert where == sorted({"room", "war_room", *(str(e.data["to"]) for e in play.posts("resolution_notice"))})
    assert len(where) > 2
    assert (play.incident.is_open, play.incident.status) == (True, "investigating")
    play.at(30).hear("incident.resolved")
    assert len(play.posts("resolution_notice")) == 8
    assert [d.number for d in play.whats(f.DraftAsked)] == [1, 2]


def test_an_acknowledgement_that_is_taken_back_is_taken_back_everywhere() -> None:
    play = Play()
    play.alert()
    play.at(1).hear("incident.acknowledged")
    done = {name for name, mark in play.incident.steps.items() if mark.note == "acknowledged"}
    assert done
    assert "Acknowledged after" in play.render(play.made[ID, "announce"]).plain
    before = len(play.sent)
    play.at(2).hear("incident.unacknowledged")
    assert [e for e in play.sent[before:] if e.kind == "slack.edit" and e.data["of"] == "announce"]
    assert "Acknowledged after" not in play.render(play.made[ID, "announce"]).plain
    assert [name for name in done if play.incident.steps.get(name) and play.incident.steps[name].state == "done"] == []
    play.at(30)
    paged = [e.data["groups"] for e in play.sent if e.kind == "pagerduty.page" and e.key.startswith("step:p0_l2")]
    assert paged == [["senior_engineers"]]


def test_a_step_that_was_late_stays_late_when_what_did_it_is_taken_back() -> None:
    play = Play()
    play.alert()
    play.at(30).hear("incident.acknowledged")
    late = {name for name, mark in play.incident.steps.items() if mark.late and mark.note == "acknowledged"}
    play.at(31).hear("incident.unacknowledged")
    assert {name for name in late if play.incident.steps[name].state == "late"} == late


def test_a_resolution_that_pagerduty_dates_later_gets_no_second_draft() -> None:
    play = Play()
    play.alert()
    play.at(10).send("resolve", summary="over")
    play.at(12).hear("incident.resolved", at=minute(11))
    play.at(30)
    assert [d.number for d in play.whats(f.DraftAsked)] == [1]


def test_a_step_that_had_begun_is_asked_for_again_when_what_did_it_is_taken_back() -> None:
    play = Play()
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    step = "p1_mitigation"
    play.at(31)
    assert play.state(step) == "started"
    play.hear("incident.resolved")
    assert play.state(step) == "done"
    asked = play.made[ID, f"step:{step}:ask"]
    over = [e for e in play.sent if e.kind == "slack.edit" and e.data["of"] == asked.key]
    assert "done 15:02 UTC (resolved)" in play.render(over[-1]).plain
    play.at(33).hear("incident.reopened")
    assert play.state(step) == "started"
    again = [e for e in play.posts("step_request") if e.key.startswith(f"step:{step}:ask:again:")]
    assert len(again) == 1
    play.send("resolve", summary="over")
    assert [e for e in play.sent if e.kind == "slack.edit" and e.data["of"] == again[0].key]
    assert play.broken == []
