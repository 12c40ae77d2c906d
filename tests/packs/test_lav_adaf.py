"""The pack against its document, lav-adaf-playbook.md, figure by figure."""

from datetime import UTC, datetime, time, timedelta
from typing import get_args

import pytest
from starlette.routing import Match, Route

from warroom.domain.policy import Action, Playbook, Severity, SeverityId, Step
from warroom.domain.severity import Alert, classify, match_playbook
from warroom.packs.loader import shipped
from warroom.sandbox.feed import Feed
from warroom.sandbox.platform import Platform
from warroom.sandbox.platform_api import PlatformApi

PACK = shipped("lav_adaf")
P0, P1, P2, P3 = (PACK.severities[name] for name in get_args(SeverityId))
MINUTE = timedelta(minutes=1)


def minutes(span: timedelta | None) -> float | None:
    return None if span is None else span / MINUTE


def step(severity: Severity, name: str) -> Step:
    return next(s for s in severity.steps if s.id == name)


def window(severity: Severity, name: str) -> tuple[float | None, float | None]:
    found = step(severity, name)
    return minutes(found.start), minutes(found.end)


@pytest.mark.row("L1")
@pytest.mark.parametrize(("severity", "limit"), [("P0", 15), ("P1", 60), ("P2", 4 * 60), ("P3", 24 * 60)])
def test_each_severity_has_the_response_time_of_the_document(severity: SeverityId, limit: int) -> None:
    clock = PACK.severities[severity].clocks["response"]
    assert (clock.start, clock.end, minutes(clock.within)) == ("declared", "responding", limit)
    assert clock.counting == "always"


@pytest.mark.parametrize(
    ("severity", "clock", "start", "end", "limit"),
    [
        ("P0", "acknowledge", "declared", "acknowledged", 5),
        ("P1", "acknowledge", "declared", "acknowledged", 15),
        ("P0", "announce", "declared", "announced", 2),
        ("P0", "resolve", "declared", "resolved", 120),
        ("P1", "resolve", "declared", "resolved", 120),
        ("P0", "recovery", "declared", "resolved", 240),
        ("P1", "recovery", "declared", "resolved", 240),
        *((s, "announce_resolution", "resolved", "resolution_announced", 30) for s in ("P0", "P1", "P2", "P3")),
    ],
)
def test_the_other_clocks(severity: SeverityId, clock: str, start: str, end: str, limit: int) -> None:
    found = PACK.severities[severity].clocks[clock]
    assert (found.start, found.end, minutes(found.within)) == (start, end, limit)


def alert(title: str = "Something", market: str = "closed", **details: object) -> Alert:
    return Alert(title=title, market=market, urgency="low", details=details)


@pytest.mark.row("L1")
@pytest.mark.parametrize(
    ("given", "severity"),
    [
        (alert(trading_down_minutes=6), "P0"),
        (alert(trading_down_minutes=5), "P3"),
        (alert("Trading system is completely down"), "P0"),
        (alert(security_breach=True), "P0"),
        (alert("Unauthorised access to the gateway"), "P0"),
        (alert(limit_breach_pct=201), "P0"),
        (alert(limit_breach_pct=200), "P3"),
        (alert(var_pct_nav="6.1%"), "P0"),
        (alert(var_pct_nav=6), "P3"),
        (alert("P&L calculation: corrupted positions"), "P0"),
        (alert(venues_lost_pct=51), "P0"),
        (alert(venues_lost_pct=50), "P3"),
        (alert("Market Sentinel down", market="open"), "P0"),
        (alert("market-sentinel health check failed", market="open"), "P0"),
        (alert("Risk Warden is not responding", market="open"), "P0"),
        (alert("Executioner down", market="open"), "P0"),
        (alert("Market Sentinel down"), "P1"),
        (alert("Risk Warden down"), "P1"),
        (alert("Executioner down"), "P1"),
        (alert(latency_increase_pct=51), "P1"),
        (alert(throughput_drop_pct=50), "P3"),
        (alert("Risk violations persist near the limit"), "P1"),
        (alert(alerts_5m=21), "P1"),
        (alert(alerts_5m=20), "P3"),
        (alert("Venue NYSE connectivity lost"), "P1"),
        (alert(feed_interrupted_minutes=31), "P1"),
        (alert(feed_interrupted_minutes=30), "P3"),
    ],
)
def test_the_triggers_are_rules_over_the_alert_exact_at_the_edges(given: Alert, severity: SeverityId) -> None:
    assert classify(PACK, given)[0] == severity


@pytest.mark.row("L1")
def test_without_a_rule_pagerduty_decides_by_priority_then_by_urgency() -> None:
    assert [classify(PACK, Alert(title="x", priority=p, urgency="high"))[0] for p in ("P0", "P1", "P2", "P3")] == [
        "P0",
        "P1",
        "P2",
        "P3",
    ]
    assert classify(PACK, Alert(title="x", priority="P5", urgency="high"))[0] == "P3"
    assert classify(PACK, Alert(title="x", urgency="high"))[0] == "P1"
    assert classify(PACK, Alert(title="x", urgency="low"))[0] == "P3"


def test_a_severity_written_back_as_a_priority_reads_as_the_same_severity() -> None:
    assert {name: PACK.priorities[name] for name in get_args(SeverityId)} == {n: n for n in get_args(SeverityId)}


@pytest.mark.row("L2")
@pytest.mark.parametrize(
    ("name", "expected", "owner", "done_on"),
    [
        ("p0_alert", (0, 2), "system", ("effects",)),
        ("p0_circuit_breakers", (2, 5), "risk_manager", ("action:halt-all",)),
        ("p0_evidence", (5, 10), "system", ("probes:evidence",)),
        ("p0_commander", (10, 15), "technical_lead", ("commander_assigned",)),
        ("p0_executive_brief", (10, 15), "commander", ("effects",)),
    ],
)
def test_the_p0_protocol(name: str, expected: tuple[int, int], owner: str, done_on: tuple[str, ...]) -> None:
    found = step(P0, name)
    assert (window(P0, name), found.owner, found.done_on) == (expected, owner, done_on)
    assert found.if_late, "lateness is never silent"


@pytest.mark.row("L3")
@pytest.mark.parametrize(
    ("name", "expected"),
    [("p1_on_call", (0, 15)), ("p1_impact", (15, 30)), ("p1_mitigation", (30, 60)), ("p1_stakeholders", (30, 60))],
)
def test_the_p1_protocol(name: str, expected: tuple[int, int]) -> None:
    assert window(P1, name) == expected
    assert step(P1, name).if_late


@pytest.mark.row("L4")
def test_a_p0_rings_the_war_room_and_pages_everybody_the_document_names() -> None:
    assert (P0.announce.channel, P0.announce.broadcast) == ("war_room", "channel")
    assert PACK.channels["war_room"] == "#war-room"
    paged = [group for do in step(P0, "p0_alert").does if do.kind == "page" for group in do.groups]
    assert paged == ["on_call", "risk_managers", "cto"]
    assert [s.announce.broadcast for s in (P1, P2, P3)] == ["here", None, None]


def test_circuit_breakers_that_are_late_escalate_page_and_tell_the_risk_channel() -> None:
    late = step(P0, "p0_circuit_breakers").if_late
    assert [do.kind for do in late] == ["escalate", "page", "tell"]
    assert [PACK.channels[c] for c in late[-1].channels] == ["#risk-alerts"]


@pytest.mark.row("L12")
def test_updates_go_out_every_15_minutes_for_p0_and_every_30_for_p1() -> None:
    (p0,), (p1,) = P0.cadences, P1.cadences
    assert (minutes(p0.every), minutes(p0.ask_before), p0.end) == (15, 3, "resolved")
    assert p0.channels == ("war_room", "room")
    assert minutes(p1.every) == 30
    assert not P2.cadences
    assert not P3.cadences


@pytest.mark.row("L5")
def test_the_emergency_halt() -> None:
    halt = PACK.actions["halt-all"]
    assert (halt.method, halt.http) == ("POST", "executioner/api/emergency/halt-all")
    assert (halt.auth, halt.scope, halt.danger, halt.who) == ("EMERGENCY_TOKEN", "all", "contain", ("halt_operators",))
    read = PACK.probes[halt.read_back.probe]
    assert read.http == "executioner/api/emergency/status"
    assert [(e.value, e.equals) for e in read.expect] == [("halted", True)]
    assert PACK.urls["executioner"] == "http://localhost:3003"
    assert [name for name, action in PACK.actions.items() if action.scope] == ["halt-all"]


@pytest.mark.parametrize(
    ("name", "http", "body"),
    [
        ("manual-regime", "market_sentinel/api/regime/manual", {"regime": "{regime}", "duration": "1h"}),
        ("reduce-positions", "risk_warden/api/emergency/reduce", {"reduction_pct": 0.5, "timeframe": 300}),
        ("conservative-routing", "executioner/api/routing/mode", {"mode": "CONSERVATIVE", "timeout": 60}),
        ("disable-venue", "executioner/api/venues/disable", {"venues": ("{venue}",), "duration": 3600}),
    ],
)
def test_the_other_actions_send_what_the_document_sends(name: str, http: str, body: dict[str, object]) -> None:
    action = PACK.actions[name]
    assert (action.http, dict(action.body)) == (http, body)
    assert PACK.actions["manual-regime"].parameters["regime"].default == "NORMAL_EXPANSION"


def test_the_evidence_holds_logs_metrics_the_database_and_the_snapshot() -> None:
    evidence = PACK.probe_groups["evidence"]
    for service in ("sentinel", "warden", "executioner"):
        assert {f"{service}-logs", f"{service}-metrics"} <= set(evidence)
    assert {"snapshot", "db-activity"} <= set(evidence)


PLAYBOOKS = [
    pytest.param("market_sentinel_down", alert("Market Sentinel down"), marks=pytest.mark.row("L7")),
    pytest.param("risk_warden_alert_storm", alert(alerts_5m=21)),
    pytest.param("executioner_fill_rate", alert(fill_rate=0.89)),
    pytest.param("db_pool_exhaustion", alert("FATAL: too many connections")),
    pytest.param("kafka_backlog", alert(consumer_lag=1001)),
]


@pytest.mark.parametrize(("name", "given"), PLAYBOOKS)
def test_a_playbook_is_matched_and_complete(name: str, given: Alert) -> None:
    assert match_playbook(PACK, given) == name
    playbook = PACK.playbooks[name]
    assert len(playbook.symptoms) == 3
    assert len(playbook.diagnosis) >= 3
    assert len(playbook.resolution) == 3
    assert playbook.plain
    assert playbook.desk
    assert not any(name in playbook.plain.lower() for name in ("sentinel", "warden", "executioner", "kafka"))


@pytest.mark.parametrize("given", [alert(alerts_5m=20), alert(fill_rate=0.9), alert(consumer_lag=1000)])
def test_a_playbook_is_not_matched_at_the_edge_itself(given: Alert) -> None:
    assert match_playbook(PACK, given) is None


def last_resorts(playbook: Playbook) -> list[str]:
    return [step.title for step in playbook.resolution if step.last_resort]


def test_resetting_the_offsets_is_a_last_resort() -> None:
    assert last_resorts(PACK.playbooks["kafka_backlog"]) == ["Reset the consumer group to the latest offset"]


def test_figures_of_the_playbooks_stand_in_what_people_read() -> None:
    how = {name: " ".join(r.how for r in p.resolution) for name, p in PACK.playbooks.items()}
    assert "30 seconds" in how["market_sentinel_down"]
    assert "first 10" in how["risk_warden_alert_storm"]
    assert "10 minutes" in how["db_pool_exhaustion"]
    assert "max_connections = 200" in how["db_pool_exhaustion"]
    assert "market-sentinel=3" in how["kafka_backlog"]
    assert "retention.ms=3600000" in how["kafka_backlog"]
    assert len(PACK.playbooks["market_sentinel_down"].prevention) == 3


def test_the_diagnosis_reads_what_the_document_reads() -> None:
    probes = PACK.probes
    assert probes["sentinel-health"].http == "market_sentinel/health"
    assert probes["warden-violations"].http == "risk_warden/api/violations?limit=50"
    assert probes["executioner-failed-orders"].http == "executioner/api/orders?status=failed&limit=20"
    assert probes["sentinel-docker-logs"].command == ("docker", "logs", "market-sentinel-1", "--tail=100")
    assert probes["kafka-lag"].command == ("kafka-consumer-groups", "--describe", "--all-groups")
    assert "--bootstrap-server" in PACK.tools["kafka-topics"]
    assert "interval '5 minutes'" in (probes["db-long-queries"].sql or "")
    assert (probes["redis-ping"].send, probes["redis-ping"].expect[0].contains) == ("PING\r\n", "+PONG")


def test_the_contacts_of_the_document() -> None:
    channels = {c.title: PACK.channels[c.channel] for c in PACK.contacts if c.channel}
    assert channels == {
        "On-call engineer": "#lav-adaf-oncall",
        "Senior engineers": "#lav-adaf-engineering",
        "System architects": "#lav-adaf-architecture",
        "Risk management": "#risk-alerts",
        "Compliance officer": "#compliance-emergency",
        "Executive team": "#executive-emergency",
    }
    assert [c.level for c in PACK.contacts].count("vendor") == 5
    assert [c.level for c in PACK.contacts][:3] == ["L1", "L2", "L3"]


def test_the_review_owes_three_things_within_24_hours_and_three_within_a_week() -> None:
    within = [f.within for f in PACK.follow_ups]
    assert within == [timedelta(hours=24)] * 3 + [timedelta(weeks=1)] * 3
    assert all(len(f.items) == 3 for f in PACK.follow_ups)


def test_the_objectives() -> None:
    assert {name: minutes(o.target) for name, o in PACK.objectives.items()} == {
        "rto": 240,
        "rpo": 15,
        "mttr": 120,
        "communication": 30,
    }


def test_probes_and_actions_speak_to_the_endpoints_that_the_platform_has() -> None:
    routes = endpoints()
    asked = {name: ("GET", probe.http) for name, probe in PACK.probes.items() if probe.http}
    asked |= {name: (action.method, action.http) for name, action in PACK.actions.items() if action.http}
    unknown = {name for name, (method, http) in asked.items() if not answers(routes, method, http)}
    assert unknown <= {"warden-reduction"}


def endpoints() -> list[Route]:
    return PlatformApi(Platform(lambda: datetime(2026, 3, 2, 15, tzinfo=UTC), Feed()), "token").routes()


def answers(routes: list[Route], method: str, http: str) -> bool:
    base, _, path = http.partition("?")[0].partition("/")
    scope = {"type": "http", "method": method, "path": f"/{base.replace('_', '-')}/{path}"}
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def test_the_market_of_the_platform_is_new_york() -> None:
    calendar = PACK.calendar
    assert (calendar.timezone, calendar.holidays) == ("America/New_York", "NYSE")
    assert (calendar.open, calendar.close) == (time(9, 30), time(16))


def test_every_act_can_be_read_back() -> None:
    def verified(action: Action) -> bool:
        return bool(PACK.probes[action.read_back.probe].expect)

    assert all(map(verified, PACK.actions.values()))


@pytest.mark.parametrize(
    ("book", "windows"),
    [
        ("security_breach", [(0, 5)] * 3 + [(5, 30)] * 3 + [(30, None)] * 3),
        ("complete_system_failure", [(0, 15)] * 3 + [(15, 60)] * 3 + [(60, 240)] * 3),
        ("manual_trading_mode", [(0, 15)] * 2),
    ],
)
def test_the_continuity_playbooks_have_the_phases_of_the_document(
    book: str, windows: list[tuple[float, float | None]]
) -> None:
    steps = PACK.playbooks[book].steps
    assert [(minutes(s.start), minutes(s.end)) for s in steps] == windows
    assert all(s.if_late for s in steps if s.end and s.owner != "system")


def test_continuity_is_matched_before_a_service_is() -> None:
    assert match_playbook(PACK, alert("Unauthorized access to market-sentinel")) == "security_breach"
    assert match_playbook(PACK, alert("Complete system failure: executioner, risk warden")) == "complete_system_failure"
    assert match_playbook(PACK, alert("Trading platform is completely down")) == "complete_system_failure"
    assert classify(PACK, alert("Complete system failure"))[0] == "P0"


def test_manual_trading_has_the_four_procedures_of_the_document() -> None:
    assert len(PACK.checklists["manual_trading"].items) == 4
    assert PACK.tools["manual-mode"] == ("./scripts/emergency-manual-mode.sh",)


def test_what_throws_messages_away_takes_two_people_and_runs_what_the_document_runs() -> None:
    reset, shorter = PACK.actions["reset-offsets"], PACK.actions["reduce-retention"]
    assert (reset.danger, reset.approvals, shorter.danger, shorter.approvals) == ("extreme", 1, "change", 1)
    assert " ".join(reset.command or ()) == (
        "kafka-consumer-groups --group market-sentinel-group --reset-offsets --to-latest "
        "--topic market-regime --execute"
    )
    assert "retention.ms=3600000" in (shorter.command or ())
    assert PACK.actions["scale-consumers"].parameters["replicas"].default == 3


def test_the_technical_levels_are_told_when_the_one_before_did_not_answer() -> None:
    told = [(s.id, minutes(s.start), s.done_on) for s in (*P0.steps, *P1.steps) if s.id[3:] in ("l1", "l2", "l3")]
    assert told == [
        ("p0_l1", 0, ("effects",)),
        ("p0_l2", 5, ("acknowledged", "effects")),
        ("p0_l3", 15, ("responding", "effects")),
        ("p1_l1", 0, ("effects",)),
        ("p1_l2", 15, ("acknowledged", "effects")),
        ("p1_l3", 60, ("contained", "resolved", "effects")),
    ]
