"""T3 through Slack and PagerDuty: the timeline file grows with the incident, the bridge is where people look."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.acceptance.world import DOWN, World, a_world

from warroom.domain.policy import Pack

TEMPLATE = "reports/incidents/data/{date}-{id}/timeline.md"
BRIDGE = "https://bridge.example/42"


def with_file(pack: Pack) -> Pack:
    return replace(pack, timeline_file=TEMPLATE)


def lines(world: World) -> str:
    path = world.folder / "data" / "reports" / "incidents" / "data" / "2026-11-17-INC-2026-0001" / "timeline.md"
    return path.read_text()


@pytest.mark.row("T3")
async def test_the_timeline_file_is_written_as_the_incident_goes_and_complete_after_a_restart(folder: Path) -> None:
    async with a_world(folder, rewrite=with_file) as world:
        incident = await world.alert()
        assert "P0 opened: Market Sentinel down: no regime updates" in lines(world)
        await world.types("ana", world.room, "/incident vendor TKT-77 feed handler crashed")
        assert "Vendor TKT-77: feed handler crashed | Ana Souza |" in lines(world)
        world.sandbox.pagerduty.acknowledge(incident, "PUSRMEI")
        await world.restarts(minutes=3)
        await world.reconciles()
        text = lines(world)
        assert "Acknowledged in PagerDuty | Mei Tanaka |" in text
        await world.types("ana", world.room, "/incident note <!channel> *back*")
        text = lines(world)
        told = [line for line in text.splitlines() if line.startswith("| 2026-")]
        assert told == sorted(told, key=lambda line: line[:22])
        for said in ("P0 opened", "Vendor TKT-77", "Acknowledged in PagerDuty", "back"):
            assert sum(said in line for line in told) == 1
        assert await world.audited()


@pytest.mark.row("T3")
async def test_the_bridge_of_the_pagerduty_incident_is_on_panel_announcement_and_bookmarks(world: World) -> None:
    await world.alert(DOWN, bridge=BRIDGE)
    assert f"Bridge: {BRIDGE}" in world.panel
    assert f"Bridge: {BRIDGE}" in world.sandbox.slack.readable(world.announcement)
    assert BRIDGE in [mark["link"] for mark in world.room.bookmarks]
