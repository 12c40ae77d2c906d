"""The store keeps one process per file, refuses to change facts, and proves its chain."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from tests.store.databases import sqlite

from warroom.domain.chain import BEGIN
from warroom.domain.decision import Card
from warroom.domain.facts import Fact, NoteAdded
from warroom.domain.people import By
from warroom.errors import ConfigError, StoreError
from warroom.store import rows
from warroom.store.database import connect, parse
from warroom.store.store import BadRowsError, Person, Store
from warroom.store.transaction import Batch

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
ID = "INC-2026-0001"
CARD = Card(id=ID, title="down", severity="P0", status="investigating", pack="toy", is_open=True, opened=NOW)
NOTES = [
    Fact(at=NOW, recorded=NOW, by=By("slack:U1", "Anna"), what=NoteAdded(text=text)) for text in ("one", "two", "three")
]


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(url)
    yield opened
    await opened.close()


async def fill(store: Store) -> None:
    facts, end = rows.fact_rows(ID, BEGIN, NOTES)
    async with store.transaction() as tx:
        await tx.write(Batch(NOW, opened=[rows.incident_row(CARD, "h", end, 1)], facts=facts))


async def tamper(url: str, *statements: str) -> None:
    """What somebody with the database's password could do: switch the triggers off, and change rows."""
    engine = connect(parse(url), writer=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
    async with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            await connection.execute(text("DROP TRIGGER fact_no_update"))
            await connection.execute(text("DROP TRIGGER fact_no_delete"))
        else:
            await connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


@pytest.mark.row("S5")
async def test_facts_come_back_in_order_and_the_chain_holds(store: Store) -> None:
    await fill(store)
    assert await store.facts(ID) == NOTES
    assert await store.incidents() == [ID]
    assert await store.audit() == []


@pytest.mark.row("S5")
@pytest.mark.parametrize("statement", ["UPDATE fact SET kind = 'x'", "DELETE FROM fact"])
async def test_a_fact_can_be_neither_changed_nor_deleted(url: str, store: Store, statement: str) -> None:
    await fill(store)
    engine = connect(parse(url), writer=True)
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    await engine.dispose()
    assert await store.facts(ID) == NOTES


@pytest.mark.row("S5")
@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE fact SET body = '{}' WHERE seq = 2", 2),
        ("UPDATE fact SET by_name = 'Bob' WHERE seq = 1", 1),
        ("UPDATE fact SET recorded = '2026-03-02 14:31:00.000000' WHERE seq = 3", 3),
        ("DELETE FROM fact WHERE seq = 2", 3),
        ("DELETE FROM fact WHERE seq = 3", 2),
        ("UPDATE incident SET head = 'x'", 3),
    ],
)
async def test_audit_finds_what_was_tampered_with(url: str, store: Store, statement: str, seq: int) -> None:
    await fill(store)
    await tamper(url, statement)
    found = await store.audit()
    assert found
    assert {(b.incident, b.seq) for b in found} == {(ID, seq)}


@pytest.mark.row("S5")
@pytest.mark.parametrize("number", [1, 2])
async def test_an_incident_that_is_gone_as_a_whole_is_found(url: str, store: Store, number: int) -> None:
    for n in (1, 2):
        card = replace(CARD, id=f"INC-2026-000{n}")
        facts, end = rows.fact_rows(card.id, BEGIN, NOTES)
        wait = {"incident_id": card.id, "key": "k", "due": NOW}
        async with store.transaction() as tx:
            opened = [rows.incident_row(card, "h", end, n)]
            await tx.write(Batch(NOW, opened=opened, facts=facts, timers_set=[wait]))
    assert await store.audit() == []
    lost = f"INC-2026-000{number}"
    await tamper(url, f"DELETE FROM fact WHERE incident_id = '{lost}'", f"DELETE FROM incident WHERE id = '{lost}'")
    assert [(b.incident, b.seq, b.reason) for b in await store.audit()] == [
        (lost, 0, "it was deleted, but is told of in timer")
    ]


async def test_a_value_that_cannot_be_stored_is_told_from_an_outage(store: Store) -> None:
    await fill(store)
    with pytest.raises(BadRowsError):
        await fill(store)
    assert await store.facts(ID) == NOTES


async def test_a_second_process_on_a_sqlite_file_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/warroom.db"
    first = await Store.open(url)
    with pytest.raises(ConfigError, match=r"another warroom process is using warroom\.db"):
        await Store.open(url)
    reader = await Store.open(url, writer=False)
    assert await reader.audit() == []
    with pytest.raises(StoreError, match="reading only"):
        async with reader.transaction():
            pass
    await reader.close()
    await first.close()
    await (await Store.open(url)).close()


async def test_a_second_process_is_refused_through_a_link_as_well(tmp_path: Path) -> None:
    first = await Store.open(f"sqlite:///{tmp_path}/warroom.db")
    (tmp_path / "other.db").symlink_to(tmp_path / "warroom.db")
    with pytest.raises(ConfigError, match=r"another warroom process is using warroom\.db"):
        await Store.open(f"sqlite:///{tmp_path}/other.db")
    await first.close()


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite://", "nonsense"])
async def test_a_database_we_do_not_serve_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match=r"SQLite file or PostgreSQL|cannot be read"):
        await Store.open(url)


async def test_reading_a_database_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no database"):
        await Store.open(f"sqlite:///{tmp_path}/none.db", writer=False)


async def test_a_database_that_cannot_be_reached_is_a_store_error() -> None:
    with pytest.raises(StoreError, match=r"cannot be opened .*; start the server, or correct DATABASE_URL"):
        await Store.open("postgresql://nobody:hidden@127.0.0.1:9/none")


async def test_people_are_remembered_and_replaced(store: Store) -> None:
    assert await store.person("U1") is None
    anna = Person("U1", "Anna", "a@x.example", None, NOW)
    await store.put_person(Person("U1", "Ann", None, None, NOW))
    await store.put_person(anna)
    assert await store.person("U1") == anna
    assert await store.people() == [anna]


async def test_sqlite_keeps_what_was_committed_over_a_power_cut_and_checks_what_rows_name(folder: Path) -> None:
    """2 is FULL: the log is synced at every commit. What it does cannot be tried out short of cutting the power."""
    store = await Store.open(await sqlite(folder / "warroom.db"))
    async with store.transaction() as tx:
        found = [(await tx.rows(text(f"PRAGMA {name}")))[0][0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]
    with pytest.raises(BadRowsError, match="FOREIGN KEY"):
        async with store.transaction() as tx:
            await tx.write(Batch(NOW, timers_set=[{"incident_id": "INC-none", "key": "t", "due": NOW}]))
    await store.close()
