"""EAFIX, from the alert on: what it is, who is paged and when, what is asked and read in the first minutes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.acceptance.world import World, a_world

SERVICE = "eafix-trading"
ORDERS = "Execution engine: orders stuck in pending"


@pytest.mark.row("E1")
async def test_an_acknowledgement_in_slack_is_one_in_pagerduty(eafix: World) -> None:
    incident = await eafix.alert(ORDERS, SERVICE)
    assert "Status: investigating" in eafix.said("eafix-incidents")[0]
    await eafix.clicks("ana", "Acknowledge", "eafix-incidents")
    assert incident.status == "acknowledged"
    assert "investigating" in eafix.panel


@pytest.mark.slow
@pytest.mark.row("E1")
async def test_an_acknowledgement_in_pagerduty_shows_in_slack(eafix: World) -> None:
    incident = await eafix.alert(ORDERS, SERVICE)
    eafix.sandbox.pagerduty.acknowledge(incident, "PUSRMEI")
    await eafix.settles()
    eafix.saw(eafix.room, "Mei Tanaka acknowledged at 14:31 UTC in PagerDuty")
    assert "Status: investigating" in eafix.said("eafix-incidents")[0]


@pytest.mark.row("E2")
async def test_the_four_questions_are_answered_with_the_war_room(eafix: World) -> None:
    eafix.sandbox.eafix.switch("orders_stuck", True)
    await eafix.alert(ORDERS, SERVICE)
    answers = eafix.saw(eafix.room, "Diagnostics: assessment")
    for answer in (
        "Is trading active?                    status active",
        "Are positions at risk? (open ones)    the answer 3",
        "Is data flowing?                      max age seconds 1",
        "Are orders executing?",
        "1 of 4 not healthy",
    ):
        assert " ".join(answer.split()) in " ".join(answers.split())
    assert eafix.clock.now() == eafix.began


@pytest.mark.row("X1")
async def test_a_failure_on_the_critical_path_in_market_hours_is_a_p0_and_all_hands_are_paged(eafix: World) -> None:
    await eafix.alert("Indicator engine not responding", SERVICE)
    said = eafix.said("eafix-incidents")[0]
    assert "P0 incident: No trading signals" in said
    assert "Why P0: failure on the critical path during market hours" in said
    assert {"Ana Souza", "Raj Patel", "Mei Tanaka", "Rita Okafor"} <= set(eafix.paged())


@pytest.mark.slow
@pytest.mark.row("X1")
async def test_the_same_failure_after_hours_is_a_p1(eafix_evening: World) -> None:
    await eafix_evening.alert("Indicator engine not responding", SERVICE)
    assert "P1 incident: No trading signals" in eafix_evening.said("eafix-incidents")[0]
    assert "Rita Okafor" not in eafix_evening.paged()


@pytest.mark.row("E3")
async def test_a_p2_of_the_night_is_paged_when_the_office_opens(folder: Path) -> None:
    dawn = datetime(2026, 11, 17, 13, 57, tzinfo=UTC)  # 8:57 in New York
    async with a_world(folder, begins=dawn, packs=("eafix",)) as world:
        await world.alert("Dashboard service down", SERVICE, urgency="low")
        assert "P2 incident" in world.said("eafix-incidents")[0]
        before = len(world.paged())
        await world.at("2:59")
        assert len(world.paged()) == before
        await world.at("3:00")
        assert {"Ana Souza", "Mei Tanaka"} <= set(world.paged("3:00"))


@pytest.mark.slow
@pytest.mark.row("E3")
async def test_a_p2_in_business_hours_is_paged_at_once_and_a_p3_pages_nobody(eafix: World) -> None:
    calls = len(eafix.paged())
    await eafix.alert("Documentation out of date", SERVICE, urgency="low")
    alone = len(eafix.paged()) - calls  # PagerDuty's own
    assert "P3 incident" in eafix.said("eafix-incidents")[0]
    eafix.saw(eafix.room, "Take it up in business hours", "Nobody was paged for it.")
    await eafix.alert("Dashboard service down", SERVICE, urgency="low")
    assert len(eafix.paged()) - calls > 2 * alone
    assert eafix.rows("SELECT count(*) FROM effect WHERE kind = 'pagerduty.page'")[0][0] == 1


@pytest.mark.row("E4")
async def test_the_first_diagnosis_reads_everything_side_by_side_each_with_its_own_limit(folder: Path) -> None:
    database = folder / "eafix.db"
    database.touch()

    def bound(environ: dict[str, str]) -> None:
        config = Path(environ["WARROOM_CONFIG"])
        deployment = yaml.safe_load(config.read_text())
        deployment["packs"]["eafix"]["databases"] = {"eafix": f"sqlite+aiosqlite:///{database}"}
        config.write_text(yaml.safe_dump(deployment))

    async with a_world(folder, packs=("eafix",), change=bound) as world:
        await world.alert("Documentation out of date", SERVICE, urgency="low")
        world.sandbox.eafix.switch("down", ["risk-manager"])
        await world.types("raj", world.room, "/diagnostics diagnosis")
        said = " ".join(world.saw(world.room, "Diagnostics: diagnosis").split())
        for reading in (
            "failed All services healthy status is degraded, expected healthy",
            "ok Containers",
            "ok Logs of 15 minutes",
            "ok Resources by container",
            "ok Database answers",
            "ok Redis answers PING",
        ):
            assert reading in said, said
        assert "risk-manager exited" in " ".join(world.file(".txt").split())


@pytest.mark.slow
@pytest.mark.row("E13")
async def test_the_clocks_of_a_p0_in_market_hours_warn_and_break_once(eafix: World) -> None:
    await eafix.alert("EAFIX: complete outage", SERVICE, details={"complete_outage": True})
    eafix.clock.advance(timedelta(minutes=3, seconds=50))
    await eafix.at("4:00")
    eafix.saw(eafix.room, "Acknowledge: 1 m left of 5 m")
    eafix.clock.advance(timedelta(seconds=50))
    await eafix.at("5:10")
    eafix.saw(eafix.room, "SLA missed: Acknowledge. 5 m ran out at 14:36 UTC")
    assert "Resolve" in eafix.panel


@pytest.mark.row("E13")
async def test_the_resolution_target_stands_still_while_the_market_is_closed(eafix_evening: World) -> None:
    world = eafix_evening
    await world.alert("Risk manager is down", SERVICE)
    await world.types("raj", world.room, "/incident take")
    world.clock.advance(timedelta(minutes=30))
    await world.settles()
    resolve = next(line for line in world.panel.splitlines() if line.strip().startswith("Resolve"))
    assert resolve.split() == ["Resolve", "0", "s", "2", "h", "2", "h", "paused"]


@pytest.mark.row("X6")
async def test_the_recovery_target_of_orders_is_two_minutes_and_ends_when_the_recovery_is_proved(eafix: World) -> None:
    eafix.sandbox.eafix.switch("orders_stuck", True)
    await eafix.alert(ORDERS, SERVICE)
    await eafix.types("raj", eafix.room, "/diagnostics recovery")
    assert "Recover order execution" in eafix.panel
    await eafix.at("2:00")
    eafix.saw(eafix.room, "SLA missed: Recover order execution. 2 m ran out at 14:33 UTC")
    await eafix.at("2:30")
    eafix.sandbox.eafix.switch("orders_stuck", False)
    await eafix.types("raj", eafix.room, "/diagnostics recovery")
    assert "Validated" in (await eafix.types("raj", eafix.room, "/incident timeline")).text
    await eafix.at("3:00")
    assert eafix.count(eafix.room, "SLA missed: Recover order execution") == 1


@pytest.mark.row("E16")
async def test_contacts_are_printed_with_their_numbers_and_hours(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    answer = await eafix.types("raj", eafix.room, "/incident contacts")
    for line in (
        "Primary on-call (L1)",
        "Secondary on-call (L1)",
        "Engineering manager (L2) · +1-202-555-0104",
        "Trading desk (business) · #trading-operations · +1-202-555-0108 · market hours only",
        "Security team (L2) · +1-202-555-0107 · 24/7",
        "CTO (L3) · +1-202-555-0106 · P0 only",
    ):
        assert line in answer.text


@pytest.mark.row("E16")
async def test_the_quick_reference_names_the_readings_and_what_to_do(eafix: World) -> None:
    await eafix.alert(ORDERS, SERVICE)
    answer = await eafix.types("raj", eafix.room, "/incident runbook")
    assert "Order execution failure" in answer.text
    for symptom in ("Orders stuck in pending state", "Restart the execution engine", "No order is stuck"):
        assert symptom in answer.text
