"""The store: opens the database, hands out the deciding transaction, and answers questions."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import URL, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from warroom.domain.chain import Break, End, gone, verify
from warroom.domain.facts import Fact
from warroom.errors import ConfigError, StoreError
from warroom.store import rows
from warroom.store.database import HEAD, FileLock, connect, opening, parse, reason, upgrade, version
from warroom.store.tables import SYSTEM, Table
from warroom.store.transaction import Transaction, effect, fact, inbox, incident, pack, timer, unfinished

DECIDING_LOCK = 7_246_100
person = Table.metadata.tables["person"]


class BadRowsError(StoreError):
    """The database cannot hold these values; trying the same again will not help."""


@dataclass(frozen=True, slots=True)
class Person:
    """What the directory last knew of a person, and when (UTC)."""

    slack_id: str
    name: str
    email: str | None
    pagerduty_id: str | None
    seen: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An effect that did not take place, or of which nobody knows whether it did."""

    incident: str
    key: str
    kind: str
    state: str
    error: str
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is owed: effects not finished by kind, the oldest, dead letters, timers overdue, inputs failed."""

    waiting: dict[str, int]
    oldest: datetime | None
    dead: tuple[DeadLetter, ...]
    overdue: int
    failed: tuple[tuple[str, str, str], ...]


class Store:
    """One database. `exclusive` says that no other process decides on it (SQLite)."""

    def __init__(self, writer: AsyncEngine | None, reader: AsyncEngine, lock: FileLock | None) -> None:
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self.exclusive = reader.dialect.name == "sqlite"

    @classmethod
    async def open(cls, database_url: str, *, writer: bool = True) -> Self:
        """Opens `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://…`; a writer brings the tables up to date first.

        Raises ConfigError for another URL, when another process serves the SQLite file, and for a reader when there are
        no tables; StoreError when the database cannot be opened.
        """
        url = parse(database_url)
        if not writer:
            await _readable(url)
            return cls(None, connect(url, writer=False), None)
        lock = FileLock(url.database or "") if url.get_backend_name() == "sqlite" else None
        if lock:
            with opening(url):
                lock.take()
        try:
            await upgrade(database_url)
        except BaseException:
            if lock:
                lock.release()
            raise
        return cls(connect(url, writer=True), connect(url, writer=False), lock)

    async def close(self) -> None:
        """Closes the connections and lets the next process in."""
        for engine in (self._writer, self._reader):
            if engine:
                await engine.dispose()
        if self._lock:
            self._lock.release()

    @asynccontextmanager
    async def transaction(self, owner: str = "") -> AsyncIterator[Transaction]:
        """The deciding transaction: one at a time, over all processes. Leaving the block commits.

        Raises BadRowsError when the database refuses a value, StoreError when it cannot be reached or does not commit.
        """
        if self._writer is None:
            raise StoreError("the database was opened for reading only")
        with _errors():
            async with self._writer.begin() as connection:
                if not self.exclusive:
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": DECIDING_LOCK})
                yield Transaction(connection, owner)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one moment of the database throughout."""
        with _errors():
            async with self._reader.connect() as connection:
                if not self.exclusive:
                    connection = await connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection

    async def incidents(self) -> list[str]:
        """The ids of all incidents, oldest first."""
        query = select(incident.c.id).where(incident.c.id != SYSTEM).order_by(incident.c.opened, incident.c.id)
        async with self.reading() as connection:
            return list((await connection.scalars(query)).all())

    async def open_incidents(self) -> list[tuple[str, str]]:
        """Id and pack of every open incident, oldest first."""
        query = select(incident.c.id, incident.c.pack).where(incident.c.is_open)
        async with self.reading() as connection:
            found = await connection.execute(query.order_by(incident.c.opened, incident.c.id))
            return [(row.id, row.pack) for row in found]

    async def facts(self, incident_id: str) -> list[Fact]:
        """The facts of an incident (or of "system"), in the order recorded."""
        query = select(fact).where(fact.c.incident_id == incident_id).order_by(fact.c.seq)
        async with self.reading() as connection:
            return [rows.fact_of(row) for row in await connection.execute(query)]

    async def heard(self, source: str, source_id: str) -> bool:
        """Whether an input of this source and id is in the inbox."""
        query = select(inbox.c.source).where(inbox.c.source == source, inbox.c.source_id == source_id)
        async with self.reading() as connection:
            return await connection.scalar(query) is not None

    async def pack(self, hash: str) -> str | None:
        """The text of a frozen pack."""
        async with self.reading() as connection:
            found: str | None = await connection.scalar(select(pack.c.text).where(pack.c.hash == hash))
            return found

    async def audit(self) -> list[Break]:
        """Where the chains of facts do not hold, and which incidents are gone; an empty list is the proof."""
        which = select(incident.c.id, incident.c.count, incident.c.head).order_by(incident.c.opened, incident.c.id)
        breaks: list[Break] = []
        async with self.reading() as connection:
            ends = (await connection.execute(which)).all()
            for id_, count, head in ends:
                query = select(fact).where(fact.c.incident_id == id_).order_by(fact.c.seq)
                links = [rows.link_of(row) for row in await connection.execute(query)]
                breaks += verify(links, {id_: End(count, head)})
            traces = {
                table.name: set((await connection.scalars(select(table.c.incident_id).distinct())).all()) - {None}
                for table in (inbox, effect, timer, fact)
            }
        known = {id_ for id_, _, _ in ends} & traces["fact"]
        return breaks + gone(known | {SYSTEM}, traces)

    async def backlog(self, now: datetime) -> Backlog:
        """What is owed at `now` (UTC); dead letters and failed inputs are the newest hundred."""
        waiting = select(effect.c.kind, func.count(), func.min(effect.c.at)).where(unfinished)
        dead = select(effect).where(effect.c.state.in_(("refused", "unknown")))
        failed = select(inbox).where(inbox.c.state == "failed").order_by(inbox.c.received.desc()).limit(100)
        late = select(func.count()).select_from(timer).where(timer.c.due <= now)
        async with self.reading() as connection:
            kinds = (await connection.execute(waiting.group_by(effect.c.kind))).all()
            letters = await connection.execute(dead.order_by(effect.c.seq.desc()).limit(100))
            return Backlog(
                waiting={kind: count for kind, count, _ in kinds},
                oldest=min((at for _, _, at in kinds), default=None),
                dead=tuple(
                    DeadLetter(row.incident_id, row.key, row.kind, row.state, row.error, row.settled_at)
                    for row in letters
                ),
                overdue=await connection.scalar(late) or 0,
                failed=tuple((r.source, r.source_id, r.error) for r in await connection.execute(failed)),
            )

    async def person(self, slack_id: str) -> Person | None:
        """What was last known of a person."""
        async with self.reading() as connection:
            row = (await connection.execute(select(person).where(person.c.slack_id == slack_id))).one_or_none()
        return Person(**row._asdict()) if row else None

    async def people(self) -> list[Person]:
        """Everybody known, by name."""
        async with self.reading() as connection:
            found = await connection.execute(select(person).order_by(person.c.name, person.c.slack_id))
            return [Person(**row._asdict()) for row in found]

    async def put_person(self, known: Person) -> None:
        """Remembers a person, in place of what was known before."""
        values = {name: getattr(known, name) for name in Person.__dataclass_fields__}
        dialect = sqlite if self.exclusive else postgresql
        put = dialect.insert(person).values(values)
        async with self.transaction() as tx:
            await tx.execute(put.on_conflict_do_update(index_elements=["slack_id"], set_=values))


async def _readable(url: URL) -> None:
    """Raises ConfigError where there are no tables to read, StoreError when the database cannot be opened."""
    advice = "name the bot's database in DATABASE_URL"
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise ConfigError([f"there is no database {url.database}; {advice}"])
    with opening(url):
        found = await version(url)
    if found != HEAD:
        what, how = (
            ("no tables of warroom", "make them") if found is None else ("older tables", "bring them up to date")
        )
        name = url.render_as_string(hide_password=True)
        raise ConfigError([f"{name} has {what}; {advice}, or {how} with `warroom db upgrade`"])


@contextmanager
def _errors() -> Iterator[None]:
    """Errors of the database as ours, without the values of the statement."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        bad = str(getattr(cause, "sqlstate", ""))[:2] in ("22", "23")
        if bad or isinstance(error, DataError | IntegrityError):
            raise BadRowsError(f"the database refused a value: {reason(error)}") from error
        raise StoreError(f"the database could not do it: {reason(error)}") from error
