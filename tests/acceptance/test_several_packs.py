"""Several packs in one deployment: each incident is its own platform's."""

from pathlib import Path

from tests.acceptance.world import a_world

PACKS = ("lav_adaf", "eafix", "pit", "market_data")


async def test_an_alert_goes_to_the_pack_of_its_service_and_a_declared_incident_pages_that_packs_people(
    folder: Path,
) -> None:
    async with a_world(folder, packs=PACKS) as world:
        await world.alert("Ingestion stalled for XNYS", "market-data", details={"stream_lag_seconds": 90})
        world.saw("incidents", "data incident INC-2026-0001 detected")
        assert world.count("war-room", "INC-2026-0001") == 0

        await world.types("ana", "war-room", "/incident declare")
        await world.fills("ana", title="Signals are stale", severity="P0", pack="eafix")
        world.saw("eafix-incidents", "INC-2026-0002")
        declared = [i for i in world.sandbox.pagerduty.incidents.values() if "Signals are stale" in i.title]
        assert [i.service.name for i in declared] == ["eafix-trading"]


async def test_outside_a_room_the_platform_to_halt_is_named_or_asked_for(folder: Path) -> None:
    async with a_world(folder, packs=("lav_adaf", "eafix", "market_data")) as world:
        asked = await world.types("rita", "war-room", "/halt all orders run wild")
        assert "/halt eafix" in asked.text
        assert "/halt lav_adaf" in asked.text
        assert "market_data" not in asked.text  # nothing can be halted there
        preview = await world.types("rita", "war-room", "/halt eafix all orders run wild")
        assert "POST gateway/emergency/stop-trading" in preview.text
        await world.types("ana", "war-room", "/incident declare P0 Regime feed looks odd")
        other = await world.types("rita", "risk-alerts", "/halt lav_adaf all orders run wild")
        assert "POST executioner/api/emergency/halt-all" in other.text
