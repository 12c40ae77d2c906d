"""The audit trail of a whole incident: append-only, chained, proved by `warroom audit`."""

import asyncio
import sqlite3

import pytest
from tests.acceptance.world import World
from typer.testing import CliRunner

from warroom.cli import app


async def audit(world: World, *arguments: str) -> tuple[int, str]:
    """Exit code and words of `warroom audit`, beside the running bot."""
    told = await asyncio.to_thread(CliRunner().invoke, app, ["audit", *arguments], env=dict(world.environ))
    return told.exit_code, told.output


@pytest.mark.row("S5")
async def test_every_fact_of_an_incident_is_chained_and_a_change_is_found(world: World) -> None:
    await world.alert()
    await world.types("rita", world.room, "/halt all Signals are stale")
    await world.clicks("rita", "Halt trading now")
    for typed in ([], ["1"], ["inc-2026-0001"], ["INC-2026-0001"]):  # as in /incident ack
        assert await audit(world, *typed) == (0, "1 incident: every fact is where its hash says.\n")

    connection = sqlite3.connect(world.folder / "warroom.db")
    with pytest.raises(sqlite3.DatabaseError):
        connection.execute("UPDATE fact SET by_name = 'Somebody' WHERE kind = 'ActionRequested'")
    with pytest.raises(sqlite3.DatabaseError):
        connection.execute("DELETE FROM fact WHERE kind = 'ActionRequested'")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE fact SET by_name = 'Somebody' WHERE kind = 'ActionRequested'")
    connection.commit()
    connection.close()
    code, words = await audit(world, "INC-2026-0001")
    assert code == 1
    assert "INC-2026-0001, fact " in words

    connection = sqlite3.connect(world.folder / "warroom.db")
    for table, column in (("fact", "incident_id"), ("incident", "id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = 'INC-2026-0001'")
    connection.commit()
    connection.close()
    for typed in ([], ["1"]):
        code, words = await audit(world, *typed)
        assert (code, words) == (1, "INC-2026-0001: it was deleted, but is told of in inbox, effect, timer\n")
