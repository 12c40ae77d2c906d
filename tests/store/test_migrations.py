"""The migrations make exactly the tables of the models, on both databases."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from tests.store.databases import postgresql

from warroom.store import database
from warroom.store.database import HEAD, connect, parse, upgrade
from warroom.store.tables import Table

OLD = (
    "INSERT INTO incident (id, year, number, title, severity, status, pack, pack_hash, is_open, opened, count, head,"
    " revision) VALUES ('INC-2026-0001', 2026, 1, 't', 'P0', 's', 'p', 'h', true, '2026-11-17 14:31:00', 0, '', 1)",
    "INSERT INTO timer (incident_id, key, due) VALUES ('INC-2026-0001', 'k', '2026-11-17 14:31:00')",
)


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


async def test_migrations_equal_the_models(url: str) -> None:
    await upgrade(url)
    engine = connect(parse(url), writer=True)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_upgrading_again_changes_nothing(url: str) -> None:
    await upgrade(url)
    await upgrade(url)


async def test_replicas_that_start_together_take_turns() -> None:
    async with postgresql(migrated=False) as url:
        await asyncio.gather(upgrade(url), upgrade(url), upgrade(url))


async def test_incidents_that_opened_before_the_second_migration_are_kept(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = connect(parse(url), writer=True)

    def first(connection: Connection) -> None:
        config.attributes["connection"] = connection
        if connection.dialect.name == "postgresql":  # the shared database is migrated already
            command.downgrade(config, "base")
        command.upgrade(config, "0001")

    async with engine.begin() as connection:
        await connection.run_sync(first)
        for statement in OLD:
            await connection.execute(text(statement))
    await engine.dispose()
    await upgrade(url)
    engine = connect(parse(url), writer=True)
    async with engine.connect() as connection:
        kept = (await connection.execute(text("SELECT id, origin, joined, heard FROM incident"))).all()
        assert [tuple(row) for row in kept] == [("INC-2026-0001", "pagerduty", "", None)]
        assert (await connection.execute(text("SELECT count(*) FROM timer"))).scalar() == 1
        assert await connection.run_sync(differences) == []
    await engine.dispose()
