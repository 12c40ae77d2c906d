"""Asking a database: one statement that reads, in a transaction that cannot write, at most 200 rows."""

import re
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from datetime import time as clock_time
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from warroom.domain.policy import Probe
from warroom.platform.answers import Answer, Seen
from warroom.platform.sql import bound, engine_of, is_refusal, meaning, safe_url, server_limit
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


async def ask(probe: Probe, surroundings: Surroundings, seen: Seen) -> Answer:
    """The rows as a table, and as JSON objects for paths. Raises NoAnswerError, TimeoutError."""
    statement = (probe.sql or "").strip().removesuffix(";")
    if not READS.match(statement) or ACTS.search(statement):
        raise NoAnswerError("refused: a probe only reads; write one SELECT, without functions that act")
    url = safe_url(surroundings.database(probe.database))
    limit = probe.timeout.total_seconds()
    try:
        async with _reading(url, limit) as connection:
            result = await connection.stream(bound(statement, surroundings.known))
            columns = _names(result.keys())
            rows = await result.fetchmany(ROW_LIMIT + 1)
            await result.close()
    except Exception as exc:
        if not is_refusal(exc):
            raise
        raise meaning(exc) from exc
    return _answer(columns, [tuple(row) for row in rows], seen)


@asynccontextmanager
async def _reading(url: URL, limit: float) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that cannot write and is rolled back."""
    engine = engine_of(url, limit)
    try:
        async with engine.connect() as connection:
            if url.get_backend_name() == "sqlite":
                await _restrict_sqlite(connection, limit)
            else:
                await connection.execute(text("SET TRANSACTION READ ONLY"))
                await connection.execute(server_limit(limit))
            yield connection
            await connection.rollback()
    finally:
        await engine.dispose()


async def _restrict_sqlite(connection: AsyncConnection, limit: float) -> None:
    """No writes on this connection, and an end to statements that run for too long."""
    await connection.execute(text("PRAGMA query_only = ON"))
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise NoAnswerError("the database closed the connection")
    deadline = time.monotonic() + limit
    await driver.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)


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
