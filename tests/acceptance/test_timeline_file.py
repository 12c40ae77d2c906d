"""T3 on its pack: the timeline file grows with the incident, the bridge is where people look."""

from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

BRIDGE = "https://bridge.example/42"
STALL = {"trigger": "ingestion lag", "market": "XNYS", "gap_start": "2026-11-17T14:31:00Z"}


async def stalls(world: World, **more: str) -> None:
    await world.alert("Ingestion stalled for XNYS", service="market-data", details=STALL, **more)


def timeline(world: World) -> str:
    path = world.folder / "data" / "reports" / "incidents" / "data" / "2026-11-17-INC-2026-0001" / "timeline.md"
    return path.read_text()


@pytest.mark.row("T3")
async def test_the_timeline_file_is_written_as_the_incident_goes_and_complete_after_a_restart(folder: Path) -> None:
    async with a_world(folder, packs=("market_data",)) as world:
        await stalls(world)
        assert "opened: Ingestion stalled for XNYS" in timeline(world)
        assert "- **Markets impacted:** XNYS" in timeline(world)
        await world.types("mei", world.room, "/incident vendor CF-4711 Feed handler crashed")
        assert "Vendor CF-4711: Feed handler crashed | Mei Tanaka |" in timeline(world)
        (incident,) = world.sandbox.pagerduty.incidents.values()
        await world.stops()
        world.sandbox.pagerduty.acknowledge(incident, "PUSRMEI")
        await world.starts()
        assert "Acknowledged in PagerDuty | Mei Tanaka |" in timeline(world)
        await world.types("mei", world.room, "/incident note <!channel> *back*")
        told = [line for line in timeline(world).splitlines() if line.startswith("| 2026-")]
        assert told == sorted(told, key=lambda line: line[:22])
        for said in ("opened: Ingestion", "Vendor CF-4711", "Acknowledged in PagerDuty", "&lt;!channel"):
            assert sum(said in line for line in told) == 1, said
        assert await world.audited()


@pytest.mark.row("T3")
async def test_the_bridge_is_on_panel_announcement_and_bookmarks(folder: Path) -> None:
    async with a_world(folder, packs=("market_data",)) as world:
        await stalls(world)
        ours = "https://bridge.sandbox.example/market-data"
        assert f"Bridge: {ours}" in world.panel
        assert ours in world.said("incidents")[0]
        assert ours in [mark["link"] for mark in world.room.bookmarks]


@pytest.mark.row("T3")
async def test_the_bridge_of_the_pagerduty_incident_comes_before_the_deployments(folder: Path) -> None:
    async with a_world(folder, packs=("market_data",)) as world:
        await stalls(world, bridge=BRIDGE)
        assert f"Bridge: {BRIDGE}" in world.panel
        assert BRIDGE in [mark["link"] for mark in world.room.bookmarks]
