"""Probes that read a database; the same on both."""

import asyncio
import os
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.platform.support import surroundings

from warroom.domain.policy import Action, Expect, Parameter, Probe, ReadBack
from warroom.platform.actions import Order, act
from warroom.platform.probes import ProbeResult, run_probe


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    path = tmp_path / "a file.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id int, venue text)")
        connection.execute("INSERT INTO orders VALUES (1,'NYSE'),(2,'IEX'),(3,NULL)")
    connection.close()
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


async def ask(http: httpx.AsyncClient, url: str, sql: str, **given: Any) -> ProbeResult:
    probe = Probe(title="Orders", sql=sql, database="platform", **given)
    return await run_probe("orders", probe, surroundings(http, databases={"platform": url}))


async def count(url: str) -> int:
    """How many orders there are, asked on a connection that could write."""
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT count(*) FROM orders"))).scalar_one()
    await engine.dispose()
    return int(found)


async def test_rows_are_an_aligned_table(http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, "SELECT id, venue FROM orders ORDER BY id;")
    assert result.raw == "id  venue\n--  -----\n 1  NYSE\n 2  IEX\n 3  NULL"
    assert (result.state, result.value) == ("ok", None)
    assert result.summary.startswith("3 rows in ")


async def test_a_single_figure_is_shown_by_its_name(http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, "SELECT count(*) AS connections FROM orders", expect=(Expect(under=2),))
    assert (result.state, result.summary, result.value) == ("failed", "the answer 3 is over 2", 3)
    assert (await ask(http, url, "SELECT count(*) AS n FROM orders")).summary.startswith("n 3, 1 row in ")


async def test_rows_can_be_looked_into(http: httpx.AsyncClient, url: str) -> None:
    expect = (Expect(value="[?venue=='IEX'] | [0].id", equals=2),)
    assert (await ask(http, url, "SELECT id, venue FROM orders", expect=expect)).state == "ok"


async def test_columns_of_the_same_name_are_kept_apart(http: httpx.AsyncClient, url: str) -> None:
    assert (await ask(http, url, "SELECT 1 AS n, 2 AS n")).raw.startswith("n  n_2")


async def test_colons_and_percents_in_a_statement_are_left_alone(http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, r"SELECT ':name' || '12:30' || '%x%' || '\:' AS told")
    assert result.value == r":name12:30%x%\:"


async def test_a_cast_with_two_colons_works(http: httpx.AsyncClient, postgresql: str) -> None:
    assert (await ask(http, postgresql, "SELECT '7'::int AS seven")).value == 7


async def test_kinds_of_values_postgresql_has_become_json(http: httpx.AsyncClient, postgresql: str) -> None:
    sql = "SELECT 1.50::numeric AS a, interval '90 s' AS b, timestamptz '2026-03-02 12:00Z' AS c, ARRAY[1] AS d"
    shown = await ask(http, postgresql, sql, shows="[0]")
    assert shown.value == {"a": 1.5, "b": "0:01:30", "c": "2026-03-02T12:00:00+00:00", "d": "[1]"}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders VALUES (4, 'X')",
        "DELETE FROM orders",
        "COMMIT",
        "SELECT 1; DELETE FROM orders",
        "SELECT pg_terminate_backend(1)",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "ATTACH DATABASE 'x.db' AS x",
        "PRAGMA query_only = OFF",
        "",
    ],
)
async def test_whatever_is_no_reading_is_refused(sql: str, http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, sql)
    assert result.state == "error"
    assert "refused" in result.summary
    assert await count(url) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
        "SELECT nextval('numbers')",
        "EXPLAIN ANALYZE DELETE FROM orders",
        "SELECT * FROM orders FOR UPDATE",
    ],
)
async def test_a_write_dressed_as_a_reading_is_refused_by_postgresql(
    sql: str, http: httpx.AsyncClient, postgresql: str
) -> None:
    engine = create_async_engine(postgresql.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SEQUENCE IF NOT EXISTS numbers"))
    await engine.dispose()
    result = await ask(http, postgresql, sql)
    assert result.state == "error"
    assert "in a read-only transaction" in result.summary
    assert await count(postgresql) == 3


async def test_a_write_dressed_as_a_reading_is_refused_by_sqlite(http: httpx.AsyncClient, sqlite: str) -> None:
    result = await ask(http, sqlite, "WITH n AS (SELECT 4) INSERT INTO orders SELECT 4, 'X' FROM n")
    assert (result.state, result.summary) == ("error", "the database refused: attempt to write a readonly database")
    assert await count(sqlite) == 3


async def test_a_missing_sqlite_file_is_not_created(http: httpx.AsyncClient, tmp_path: Path) -> None:
    result = await ask(http, f"sqlite+aiosqlite:///{tmp_path}/none.db", "SELECT 1")
    assert (result.state, result.summary) == (
        "error",
        "there is no such database file that we may read: set it right in warroom.yaml",
    )
    assert os.listdir(tmp_path) == []


MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n{}) SELECT {} FROM n"


async def test_at_most_200_rows_are_read(http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, MANY.format("", "i"))
    assert result.summary.startswith("more than 200 rows in ")
    assert result.raw.endswith("\n200\n[cut: the first 200 rows]")


async def test_a_statement_that_runs_too_long_is_ended(http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, MANY.format("", "max(i)"), timeout=timedelta(seconds=0.3))
    assert (result.state, result.summary) == ("error", "no answer within 300 ms")
    assert result.elapsed_s < 2


async def test_a_database_that_never_answers_is_given_up_at_the_time_limit(http: httpx.AsyncClient) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await ask(http, f"postgresql://me@127.0.0.1:{port}/db", "SELECT 1", timeout=timedelta(seconds=0.2))
    server.close()
    assert (result.state, result.summary) == ("error", "no answer within 200 ms")
    assert result.elapsed_s < 2


async def test_a_long_complaint_is_one_short_line(http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, f"SELECT {'x' * 40}y FROM orders, {'z' * 600}")
    assert len(result.summary) <= 200
    assert "\n" not in result.summary


async def test_no_connection_is_left_behind(http: httpx.AsyncClient, postgresql: str) -> None:
    await ask(http, postgresql, "SELECT 1")
    await ask(http, postgresql, "SELECT broken")
    await ask(http, postgresql, MANY.format("", "max(i)"), timeout=timedelta(seconds=0.2))
    others = "application_name = 'warroom probe' AND pid <> pg_backend_pid()"
    left = f"SELECT count(*) AS n FROM pg_stat_activity WHERE {others}"
    assert (await ask(http, postgresql, left)).value == 0


async def test_a_wrong_statement_says_what_is_wrong(http: httpx.AsyncClient, url: str) -> None:
    result = await ask(http, url, "SELECT nothing FROM orders")
    assert result.state == "error"
    assert result.summary.startswith("the database refused: ")
    assert "nothing" in result.summary


@pytest.mark.parametrize(
    ("address", "summary"),
    [
        ("postgresql://warroom:hunter22@127.0.0.1:1/db", "cannot connect to the database: refused, or no such host"),
        ("mysql://x/db", "only PostgreSQL and SQLite files can be used safely: change it in warroom.yaml"),
        ("sqlite+aiosqlite://", "only PostgreSQL and SQLite files can be used safely: change it in warroom.yaml"),
        ("nonsense", "the database's address is no SQLAlchemy URL: set it right in warroom.yaml"),
    ],
)
async def test_an_address_that_leads_nowhere_is_an_error(address: str, summary: str, http: httpx.AsyncClient) -> None:
    result = await ask(http, address, "SELECT 1")
    assert (result.state, result.summary) == ("error", summary)


async def test_an_unknown_database_is_an_error(http: httpx.AsyncClient) -> None:
    result = await run_probe("orders", Probe(title="T", sql="SELECT 1", database="main"), surroundings(http))
    assert result.summary == "database 'main' is not set up here: add it under databases: in warroom.yaml"


async def test_a_field_is_bound_and_never_becomes_sql(http: httpx.AsyncClient, url: str) -> None:
    probe = Probe(title="O", sql="SELECT count(*) AS n FROM orders WHERE venue = :venue", database="platform")
    for venue, found in (("NYSE", 1), ("x' OR '1'='1", 0)):
        here = surroundings(http, databases={"platform": url}).knowing({"venue": venue})
        assert (await run_probe("o", probe, here)).value == found


def quarantine(**given: Any) -> Order:
    action = Action(
        title="Quarantine",
        sql="UPDATE orders SET venue = 'QUARANTINED' WHERE venue = :venue AND id >= CAST(:first AS int)",
        database="platform",
        danger="change",
        who=("data",),
        read_back=ReadBack(probe="left", within=timedelta(seconds=0.2), every=timedelta(seconds=0.1)),
        parameters={"venue": Parameter(title="Venue"), "first": Parameter(title="First", type="number", default=1)},
    )
    left = Probe(
        title="Left",
        sql="SELECT count(*) AS n FROM orders WHERE venue = :venue",
        database="platform",
        expect=(Expect(value="[0].n", equals=0),),
    )
    return Order(action=action, read_back=left, reason="leak", operator="Ana", **{"parameters": {}} | given)


async def test_a_statement_changes_rows_once_and_is_read_back(http: httpx.AsyncClient, url: str) -> None:
    settled = await act(
        quarantine(parameters={"venue": "IEX"}), "live", surroundings(http, databases={"platform": url})
    )
    assert settled["outcome"] == "confirmed", settled["detail"]
    assert "the database changed 1 row." in settled["detail"]
    assert settled["request"]["body"] == {"first": "1", "venue": "IEX"}


async def test_a_dry_run_changes_no_row(http: httpx.AsyncClient, url: str) -> None:
    here = surroundings(http, databases={"platform": url})
    settled = await act(quarantine(parameters={"venue": "NYSE"}), "dry_run", here)
    assert settled["outcome"] == "dry_run"
    assert (await ask(http, url, "SELECT count(*) AS n FROM orders WHERE venue = 'NYSE'")).value == 1


async def test_a_statement_that_the_database_refuses_has_failed(http: httpx.AsyncClient, url: str) -> None:
    order = quarantine(parameters={"venue": "NYSE"})
    broken = replace(order, action=replace(order.action, sql="UPDATE nothing SET venue = 'x' WHERE venue = :venue"))
    settled = await act(broken, "live", surroundings(http, databases={"platform": url}))
    assert settled["outcome"] == "failed"
    assert "(nothing was changed)" in settled["detail"]
