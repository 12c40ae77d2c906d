"""Asking a database: one statement that reads, in a transaction that cannot write, at most 200 rows."""

import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from datetime import time as clock_time
from decimal import Decimal
from urllib.parse import quote

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from warroom.domain.policy import Probe
from warroom.platform.answers import Answer, Seen
from warroom.platform.surroundings import NoAnswerError, Surroundings
from warroom.platform.tables import aligned

ROW_LIMIT = 200
READS = re.compile(r"\s*(?:select|with|values|table|show|explain)\b", re.IGNORECASE)
ACTS = re.compile(
    r"\b(?:pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile|pg_promote|pg_switch_wal"
    r"|pg_advisory_\w+|pg_try_advisory_\w+|pg_notify|set_config|dblink\w*|lo_export|load_extension)\b",
    re.IGNORECASE,
)
"""Functions that act although a read-only transaction allows them."""
SERVER_SHARE = 0.9
"""The server is told to give up at this share of the time limit, so that it ends the statement before we hang up."""
CANCELLED = "57014"


async def ask(probe: Probe, surroundings: Surroundings, seen: Seen) -> Answer:
    """The rows as a table, and as JSON objects for paths. Raises NoAnswerError, TimeoutError."""
    statement = (probe.sql or "").strip().removesuffix(";")
    if not READS.match(statement) or ACTS.search(statement):
        raise NoAnswerError("refused: a probe only reads; write one SELECT, without functions that act")
    url = _url(surroundings.database(probe.database))
    limit = probe.timeout.total_seconds()
    try:
        async with _reading(url, limit) as connection:
            result = await connection.stream(text(statement.replace(":", r"\:")))
            columns = _names(result.keys())
            rows = await result.fetchmany(ROW_LIMIT + 1)
            await result.close()
    except (SQLAlchemyError, sqlite3.Warning, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as exc:
        raise _meaning(exc) from exc
    return _answer(columns, [tuple(row) for row in rows], seen)


@asynccontextmanager
async def _reading(url: URL, limit: float) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that cannot write and is rolled back."""
    engine = _engine(url, limit)
    try:
        async with engine.connect() as connection:
            if url.get_backend_name() == "sqlite":
                await _restrict_sqlite(connection, limit)
            else:
                await connection.execute(text("SET TRANSACTION READ ONLY"))
                milliseconds = max(1, int(limit * SERVER_SHARE * 1000))
                await connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
            yield connection
            await connection.rollback()
    finally:
        await engine.dispose()


def _engine(url: URL, limit: float) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        connect: dict[str, object] = {"timeout": limit}
    else:
        settings = {"application_name": "warroom probe", "default_transaction_read_only": "on"}
        connect = {"timeout": limit, "server_settings": settings}
    return create_async_engine(url, poolclass=NullPool, connect_args=connect)


async def _restrict_sqlite(connection: AsyncConnection, limit: float) -> None:
    """No writes on this connection, and an end to statements that run for too long."""
    await connection.execute(text("PRAGMA query_only = ON"))
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise NoAnswerError("the database closed the connection")
    deadline = time.monotonic() + limit
    await driver.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)


def _url(address: str) -> URL:
    """The driver's URL; SQLite files are opened read-only. Raises NoAnswerError for anything we cannot read safely."""
    try:
        url = make_url(address)
    except ArgumentError as exc:
        raise NoAnswerError("the database's address is no SQLAlchemy URL: set it right in warroom.yaml") from exc
    match url.get_backend_name():
        case "postgresql":
            return url.set(drivername="postgresql+asyncpg")
        case "sqlite" if url.database and not url.database.startswith((":memory:", "file:")):
            if not (os.path.isfile(url.database) and os.access(url.database, os.R_OK)):
                raise NoAnswerError("there is no such database file that we may read: set it right in warroom.yaml")
            path = f"file:{quote(url.database)}"
            return URL.create("sqlite+aiosqlite", database=path, query={"mode": "ro", "uri": "true"})
        case _:
            raise NoAnswerError("only PostgreSQL and SQLite files can be read safely: change it in warroom.yaml")


def _answer(columns: list[str], rows: Sequence[tuple[object, ...]], seen: Seen) -> Answer:
    more = len(rows) > ROW_LIMIT
    cells = [[_json(cell) for cell in row] for row in rows[:ROW_LIMIT]]
    table = aligned(columns, [["NULL" if c is None else str(c) for c in row] for row in cells])
    if more:
        table += f"\n[cut: the first {ROW_LIMIT} rows]"
    seen.out.add(table.encode())
    count = f"more than {ROW_LIMIT} rows" if more else "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    return Answer(said=count, good=True, text=table, rows=[dict(zip(columns, row, strict=True)) for row in cells])


def _names(columns: Iterable[str]) -> list[str]:
    """Column names, each once: a second "count" becomes "count_2"."""
    names: list[str] = []
    for column in columns:
        name, n = column, 1
        while name in names:
            n += 1
            name = f"{column}_{n}"
        names.append(name)
    return names


def _json(cell: object) -> object:
    match cell:
        case None | bool() | int() | float() | str():
            return cell
        case Decimal():
            return int(cell) if cell == cell.to_integral_value() else float(cell)
        case datetime() | date() | clock_time():
            return cell.isoformat()
        case bytes():
            return cell.hex()
        case _:
            return str(cell)


def _meaning(exc: Exception) -> Exception:
    """What a database's error means for the reading: NoAnswerError with a sentence, or TimeoutError."""
    original = exc.orig if isinstance(exc, DBAPIError) and exc.orig is not None else exc
    ended = getattr(original, "sqlstate", None) == CANCELLED or str(original) == "interrupted"
    if ended or isinstance(exc, TimeoutError):
        return TimeoutError()
    if isinstance(exc, OSError):
        return NoAnswerError("cannot connect to the database: refused, or no such host")
    said = str(original).partition("\n")[0].rpartition(">: ")[2].strip()
    return NoAnswerError(f"the database refused: {said}")
