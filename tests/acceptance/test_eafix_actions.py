"""EAFIX: stopping and resuming trading, protecting positions, the emergency risk controls, the P&L, resolving."""

from datetime import timedelta

import pytest
from tests.acceptance.world import World

SERVICE = "eafix-trading"
ORDERS = "Execution engine: orders stuck in pending"
STOP = "/gui-gateway/emergency/stop-trading"
RESUME = "/gui-gateway/emergency/resume-trading"
CLOSE = "/gui-gateway/emergency/close-all-positions"


async def stops(world: World) -> None:
    """Rita stops trading in the room of a P0."""
    await world.alert(ORDERS, SERVICE)
    await world.types("rita", world.room, "/halt all orders are stuck")
    await world.clicks("rita", "Halt trading now")


async def reads(world: World, *groups: str) -> None:
    """Somebody runs these probe groups."""
    for group in groups:
        await world.types("raj", world.room, f"/diagnostics {group}")


@pytest.mark.row("X2")
async def test_a_halt_goes_out_with_reason_and_operator_and_is_read_back_from_the_trading_status(eafix: World) -> None:
    await stops(eafix)
    platform = eafix.sandbox.eafix
    assert [(c["endpoint"], c["body"]) for c in platform.calls] == [
        (STOP, {"reason": "orders are stuck", "operator": "Rita Okafor"})
    ]
    assert platform.stop is not None
    assert eafix.times("eafix", "GET /gui-gateway/api/trading-status") >= 2  # the assessment, and reading back
    for told in (eafix.room, "eafix-incidents", "trading-operations"):
        eafix.saw(told, "Stop all trading: CONFIRMED", "send no new orders until you read here that trading resumes")
    assert "Trading is stopped." in eafix.said("eafix-incidents")[0]
    assert ":white_check_mark: Decide whether trading must stop" in eafix.panel


@pytest.mark.slow
@pytest.mark.row("X2")
async def test_a_halt_whose_status_cannot_be_read_is_unknown_and_not_called_a_success(eafix: World) -> None:
    eafix.sandbox.eafix.switch("status_unreachable", True)
    await stops(eafix)
    assert "UNKNOWN" in eafix.saw(eafix.room, "Stop all trading:")
    assert "CONFIRMED" not in eafix.panel
    assert eafix.sandbox.eafix.count(STOP) == 1
    assert "Trading is stopped." not in eafix.said("eafix-incidents")[0]


@pytest.mark.row("X12")
async def test_trading_resumes_only_with_green_checks_and_the_approval_of_the_desk(eafix: World) -> None:
    eafix.sandbox.eafix.switch("orders_stuck", True)
    await stops(eafix)
    held = await eafix.types("rita", eafix.room, "/halt resume all orders flow again")
    assert "Trading operations are restored (recovery validation)" in held.text
    assert "Positions are verified" in held.text
    eafix.sandbox.eafix.switch("orders_stuck", False)
    await reads(eafix, "recovery", "positions")
    await eafix.types("rita", eafix.room, "/halt resume all orders flow again")
    await eafix.clicks("rita", "Ask for approval")
    assert eafix.sandbox.eafix.count(RESUME) == 0
    await eafix.clicks("dana", "Approve", eafix.room)
    assert eafix.sandbox.eafix.calls[-1] == {
        "at": eafix.clock.now().isoformat(),
        "endpoint": RESUME,
        "body": {"reason": "orders flow again", "operator": "Rita Okafor"},
    }
    assert eafix.sandbox.eafix.stop is None
    eafix.saw("trading-operations", "Resume trading: CONFIRMED", "you may send orders again")
    assert "Trading is stopped." not in eafix.said("eafix-incidents")[0]


@pytest.mark.slow
@pytest.mark.row("X12")
async def test_whoever_asks_to_resume_cannot_approve_it_nor_can_a_stranger_to_the_desk(eafix: World) -> None:
    await stops(eafix)
    await reads(eafix, "recovery", "positions")
    await eafix.types("rita", eafix.room, "/halt resume all orders flow again")
    await eafix.clicks("rita", "Ask for approval")
    for who in ("rita", "raj"):
        await eafix.clicks(who, "Approve", eafix.room)
        assert eafix.sandbox.eafix.count(RESUME) == 0
    assert eafix.sandbox.eafix.stop is not None


@pytest.mark.row("X3")
async def test_open_positions_are_listed_and_get_a_stop_loss_of_two_percent(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    await reads(eafix, "positions-open")
    for column in ("symbol", "quantity", "unrealized_pnl", "entry_price"):
        assert column in eafix.file(".txt")
    await eafix.types("rita", eafix.room, "/incident action set-stop-losses the book is unprotected")
    await eafix.clicks("rita", "Order it now")
    assert eafix.sandbox.eafix.calls[-1]["body"] == {"percentage": 2.0, "operator": "Rita Okafor"}
    eafix.saw(eafix.room, "Set emergency stop losses: CONFIRMED")
    assert "1 of 9" in eafix.panel  # protect open positions


@pytest.mark.slow
@pytest.mark.row("X3")
async def test_a_stop_loss_keeps_its_bounds(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    answer = await eafix.types("rita", eafix.room, "/incident action set-stop-losses percentage=40 too far")
    assert "10" in answer.text
    assert eafix.sandbox.eafix.calls == []


@pytest.mark.row("X3")
async def test_closing_all_positions_takes_two_people_and_is_read_back(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    preview = await eafix.types("rita", eafix.room, "/incident action close-all-positions no way to hedge")
    assert "This cannot be undone." in preview.text
    await eafix.clicks("rita", "Ask for approval")
    await eafix.clicks("rita", "Approve", eafix.room)
    assert eafix.sandbox.eafix.count(CLOSE) == 0
    await eafix.clicks("dana", "Approve", eafix.room)
    assert eafix.sandbox.eafix.calls[-1]["body"] == {"reason": "risk_management", "operator": "Rita Okafor"}
    assert eafix.sandbox.eafix.open_positions == []
    eafix.saw(eafix.room, "Close all positions (extreme measure): CONFIRMED")


@pytest.mark.slow
@pytest.mark.row("X8")
async def test_sizes_are_halved_with_a_second_person(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    await eafix.types("rita", eafix.room, "/incident action reduce-position-sizes incident response")
    await eafix.clicks("rita", "Ask for approval")
    await eafix.clicks("dana", "Approve", eafix.room)
    assert eafix.sandbox.eafix.calls[-1]["body"] == {"reduction_factor": 0.5, "reason": "incident response"}
    assert eafix.sandbox.eafix.open_positions[0].quantity == 200_000
    eafix.saw(eafix.room, "Reduce position sizes: CONFIRMED")


@pytest.mark.row("X8")
async def test_limits_are_tightened_for_an_hour_and_people_are_reminded_before_it_lapses(eafix_evening: World) -> None:
    world = eafix_evening
    await world.alert("Dashboard service down", SERVICE, urgency="low")  # a P2: nothing else happens in the hour
    await world.types("rita", world.room, "/incident action tighten-limits the market is wild")
    await world.clicks("rita", "Order it now")
    assert world.sandbox.eafix.calls[-1]["body"] == {"factor": 0.7, "duration_minutes": 60}
    world.saw(world.room, "Tighten the risk limits for 60 minutes: CONFIRMED")
    before = len(world.said(world.room))
    world.clock.advance(timedelta(minutes=49, seconds=50))
    await world.at("50:30")
    reminded = world.said(world.room)[before:]
    assert any("Tighten the risk limits" in text and "00:00 UTC" in text for text in reminded), reminded


@pytest.mark.slow
@pytest.mark.row("X8")
async def test_new_positions_are_stopped_by_one_authorised_person(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    denied = await eafix.types("raj", eafix.room, "/incident action stop-new-positions system instability")
    assert "was not done" in denied.text
    await eafix.types("rita", eafix.room, "/incident action stop-new-positions system instability")
    await eafix.clicks("rita", "Order it now")
    assert eafix.sandbox.eafix.calls[-1]["body"] == {"reason": "system instability"}
    assert eafix.sandbox.eafix.new_positions is False
    eafix.saw(eafix.room, "Stop opening new positions: CONFIRMED")


@pytest.mark.row("X9")
async def test_the_pnl_is_read_every_10_seconds_and_spoken_of_when_it_moves_by_more_than_1000(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    await eafix.at("0:20")
    looked = eafix.times("eafix", "GET /gui-gateway/api/positions/summary")
    await eafix.at("0:50")
    assert eafix.times("eafix", "GET /gui-gateway/api/positions/summary") == looked + 3
    eafix.sandbox.eafix.switch("pnl_usd", -579.0)  # 999 less than 420
    await eafix.at("1:00")
    assert eafix.count(eafix.room, "Run again", "Unrealized P&L", "-579") == 0
    eafix.sandbox.eafix.switch("pnl_usd", -1_400.0)
    await eafix.at("1:10")
    assert eafix.count(eafix.room, "Run again", "Unrealized P&L", "-1,400") == 1


@pytest.mark.row("X14")
async def test_a_p0_of_market_hours_is_resolved_when_everything_is_proved_and_the_desk_agrees(eafix: World) -> None:
    incident = await eafix.alert(ORDERS, SERVICE)
    for criterion in (
        "Trading operations are restored",
        "Recovery validation",
        "Performance validation",
        "Positions are verified",
        "The trading desk approves",
    ):
        assert criterion in (await eafix.types("raj", eafix.room, "/incident gate resolve_market_hours")).text
    await reads(eafix, "trading", "recovery", "performance", "positions")
    said = (await eafix.types("dana", eafix.room, "/incident gate resolve_market_hours")).text
    assert "4 of 5 met" in said
    await eafix.clicks("dana", "Sign off: The trading desk approves")
    await eafix.types("raj", eafix.room, "/incident take")
    await eafix.types("raj", eafix.room, "/incident resolve")
    await eafix.fills("raj", summary="Orders flow.", root_cause="A full queue.", actions_taken="Restarted")
    assert incident.status == "resolved"


@pytest.mark.slow
@pytest.mark.row("X14")
async def test_a_slow_platform_keeps_the_gate_closed(eafix: World) -> None:
    incident = await eafix.alert(ORDERS, SERVICE)
    eafix.sandbox.eafix.switch("orders_stuck", True)
    await reads(eafix, "trading", "recovery", "performance", "positions")
    said = (await eafix.types("dana", eafix.room, "/incident gate resolve_market_hours")).text
    assert "Latency benchmark, target 500 ms" in said
    assert "A dry order passes" in said
    await eafix.types("raj", eafix.room, "/incident resolve")
    sent = await eafix.fills("raj", summary="Orders flow.", root_cause="A full queue.", actions_taken="Restarted")
    assert sent.errors
    assert incident.status != "resolved"
