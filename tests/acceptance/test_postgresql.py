"""The same story with PostgreSQL as the database."""

from pathlib import Path

from tests.acceptance.world import a_world
from tests.store.databases import postgresql


async def test_the_p0_story_goes_the_same_way_on_postgresql(folder: Path) -> None:
    async with postgresql() as url:
        address = url.replace("postgresql://", "postgresql+asyncpg://")
        async with a_world(folder, change=lambda environ: environ.update(DATABASE_URL=address)) as world:
            incident = await world.alert()
            await world.at("1:00")
            await world.clicks("ana", "Acknowledge", "war-room")
            assert incident.status == "acknowledged"
            await world.types("rita", world.room, "/halt all stale signals")
            await world.clicks("rita", "Halt trading now")
            world.saw("war-room", "Halt all trading: CONFIRMED")
            await world.at("4:00")
            await world.restarts()
            await world.at("15:00")
            world.saw("war-room", "P0 update 1")
            await world.types("raj", world.room, "/incident resolve")
            await world.fills("raj", summary="It is back.", root_cause="A leak.", actions_taken="Rolled back.")
            world.saw("war-room", "RESOLVED")
            assert incident.status == "resolved"
            assert sum("P0, resolved: " in text for text in world.said("war-room")) == 1
            assert await world.audited()
