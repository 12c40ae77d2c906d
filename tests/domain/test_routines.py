"""Routines: due on trading days at local time, once; a record without room, protocol or people; phases of the day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import PACK, Play, Went, succeed, text_of

from warroom.domain import facts as f
from warroom.domain import routines
from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Effect, Form
from warroom.domain.incident import Incident
from warroom.domain.inputs import RoutineDue
from warroom.domain.phases import phase_at
from warroom.domain.procedures import Checklist, Item, Phase, Routine

NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
ROUTINE = Routine(title="Pre-market checklist", at=time(6), probes="evidence", channel="oncall", checklist="before")
BEFORE = Checklist(
    title="Before the open",
    items=(
        Item(id="health", title="System health", how="make smoke", owner="technical_lead"),
        Item(id="feeds", title="Data feeds"),
    ),
)
PHASES = {
    "pre": Phase(title="Pre-market", start=time(6), end=time(9, 30), priorities=("health", "feeds")),
    "open": Phase(title="Market open", start=time(9, 30), end=time(16)),
    "after": Phase(title="After hours", start=time(16), end=time(6)),
}


def a_pack(**more: Any) -> Mapping[str, LoadedPack]:
    calendar = replace(PACK.pack.calendar, phases=PHASES)
    pack = replace(PACK.pack, routines={"pre": ROUTINE}, checklists={"before": BEFORE}, calendar=calendar, **more)
    return {"lav_adaf": replace(PACK, pack=pack)}


def local(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def dues(begin: datetime, end: datetime) -> list[datetime]:
    return [due.due for due in routines.due_between(a_pack(), begin, end)]


@pytest.mark.row("X6")
def test_it_is_due_at_six_in_new_york_on_trading_days_in_summer_and_in_winter() -> None:
    week = dues(local(2026, 10, 29, 12), local(2026, 11, 4, 12))  # the clocks change on 1 November
    assert week == [
        datetime(2026, 10, 30, 10, tzinfo=UTC),
        datetime(2026, 11, 2, 11, tzinfo=UTC),
        datetime(2026, 11, 3, 11, tzinfo=UTC),
        datetime(2026, 11, 4, 11, tzinfo=UTC),
    ]
    assert dues(local(2026, 11, 26, 0), local(2026, 11, 26, 23)) == []  # Thanksgiving
    assert dues(local(2026, 11, 27, 0), local(2026, 11, 27, 23)) == [local(2026, 11, 27, 6)]  # a half day


def test_the_moment_itself_belongs_to_the_window_that_ends_with_it() -> None:
    six, second = local(2026, 11, 17, 6), timedelta(seconds=1)
    assert dues(six - second, six) == [six]
    assert dues(six, six + second) == []


BEGIN = local(2026, 1, 1, 0)
SECONDS = 2 * 365 * 24 * 3600


@settings(settings.get_profile("plays"))
@given(st.lists(st.integers(0, SECONDS), min_size=2, max_size=12), st.times())
def test_however_the_time_is_cut_every_run_comes_once_on_every_trading_day(cuts: list[int], at: time) -> None:
    at = at.replace(microsecond=0)
    pack = a_pack()["lav_adaf"]
    packs = {"p": replace(pack, pack=replace(pack.pack, routines={"r": replace(ROUTINE, at=at)}))}
    moments = [BEGIN + timedelta(seconds=s) for s in sorted(cuts)]
    begin, end = moments[0], moments[-1]
    parts = [due for a, b in pairwise(moments) for due in routines.due_between(packs, a, b)]
    assert parts == list(routines.due_between(packs, begin, end))
    days = [due.due.astimezone(NEW_YORK).date() for due in parts]
    assert len(days) == len(set(days))
    assert len({routines.source_id(due, packs) for due in parts}) == len(days)
    assert all(pack.sessions.session(day) is not None for day in days)
    inside = begin.astimezone(NEW_YORK).date() + timedelta(days=1)
    missed = set()
    while inside < end.astimezone(NEW_YORK).date():
        if pack.sessions.session(inside) is not None and inside not in days:
            missed.add(inside)
        inside += timedelta(days=1)
    assert missed == set()


def sick(effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
    result = succeed(effect, incident)
    if effect.kind == "platform.probes":
        rows: Any = result["results"]  # type: ignore[index]
        rows[1] |= {"state": "failed", "summary": "stale *for* 40 s"}
    return result


def ran(world: Any = succeed, *, late: timedelta = timedelta()) -> Play:
    play = Play(packs=a_pack(), now=local(2026, 11, 17, 6) + late, world=world)
    play.give(RoutineDue(pack="lav_adaf", routine="pre", due=local(2026, 11, 17, 6)), source="routine")
    return play


@pytest.mark.row("X6")
def test_a_run_reports_its_readings_and_its_checklist_and_closes_itself() -> None:
    play = ran()
    (report,) = play.seen("routine_report")
    assert report.startswith("oncall: Pre-market checklist")
    assert "All 10 healthy. Go through the checklist below." in report
    assert "Before the open" in report
    assert "System health (Technical lead): make smoke" in report
    assert "The next report comes" in report
    record = play.incident
    assert (record.status, record.is_open, record.reached("closed") is not None) == ("closed", False, True)
    assert [e.kind for e in play.sent] == ["platform.probes", "slack.post"]
    assert play.waiting == []
    play.wait(30 * 24 * HOUR)
    assert [e.kind for e in play.sent] == ["platform.probes", "slack.post"]
    assert play.whats(f.DraftAsked) == []


@pytest.mark.row("X6")
def test_what_is_not_healthy_comes_first_with_the_way_to_an_incident() -> None:
    play = ran(sick)
    (report,) = play.seen("routine_report")
    assert "1 of 10 NOT healthy." in report
    table = report.split("State")[1]
    assert "failed" in table.splitlines()[2]
    form = play.click("incident.declare")
    assert isinstance(form, Form)
    assert form.context["values"] == {"title": "Pre-market checklist", "severity": "P1", "pack": "lav_adaf"}
    play.send("declare", "", pack="lav_adaf", title="Feed stale", severity="P1", description="")
    assert play.incidents["INC-2026-0002"].is_open


def test_a_late_run_says_so() -> None:
    assert "It is late: it was due at 11:00 UTC" in ran(late=2 * HOUR).seen("routine_report")[0]
    assert "late" not in ran(late=timedelta(minutes=1)).seen("routine_report")[0]


def test_readings_that_cannot_be_taken_are_reported_too() -> None:
    def refusing(effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        return Went("refused", "not set up here.") if effect.kind == "platform.probes" else succeed(effect, incident)

    play = ran(refusing)
    assert "The readings could not be taken: not set up here." in play.seen("routine_report")[0]
    assert not play.incident.is_open
    assert play.incident.status == "closed"


def test_a_report_that_its_channel_does_not_take_goes_to_that_of_the_incidents() -> None:
    def closed(effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        shut = effect.data.get("to") == "oncall"
        return Went("refused", "channel_not_found") if shut else succeed(effect, incident)

    assert [post.data["to"] for post in ran(closed).posts("routine_report")] == ["war_room"]


def test_the_record_is_no_incident_to_anybody() -> None:
    play = ran()
    assert "No incident is open" in text_of(play.type("/incident list", channel="C9"))
    assert "No incident is open" in text_of(play.type("/incident-status", channel="C9"))
    for typed in ("/incident ack 1", "/incident note INC-2026-0001 x", "/incident resolve 1"):
        assert "is the record of “Pre-market checklist”" in text_of(play.type(typed, channel="C9"))
    play.alert()
    assert play.incidents["INC-2026-0002"].is_open
    assert play.incidents["INC-2026-0002"].room


def test_a_routine_that_the_pack_no_longer_has_does_nothing() -> None:
    play = Play(packs=a_pack())
    play.give(RoutineDue(pack="lav_adaf", routine="gone", due=play.now))
    assert play.incidents == {}


@pytest.mark.row("X6")
@pytest.mark.parametrize(
    ("at", "title"),
    [
        (local(2026, 11, 17, 5, 59), "After hours"),
        (local(2026, 11, 17, 6), "Pre-market"),
        (local(2026, 11, 17, 9, 29), "Pre-market"),
        (local(2026, 11, 17, 9, 30), "Market open"),
        (local(2026, 11, 17, 16), "After hours"),
        (local(2026, 11, 17, 23, 59), "After hours"),
        (local(2026, 11, 21, 5, 59), "After hours"),  # Friday's, until Saturday morning
        (local(2026, 11, 21, 6), None),
        (local(2026, 11, 23, 5), None),  # Monday before anything has begun
        (local(2026, 11, 26, 10), None),  # Thanksgiving
        (local(2026, 11, 27, 13), "After hours"),  # the half day after it
        (local(2026, 11, 27, 12, 59), "Market open"),
    ],
)
def test_the_phase_of_the_trading_day(at: datetime, title: str | None) -> None:
    pack = a_pack()["lav_adaf"]
    found = phase_at(pack.pack.calendar, pack.sessions, at)
    assert (found.title if found else None) == title


@given(st.integers(0, SECONDS))
def test_a_phase_holds_now_and_ends_within_a_day(second: int) -> None:
    now = BEGIN + timedelta(seconds=second)
    pack = a_pack()["lav_adaf"]
    found = phase_at(pack.pack.calendar, pack.sessions, now)
    if found is None:
        assert not pack.sessions.is_open(now)
    else:
        assert now < found.until <= now + timedelta(days=1)
        assert (found.title == "Market open") == pack.sessions.is_open(now)


@pytest.mark.row("X6")
def test_the_phase_stands_on_the_panel_and_in_the_answer_when_nothing_is_open() -> None:
    play = Play(packs=a_pack(), now=local(2026, 11, 17, 7))
    said = text_of(play.type("/incident-status"))
    assert "LAV/ADAF: Pre-market until 14:30 UTC: health and feeds" in said
    play.alert()
    assert "Pre-market until 14:30 UTC: health and feeds" in play.panel()
