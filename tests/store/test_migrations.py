"""The migrations make exactly the tables of the models, on both databases."""

import asyncio
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from tests.store.databases import postgresql

from warroom.store import database
from warroom.store.database import HEAD, connect, parse, upgrade
from warroom.store.tables import Table


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
