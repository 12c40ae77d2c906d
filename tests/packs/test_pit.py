"""The pack against its document, pit-violation-response.md, figure by figure."""

from datetime import timedelta
from typing import get_args

import pytest
from starlette.routing import Match, Route

from warroom.domain.policy import SeverityId, Step
from warroom.domain.protocol import all_steps
from warroom.domain.severity import Alert, classify, match_playbook
from warroom.packs.loader import shipped
from warroom.sandbox.feed import Feed
from warroom.sandbox.pit_platform import TOOLS, PitApi, PitPlatform

PACK = shipped("pit")
assert PACK.violations is not None
VIOLATIONS = PACK.violations
STEPS = {step.id: step for step in all_steps(PACK)}
MINUTE = timedelta(minutes=1)
LEVELS = {
    "critical": {"future_information_leakage", "trading_decision_impact", "regulatory_violation"},
    "high": {"historical_data_corruption", "contract_violation", "data_pipeline_failure"},
    "medium": {"timestamp_drift", "arrival_delay", "quality_degradation"},
    "low": {"configuration_warning", "documentation_gap", "monitoring_alert"},
}


def window(step: Step) -> tuple[float, float | None]:
    return step.start / MINUTE, None if step.end is None else step.end / MINUTE


@pytest.mark.row("P1")
@pytest.mark.parametrize(("severity", "limit"), [("P0", 5), ("P1", 15), ("P2", 60), ("P3", 24 * 60)])
def test_each_level_has_the_response_time_of_the_document(severity: SeverityId, limit: int) -> None:
    clock = PACK.severities[severity].clocks["response"]
    assert (clock.start, clock.end, clock.within / MINUTE) == ("declared", "responding", limit)


@pytest.mark.row("P1")
def test_every_kind_of_violation_of_the_document_has_its_level() -> None:
    found = {level: {name for name, kind in VIOLATIONS.types.items() if kind.level == level} for level in LEVELS}
    assert found == LEVELS
    assert list(VIOLATIONS.levels.values()) == list(get_args(SeverityId))


@pytest.mark.row("P1")
@pytest.mark.parametrize(("level", "severity"), list(zip(LEVELS, get_args(SeverityId), strict=True)))
def test_an_alert_that_names_the_kind_gets_its_level_and_playbook(level: str, severity: SeverityId) -> None:
    for kind in LEVELS[level]:
        for alert in (Alert(title="x", details={"violation_type": kind}), Alert(title=kind.replace("_", " ").title())):
            assert classify(PACK, alert)[0] == severity, alert
        details = {"level": level, "violation_type": kind}
        book = {"critical": "critical_violation", "high": "high_violation"}.get(level, "medium_violation")
        assert match_playbook(PACK, Alert(title="x", details=details)) == book


@pytest.mark.row("P3")
def test_the_breaker_has_the_thresholds_of_the_document() -> None:
    found = {t.level: (t.count, t.within.total_seconds()) for t in VIOLATIONS.breaker}
    assert found == {"critical": (1, 0), "high": (3, 300), "medium": (10, 900), "low": (50, 3600)}


@pytest.mark.row("P11")
def test_the_alert_rules_are_those_of_the_document() -> None:
    rules = {r.id: (r.level, r.count, r.within.total_seconds(), r.rise_pct) for r in VIOLATIONS.rules}
    assert rules["critical_violations"] == ("critical", 1, 0, None)
    assert rules["high_violations"] == ("high", 3, 300, None)
    assert rules["violation_trends"] == (None, 10, 3600, 50)
    pages = {"p0_executives": (5, "executives"), "p1_management": (15, "business_management")}
    for name, (minute, group) in (pages | {"p2_management": (30, "engineering_managers")}).items():
        assert window(STEPS[name])[0] == minute
        assert group in STEPS[name].does[0].groups


@pytest.mark.row("P5")
@pytest.mark.parametrize(
    ("step", "begins", "ends", "owner"),
    [
        ("p0_breaker", 0, 1, "system"),
        ("p0_pager", 1, 2, "system"),
        ("p0_commander", 2, 5, "on_call_manager"),
        ("p0_executives", 5, 10, "commander"),
        ("p0_regulatory", 10, 15, "legal_team"),
        ("p0_customers", 15, 30, "customer_lead"),
        ("p0_public", 30, None, "public_communications"),
        ("p1_quarantine", 0, 5, "system"),
        ("p1_development", 5, 10, "system"),
        ("p1_lead", 10, 15, "engineering_manager"),
        ("p1_root_cause", 15, 30, "technical_lead"),
        ("p1_plan", 30, 60, "commander"),
        ("p1_implementation", 60, 240, "technical_lead"),
    ],
)
def test_the_matrices_are_those_of_the_document(step: str, begins: float, ends: float | None, owner: str) -> None:
    assert (window(STEPS[step]), STEPS[step].owner) == ((begins, ends), owner)


@pytest.mark.row("P4")
def test_the_teams_are_those_of_the_document() -> None:
    emergency, standard = PACK.teams["emergency"], PACK.teams["standard"]
    assert (emergency.severities, standard.severities) == (("P0", "P1"), ("P2", "P3"))
    titles = [PACK.roles[name].title for name in ("commander", *emergency.roles)]
    assert titles == ["Incident commander", "Technical lead", "Domain expert", "Communications lead", "Risk assessment"]
    assert [PACK.roles[name].title for name in standard.roles] == [
        "Primary engineer",
        "Data engineer",
        "QA engineer",
        "Documentation lead",
    ]


@pytest.mark.row("P9")
def test_whatever_changes_data_or_brings_it_back_takes_a_second_person() -> None:
    for name in ("quarantine-data", "restore-data", "gradual-enable", "resume-signals"):
        assert PACK.actions[name].approvals == 1, name
    for name in ("stop-signals", "quarantine-feature", "emergency-disable", "disable-cascade"):
        assert (PACK.actions[name].approvals, PACK.actions[name].danger) == (0, "contain"), name
    assert PACK.actions["gradual-enable"].parameters["traffic_percentage"].default == 10


@pytest.mark.row("P13")
def test_only_regulators_customers_and_partners_need_approval() -> None:
    outside = {name for name, audience in PACK.audiences.items() if audience.external}
    assert outside == {"regulators", "customers", "partners"}
    told = {a for c in PACK.severities["P0"].communications for a in c.audiences}
    assert told == set(PACK.audiences)


def test_the_sandbox_has_every_address_and_tool_of_the_pack() -> None:
    platform = PitPlatform(lambda: None, Feed())  # type: ignore[arg-type, return-value]
    ports = {"service_8001": 8001, "features": 8003, "service_8004": 8004, "signals": 8004}
    routes: list[Route] = PitApi(platform).routes()
    wanted = [(a.http, a.method) for a in PACK.actions.values() if a.http]
    wanted += [(p.http, p.method) for p in PACK.probes.values() if p.http]
    for http, method in wanted:
        base, _, path = http.partition("/")
        at = f"/{ports[base]}/" + path.partition("?")[0].replace("{feature}", "alpha")
        scope = {"type": "http", "path": at, "method": method, "headers": []}
        assert any(route.matches(scope)[0] is Match.FULL for route in routes), (http, method)
    assert set(PACK.tools) == set(TOOLS)
