"""Status updates: on time whoever writes them, asked for before, and never silently missed."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import ANA, MINUTE, START, Play, a_pack

from warroom.domain import facts as f

SECOND = timedelta(seconds=1)
QUARTER = 15 * MINUTE
ONLY_UPDATES = a_pack(clocks={}, steps=())


def minute(n: float) -> datetime:
    return START + n * MINUTE


def an_alert(quiet: bool = False) -> Play:
    play = Play(ONLY_UPDATES) if quiet else Play()
    play.alert()
    return play


def times(play: Play) -> list[float]:
    """Minutes after the start at which updates went out."""
    return [(u.at - START) / MINUTE for u in play.incident.updates]


@pytest.mark.row("L12")
@settings(settings.get_profile("plays"))
@given(st.lists(st.integers(0, 40 * 60), max_size=8), st.integers(0, 40 * 60))
def test_an_update_goes_out_at_most_a_quarter_of_an_hour_after_the_last(pauses: list[int], rest: int) -> None:
    play = an_alert(quiet=True)
    human: set[datetime] = set()
    for pause in pauses:
        play.wait(timedelta(seconds=pause))
        play.type("/incident update we know more")
        human.add(play.now)
    play.wait(timedelta(seconds=rest))
    moments = [START, *(u.at for u in play.incident.updates), play.now]
    assert all(b - a <= QUARTER for a, b in pairwise(moments))
    asked = {a.due: fact.at for fact in play.facts[play.incident.id] if isinstance(a := fact.what, f.UpdateAsked)}
    assert all(at == due - 3 * MINUTE for due, at in asked.items())
    for before, update in pairwise(moments[:-1]):
        automatic = next((u for u in play.incident.updates if u.at == update and not u.human), None)
        if automatic and update > before:
            assert (automatic.due, update - before) == (update, QUARTER)
            assert update in asked
        else:
            assert update in human
    for channel in ("war_room", "room"):
        assert len([e for e in play.posts("p0_update") if e.data["to"] == channel]) == len(play.incident.updates)
    assert play.broken == []


@pytest.mark.row("L12")
def test_the_room_is_asked_three_minutes_before_and_the_update_goes_out_at_its_moment() -> None:
    play = an_alert()
    play.wait(12 * MINUTE - SECOND)
    assert play.posts("update_request") == []
    play.wait(SECOND)
    assert "due by" in play.seen("update_request")[0]
    assert "14:46" in play.seen("update_request")[0]
    play.wait(3 * MINUTE - SECOND)
    assert play.posts("p0_update") == []
    play.wait(SECOND)
    assert sorted(str(e.data["to"]) for e in play.posts("p0_update")) == ["room", "war_room"]


@pytest.mark.row("L12")
def test_p1_is_updated_every_half_hour_and_asked_five_minutes_before() -> None:
    play = Play()
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    play.at(25)
    assert len(play.posts("update_request")) == 1
    play.at(95)
    assert times(play) == [30, 60, 90]
    assert len(play.posts("p1_status_update")) == 6


def test_a_missed_update_says_that_nothing_new_was_reported_and_since_when() -> None:
    play = an_alert()
    play.at(5).type("/incident update disk is full")
    play.at(20)
    missed = play.seen("p0_update")[-1]
    assert "nothing new was reported since" in missed
    assert "14:36" in missed
    assert "disk is full" in missed
    assert "nobody answered" in missed
    assert [(u.human, u.due) for u in play.incident.updates] == [(True, None), (False, minute(20))]


def test_a_persons_update_carries_all_fields_and_the_next_due_moment() -> None:
    play = an_alert()
    play.at(13).send(
        "update",
        status="identified",
        summary="disk full",
        next_steps="clean up\nrestart",
        eta="15:30 UTC",
        impact="no regime",
    )
    text = play.seen("p0_update")[0]
    for part in ("identified", "disk full", "clean up", "restart", "15:30 UTC", "no regime", "14:59"):
        assert part in text
    assert play.incident.status == "identified"
    assert play.incident.updates[-1].due == minute(15)


def test_only_an_update_that_was_asked_for_answers_a_due_moment() -> None:
    play = an_alert()
    play.at(13).type("/incident update first")
    play.at(20).type("/incident update in between")
    play.at(33).type("/incident update third")
    assert [u.due for u in play.incident.updates] == [minute(15), None, minute(35)]


def test_after_a_long_downtime_exactly_one_update_catches_up() -> None:
    play = an_alert(quiet=True)
    play.sleep(200 * MINUTE)
    assert times(play) == [200]
    assert play.posts("update_request") == []
    play.wait(QUARTER)
    assert times(play) == [200, 215]


def test_updates_stop_when_it_is_resolved_and_go_on_when_it_is_reopened() -> None:
    play = an_alert()
    play.at(16).hear("incident.resolved")
    play.at(100)
    assert times(play) == [15]
    assert "resolved" in play.panel()
    play.hear("incident.reopened")
    play.at(115)
    assert times(play) == [15, 115]
    assert [a.due for a in play.whats(f.UpdateAsked)] == [minute(15), minute(115)]


def test_raising_the_severity_brings_its_cadence_counted_from_then() -> None:
    play = Play()
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    play.at(10).type("/incident severity P0 worse")
    play.at(41)
    assert times(play) == [25, 40]
    assert len(play.posts("p0_update")) == 4


def test_lowering_the_severity_to_one_without_cadence_ends_the_updates() -> None:
    play = an_alert()
    play.at(10).type("/incident severity P2 it is smaller than thought")
    play.at(120)
    assert play.incident.updates == ()
    play.type("/incident update still there")
    assert [e.data["to"] for e in play.posts("status_update")] == ["room"]


def test_an_update_written_for_a_resolved_incident_is_not_sent_and_not_lost() -> None:
    play = an_alert()
    play.at(5).hear("incident.resolved")
    answer = play.send("update", summary="nearly there", status="monitoring", actor=ANA)
    assert "resolved meanwhile" in answer.errors["summary"]
    assert play.incident.updates == ()
    assert play.incident.status == "resolved"


def test_the_next_update_is_shown_on_panel_and_status() -> None:
    play = an_alert()
    assert "Next update: " in play.panel().replace("**", "")
    assert "14:46" in play.panel()
    assert "14:46" in play.show(play.type("/incident status")).plain
