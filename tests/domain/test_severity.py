"""Which severity and playbook an alert gets, through the door it comes in by."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import MINUTE, PACK, START, Play

from warroom.domain import facts as f
from warroom.domain.policy import When
from warroom.domain.severity import Alert, classify, holds, match_playbook

CLOSED = datetime(2026, 11, 17, 21, 0, tzinfo=UTC)  # 16:00 in New York: the close does not count as open
HOLIDAY = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)  # Thanksgiving
L1 = pytest.mark.row("L1")


def an_alert(now: datetime = CLOSED, title: str = "Something odd", **details: object) -> Play:
    play = Play(now=now)
    play.alert(title=title, details=details, urgency="low")
    return play


@L1
@pytest.mark.parametrize(
    ("details", "severity", "reason"),
    [
        ({"trading_down_minutes": 5.01}, "P0", "completely down for more than 5 minutes"),
        ({"trading_down_minutes": 5}, "P3", "urgency low"),
        ({"security_breach": True}, "P0", "security breach"),
        ({"security_breach": "true"}, "P0", "security breach"),
        ({"security_breach": False}, "P3", "urgency low"),
        ({"limit_breach_pct": "200.5 %"}, "P0", "more than 200%"),
        ({"limit_breach_pct": 200}, "P3", "urgency low"),
        ({"var_pct_nav": 6.1}, "P0", "more than 200%"),
        ({"var_pct_nav": 6}, "P3", "urgency low"),
        ({"data_corruption": "positions of desk 7"}, "P0", "corruption"),
        ({"data_corruption": "PnL"}, "P0", "corruption"),
        ({"data_corruption": "P&L"}, "P0", "corruption"),
        ({"data_corruption": "logs"}, "P3", "urgency low"),
        ({"venues_lost_pct": 51}, "P0", "50% of the trading venues"),
        ({"venues_lost_pct": 50}, "P3", "urgency low"),
        ({"degradation_pct": 50.1}, "P1", "degraded by more than 50%"),
        ({"degradation_pct": 50}, "P3", "urgency low"),
        ({"latency_increase_pct": 51}, "P1", "degraded by more than 50%"),
        ({"throughput_drop_pct": 51}, "P1", "degraded by more than 50%"),
        ({"alerts_5m": 21}, "P1", "risk violations"),
        ({"alerts_5m": 20}, "P3", "urgency low"),
        ({"feed_interrupted_minutes": 31}, "P1", "data feed"),
        ({"feed_interrupted_minutes": 30}, "P3", "urgency low"),
        ({"feed_interrupted_minutes": "a while"}, "P3", "urgency low"),
        ({"degradation_pct": 60, "venues_lost_pct": 60}, "P0", "50% of the trading venues"),
    ],
)
def test_a_trigger_over_the_alerts_fields_is_exact_at_its_edge(
    details: dict[str, object], severity: str, reason: str
) -> None:
    play = an_alert(CLOSED, "Something odd", **details)
    assert play.incident.severity == severity
    assert reason in play.incident.severity_reason
    assert reason in play.panel()


@L1
@pytest.mark.parametrize(
    ("title", "severity"),
    [
        ("Trading system is completely down", "P0"),
        ("Trading system is slow", "P3"),
        ("Unauthorised access to the gateway", "P0"),
        ("Positions of book 3 are corrupt", "P0"),
        ("Alert storm from Risk", "P1"),
        ("Venue XNAS unreachable", "P1"),
        ("venuex unreachable", "P3"),
    ],
)
def test_a_title_that_names_the_condition_is_enough(title: str, severity: str) -> None:
    assert an_alert(title=title).incident.severity == severity


@L1
@pytest.mark.parametrize(
    ("now", "severity"),
    [
        (datetime(2026, 11, 17, 14, 29, 59, tzinfo=UTC), "P1"),
        (datetime(2026, 11, 17, 14, 30, tzinfo=UTC), "P0"),
        (datetime(2026, 11, 17, 20, 59, 59, tzinfo=UTC), "P0"),
        (CLOSED, "P1"),
        (datetime(2026, 11, 21, 15, 0, tzinfo=UTC), "P1"),
        (HOLIDAY, "P1"),
    ],
)
@pytest.mark.parametrize("title", ["Market Sentinel down", "risk-warden not responding", "EXECUTIONER unavailable"])
def test_a_critical_service_down_is_p0_only_while_the_market_is_open(now: datetime, severity: str, title: str) -> None:
    assert an_alert(now, title).incident.severity == severity


def test_the_market_is_that_of_when_it_began_not_of_when_we_heard() -> None:
    play = Play(now=CLOSED)
    play.alert(created_at=START)
    assert play.incident.severity == "P0"
    assert play.incident.market_open


@L1
@pytest.mark.parametrize(
    ("priority", "urgency", "severity", "reason"),
    [
        ("P0", "low", "P0", "PagerDuty priority P0"),
        ("P2", "high", "P2", "PagerDuty priority P2"),
        ("P5", "high", "P3", "PagerDuty priority P5"),
        ("Sev 9", "high", "P1", "PagerDuty urgency high"),
        (None, "high", "P1", "PagerDuty urgency high"),
        (None, "low", "P3", "PagerDuty urgency low"),
        (None, None, "P2", "no rule, priority or urgency"),
    ],
)
def test_without_a_rule_the_priority_decides_then_the_urgency(
    priority: str | None, urgency: str | None, severity: str, reason: str
) -> None:
    play = Play(now=CLOSED)
    play.alert(title="Something odd", priority=priority, urgency=urgency)
    assert play.incident.severity == severity
    assert reason in play.incident.severity_reason


@L1
def test_a_rule_comes_before_pagerdutys_priority() -> None:
    play = Play(now=CLOSED)
    play.alert(title="Something odd", priority="P3", details={"venues_lost_pct": 80})
    assert play.incident.severity == "P0"


@L1
def test_declared_by_hand_without_a_severity_in_the_form_the_rules_decide() -> None:
    play = Play()
    play.type("/incident declare P2 Market Sentinel down")
    assert (play.incident.severity, play.incident.severity_reason) == ("P2", "declared by Ana")
    play.wait(20 * MINUTE)
    play.send("declare", "", title="Market Sentinel down", severity="")
    second = play.incidents["INC-2026-0002"]
    assert second.severity == "P0"
    assert "market is open; declared by Ana" in second.severity_reason


@L1
def test_pagerdutys_new_priority_changes_the_severity_once() -> None:
    play = an_alert()
    play.hear("incident.priority_updated", priority="P1")
    play.hear("incident.priority_updated", priority="P1")
    play.hear("incident.priority_updated", priority="no such")
    assert [s for _, s in play.incident.severities] == ["P3", "P1"]
    assert len(play.posts("severity_changed")) == 1
    assert [e.data["broadcast"] for e in play.posts("p1_initial_alert")] == ["here"]


def test_a_severity_changed_in_slack_goes_to_pagerduty_and_its_echo_changes_nothing() -> None:
    play = Play()
    play.alert()
    play.at(1).type("/incident severity P2 only one venue")
    priority = next(e for e in play.sent if e.kind == "pagerduty.priority")
    assert priority.data == {"priority": "P2"}
    play.hear("incident.priority_updated", priority="P2")
    assert [s for _, s in play.incident.severities] == ["P0", "P2"]


@pytest.mark.parametrize(
    ("changes", "playbook"),
    [
        ({"title": "market_sentinel: health check failed"}, "market_sentinel_down"),
        ({"title": "x", "service_name": "Market Sentinel"}, "market_sentinel_down"),
        ({"title": "No regime updates since 9:00", "service_name": ""}, "market_sentinel_down"),
        ({"title": "x", "service_name": "", "details": {"alerts_5m": 21}}, "risk_warden_alert_storm"),
        ({"title": "x", "service_name": "", "details": {"alerts_5m": 20}}, None),
        ({"title": "x", "service_name": "", "details": {"fill_rate": 0.89}}, "executioner_fill_rate"),
        ({"title": "x", "service_name": "", "details": {"fill_rate": 0.9}}, None),
        ({"title": "x", "service_name": "", "details": {"fill_rate_pct": "89.9%"}}, "executioner_fill_rate"),
        ({"title": "too many connections", "service_name": ""}, "db_pool_exhaustion"),
        ({"title": "x", "service_name": "", "details": {"consumer_lag": 1001}}, "kafka_backlog"),
        ({"title": "x", "service_name": "", "details": {"consumer_lag": 1000}}, None),
    ],
)
def test_an_alert_gets_the_first_playbook_that_fits(changes: dict[str, Any], playbook: str | None) -> None:
    play = Play(now=CLOSED)
    play.alert(**changes)
    assert play.incident.playbook == playbook
    assert len(play.posts("playbook")) == (1 if playbook else 0)


def test_a_condition_looks_into_nested_details_and_never_fails_on_a_missing_one() -> None:
    alert = Alert(title="x", details={"kafka": {"lag": "1500"}, "text": "a"})
    assert holds(When(field="details.kafka.lag", over=1000), alert)
    assert not holds(When(field="details.text.lag", over=1000), alert)
    assert not holds(When(field="details.nothing", under=1000), alert)
    assert not holds(When(field="nothing", matches="."), alert)
    assert holds(When(field="details.kafka.lag", equals=1500), alert)


DETAILS = st.dictionaries(
    st.sampled_from(["trading_down_minutes", "venues_lost_pct", "data_corruption", "alerts_5m", "fill_rate"]),
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=2)),
)


@given(DETAILS, st.text(max_size=40))
def test_whatever_an_alert_carries_it_gets_a_severity_with_a_reason(details: dict[str, object], title: str) -> None:
    alert = Alert(title=title, details=details)
    severity, reason = classify(PACK.pack, alert)
    assert severity in PACK.pack.severities
    assert reason
    assert match_playbook(PACK.pack, alert) in {None, *PACK.pack.playbooks}


@pytest.mark.row("S3")
def test_first_words_go_by_severity_and_those_of_a_p1_before_the_follow_ups_of_a_p0() -> None:
    play = Play()
    for severity in ("P0", "P1", "P2"):
        play.type(f"/incident declare {severity} {severity} it is", channel="CWAR")
    of = {i.severity: name for name, i in play.incidents.items()}
    first = {severity: play.made[name, "announce"].priority for severity, name in of.items()}
    room = play.made[of["P0"], "room"]
    assert first["P0"] < room.priority < first["P1"] < play.made[of["P0"], "pin"].priority < first["P2"]


ODD: dict[str, Any] = {"title": "Something odd", "urgency": "high", "created_at": START}
NEWS_OF_PRIORITY = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["P0", "P1", "P2", "P3", "odd"])), max_size=6)


def told(title: str, news: list[tuple[int, str]], began: str = "incident.triggered") -> Play:
    """What PagerDuty told of the priority, all of it ten minutes after the beginning."""
    play = Play(now=START + 10 * MINUTE)
    if began:
        play.hear(began, at=START, **ODD | {"title": title})
    for minute, priority in news:
        play.hear("incident.priority_updated", at=START + minute * MINUTE, **ODD | {"title": title}, priority=priority)
    return play


@settings(max_examples=20, deadline=None)
@given(NEWS_OF_PRIORITY, st.randoms(use_true_random=False), st.sampled_from(["Something odd", "Market Sentinel down"]))
def test_the_same_news_of_priorities_in_any_order_gives_the_same_severity(
    news: list[tuple[int, str]], random: Any, title: str
) -> None:
    mixed = random.sample(news, len(news))
    ordered, disordered = told(title, sorted(news)), told(title, mixed)
    assert disordered.incident.severity == ordered.incident.severity
    known = [priority for _, priority in news if priority != "odd"]
    if known:
        assert told(title, mixed, began="").incident.severity == ordered.incident.severity
    for play in (ordered, disordered):
        times = [at for at, _ in play.incident.severities]
        assert times == sorted(times)


@pytest.mark.parametrize("first", ["P1", "P3"])
def test_of_two_priorities_of_one_moment_the_graver_holds(first: str) -> None:
    news = sorted([(2, "P1"), (2, "P3")], key=lambda one: one[1] != first)
    assert told("Market Sentinel down", news).incident.severity == "P1"


def test_the_newest_priority_stays_though_it_changed_nothing_and_an_older_one_comes_after_it() -> None:
    play = told("Something odd", [(4, "P1"), (2, "P3")])
    assert [s for _, s in play.incident.severities] == ["P1"]
    assert play.posts("severity_changed") == []


def test_what_a_person_said_of_the_severity_is_not_undone_by_older_news_from_pagerduty() -> None:
    play = Play(now=CLOSED)
    play.alert(title="Something odd", priority="P2")
    play.wait(5 * MINUTE)
    play.type("/incident severity P0 orders are rejected")
    play.hear("incident.priority_updated", at=CLOSED + MINUTE, priority="P3")
    assert play.incident.severity == "P0"
    play.wait(MINUTE)
    play.hear("incident.priority_updated", priority="P1")
    assert play.incident.severity == "P1"


def test_a_severity_holds_from_when_pagerduty_changed_it_and_its_clocks_count_from_there() -> None:
    play = Play()
    play.alert(title="Something odd", priority="P1")
    play.at(4).hear("incident.priority_updated", at=START + 2 * MINUTE, priority="P0")
    changed = next(x for x in play.facts["INC-2026-0001"] if isinstance(x.what, f.SeverityChanged))
    assert (changed.at, changed.recorded) == (START + 2 * MINUTE, START + 4 * MINUTE)
    assert [(v.start, v.deadline) for v in play.clocks("acknowledge")] == [(START + 2 * MINUTE, START + 7 * MINUTE)]
    play.at(8)
    assert [b.deadline for b in play.whats(f.ClockBreached) if b.clock == "acknowledge"] == [START + 7 * MINUTE]
    assert play.broken == []


def test_a_severity_set_while_pagerdutys_clock_runs_ahead_holds_from_now_on() -> None:
    play = Play()
    play.alert(title="Something odd", priority="P1")
    play.at(2).hear("incident.priority_updated", at=START + 5 * MINUTE, priority="P0")
    assert play.incident.severity_since == START + 2 * MINUTE
    play.at(3).type("/incident severity P2 it was one venue")
    assert play.incident.severity == "P2"
