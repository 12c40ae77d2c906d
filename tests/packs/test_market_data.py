"""The pack against its document, market-data-runbook.md, row by row."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from starlette.routing import Match, Route

from warroom.domain.policy import Action, Probe, SeverityId
from warroom.domain.severity import Alert, classify, match_playbook
from warroom.packs.loader import shipped
from warroom.sandbox import market_data_tools
from warroom.sandbox.feed import Feed
from warroom.sandbox.market_data_api import MarketDataApi
from warroom.sandbox.market_data_platform import MarketData, WrongOrderError

PACK = shipped("market_data")
SEVERITIES = get_args(SeverityId)
NOW = datetime(2026, 11, 17, 14, 31, tzinfo=UTC)


def alert(title: str = "Something", market: str = "open", **details: object) -> Alert:
    return Alert(title=title, market=market, urgency="low", details=details)


@pytest.mark.parametrize(
    ("given", "severity", "playbook"),
    [
        (alert(trigger="ingestion lag", stream_lag_seconds=61), "P1", "ingestion_stall"),
        (alert(trigger="ingestion lag", stream_lag_seconds=61, market="closed"), "P2", "ingestion_stall"),
        (alert(batch_lag_seconds=301), "P1", "ingestion_stall"),
        (alert(trigger="ingestion lag", stream_lag_seconds=60), "P3", "ingestion_stall"),
        (alert("Ingestion stalled for XNYS"), "P1", "ingestion_stall"),
        (alert(trigger="checksum failure"), "P1", "data_corruption"),
        (alert(trigger="schema mismatch", market="closed"), "P1", "data_corruption"),
        (alert("Corrupted batches in the ingestion of XNYS"), "P1", "data_corruption"),
        (alert(trigger="late vendor"), "P2", "late_vendor"),
        (alert("Vendor file of XNYS is late"), "P2", "late_vendor"),
        (alert(trigger="user report"), "P3", None),
        (alert(trigger="checksum failure", live_strategies_affected=True), "P0", "data_corruption"),
        (alert(trigger="checksum failure", live_strategies_affected=True, market="closed"), "P1", "data_corruption"),
        (alert("Ingestion stalled", markets_stalled_pct=51), "P0", "ingestion_stall"),
        (alert("Live strategies on stale prices"), "P0", None),
        (alert("Storage is slow"), "P3", None),
    ],
)
def test_every_trigger_of_the_document_gets_its_severity_and_its_playbook(
    given: Alert, severity: SeverityId, playbook: str | None
) -> None:
    assert classify(PACK, given)[0] == severity
    assert match_playbook(PACK, given) == playbook


def test_the_communication_plan_has_the_five_stages_of_the_document_in_every_severity() -> None:
    plan = [
        ("declared", "stage_detection", "detection"),
        ("contained", "stage_containment", "leadership"),
        ("recovery_started", "stage_recovery", "trading_ops"),
        ("validated", "stage_validation", "trading_ops"),
        ("reviewed", "stage_retrospective", "organisation"),
    ]
    for severity in SEVERITIES:
        told = PACK.severities[severity].communications
        assert [(c.at, c.message, c.audiences[0]) for c in told if c.audiences] == plan
        assert PACK.severities[severity].announce.channel == "incidents"
    assert PACK.channels == {"incidents": "#incidents", "leadership": "#leadership-tech", "trading_ops": "#trading-ops"}
    assert PACK.audiences["detection"].pagerduty
    assert PACK.audiences["leadership"].mail == ("executives", "compliance")
    assert PACK.audiences["status_page"].status_page
    assert PACK.audiences["status_page"].approvers
    assert PACK.audiences["organisation"].wiki


def test_the_lag_is_watched_under_its_sla_for_twice_its_window() -> None:
    limits = {"stream_lag": ("stream-lag", 60), "batch_lag": ("batch-lag", 300)}
    for name, (probe, seconds) in limits.items():
        watch = PACK.watches[name]
        assert watch.probe == probe
        assert [e.under for e in PACK.probes[probe].expect] == [seconds]
        assert watch.steady_for == 2 * timedelta(seconds=seconds)


def test_commands_and_paths_are_those_of_the_document() -> None:
    assert PACK.actions["reseed"].command == ("ingestion", "--reseed", "--market", "{market}")
    assert PACK.tools["ingestion"] == ("python", "cli/ingestion.py")
    assert " ".join(PACK.actions["backfill"].command or ()) == (
        "tradepulse-cli ingest backfill --market {market} --start {start} --end {end} "
        "--output reports/backfill/{incident}/"
    )
    assert PACK.actions["record-restart"].record == "observability/audit/ingestion_events.jsonl"
    assert PACK.actions["quarantine-batches"].body["bucket"] == "s3://tradepulse-data/quarantine/"
    assert PACK.probes["quality-suite"].command == ("pytest", "tests/data_quality/", "-k", "market_calendar")
    assert PACK.timeline_file == "reports/incidents/data/{date}-{id}/timeline.md"


def test_the_exit_criteria_are_the_five_of_the_document() -> None:
    criteria = PACK.gates["exit"].criteria
    assert [c.watch for c in criteria if c.watch] == ["stream_lag", "batch_lag"]
    assert [c.probes for c in criteria if c.probes] == ["reconciliation", "quality"]
    assert [c.sign_off for c in criteria if c.sign_off] == [("strategy_leads",)]
    assert [c.fields for c in criteria if c.fields] == [("root_cause", "actions", "owners")]


def test_the_chaos_replay_is_owed_within_thirty_days() -> None:
    (replay,) = [x for x in PACK.follow_ups if x.id == "chaos_replay"]
    assert replay.within == timedelta(days=30)


def a_pipeline() -> MarketData:
    return MarketData(lambda: NOW, Feed())


def _served(route_of: Probe | Action, method: str) -> bool:
    _, _, path = (route_of.http or "").partition("/")
    path = "/" + path.replace("{market}", "XNYS").replace("{incident}", "INC-2026-0001").replace("{consumers}", "all")
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in MarketDataApi(a_pipeline(), "t").routes())


def test_the_stand_in_has_every_path_the_pack_names() -> None:
    for name, probe in PACK.probes.items():
        assert probe.http is None or _served(probe, probe.method), name
    for name, action in PACK.actions.items():
        assert action.http is None or _served(action, action.method), name
    assert set(PACK.tools) == set(market_data_tools.TOOLS)
    assert all(isinstance(route, Route) for route in MarketDataApi(a_pipeline(), "t").routes())


def test_the_stand_in_refuses_what_the_pipeline_would_refuse() -> None:
    pipeline = a_pipeline()
    with pytest.raises(ValueError, match="no switch 'stal'"):
        pipeline.switch("stal", True)
    pipeline.switch("token_expired", True)
    with pytest.raises(WrongOrderError, match="401 from the vendor"):
        pipeline.reseed("XNYS")
    with pytest.raises(WrongOrderError, match="no finished backfill"):
        pipeline.promote("INC-2026-0001", "staging")
    with pytest.raises(WrongOrderError, match="begin before it ends"):
        pipeline.backfill("XNYS", NOW, NOW, "reports/backfill/INC-2026-0001/")
