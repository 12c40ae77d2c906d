"""Watches through Slack: read while the incident lasts, silent unless it matters, steady by what was really read.

lav_adaf has none, so its pack is given two here.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

from warroom.domain.policy import Pack, Probe
from warroom.domain.procedures import Watch

SECOND = timedelta(seconds=1)
FAILED = Watch(title="Failed orders", probe="failed", every=10 * SECOND, moves_over=10, channels=("room", "risk"))
UP = Watch(title="Executioner answers", probe="executioner-health", every=30 * SECOND, steady_for=120 * SECOND)


def watched(pack: Pack) -> Pack:
    """lav_adaf with two watches; the first one's probe shows a number."""
    failed = Probe(title="Failed orders", http="executioner/api/orders?status=failed", shows="length(@)")
    return replace(pack, watches={"failed": FAILED, "up": UP}, probes={**pack.probes, "failed": failed})


@pytest.fixture
async def firm(folder: Path) -> AsyncIterator[World]:
    """Tuesday morning, a P0 is open."""
    async with a_world(folder, rewrite=watched) as world:
        await world.alert()
        yield world


@pytest.mark.row("X9")
async def test_a_watch_reads_every_ten_seconds_and_reports_only_a_large_move(firm: World) -> None:
    await firm.at("1:00")
    readings = firm.rows("SELECT count(*) FROM effect WHERE kind = 'platform.watch' AND key LIKE 'watch:failed:%'")
    assert readings == [(6,)]
    assert firm.count(firm.room, "Failed orders: healthy") == 1
    firm.sandbox.platform.switch("fill_rate_low", True)
    await firm.at("1:10")
    for where in (firm.room, "risk-alerts"):
        moved = firm.saw(where, "Failed orders", "moved by +17 in 1 m, from 1 to 18")
        assert "the next word comes when it turns healthy or not healthy or moves by more than 10" in moved
    assert "18" in next(line for line in firm.panel.splitlines() if "Failed orders" in line), firm.panel
    await firm.at("1:50")
    assert firm.facts("WatchSaw") == 3  # two of the orders, the first of the executioner


@pytest.mark.row("T5")
async def test_a_watch_is_steady_after_two_minutes_of_healthy_readings_whatever_restarts(firm: World) -> None:
    firm.sandbox.platform.switch("executioner_down", True)
    await firm.at("1:00")
    bad = firm.saw(firm.room, "Executioner answers: NOT READABLE")
    assert "Take it up now" in bad
    firm.sandbox.platform.switch("executioner_down", False)
    await firm.at("2:00")
    firm.saw(firm.room, "Executioner answers: healthy", "was NOT READABLE since 14:31 UTC")
    await firm.restarts(minutes=4)
    assert firm.count(firm.room, "is steady") == 0
    firm.saw(firm.room, "Executioner answers", "it was not read for 3 m 30 s before")
    await firm.at("7:59")
    assert firm.count(firm.room, "is steady") == 0
    await firm.at("8:00")
    firm.saw(firm.room, "Executioner answers is steady: healthy without a break since 14:37 UTC")
    assert ":large_green_circle: Executioner answers: " in firm.panel
    assert "steady since 14:37 UTC" in firm.panel
    assert await firm.audited()


async def test_watches_end_with_the_incident(firm: World) -> None:
    (incident,) = firm.sandbox.pagerduty.incidents.values()
    firm.sandbox.pagerduty.resolve(incident, {"id": "PUSRMEI", "type": "user_reference", "summary": "Mei Tanaka"})
    await firm.settles()
    before = firm.stored()["effect"]
    await firm.passes(minutes=1)
    assert firm.stored()["effect"] == before
