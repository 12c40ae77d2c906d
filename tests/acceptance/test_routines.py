"""The pre-market checklist runs by itself: once on a trading day, whatever restarts, and late rather than never.

lav_adaf has no routine, so its pack is given one here.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
import structlog
from tests.acceptance.world import World, a_world

from warroom.domain.policy import Pack
from warroom.domain.procedures import Checklist, Item, Phase, Routine

BEFORE_SIX = datetime(2026, 11, 17, 10, 59, 50, tzinfo=UTC)  # Tuesday, 5:59:50 in New York
ROUTINE = Routine(title="Pre-market checklist", at=time(6), probes="health", channel="oncall", checklist="before")
BEFORE = Checklist(
    title="Before the open", items=(Item(id="smoke", title="Smoke test", how="make smoke"), Item(id="x", title="Feeds"))
)
PRE = Phase(title="Pre-market", start=time(6), end=time(9, 30), priorities=("system health", "data feeds"))


def with_routine(pack: Pack) -> Pack:
    return replace(
        pack,
        routines={"pre_market": ROUTINE},
        checklists={"before": BEFORE},
        calendar=replace(pack.calendar, phases={"pre": PRE}),
        probe_groups={**pack.probe_groups, "health": ("sentinel-health", "executioner-health")},
    )


@pytest.fixture
async def morning(folder: Path) -> AsyncIterator[World]:
    """Ten seconds before six in New York."""
    async with a_world(folder, begins=BEFORE_SIX, rewrite=with_routine) as world:
        yield world


async def round_of(world: World) -> None:
    await world.bot.upkeep.routines()
    await world.settles()


@pytest.mark.row("X6")
async def test_the_pre_market_checklist_runs_at_six_and_reports(morning: World) -> None:
    world = morning
    world.sandbox.platform.switch("sentinel_down", True)
    await round_of(world)
    assert world.said("lav-adaf-oncall") == []
    await world.at("0:10")
    await round_of(world)
    report = world.saw("lav-adaf-oncall", "Pre-market checklist", "1 of 2 NOT healthy")
    assert report.index("Market Sentinel health") < report.index("Executioner health")
    assert "Smoke test: make smoke" in report
    assert "The next report comes" in report
    # nothing of an incident: no room, no announcement, nobody called, nothing listed, and nothing comes of it later
    assert world.rooms == []
    assert world.said("war-room") == []
    assert world.paged() == []
    nothing = await world.types("ana", "lav-adaf-oncall", "/incident-status")
    assert "No incident is open" in nothing.text
    assert "LAV/ADAF: Pre-market until 14:30 UTC: system health and data feeds" in nothing.text
    await world.clicks("ana", "Declare an incident", "lav-adaf-oncall")
    await world.fills("ana", severity="P1", description="The regime feed does not answer.")
    assert "Pre-market checklist" in world.panel
    assert "Pre-market until 14:30 UTC" in world.panel
    assert (await world.asks("/readyz")).json()["dead_letters"] == []
    assert await world.audited()


@pytest.mark.row("X6")
async def test_it_runs_once_a_day_whatever_restarts(morning: World) -> None:
    world = morning
    await world.at("0:10")
    for _ in range(2):
        await round_of(world)
        await world.restarts(minutes=10)
    await round_of(world)
    assert world.count("lav-adaf-oncall", "Pre-market checklist") == 1
    await world.passes(hours=24)
    await round_of(world)
    assert world.count("lav-adaf-oncall", "Pre-market checklist") == 2


async def test_after_a_downtime_it_is_caught_up_and_says_that_it_is_late(morning: World) -> None:
    world = morning
    await world.restarts(hours=2)
    await round_of(world)
    world.saw("lav-adaf-oncall", "Pre-market checklist", "It is late: it was due at 11:00 UTC")


async def test_one_that_is_too_old_is_left_out_and_logged(morning: World) -> None:
    world = morning
    await world.restarts(hours=4)
    with structlog.testing.capture_logs() as logs:
        await round_of(world)
    assert world.said("lav-adaf-oncall") == []
    skipped = [(line["routine"], line["due"]) for line in logs if line["event"] == "routine_skipped"]
    assert skipped == [("pre_market", "2026-11-17T11:00:00+00:00")]
    with structlog.testing.capture_logs() as again:
        await round_of(world)
    assert [line for line in again if line["event"] == "routine_skipped"] == []
