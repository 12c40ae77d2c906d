"""EAFIX: diagnosis by playbook, containment, evidence, root cause, fixes, and the readings that validate."""

from datetime import timedelta

import pytest
from tests.acceptance.world import World

SERVICE = "eafix-trading"
ORDERS = "Execution engine: orders stuck in pending"
SLOW = {"execution_latency_seconds": 9}


async def reads(world: World, what: str) -> str:
    """The newest readings of a playbook, group or probe, as one line."""
    await world.types("raj", world.room, f"/diagnostics {what}")
    said = [text for text in world.said(world.room) if text.startswith("Diagnostics:")]
    return " ".join(said[-1].split())


async def orders(world: World, who: str, text: str) -> None:
    """Somebody orders an action and confirms the preview."""
    await world.types(who, world.room, f"/incident action {text}")
    await world.clicks(who, "Order it now")


@pytest.mark.row("X4")
@pytest.mark.parametrize(
    ("title", "switch", "symptom", "reading"),
    [
        pytest.param(
            "No new signals for 16 minutes",
            ("signals_stopped", True),
            "Signal confidence scores all 0.0",
            "failed Latest 10 signals have confidence",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "Stale market data",
            ("prices_stale", True),
            "Stale price data (over 30 seconds old)",
            "failed Is data flowing?",
            marks=pytest.mark.slow,
        ),
        (ORDERS, ("orders_stuck", True), "High execution latency (over 5 seconds)", "failed No order is stuck"),
        pytest.param(
            "All signals being rejected",
            ("risk_rejects_all", True),
            "Position size calculations showing 0",
            "failed A signal can pass the risk checks",
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_a_trading_failure_shows_its_playbook_and_its_diagnosis_finds_it(
    eafix: World, title: str, switch: tuple[str, bool], symptom: str, reading: str
) -> None:
    eafix.sandbox.eafix.switch(*switch)
    await eafix.alert(title, SERVICE)
    book = eafix.saw(eafix.room, "Playbook:", symptom)
    assert "1. Restart the " in book
    if switch[0] == "prices_stale":
        await eafix.at("0:31")
    answer = await eafix.types("raj", eafix.room, "/diagnostics")
    assert answer.ok
    said = [text for text in eafix.said(eafix.room) if text.startswith("Diagnostics:")]
    assert reading in " ".join(said[-1].split())


@pytest.mark.row("E5")
async def test_a_service_is_restarted_from_slack_and_read_back(eafix: World) -> None:
    eafix.sandbox.eafix.switch("orders_stuck", True)
    await eafix.alert(ORDERS, SERVICE)
    preview = await eafix.types("raj", eafix.room, "/incident action restart-service service=execution-engine stuck")
    assert "docker compose restart execution-engine" in preview.text
    assert eafix.sandbox.eafix.count("/docker/restart") == 0
    await eafix.clicks("raj", "Order it now")
    assert eafix.sandbox.eafix.calls[-1]["body"] == {"service": "execution-engine"}
    eafix.saw(eafix.room, "Restart a service: CONFIRMED")
    assert "ok No order is stuck" in await reads(eafix, "order_execution_failure")


@pytest.mark.slow
@pytest.mark.row("E5")
async def test_a_service_is_isolated_and_only_one_that_exists_may_be_named(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    wrong = await eafix.types("raj", eafix.room, "/incident action isolate-service service=everything harmful")
    assert "signal-generator" in wrong.text
    assert eafix.sandbox.eafix.calls == []
    await orders(eafix, "raj", "isolate-service service=signal-generator makes wild signals")
    assert eafix.sandbox.eafix.switches.down == ["signal-generator"]
    eafix.saw(eafix.room, "Isolate a service: CONFIRMED")
    assert "Contained" in (await eafix.types("raj", eafix.room, "/incident timeline")).text


@pytest.mark.row("E5")
async def test_containment_by_kind_of_failure_has_its_own_playbook_and_readings(eafix: World) -> None:
    await eafix.alert("Report service down", SERVICE)
    eafix.sandbox.eafix.switch("down", ["indicator-engine"])
    eafix.sandbox.eafix.switch("broker_down", True)
    eafix.saw(eafix.room, "Playbook: Service failure", "3. Isolate it, if it does harm")
    assert "error Indicator engine" in await reads(eafix, "services")
    await eafix.types("raj", eafix.room, "/incident runbook network_failure")
    eafix.saw(eafix.room, "Playbook: Network or connectivity failure", "1. Find the hop that fails")
    said = await reads(eafix, "network")
    assert "failed Data ingestor reaches the indicator" in said
    assert "error The broker's address answers" in said
    await eafix.types("raj", eafix.room, "/incident runbook database_failure")
    eafix.saw(eafix.room, "Playbook: Database failure", "2. End the session that holds the lock")
    assert "Locks not granted" in await reads(eafix, "database")


@pytest.mark.row("E6")
async def test_the_evidence_is_sealed_and_the_trading_impact_read_after_15_minutes(eafix: World) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)  # a P1
    await eafix.types("raj", eafix.room, "/incident take")
    eafix.sandbox.eafix.switch("gap_usd", 12_000.0)
    eafix.clock.advance(timedelta(minutes=14, seconds=50))
    await eafix.at("15:00")
    assert "Seal (SHA-256)" in eafix.saw(eafix.room, "Diagnostics: evidence")
    impact = " ".join(eafix.saw(eafix.room, "Diagnostics: impact").split())
    for figure in (
        "ok Open positions the answer 3",
        "ok Signals of an hour the answer 10",
        "ok Executions of an hour the answer 10",
        "failed Positions agree with the broker's discrepancy usd is 12,000, expected 0",
    ):
        assert figure in impact, impact
    await eafix.types("raj", eafix.room, "/incident postmortem")
    assert "Positions agree with the broker's" in eafix.file("postmortem.md")


@pytest.mark.row("E7")
async def test_a_root_cause_path_is_ticked_to_its_end_and_ends_the_step(eafix: World) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)
    for path, first in (
        ("performance", "Check resource utilization (CPU, memory, disk)"),
        ("service", "Analyze service logs for exceptions"),
        ("data", "Validate data integrity with checksums"),
    ):
        await eafix.types("raj", eafix.room, f"/incident checklist {path}")
        eafix.saw(eafix.room, "0 of 4 done", first)
    assert ":white_circle: Find the root cause" in eafix.panel
    for item in range(1, 5):
        await eafix.types("mei", eafix.room, f"/incident checklist data {item}")
    assert "@Mei Tanaka, 14:31 UTC" in eafix.saw(eafix.room, "Root cause: data issues", "4 of 4 done")
    assert ":white_check_mark: Find the root cause" in eafix.panel
    assert "Identify the root cause" in eafix.saw(eafix.room, "During market hours", "1 of 9 done")


@pytest.mark.row("E8")
async def test_temporary_fixes_come_in_their_order_and_tick_themselves_when_done_from_here(eafix: World) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)
    await eafix.types("raj", eafix.room, "/incident checklist temporary_fixes")
    said = eafix.saw(eafix.room, "Temporary fixes, in this order", "Tick with")
    places = [said.index(word) for word in ("Stop losses", "Service restart", "Traffic routing", "Rollback", "Manual")]
    assert places == sorted(places)
    await orders(eafix, "rita", "set-stop-losses the book is unprotected")
    await orders(eafix, "raj", "restart-service service=risk-manager quick recovery")
    assert "2 of 5 done" in eafix.saw(eafix.room, "Temporary fixes, in this order", "Tick with")


@pytest.mark.slow
@pytest.mark.row("E8")
async def test_permanent_fixes_end_with_a_validation_that_is_read(eafix: World) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)
    await eafix.types("raj", eafix.room, "/incident checklist permanent_fixes")
    eafix.sandbox.eafix.switch("signals_stopped", True)
    assert "1 of 4 not healthy" in await reads(eafix, "validation")
    assert "0 of 5 done" in eafix.saw(eafix.room, "Permanent fixes", "Tick with")
    eafix.sandbox.eafix.switch("signals_stopped", False)
    assert "All 4 healthy" in await reads(eafix, "validation")
    assert "1 of 5 done" in eafix.saw(eafix.room, "Permanent fixes", "Tick with")


@pytest.mark.row("X5")
async def test_positions_signals_and_risk_are_validated_by_their_groups(eafix: World) -> None:
    await eafix.alert("Report service down", SERVICE)
    assert "All 5 healthy" in await reads(eafix, "reconciliation")
    assert "accuracy 0.61" in await reads(eafix, "signal_quality")
    assert "var usd 8,400" in await reads(eafix, "risk_metrics")
    eafix.sandbox.eafix.switch("gap_usd", 250.0)
    said = await reads(eafix, "reconciliation")
    assert "2 of 5 not healthy" in said
    assert "discrepancy usd is 250, expected 0" in said
    assert eafix.sandbox.eafix.calls == []


@pytest.mark.row("X7")
async def test_latency_execution_quality_and_signal_metrics_are_read_by_their_groups(eafix: World) -> None:
    await eafix.alert("Report service down", SERVICE)
    assert "All 2 healthy" in await reads(eafix, "latency")
    assert "fill rate 0.97" in await reads(eafix, "execution_quality")
    assert "per hour 24" in await reads(eafix, "signal_metrics")
    eafix.sandbox.eafix.switch("orders_stuck", True)
    assert "failed (changed) Execution times of an hour p99 s 11.4 is over 5" in await reads(eafix, "execution_quality")
    assert "1 of 2 not healthy" in await reads(eafix, "latency")


@pytest.mark.row("X13")
async def test_the_checklist_of_market_hours_names_the_desk_that_was_not_told_within_5_minutes(eafix: World) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)
    eafix.saw(eafix.room, "During market hours", "0 of 9 done")
    eafix.clock.advance(timedelta(minutes=4, seconds=50))
    await eafix.at("4:59")
    assert eafix.count(eafix.room, "Notify the trading desk within 5 minutes", "had until") == 0
    await eafix.at("5:00")
    eafix.saw(eafix.room, "Notify the trading desk within 5 minutes", "had until 14:36 UTC")
    await eafix.clicks("raj", "2. Notify the trading desk within 5 minutes", eafix.room)
    assert "@Raj Patel, 14:36 UTC" in eafix.saw(eafix.room, "During market hours", "1 of 9 done")


@pytest.mark.slow
@pytest.mark.row("X13")
async def test_after_market_hours_there_is_another_checklist(eafix_evening: World) -> None:
    await eafix_evening.alert("Position reconciliation mismatch", SERVICE)
    eafix_evening.saw(eafix_evening.room, "After market hours", "0 of 6 done", "Assess the impact on the next session")
    assert eafix_evening.count(eafix_evening.room, "During market hours") == 0
