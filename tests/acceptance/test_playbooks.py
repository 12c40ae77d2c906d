"""The playbooks of LAV/ADAF through Slack: what they read, what they order, and what takes two people."""

from pathlib import Path

import asyncpg
import pytest
import yaml
from tests.acceptance.world import World, a_world
from tests.store.databases import postgresql

FILLS = "lav-adaf-executioner"
KAFKA = "lav-adaf-kafka"


async def orders(world: World, who: str, what: str, button: str = "Order it now") -> None:
    """Somebody orders an action and confirms its preview."""
    await world.types(who, world.room, f"/incident action {what}")
    await world.clicks(who, button)


@pytest.mark.row("L9")
async def test_a_drop_of_the_fill_rate_is_diagnosed_and_routed_round(world: World) -> None:
    world.sandbox.platform.switch("fill_rate_low", True)
    await world.alert("Executioner fill rate 82%", service=FILLS, details={"fill_rate": 0.82})
    book = world.saw(world.room, "Playbook: Executioner fill-rate drop")
    for words in ("Fill rate under 90% for more than 10 minutes", "High slippage across venues", "order timeouts"):
        assert words in book
    await world.types("ana", world.room, "/diagnostics")
    table = world.saw(world.room, "Diagnostics: executioner fill rate")
    assert "fill rate 0.82" in table
    assert "Latest 20 failed orders" in table
    await orders(world, "rita", "conservative-routing Slippage is high")
    assert world.sandbox.platform.routing_mode == "CONSERVATIVE"
    await orders(world, "rita", "disable-venue venue=IEX It rejects everything")
    assert world.sandbox.platform.venue_disabled("IEX")
    world.saw(world.room, "Disable a venue for 1 hour: CONFIRMED")


@pytest.mark.row("L11")
async def test_a_backlog_is_scaled_away_first_and_its_offsets_are_reset_only_by_two_people(world: World) -> None:
    world.sandbox.platform.switch("kafka_backlog", True)
    await world.alert("Kafka consumer lag 14250", service=KAFKA, details={"consumer_lag": 14_250})
    book = world.saw(world.room, "Playbook: Kafka message backlog")
    assert "Consumer lag over 1000 messages" in book
    assert "LAST RESORT: Reset the consumer group" in book
    await orders(world, "raj", "scale-consumers replicas=3 Lag is growing")
    assert world.sandbox.platform.replicas == 3
    many = await world.types("raj", world.room, "/incident action scale-consumers replicas=50 More")
    assert "Replicas" in many.text
    await orders(world, "raj", "reset-offsets Nothing else helps", "Ask for approval")
    assert "Every unread message is skipped for good" in world.saw(world.room, "Approval needed: Reset the consumer")
    assert world.sandbox.platform.count("tools/reset-offsets") == 0
    own = await world.clicks("raj", "Approve", world.room)
    assert "somebody else must approve" in own.text
    await world.clicks("rita", "Approve", world.room)
    assert world.sandbox.platform.count("tools/reset-offsets") == 1
    world.saw(world.room, "Reset the consumer group to the latest offset: CONFIRMED")


@pytest.mark.row("L11")
async def test_a_shorter_retention_takes_two_people_and_is_taken_back_by_one(world: World) -> None:
    world.sandbox.platform.switch("kafka_backlog", True)
    await world.alert("Kafka consumer lag 14250", service=KAFKA, details={"consumer_lag": 14_250})
    await orders(world, "raj", "reduce-retention Old messages are worthless", "Ask for approval")
    assert world.sandbox.platform.retention_ms is None
    await world.clicks("rita", "Approve", world.room)
    assert world.sandbox.platform.retention_ms == 3_600_000
    await orders(world, "raj", "restore-retention The backlog is gone")
    assert world.sandbox.platform.retention_ms is None


@pytest.mark.row("L10")
async def test_an_exhausted_pool_is_read_and_emptied_by_a_restart(world: World) -> None:
    world.sandbox.platform.switch("pool_exhausted", True)
    await world.alert("FATAL: too many connections", service="lav-adaf-database")
    book = world.saw(world.room, "Playbook: Database connection pool exhaustion")
    assert "Query timeouts" in book
    assert "pg_terminate_backend" in book
    await orders(world, "raj", "restart-pools Services cannot connect")
    assert not world.sandbox.platform.switches.pool_exhausted
    world.saw(world.room, "Restart the connection pools: CONFIRMED")


@pytest.mark.slow
@pytest.mark.row("L10")
async def test_the_database_probes_really_ask_postgresql(folder: Path) -> None:
    async with postgresql() as url:

        def with_database(environ: dict[str, str]) -> None:
            config = Path(environ["WARROOM_CONFIG"])
            deployment = yaml.safe_load(config.read_text())
            address = url.replace("postgresql://", "postgresql+asyncpg://")
            deployment["packs"]["lav_adaf"]["databases"] = {"platform": address}
            config.write_text(yaml.safe_dump(deployment))

        async with a_world(folder, change=with_database) as world:
            busy = await asyncpg.connect(url)
            try:
                await world.alert("FATAL: too many connections", service="lav-adaf-database")
                await world.types("ana", world.room, "/diagnostics db-connections")
                assert "Database connections" in world.saw(world.room, "Healthy.", "Database connections")
                await world.types("ana", world.room, "/diagnostics db-activity")
                assert "WalWriterMain" in world.file(".txt")  # a process that only a real server has
                await world.types("ana", world.room, "/diagnostics db-long-queries")
                assert "0 rows" in world.saw(world.room, "Diagnostics: db-long-queries", "Queries over 5 minutes")
            finally:
                await busy.close()
