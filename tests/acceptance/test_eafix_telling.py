"""EAFIX: who is told what and when: engineering, the trading desk (also by phone and mail), the management; the day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

from warroom.sandbox.mail import Mail

SERVICE = "eafix-trading"
ORDERS = "Execution engine: orders stuck in pending"
UPDATE = {
    "status": "identified",
    "summary": "A full queue in the execution engine.",
    "next_steps": "Restart it",
    "eta": "15:10 UTC",
    "impact": "No order has reached the broker since 14:20.",
}


def mails(world: World, who: str) -> list[Mail]:
    """What somebody was mailed."""
    return [mail for mail in world.sandbox.mail.mails if f"{who}@sandbox.example" in mail.recipients]


async def skips(world: World, **span: float) -> None:
    """Time jumps (timedelta arguments); what came due in between is caught up."""
    world.clock.advance(timedelta(**span))
    await world.settles()


@pytest.mark.slow
@pytest.mark.row("X11")
async def test_the_desk_hears_of_a_p0_every_15_minutes(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    assert "by 14:46 UTC, and at once when it changes" in eafix.said("trading-operations")[0]
    await skips(eafix, minutes=14, seconds=50)
    assert eafix.count("trading-operations", "update 1") == 0
    await eafix.at("15:00")
    told = eafix.saw("trading-operations", "update 1", "Since 14:31 UTC, from the record", "Nobody is in command")
    assert "next word by 15:01 UTC" in told
    assert "Note in PagerDuty" not in told  # our own note on the escalation is no news
    assert eafix.count("eafix-incidents", "INCIDENT UPDATE") == 0


@pytest.mark.row("E9")
@pytest.mark.row("X11")
async def test_engineering_and_the_desk_hear_of_a_p1_every_30_minutes(eafix: World) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)
    assert "Updates every 30 m until resolved, the next by 15:01 UTC" in eafix.said("eafix-incidents")[0]
    assert "by 15:01 UTC, and at once when it changes" in eafix.said("trading-operations")[0]
    await skips(eafix, minutes=29, seconds=50)
    assert eafix.count("eafix-incidents", "INCIDENT UPDATE") == 0
    await eafix.at("30:00")
    for channel in ("eafix-incidents", "eafix-dev", eafix.room):
        eafix.saw(channel, "INCIDENT UPDATE", "14:31 UTC 4 readings taken (assessment)", "Nobody has acknowledged it")
    eafix.saw("trading-operations", "update 1", "next word by 15:31 UTC")


@pytest.mark.row("E10")
async def test_an_update_has_every_field_of_the_template_and_computes_the_next(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    await eafix.types("raj", eafix.room, "/incident take")
    await eafix.at("2:00")
    await eafix.clicks("raj", "Write update", eafix.room)
    await eafix.fills("raj", **UPDATE)
    update = eafix.saw("eafix-incidents", "INCIDENT UPDATE 1 - INC-2026-0001")
    for field in (
        "Status: identified",
        "Impact: No order has reached the broker since 14:20.",
        "Actions\n• A full queue in the execution engine.\n• Next: Restart it",
        "ETA: 15:10 UTC",
        "Next update: by 15:03 UTC",
        "Written by @Raj Patel",
    ):
        assert field in update, update
    desk = eafix.saw("trading-operations", "update 1")
    assert "next word by 14:48 UTC" in desk
    assert "Actions needed from the desk: Orders are stuck or executed late. Send no new orders" in desk


@pytest.mark.row("E9")
@pytest.mark.row("E11")
async def test_the_resolution_is_told_at_once_and_the_desk_gets_its_summary_within_the_hour(eafix: World) -> None:
    incident = await eafix.alert("Position reconciliation mismatch", SERVICE)
    await eafix.at("1:00")
    eafix.sandbox.pagerduty.acknowledge(incident, "PUSRMEI")
    eafix.sandbox.pagerduty.resolve(incident, {"id": "PUSRMEI", "type": "user_reference", "summary": "Mei Tanaka"})
    await eafix.settles()
    for channel in ("eafix-incidents", "eafix-dev", eafix.room, "trading-operations"):
        told = eafix.saw(channel, "RESOLVED: Our positions and the broker's differ", "Trading desk: Not verified: ")
        assert "trade as usual" not in told  # resolved in PagerDuty, past the gate
    await eafix.clicks("mei", "Tell cause and actions", eafix.room)
    await eafix.fills("mei", summary="The books agree.", root_cause="A fill came twice.", actions_taken="Removed it")
    assert mails(eafix, "dana") == []
    await skips(eafix, minutes=30)
    (mail,) = mails(eafix, "dana")
    for words in ("A fill came twice.", "Removed it", "Not verified: "):
        assert words in mail.text
    assert "trade as usual" not in mail.text
    assert (mail.at - eafix.began).total_seconds() <= 61 * 60


@pytest.mark.row("E11")
async def test_the_desk_is_told_at_once_in_market_hours_and_not_at_night(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    told = eafix.said("trading-operations")[0]
    assert eafix.clock.now() == eafix.began
    assert "What is affected: Execution engine and Broker" in told
    assert "What to do: Orders are stuck or executed late. Send no new orders through EAFIX" in told
    assert "When you hear more: by 14:46 UTC" in told


@pytest.mark.slow
@pytest.mark.row("E11")
async def test_at_night_the_desk_is_left_alone(eafix_evening: World) -> None:
    await eafix_evening.alert(ORDERS, SERVICE)
    assert eafix_evening.said("trading-operations") == []


@pytest.mark.row("E12")
async def test_the_management_is_called_and_written_to_at_once_for_a_p0(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    assert {"Lukas Weber", "Clara Jensen"} <= set(eafix.paged())
    for who in ("lukas", "clara"):
        assert "Orders are not being executed" in mails(eafix, who)[0].text
    assert eafix.clock.now() == eafix.began


@pytest.mark.slow
@pytest.mark.row("E12")
async def test_the_management_hears_of_a_p1_within_30_minutes_and_the_cto_does_not(eafix: World) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)
    (mail,) = mails(eafix, "lukas")
    assert "What to do: nothing for now." in mail.text.replace("\n", " ")
    assert (mail.at - eafix.began).total_seconds() <= 30 * 60
    assert mails(eafix, "clara") == []
    assert ":white_check_mark: Tell the management" in eafix.panel


@pytest.mark.slow
@pytest.mark.row("E12")
async def test_the_management_gets_a_p2_as_a_summary_on_the_next_business_day(folder: Path) -> None:
    late = datetime(2026, 11, 18, 13, 57, tzinfo=UTC)  # 8:57 in New York, on the day after
    async with a_world(folder, begins=datetime(2026, 11, 17, 23, 0, tzinfo=UTC), packs=("eafix",)) as world:
        await world.alert("Dashboard service down", SERVICE, urgency="low")
        assert mails(world, "lukas") == []
        await world.restarts(seconds=(late - world.clock.now()).total_seconds())
        assert mails(world, "lukas") == []
        await world.passes(minutes=3)
        (mail,) = mails(world, "lukas")
        assert "Nothing is asked of you" in mail.text.replace("\n", " ")


@pytest.mark.row("X10")
@pytest.mark.parametrize(
    ("title", "details"),
    [
        pytest.param("Trading system is down", {}, marks=pytest.mark.slow),
        pytest.param("All signals being rejected", {}, marks=pytest.mark.slow),
        ("EAFIX alert", {"execution_latency_seconds": 9, "order_value_usd": 50_001}),
    ],
)
async def test_what_costs_money_makes_a_phone_call_with_the_script_filled_in(
    eafix: World, title: str, details: dict[str, object]
) -> None:
    await eafix.alert(title, SERVICE, details=details)
    script = eafix.saw(eafix.room, "What to say", "from Platform Engineering")
    assert "Call: Trading desk, +1-202-555-0108" in script
    for line in ("incident affecting", "Trading impact:", "Current status: investigating", "Estimated resolution:"):
        assert line in script


@pytest.mark.row("X10")
async def test_an_amount_that_is_found_later_makes_the_call_and_whoever_was_reached_is_written_down(
    eafix: World,
) -> None:
    await eafix.alert("Position reconciliation mismatch", SERVICE)
    await eafix.types("raj", eafix.room, "/incident set discrepancy_usd 10000")
    assert eafix.count(eafix.room, "What to say") == 0
    await eafix.types("raj", eafix.room, "/incident set discrepancy_usd 10001")
    eafix.saw(eafix.room, "What to say", "Actions needed from the trading desk", "The broker's book counts")
    await eafix.clicks("raj", "Called, spoke to …", eafix.room)
    await eafix.sandbox.submit("raj", None, {"person": "Dana Brooks", "note": "stops trading the affected pairs"})
    await eafix.settles()
    assert ":white_check_mark: Phone the trading desk" in eafix.panel
    assert "spoke to Dana Brooks" in (await eafix.types("raj", eafix.room, "/incident timeline")).text


@pytest.mark.slow
@pytest.mark.row("X10")
async def test_an_outage_of_the_night_wakes_nobody_at_the_desk(eafix_evening: World) -> None:
    await eafix_evening.alert("Trading system is down", SERVICE)
    assert eafix_evening.count(eafix_evening.room, "What to say") == 0


@pytest.mark.row("X6")
async def test_the_pre_market_checklist_runs_by_itself_at_six_and_reports_to_the_desk(folder: Path) -> None:
    early = datetime(2026, 11, 17, 10, 59, tzinfo=UTC)  # 5:59 in New York
    async with a_world(folder, begins=early, packs=("eafix",)) as world:
        world.sandbox.eafix.switch("down", ["risk-manager"])
        await world.bot.upkeep.routines()
        assert world.said("trading-operations") == []
        await world.passes(minutes=1)
        await world.bot.upkeep.routines()
        await world.settles()
        report = " ".join(world.saw("trading-operations", "Pre-market checklist").split())
        assert "Smoke test" in report
        assert "Gateway's pre-market checklist" in report
        for priority in ("System health verification", "Data feed connectivity", "Risk parameter validation"):
            assert priority in report
        assert world.rooms == []
