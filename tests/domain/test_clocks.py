"""SLA clocks: every figure from the pack, PagerDuty's times decide, one breach message, mistakes mended visibly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import ANA, ID, MINUTE, PACK, START, Play, a_pack

from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.policy import Clock

SECOND = timedelta(seconds=1)
HEARD = {"ack": "acknowledged", "unack": "unacknowledged", "resolve": "resolved", "reopen": "reopened"}


def market_clock(**changes: Any) -> dict[str, LoadedPack]:
    """A P0 whose response counts in market hours only: 2 h, with a warning half an hour before."""
    usual: dict[str, Any] = {
        "title": "Respond",
        "start": "declared",
        "end": "responding",
        "within": timedelta(hours=2),
        "counting": "market_hours",
        "warn_before": 30 * MINUTE,
    }
    return a_pack(clocks={"response": Clock(**(usual | changes))}, steps=(), cadences=())


def minute(n: float) -> datetime:
    return START + n * MINUTE


def an_alert(**changes: Any) -> Play:
    play = Play()
    play.alert(**changes)
    return play


@pytest.mark.row("L1")
@pytest.mark.parametrize(
    ("severity", "clock", "within"),
    [
        ("P0", "acknowledge", "0:05:00"),
        ("P0", "announce", "0:02:00"),
        ("P0", "response", "0:15:00"),
        ("P0", "resolve", "2:00:00"),
        ("P0", "recovery", "4:00:00"),
        ("P1", "acknowledge", "0:15:00"),
        ("P1", "response", "1:00:00"),
        ("P2", "response", "4:00:00"),
        ("P3", "response", "1 day, 0:00:00"),
    ],
)
def test_each_severity_runs_its_clocks_from_declaration(severity: str, clock: str, within: str) -> None:
    play = Play()
    play.type(f"/incident declare {severity} something odd")
    assert [(v.start, str(v.within)) for v in play.clocks(clock)] == [(START, within)]


@pytest.mark.row("L1")
@pytest.mark.parametrize(
    ("severity", "clock", "warn", "breach", "paged"),
    [
        ("P0", "acknowledge", 4, 5, ["on_call"]),
        ("P0", "response", 10, 15, ["on_call", "senior_engineers"]),
        ("P0", "resolve", 90, 120, ["senior_engineers", "cto"]),
        ("P0", "recovery", 180, 240, ["architects", "executives"]),
        ("P1", "acknowledge", 10, 15, ["first_on_call"]),
        ("P1", "response", 45, 60, ["first_on_call", "senior_engineers"]),
        ("P2", "response", 180, 240, ["on_call"]),
        ("P3", "response", 1200, 1440, ["on_call"]),
    ],
)
def test_a_clock_warns_first_and_is_missed_at_its_minute_once(
    severity: str, clock: str, warn: int, breach: int, paged: list[str]
) -> None:
    play = Play()
    play.type(f"/incident declare {severity} something odd")
    run = f"{clock}:{START.isoformat()}"
    play.wait(warn * MINUTE - SECOND)
    assert play.keys(f"warn:{run}") == []
    play.wait(SECOND)
    assert play.keys(f"warn:{run}") == [f"warn:{run}"]
    play.wait((breach - warn) * MINUTE - SECOND)
    assert play.keys(f"breach:{run}") == []
    play.wait(SECOND)
    assert sorted(play.keys(f"breach:{run}")) == [f"breach:{run}", f"breach:{run}:page"]
    play.wait(5 * MINUTE)
    assert len(play.keys(f"breach:{run}")) == 2
    page = next(e for e in play.sent if e.key == f"breach:{run}:page")
    assert page.data["groups"] == paged


def test_a_warning_names_what_is_left_and_a_breach_what_ran_out() -> None:
    play = an_alert()
    play.at(5)
    warning = next(t for t in play.seen("clock_warning") if "Acknowledge" in t)
    assert "1m left of 5m" in warning.replace(" m", "m")
    breach = next(t for t in play.seen("clock_breached") if "Acknowledge" in t)
    assert "SLA missed: Acknowledge" in breach
    assert "14:36" in breach


def test_a_clock_met_in_time_is_never_warned_or_missed() -> None:
    play = an_alert()
    play.at(3.9).type("/incident ack")
    play.at(30)
    assert not [w for w in play.whats(f.ClockWarned) if w.clock == "acknowledge"]
    assert not [w for w in play.whats(f.ClockBreached) if w.clock == "acknowledge"]
    assert [v.state for v in play.clocks("acknowledge")] == ["met"]


@pytest.mark.parametrize(("after", "state"), [(5 * MINUTE, "met"), (5 * MINUTE + SECOND, "late")])
def test_the_edge_itself_is_in_time(after: timedelta, state: str) -> None:
    play = an_alert()
    play.now = minute(30)
    play.hear("incident.acknowledged", at=START + after)
    assert [v.state for v in play.clocks("acknowledge")] == [state]


def test_after_a_downtime_past_the_deadline_only_the_breach_is_said() -> None:
    play = an_alert()
    play.sleep(30 * MINUTE)
    run = START.isoformat()
    assert play.keys(f"warn:acknowledge:{run}") == []
    assert len(play.keys(f"breach:acknowledge:{run}")) == 2


def test_a_breach_announced_wrongly_is_corrected_once_by_edit_and_by_post() -> None:
    play = an_alert()
    play.at(6)
    run = f"acknowledge:{START.isoformat()}"
    assert len(play.posts("clock_breached")) == 1
    for _ in range(3):
        play.hear("incident.acknowledged", at=minute(3))
    play.at(9)
    assert play.keys(f"corrected:{run}") == [f"corrected:{run}:edit", f"corrected:{run}"]
    edit = next(e for e in play.sent if e.key == f"corrected:{run}:edit")
    assert (edit.kind, edit.data["of"], edit.after) == ("slack.edit", f"breach:{run}", (f"breach:{run}",))
    said = play.seen("clock_corrected")[0]
    assert "Acknowledge was kept" in said
    assert "14:34" in said
    assert len([w for w in play.whats(f.ClockCorrected) if w.clock == "acknowledge"]) == 1
    assert [v.state for v in play.clocks("acknowledge")] == ["corrected"]
    assert "corrected" in play.panel()


def test_a_breach_that_really_happened_is_not_corrected() -> None:
    play = an_alert()
    play.at(6).hear("incident.acknowledged", at=minute(5.5))
    assert play.whats(f.ClockCorrected) == []
    assert [v.state for v in play.clocks("acknowledge")] == ["late"]


def test_unacknowledging_starts_the_clock_anew() -> None:
    play = an_alert()
    play.at(2).hear("incident.acknowledged")
    play.at(20).hear("incident.unacknowledged")
    assert [(v.start, v.end) for v in play.clocks("acknowledge")] == [(START, minute(2)), (minute(20), None)]
    play.at(25)
    assert [b.start for b in play.whats(f.ClockBreached) if b.clock == "acknowledge"] == [minute(20)]


def test_raising_the_severity_restarts_running_clocks_and_leaves_finished_ones() -> None:
    play = an_alert(title="Slow orders", details={"degradation_pct": 60})
    assert play.incident.severity == "P1"
    play.at(4).type("/incident ack")
    play.at(10).type("/incident severity P0 it got worse")
    assert [(v.start, v.within, v.state) for v in play.clocks("acknowledge")] == [(START, 15 * MINUTE, "met")]
    assert [(v.start, v.within) for v in play.clocks("resolve")] == [(minute(10), 120 * MINUTE)]
    assert {(v.start, v.within) for v in play.clocks("response")} <= {(minute(10), 15 * MINUTE)}


def test_a_breach_before_the_severity_was_raised_stays_one() -> None:
    play = an_alert(title="Slow orders", details={"degradation_pct": 60})
    play.at(16).type("/incident severity P0 it got worse")
    play.at(18).type("/incident ack")
    assert [b.start for b in play.whats(f.ClockBreached) if b.clock == "acknowledge"] == [START]
    assert play.whats(f.ClockCorrected) == []


def test_late_news_from_before_the_severity_was_raised_corrects_the_breach_too() -> None:
    play = an_alert(title="Slow orders", details={"degradation_pct": 60})
    play.at(10).type("/incident severity P0 it got worse")
    play.at(16)
    assert [b.start for b in play.whats(f.ClockBreached) if b.clock == "acknowledge"] == [minute(10)]
    play.hear("incident.acknowledged", at=minute(3))
    play.hear("incident.acknowledged", at=minute(3))
    corrected = [c for c in play.whats(f.ClockCorrected) if c.clock == "acknowledge"]
    assert [(c.start, c.reached) for c in corrected] == [(minute(10), minute(3))]
    assert len(play.posts("clock_corrected")) == 1


def test_resolving_ends_every_clock_that_waits_for_something_before_it() -> None:
    play = an_alert()
    play.at(4).hear("incident.resolved")
    play.at(300)
    assert play.whats(f.ClockBreached) == []
    assert [v.end for v in play.clocks("acknowledge")] == [minute(4)]
    assert [v.state for v in play.clocks("announce_resolution")] == ["met"]


def test_a_resolution_nobody_announced_is_warned_of_and_missed() -> None:
    play = Play()
    usual = play.world
    play.world = lambda e, i: None if e.key.startswith("comm:") else usual(e, i)
    play.alert()
    play.at(4).hear("incident.resolved")
    play.at(33.9)
    assert not [b for b in play.whats(f.ClockBreached) if b.clock == "announce_resolution"]
    play.at(34)
    assert [b.deadline for b in play.whats(f.ClockBreached)] == [minute(34)]


@settings(settings.get_profile("plays"))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ack", "unack", "resolve", "reopen", "P0", "P1", "P2", "wait"]), st.integers(1, 3000)
        ),
        max_size=8,
    )
)
def test_used_and_left_always_add_up_to_the_limit(moves: list[tuple[str, int]]) -> None:
    play = an_alert()
    for what, seconds in moves:
        play.wait(timedelta(seconds=seconds))
        if what in HEARD:
            play.hear(f"incident.{HEARD[what]}")
        elif what != "wait":
            play.type(f"/incident severity {what}")
    pack = play.packs["lav_adaf"].pack
    for name in {c for s in pack.severities.values() for c in s.clocks}:
        for view in play.clocks(name):
            assert view.used + view.left == view.within
            assert view.used >= timedelta()
            assert view.warn_at < view.deadline
            assert (view.state == "late") == (
                view.used > view.within or (view.end is None and view.left <= timedelta())
            )
    said = [(w.clock, w.start, w.deadline) for w in play.whats(f.ClockBreached)]
    assert len(said) == len(set(said))


def test_a_market_clock_stands_still_while_the_market_is_closed() -> None:
    play = Play(market_clock(), now=datetime(2026, 11, 17, 20, 0, tzinfo=UTC))  # 15:00 in New York, an hour to go
    play.alert()
    play.wait(3 * 60 * MINUTE)
    view = play.clocks("response")[0]
    assert (view.state, view.used, view.left) == ("paused", 60 * MINUTE, 60 * MINUTE)
    assert view.deadline == datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
    assert view.warn_at == datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


def test_a_market_clock_warns_with_what_is_left_of_market_time() -> None:
    play = Play(market_clock(), now=datetime(2026, 11, 17, 20, 0, tzinfo=UTC))
    play.alert()
    play.wait(datetime(2026, 11, 18, 15, 0, tzinfo=UTC) - play.now)
    assert [e.data["context"]["left"] for e in play.posts("clock_warning")] == [30 * 60]  # type: ignore[index]
    play.wait(30 * MINUTE - SECOND)
    assert play.posts("clock_breached") == []
    play.wait(SECOND)
    assert len(play.posts("clock_breached")) == 1


def test_a_correction_of_a_market_clock_tells_market_time() -> None:
    play = Play(market_clock(end="acknowledged"), now=datetime(2026, 11, 17, 20, 0, tzinfo=UTC))
    play.alert()
    play.wait(datetime(2026, 11, 18, 16, 0, tzinfo=UTC) - play.now)
    play.hear("incident.acknowledged", at=datetime(2026, 11, 18, 15, 0, tzinfo=UTC))
    assert [e.data["context"]["used"] for e in play.posts("clock_corrected")] == [90 * 60]  # type: ignore[index]


def test_a_clock_without_a_warning_time_warns_at_a_fifth_of_its_limit() -> None:
    clock = replace(PACK.pack.severities["P0"].clocks["acknowledge"], warn_before=None)
    play = Play(a_pack(clocks={"acknowledge": clock}, steps=(), cadences=()))
    play.alert()
    play.at(3.99)
    assert play.whats(f.ClockWarned) == []
    play.at(4)
    assert len(play.whats(f.ClockWarned)) == 1


def test_status_shows_every_clock_with_used_and_left() -> None:
    play = an_alert()
    play.at(2.5)
    answer = play.show(play.type("/incident-status")).plain
    for title in ("Acknowledge", "Respond", "Resolve (MTTR target)", "Recover (RTO)"):
        assert title in answer
    assert "2 m 30 s" in answer.replace("2m 30s", "2 m 30 s")


def test_the_panel_is_refreshed_every_minute_while_a_clock_runs_and_not_after() -> None:
    play = an_alert()
    edits = len(play.keys("panel.edit"))
    play.at(1.5)
    assert len(play.keys("panel.edit")) > edits
    play.hear("incident.resolved")
    assert not [key for key in play.timers[ID] if key.startswith("panel:")]


def test_a_clock_that_waits_for_people_ends_at_their_first_act() -> None:
    play = an_alert()
    play.at(3).type("/incident note looking at it", ANA)
    assert [v.end for v in play.clocks("response")] == [minute(3)]
    play.at(20).hear("incident.responder.replied", text="accepted")
    assert [v.end for v in play.clocks("response")] == [minute(3)]
