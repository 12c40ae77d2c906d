"""Steps that wait for business or market hours, that remind, and that exist only where a condition holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.play import ID, MINUTE, PACK, Play, a_pack

from warroom.domain import facts as f
from warroom.domain import schedule
from warroom.domain.policy import Do, Step, When
from warroom.postmortem.response import step_rows

HOUR = timedelta(hours=1)
DAY = datetime(2026, 11, 17, tzinfo=UTC)  # a Tuesday; New York is five hours behind
PAGE = Step(
    id="page",
    title="Page the team",
    owner="technical_lead",
    ask="Look at it.",
    start=15 * MINUTE,
    end=45 * MINUTE,
    hours="business",
    does=(Do(kind="page", groups=("on_call",)),),
)


def a_play(step: Step, begins: datetime, **details: Any) -> Play:
    play = Play(packs=a_pack(steps=(step,), clocks={}, cadences=()), now=begins)
    play.alert(details={"down_minutes": 10} | details)
    play.type("/incident severity P0 as it is")
    assert play.incident.severity == "P0"
    return play


def until(play: Play, at: datetime) -> Play:
    play.wait(at - play.now)
    return play


@pytest.mark.row("E3")
def test_at_night_a_step_of_business_hours_waits_for_the_morning() -> None:
    night = DAY + 24 * HOUR  # 19:00 in New York
    morning = DAY + 24 * HOUR + 14 * HOUR  # 9:00 in New York on Wednesday
    play = until(a_play(PAGE, night), morning - MINUTE)
    assert play.state("page") == "waiting"
    assert "Page the team · Technical lead · from 14:00 UTC" in play.panel()
    assert play.keys("step:page") == []
    until(play, morning)
    assert play.state("page") == "started"
    assert "step:page:0:page" in play.keys("step:page")
    assert "due by 14:30 UTC" in play.seen("step_request")[-1]
    until(play, morning + 30 * MINUTE)
    assert [w.due for w in play.whats(f.StepLate)] == [morning + 30 * MINUTE]
    (row,) = [r for r in step_rows(play.incident, play.packs["lav_adaf"], play.now) if r.title == "Page the team"]
    assert row.due == morning + 30 * MINUTE


@pytest.mark.row("E3")
def test_in_business_hours_it_comes_at_its_minute() -> None:
    begins = DAY + 15 * HOUR
    play = until(a_play(PAGE, begins), begins + 15 * MINUTE)
    assert play.state("page") == "started"


def test_hours_of_the_market_are_those_of_the_exchange() -> None:
    begins = DAY + 14 * HOUR + 5 * MINUTE  # 9:05: the office is open, the exchange is not
    play = until(a_play(replace(PAGE, hours="market"), begins), DAY + 14 * HOUR + 29 * MINUTE)
    assert play.state("page") == "waiting"
    until(play, DAY + 14 * HOUR + 30 * MINUTE)
    assert play.state("page") == "started"


def test_the_owner_is_reminded_before_the_end_once_and_told_how_long() -> None:
    begins = DAY + 15 * HOUR
    play = a_play(replace(PAGE, remind_before=3 * MINUTE), begins)
    play.type("/incident assign technical_lead <@U0RAJ|Raj>")
    until(play, begins + 42 * MINUTE - timedelta(seconds=1))
    assert play.seen("step_reminder") == []
    until(play, begins + 42 * MINUTE)
    (told,) = play.seen("step_reminder")
    assert "Page the team is due in 3 m, by 15:45 UTC. @U0RAJ, Technical lead: Look at it." in told
    until(play, begins + HOUR)
    assert len(play.posts("step_reminder")) == 1
    assert play.state("page") == "late"


def test_nobody_is_reminded_of_what_is_done_or_already_late() -> None:
    begins = DAY + 15 * HOUR
    step = replace(PAGE, remind_before=3 * MINUTE)
    done = until(a_play(step, begins), begins + 20 * MINUTE)
    done.click("step.done", f"{ID}|page")
    until(done, begins + HOUR)
    away = until(a_play(step, begins), begins + 20 * MINUTE)
    away.sleep(HOUR)
    assert away.state("page") == "late"
    for play in (done, away):
        assert play.posts("step_reminder") == []


def test_a_step_with_a_condition_exists_only_where_it_holds() -> None:
    step = replace(PAGE, hours="always", when=(When(field="details.loss", over=10_000),))
    for loss, state in ((10_000, "waiting"), (10_001, "started")):
        begins = DAY + 15 * HOUR
        play = until(a_play(step, begins, loss=loss), begins + 16 * MINUTE)
        assert play.state("page") == state
        assert ("Page the team" in play.panel()) == (state == "started")


INCIDENT = a_play(PAGE, DAY + 15 * HOUR).incident


@given(st.integers(0, 2 * 365 * 24 * 60), st.sampled_from(["business", "market"]))
def test_it_begins_in_its_hours_never_earlier_and_keeps_its_length(minute: int, hours: Any) -> None:
    declared = DAY + minute * MINUTE
    step = replace(PAGE, hours=hours)
    moved = replace(INCIDENT, history=tuple(replace(m, at=declared) for m in INCIDENT.history), opened=declared)
    moved = replace(moved, severity_since=declared)
    span = schedule.window(moved, PACK, step)
    assert span is not None
    begin, end = span
    assert end is not None
    sessions = PACK.sessions.business if hours == "business" else PACK.sessions
    assert sessions.is_open(begin)
    assert begin >= declared + step.start
    assert end - begin == 30 * MINUTE
    if sessions.is_open(declared + step.start):
        assert begin == declared + step.start
