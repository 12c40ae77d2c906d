"""The pack against its documents, eafix-incident-runbook.md and eafix-trading-incidents.md, figure by figure."""

from datetime import UTC, datetime, time, timedelta
from typing import get_args

import pytest
from starlette.routing import Match

from warroom.domain.policy import Action, SeverityId
from warroom.domain.severity import Alert, classify, match_playbook
from warroom.packs.calendar import sessions
from warroom.packs.loader import shipped
from warroom.sandbox.eafix_api import EafixApi
from warroom.sandbox.eafix_platform import EafixPlatform
from warroom.sandbox.feed import Feed

PACK = shipped("eafix")
MINUTE = timedelta(minutes=1)
DAY = 24 * 60
FAILURES = ("signal_generation_failure", "market_data_failure", "order_execution_failure", "risk_manager_failure")


@pytest.mark.parametrize(
    ("severity", "clock", "end", "limit", "counting"),
    [
        ("P0", "acknowledge", "acknowledged", 5, "always"),
        ("P1", "acknowledge", "acknowledged", 15, "always"),
        ("P2", "acknowledge", "acknowledged", 60, "business_hours"),
        ("P3", "acknowledge", "acknowledged", 4 * 60, "business_hours"),
        ("P0", "respond", "responding", 15, "always"),
        ("P1", "respond", "responding", 30, "always"),
        ("P2", "respond", "responding", 4 * 60, "business_hours"),
        ("P3", "respond", "responding", DAY, "business_days"),
        ("P0", "resolve", "resolved", 2 * 60, "market_hours"),
        ("P1", "resolve", "resolved", 8 * 60, "market_hours"),
        ("P2", "resolve", "resolved", DAY, "always"),
        ("P3", "resolve", "resolved", 5 * DAY, "business_days"),
        *((s, "initial_update", "announced", 15, "always") for s in ("P0", "P1", "P2", "P3")),
        *((s, "announce_resolution", "resolution_announced", 15, "always") for s in ("P0", "P1", "P2", "P3")),
    ],
)
def test_every_target_of_the_runbook_is_a_clock(
    severity: SeverityId, clock: str, end: str, limit: int, counting: str
) -> None:
    found = PACK.severities[severity].clocks[clock]
    assert (found.end, found.within / MINUTE, found.counting) == (end, limit, counting)


@pytest.mark.parametrize(
    ("playbook", "limit"),
    [("signal_generation_failure", 60), ("order_execution_failure", 120), ("market_data_failure", 30)],
)
def test_the_recovery_targets_count_in_market_hours_until_the_recovery_is_proved(playbook: str, limit: int) -> None:
    clock = PACK.playbooks[playbook].clocks["recovery_target"]
    assert (clock.start, clock.end, clock.within.total_seconds()) == ("declared", "validated", limit)
    assert (clock.counting, clock.market) == ("market_hours", "open")


@pytest.mark.parametrize(
    ("severity", "cadence", "minutes", "audience"),
    [
        ("P0", "p0_updates", 30, "engineering"),
        ("P0", "p0_desk_updates", 15, "desk"),
        ("P1", "p1_updates", 30, "engineering"),
        ("P1", "p1_desk_updates", 30, "desk"),
        ("P2", "p2_updates", 120, "engineering"),
        ("P3", "p3_updates", 120, "engineering"),
    ],
)
def test_the_cadences(severity: SeverityId, cadence: str, minutes: int, audience: str) -> None:
    found = next(c for c in PACK.severities[severity].cadences if c.id == cadence)
    assert (found.every / MINUTE, found.audiences) == (minutes, (audience,))


def alert(title: str = "Something", market: str = "closed", **details: object) -> Alert:
    return Alert(title=title, market=market, urgency="low", details=details)


@pytest.mark.parametrize(
    ("given", "in_market_hours", "after_hours"),
    [
        # X1: the path from market data to the broker
        ("Market data feed is down", "P0", "P1"),
        ("data-ingestor health check failed", "P0", "P1"),
        ("Indicator Engine not responding", "P0", "P1"),
        ("signal_generator crashed", "P0", "P1"),
        ("No new signals for 16 minutes", "P0", "P1"),
        ("Stale market data", "P0", "P1"),
        ("Execution engine: orders stuck in pending", "P0", "P1"),
        ("Broker connection lost", "P0", "P1"),
        # whatever the time is
        ("Risk manager is down", "P0", "P0"),
        ("All signals being rejected", "P0", "P0"),
        ("Security breach: active exploitation", "P0", "P0"),
        ("Position table corrupted", "P0", "P0"),
        ("Complete system outage", "P0", "P1"),
        ("Partial outage", "P1", "P1"),
        ("gui-gateway unreachable", "P1", "P1"),
        ("Position reconciliation mismatch", "P1", "P1"),
        ("Dashboard service down", "P2", "P2"),
        ("Report generation is slow", "P2", "P2"),
        ("Data quality: duplicate ticks", "P2", "P2"),
        ("Grafana has no data", "P2", "P2"),
        ("Cosmetic: wrong colour of a column", "P3", "P3"),
        ("Documentation out of date", "P3", "P3"),
    ],
)
def test_the_criteria_are_rules_over_the_title(given: str, in_market_hours: str, after_hours: str) -> None:
    assert [classify(PACK, alert(given, market))[0] for market in ("open", "closed")] == [in_market_hours, after_hours]


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        (alert(market="open", minutes_without_signal=15.1), "P0"),
        (alert(market="open", minutes_without_signal=15), "P3"),
        (alert(market="open", signal_latency_seconds=10.5), "P0"),
        (alert(market="open", signal_latency_seconds=10), "P1"),
        (alert(market="open", signal_latency_seconds=5.1), "P1"),
        (alert(market="open", signal_latency_seconds=5), "P2"),
        (alert(market="open", price_age_seconds=31), "P0"),
        (alert(market="open", price_age_seconds=30), "P3"),
        (alert(market="open", execution_latency_seconds=5.1), "P0"),
        (alert(market="open", execution_latency_seconds=5), "P3"),
        (alert(discrepancy_usd=1), "P1"),
        (alert(active_exploitation=True), "P0"),
        (alert(data_corruption="positions"), "P0"),
    ],
)
def test_the_criteria_are_rules_over_figures_exact_at_the_edges(given: Alert, severity: str) -> None:
    assert classify(PACK, given)[0] == severity


@pytest.mark.parametrize(
    ("title", "playbook"),
    [
        ("No new signals for 20 minutes", "signal_generation_failure"),
        ("Stale price data", "market_data_failure"),
        ("Orders stuck in pending state", "order_execution_failure"),
        ("Risk manager: position sizes are 0", "risk_manager_failure"),
        ("Position reconciliation discrepancy", "position_reconciliation"),
        ("PostgreSQL: too many connections", "database_failure"),
        ("Packet loss on the network", "network_failure"),
        ("Complete system outage", "service_failure"),
    ],
)
def test_an_alert_finds_its_playbook(title: str, playbook: str) -> None:
    assert match_playbook(PACK, alert(title)) == playbook


def test_each_trading_failure_has_symptoms_four_recovery_actions_and_a_word_for_the_desk() -> None:
    for name in FAILURES:
        book = PACK.playbooks[name]
        assert len(book.symptoms) == 3
        assert len([r for r in book.resolution if not r.last_resort]) == 4
        assert book.resolution[0].action == "restart-service"
        assert book.desk
        assert 3 <= len(book.diagnosis) <= 4


def test_the_calendar_is_that_of_new_york_with_the_three_phases() -> None:
    calendar = PACK.calendar
    assert (calendar.timezone, calendar.open, calendar.close) == ("America/New_York", time(9, 30), time(16))
    spans = {name: (phase.start, phase.end) for name, phase in calendar.phases.items()}
    assert spans == {
        "pre_market": (time(6), time(9, 30)),
        "market_open": (time(9, 30), time(16)),
        "after_hours": (time(16), time(6)),
    }
    assert [len(phase.priorities) for phase in calendar.phases.values()] == [4, 4, 4]


def test_office_hours_are_counted_from_nine_to_five() -> None:
    evening = datetime(2026, 11, 17, 23, 0, tzinfo=UTC)  # 18:00 in New York
    counted = sessions(PACK.calendar).counted("business_hours")
    assert counted.after(evening, timedelta(hours=1)) == datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "danger", "approvals"),
    [
        ("stop-trading", "contain", 0),
        ("resume-trading", "change", 1),
        ("set-stop-losses", "change", 0),
        ("close-all-positions", "extreme", 1),
        ("reduce-position-sizes", "extreme", 1),
        ("tighten-limits", "contain", 0),
        ("stop-new-positions", "contain", 0),
    ],
)
def test_what_moves_the_book_or_resumes_takes_two_people(name: str, danger: str, approvals: int) -> None:
    action = PACK.actions[name]
    assert (action.danger, action.approvals) == (danger, approvals)


@pytest.mark.parametrize(
    ("field", "limit"), [("fields.discrepancy_usd", 10_000), ("fields.order_value_usd", 50_000), ("playbook", None)]
)
@pytest.mark.parametrize("severity", ["P0", "P1"])
def test_the_amounts_that_make_a_phone_call(severity: SeverityId, field: str, limit: int | None) -> None:
    step = next(s for s in PACK.severities[severity].steps if s.id == f"{severity.lower()}_call_desk")
    condition = next(when for when in step.when if when.field == field)
    assert (condition.over, step.call and step.call.whom) == (limit, "Trading desk")
    assert condition.equals == (None if limit else "risk_manager_failure")


def test_the_figures_of_the_emergency_controls() -> None:
    def default(action: str, parameter: str) -> object:
        return PACK.actions[action].parameters[parameter].default

    assert default("set-stop-losses", "percentage") == 2.0
    assert default("reduce-position-sizes", "reduction_factor") == 0.5
    assert default("tighten-limits", "factor") == 0.7
    tighten = PACK.actions["tighten-limits"]
    assert (tighten.body["duration_minutes"], tighten.lasts) == (60, timedelta(minutes=60))


def test_the_checklists_have_every_line_of_the_documents() -> None:
    sizes = {name: len(checklist.items) for name, checklist in PACK.checklists.items()}
    wanted = {"during_market_hours": 9, "after_market_hours": 6, "performance": 4, "data": 4, "service": 4}
    wanted |= {"temporary_fixes": 5, "permanent_fixes": 5, "pre_market": 4}
    assert {name: sizes[name] for name in wanted} == wanted
    fixes = [item.title for item in PACK.checklists["temporary_fixes"].items]
    assert fixes == ["Stop losses", "Service restart", "Traffic routing", "Rollback", "Manual intervention"]
    notify = next(i for i in PACK.checklists["during_market_hours"].items if i.id == "notify_desk")
    assert notify.within == 5 * MINUTE


def test_the_watch_reads_every_10_seconds_and_speaks_of_moves_over_1000() -> None:
    watch = PACK.watches["pnl"]
    assert (watch.every, watch.moves_over) == (timedelta(seconds=10), 1000)


def test_every_endpoint_the_pack_calls_is_one_the_platform_has() -> None:
    """A wrong path in the pack would otherwise be found in an incident."""
    routes = EafixApi(EafixPlatform(lambda: datetime.now(UTC), Feed())).routes()
    services = {"gateway": "gui-gateway"}
    for part in (*PACK.probes.values(), *PACK.actions.values()):
        if part.http is None:
            continue
        base, _, rest = part.http.partition("/")
        path = f"/{services.get(base, base)}/{rest.partition('?')[0]}"
        verb = "POST" if isinstance(part, Action) else part.method
        scope = {"type": "http", "path": path, "root_path": "", "method": verb}
        assert any(r.matches(scope)[0] is Match.FULL for r in routes), f"{verb} {path}"


def test_all_severities_are_there() -> None:
    assert set(PACK.severities) == set(get_args(SeverityId))
