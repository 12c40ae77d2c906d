"""While an incident was resolved nobody was to do anything: reopened, everything goes on where it stood."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.domain.play import ANA, MINUTE, PACK, START, Play, a_pack, a_pack_with
from tests.domain.test_checklists import a_checklist
from tests.domain.test_step_hours import DAY, HOUR, PAGE, until

from warroom.domain import checklists, pauses
from warroom.domain import facts as f
from warroom.domain.market import Sessions
from warroom.domain.pauses import Pause
from warroom.domain.policy import Clock, Step
from warroom.postmortem.response import step_rows, update_rows

SECOND = timedelta(seconds=1)
TWENTY = Step(id="hold", title="Hold", owner="technical_lead", start=timedelta(), end=20 * MINUTE)


def minute(n: float) -> datetime:
    return START + n * MINUTE


def reopened(resolved: float, again: float, **more: Any) -> Play:
    """An incident that was resolved and reopened so many minutes after it began."""
    play = Play(**more)
    play.alert()
    play.at(resolved).hear("incident.resolved")
    play.at(again).hear("incident.reopened")
    return play


def lates(play: Play) -> list[tuple[str, float, float]]:
    """Every step and item that was said to be late: when it was due and when it was said, in minutes."""
    return [
        (fact.what.step if isinstance(fact.what, f.StepLate) else fact.what.item, *_minutes(fact.what.due, fact.at))
        for fact in play.facts[play.incident.id]
        if isinstance(fact.what, f.StepLate | f.ItemLate)
    ]


def row_of(play: Play, checklist: str, item: str) -> checklists.Row:
    known = play.packs["lav_adaf"].pack.checklists[checklist]
    return next(row for row in checklists.rows(play.incident, known, checklist) if row.item.id == item)


def _minutes(*moments: datetime) -> tuple[float, ...]:
    return tuple((at - START) / MINUTE for at in moments)


def test_a_step_due_ten_minutes_after_the_resolution_is_late_ten_minutes_after_the_reopening() -> None:
    play = reopened(10, 130, packs=a_pack(steps=(TWENTY,), clocks={}, cadences=()))
    assert "Hold · Technical lead · due 16:51 UTC" in play.panel()
    play.at(139.9)
    assert lates(play) == []
    play.at(300)
    assert lates(play) == [("hold", 140, 140)]


def test_a_clock_whose_breach_was_taken_back_can_be_missed_after_the_reopening_and_that_is_said() -> None:
    clock = Clock(title="Respond", start="declared", end="responding", within=15 * MINUTE, tell=("cto",))
    play = Play(packs=a_pack(steps=(), clocks={"response": clock}, cadences=()))
    play.alert()
    play.at(16).hear("incident.resolved", at=minute(10))
    assert [b.deadline for b in play.whats(f.ClockBreached)] == [minute(15)]
    assert len(play.posts("clock_corrected")) == 1
    play.at(30).hear("incident.reopened")
    play.at(34.9)
    assert len(play.posts("clock_breached")) == 1
    play.at(40)
    assert [b.deadline for b in play.whats(f.ClockBreached)] == [minute(15), minute(35)]
    assert len(play.posts("clock_breached")) == 2
    assert len([k for k in play.keys("breach:response:") if k.endswith(":page")]) == 2
    assert [v.state for v in play.clocks("response")] == ["late"]
    play.hear("incident.resolved", at=minute(33))
    assert len(play.posts("clock_corrected")) == 2
    edits = [e.data["of"] for e in play.sent if e.kind == "slack.edit" and e.key.startswith("corrected:")]
    assert len(set(edits)) == 2
    assert play.broken == []


def test_reopening_brings_no_burst_of_what_would_have_been_late_meanwhile() -> None:
    play = reopened(3, 120)
    assert lates(play) == []
    assert play.whats(f.ClockBreached) == []
    assert play.state("p0_evidence") == "waiting"
    assert "Preserve the evidence · warroom · from 16:33 UTC" in play.panel()
    play.at(300)
    assert lates(play) == [("p0_circuit_breakers", 122, 122), ("p0_commander", 132, 132)]


def test_what_was_late_or_done_before_the_resolution_stays_so() -> None:
    play = Play()
    play.alert()
    play.at(11).type("/incident step done p0_commander")
    play.at(12).hear("incident.resolved")
    play.at(120).hear("incident.reopened")
    play.at(200)
    assert lates(play) == [("p0_circuit_breakers", 5, 5)]
    assert "Engage the circuit breakers · Risk manager · LATE, was due 14:36 UTC" in play.panel().replace("**", "")
    rows = {row.title: row for row in step_rows(play.incident, play.packs["lav_adaf"], play.now)}
    assert rows["Engage the circuit breakers"].due == minute(5)
    done = rows["Assign the incident commander"]
    assert (done.due, done.result) == (minute(15), "in time (by Ana)")


def test_late_news_of_a_pause_takes_back_nothing_that_was_said_to_be_late() -> None:
    play = Play(packs=a_pack_with(checklists={"during": a_checklist()}))
    play.alert()
    play.at(20).hear("incident.resolved", at=minute(4))
    play.at(30).hear("incident.reopened")
    assert lates(play)[:2] == [("desk", 5, 5), ("p0_circuit_breakers", 5, 5)]
    assert "Engage the circuit breakers · Risk manager · LATE, was due 14:36 UTC" in play.panel().replace("**", "")
    assert row_of(play, "during", "desk").due == minute(5)


def test_a_step_in_business_hours_that_came_while_it_was_resolved_begins_with_the_next_ones_after_the_reopening() -> (
    None
):
    evening, night = DAY + 22 * HOUR, DAY + 48 * HOUR  # 17:00 and a day later 19:00 in New York
    play = Play(packs=a_pack(steps=(PAGE,), clocks={}, cadences=()), now=evening)
    play.alert()
    play.type("/incident severity P0 as it is")
    play.wait(20 * MINUTE)  # its fifteen minutes are over: it waits for the morning
    play.hear("incident.resolved")
    until(play, night).hear("incident.reopened")
    thursday = DAY + 62 * HOUR
    until(play, thursday - SECOND)
    assert play.state("page") == "waiting"
    until(play, thursday + 30 * MINUTE)
    assert [w.due for w in play.whats(f.StepLate)] == [thursday + 30 * MINUTE]


def test_a_clock_stands_still_and_goes_on_with_what_it_had_left() -> None:
    play = reopened(3, 120)
    (view,) = play.clocks("acknowledge")
    assert (view.used, view.left, view.state, view.deadline) == (3 * MINUTE, 2 * MINUTE, "running", minute(122))
    play.at(121).type("/incident ack", ANA)
    play.at(300)
    (view,) = play.clocks("acknowledge")
    assert (view.used, view.state) == (4 * MINUTE, "met")
    assert [b for b in play.whats(f.ClockBreached) if b.clock == "acknowledge"] == []


def test_a_clock_of_market_hours_loses_none_of_them_to_a_pause() -> None:
    clock = replace(PACK.pack.severities["P0"].clocks["response"], counting="market_hours")
    clock = replace(clock, within=2 * HOUR)
    play = reopened(30, 24 * 60, packs=a_pack(steps=(), clocks={"response": clock}, cadences=()))
    (view,) = play.clocks("response")
    assert (view.used, view.left) == (30 * MINUTE, 90 * MINUTE)
    assert view.deadline == minute(24 * 60 + 90)  # the next day at the same time, with an hour and a half left


def test_a_clock_that_waits_for_what_comes_after_the_resolution_goes_on_meanwhile() -> None:
    clock = replace(PACK.pack.severities["P0"].clocks["response"], end="reviewed", within=HOUR)
    play = reopened(10, 40, packs=a_pack(steps=(), clocks={"review": clock}, cadences=()))
    (view,) = play.clocks("review")
    assert (view.used, view.deadline) == (40 * MINUTE, minute(60))


def test_an_item_of_a_checklist_is_late_with_what_it_had_left() -> None:
    play = reopened(2, 60, packs=a_pack_with(checklists={"during": a_checklist()}))
    play.at(100)
    assert [late for late in lates(play) if late[0] == "desk"] == [("desk", 63, 63)]


def test_what_is_for_the_time_after_the_end_or_was_begun_in_it_is_due_in_it() -> None:
    lists = {"after": a_checklist(at="resolved"), "asked": a_checklist(at=None)}
    play = Play(packs=a_pack_with(checklists=lists))
    play.alert()
    play.at(2).hear("incident.resolved")
    play.at(3).hear("incident.reopened")
    play.at(4).hear("incident.resolved")
    play.at(5).type("/incident checklist asked")
    play.at(6).hear("incident.reopened")
    play.at(100)
    assert [late for late in lates(play) if late[0] == "desk"] == [("desk", 7, 7), ("desk", 10, 10)]


def test_the_silence_while_it_was_resolved_is_nobodys() -> None:
    play = reopened(10, 130)
    play.at(140)
    (row,) = update_rows(play.incident, play.packs["lav_adaf"], play.now)
    assert row.longest_gap == 20 * MINUTE


@settings(settings.get_profile("plays"))
@given(st.lists(st.integers(1, 1500), max_size=8))
@example([60, 30, 1500])
def test_a_step_is_late_when_its_length_has_passed_while_it_was_open_and_said_so_then(waits: list[int]) -> None:
    steps = tuple(replace(TWENTY, id=f"s{n}", end=n * MINUTE) for n in (1, 5, 20, 40))
    play = Play(packs=a_pack(steps=steps, clocks={}, cadences=()))
    play.alert()
    turns = [play.now]
    for number, seconds in enumerate(waits):
        play.wait(timedelta(seconds=seconds))
        play.hear("incident.reopened" if number % 2 else "incident.resolved")
        turns.append(play.now)
    play.wait(HOUR)
    open_for = [*zip(turns[::2], [*turns[1::2], play.now], strict=False)]
    said = {name: (due, at) for name, due, at in lates(play)}
    for step in steps:
        assert step.end
        expected = _open_after(open_for, step.end)
        assert said.get(step.id) == (expected and _minutes(expected, expected)), step.id


def _open_after(open_for: list[tuple[datetime, datetime]], span: timedelta) -> datetime | None:
    for begin, end in open_for:
        if span <= end - begin:  # what is due with the resolution was late already
            return begin + span
        span -= end - begin
    return None


@given(
    st.integers(0, 5000),
    st.integers(0, 3000),
    st.lists(st.integers(0, 6000), max_size=8, unique=True).map(sorted),
    st.booleans(),
)
def test_what_has_passed_by_the_moment_a_span_is_over_is_that_span(
    start: int, span: int, edges: list[int], counted: bool
) -> None:
    hours = Sessions(timezone="UTC", open=time(9), close=time(17)) if counted else None
    away: tuple[Pause, ...] = tuple((minute(a), minute(b)) for a, b in list(pairwise(edges))[::2])
    at = pauses.after(minute(start), span * MINUTE, away, hours)
    assert pauses.elapsed(minute(start), at, away, hours) == span * MINUTE
    assert not any(begin <= at < end for begin, end in away) or hours
