"""Storms: many alerts that are one incident, counted on one panel, acknowledged and resolved together."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import PACK, Play

from warroom.domain import facts as f
from warroom.domain.people import By

WARDEN = "lav-adaf-risk-warden"


def risk_alert(play: Play, number: int, **more: Any) -> None:
    """The `number`-th alert of the Risk Warden: a P3 by itself."""
    told = {"title": f"VaR limit touched in portfolio {number}", "service_name": WARDEN, "urgency": "low"} | more
    play.alert(id=f"PRISK{number}", **told)


def storm(play: Play, count: int, seconds: float) -> Play:
    for number in range(count):
        risk_alert(play, number)
        play.wait(timedelta(seconds=seconds))
    return play


@pytest.mark.row("L8")
def test_more_than_twenty_alerts_in_five_minutes_are_one_storm_with_its_playbook_and_severity() -> None:
    play = storm(Play(), 20, 15)
    assert (len(play.incidents), play.incident.severity, play.whats(f.StormDetected)) == (1, "P3", [])
    risk_alert(play, 20)
    assert len(play.incidents) == 1
    (found,) = play.whats(f.StormDetected)
    assert (found.storm, found.count, found.within) == ("risk_warden", 21, 300)
    assert (play.incident.severity, play.incident.playbook) == ("P1", "risk_warden_alert_storm")


@pytest.mark.row("L8")
def test_twenty_one_alerts_within_a_little_more_than_five_minutes_are_no_storm() -> None:
    play = storm(Play(), 21, 15.1)
    assert (len(play.incidents), play.whats(f.StormDetected)) == (1, [])


@pytest.mark.row("L8")
def test_a_storm_is_one_message_and_a_count_on_the_panel() -> None:
    play = storm(Play(), 60, 2)
    assert (len(play.posts("storm_detected")), len(play.posts("alert_joined"))) == (1, 1)
    assert "59 related alerts" in play.panel()
    assert len([e for e in play.sent if e.kind == "slack.room"]) == 1


def test_alerts_too_far_apart_are_incidents_of_their_own() -> None:
    play = Play()
    risk_alert(play, 1)
    play.wait(timedelta(minutes=10, seconds=1))
    risk_alert(play, 2)
    assert len(play.incidents) == 2


@pytest.mark.row("L8")
def test_alerts_of_the_same_service_and_playbook_share_a_room_and_a_graver_one_raises_the_severity() -> None:
    play = Play()
    play.alert(id="P1", title="Database connection pool is filling up", service_name="lav-adaf-database", urgency="low")
    play.alert(id="P2", title="Database connection pool exhausted", service_name="lav-adaf-database", urgency="high")
    assert (len(play.incidents), play.incident.severity) == (1, "P1")
    (told,) = play.seen("alert_joined")
    assert "Database connection pool exhausted" in told


def test_alerts_of_another_service_or_without_a_playbook_stand_alone() -> None:
    play = Play()
    play.alert(id="P1", title="Database connection pool exhausted", service_name="lav-adaf-database")
    play.alert(id="P2", title="Database connection pool exhausted", service_name="lav-adaf-reports")
    play.alert(id="P3", title="Something odd", service_name="lav-adaf-reports")
    play.alert(id="P4", title="Something else", service_name="lav-adaf-reports")
    assert len(play.incidents) == 4


def test_an_alert_after_the_incident_is_resolved_opens_another() -> None:
    play = Play()
    risk_alert(play, 1)
    play.hear("incident.resolved", id="PRISK1", service_name=WARDEN)
    risk_alert(play, 2)
    assert len(play.incidents) == 2


def test_a_repeat_of_a_related_alert_changes_nothing() -> None:
    play = storm(Play(), 3, 1)
    before = play.incident
    risk_alert(play, 2)
    assert play.incident.joined == before.joined


def changes(play: Play) -> dict[str, str]:
    """What each incident in PagerDuty was set to last, by its id ("" for the main one)."""
    return {str(e.data.get("incident", "")): str(e.data["status"]) for e in play.sent if e.kind == "pagerduty.change"}


def test_acknowledging_and_resolving_the_incident_does_the_same_to_its_related_alerts() -> None:
    play = storm(Play(), 3, 1)
    play.type("/incident ack")
    assert changes(play) == {"": "acknowledged", "PRISK1": "acknowledged", "PRISK2": "acknowledged"}
    risk_alert(play, 3)
    assert changes(play)["PRISK3"] == "acknowledged"
    play.send("resolve", summary="s", root_cause="r", actions_taken="a")
    assert set(changes(play).values()) == {"resolved"}


def test_what_becomes_of_a_related_alert_in_pagerduty_does_not_change_the_incident() -> None:
    play = storm(Play(), 3, 1)
    play.hear("incident.acknowledged", id="PRISK1", service_name=WARDEN)
    play.hear("incident.resolved", id="PRISK2", service_name=WARDEN)
    assert (play.incident.reached("acknowledged"), play.incident.is_open, len(play.incidents)) == (None, True, 1)


def test_the_monitoring_that_resolves_the_first_alert_leaves_the_others_open_in_pagerduty() -> None:
    play = storm(Play(), 3, 1)
    play.hear("incident.resolved", id="PRISK0", service_name=WARDEN, agent=By("pagerduty:PINT", "Monitoring"))
    assert changes(play) == {}


def test_acknowledging_in_pagerduty_acknowledges_the_related_alerts() -> None:
    play = storm(Play(), 2, 1)
    play.hear("incident.acknowledged", id="PRISK0", service_name=WARDEN, agent=By("pagerduty:PANA", "Ana"))
    assert changes(play) == {"PRISK1": "acknowledged"}


@settings(settings.get_profile("plays"))
@given(st.lists(st.integers(0, 900), min_size=1, max_size=45), st.integers(2, 12))
def test_a_storm_is_detected_exactly_when_a_window_holds_more_than_its_limit(times: list[int], over: int) -> None:
    found = PACK.pack.storms["risk_warden"]
    tight = replace(found, over=over, within=timedelta(minutes=5))
    pack = replace(PACK.pack, storms={"risk_warden": tight}, storm_window=timedelta(minutes=20))
    play = Play(packs={"lav_adaf": replace(PACK, pack=pack)})
    begin = play.now
    ordered = sorted(times)
    for number, second in enumerate(ordered):
        play.wait(begin + timedelta(seconds=second) - play.now)
        risk_alert(play, number)
    assert len(play.incidents) == 1
    full = any(sum(t <= s <= t + 300 for s in ordered) > over for t in ordered)
    assert bool(play.whats(f.StormDetected)) == full
