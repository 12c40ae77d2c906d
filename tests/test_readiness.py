"""What /readyz and /metrics say is so at that moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from starlette.responses import Response

from tests.engine.running import ID, Running, running
from tests.engine.toys import Player, ask, decide, for_ever, route, soon
from tests.store.databases import sqlite
from warroom.domain.decision import Context, Decision
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, TimerDue
from warroom.engine.work import Rules
from warroom.errors import StoreError
from warroom.readiness import Readiness
from warroom.store.database import connect, parse
from warroom.web import create_web


@pytest.fixture
async def url(folder: Path) -> str:
    return await sqlite(folder / "warroom.db")


async def _nothing(*_: object) -> Response:
    raise AssertionError("not asked for here")


@asynccontextmanager
async def asking(run: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the routes of a bot with this engine."""
    web = create_web(
        slack=_nothing,
        hear=_nothing,
        webhook_secrets=(),
        clock=run.clock,
        health=Readiness(run.engine, run.store, run.clock, None),
        registry=run.engine.metrics.registry,
        report=_nothing,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://bot") as client:
        yield client


async def readyz(client: httpx.AsyncClient) -> tuple[int, str]:
    """The status, and what is said about the database."""
    answer = await client.get("/readyz")
    return answer.status_code, answer.json()["database"]


async def test_with_a_timer_overdue_by_more_than_a_minute_it_is_not_ready(url: str) -> None:
    def broken(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        if isinstance(given.body, TimerDue):
            raise RuntimeError("not yet")
        return decide(incident, given, ctx)

    async with running(url, rules=Rules(route, broken)) as run, asking(run) as client:
        await run.engine.submit(ask("1", open="x", timers={"t": 10}))
        run.clock.advance(timedelta(seconds=69))
        await run.engine.settled()
        assert await readyz(client) == (200, "ok")
        run.clock.advance(timedelta(seconds=2))
        assert await readyz(client) == (503, "ok")
        assert (await client.get("/readyz")).json()["overdue_timers"] == 1


async def test_while_the_disk_is_full_it_is_not_ready_and_is_again_by_itself(url: str) -> None:
    async with running(url) as run, asking(run) as client:
        await run.engine.submit(ask("1", open="x"))
        async with run.store.transaction() as tx:
            await tx.execute(text("PRAGMA max_page_count = 1"))
        with pytest.raises(StoreError, match="full"):
            await run.engine.submit(ask("2", ID, say="x" * 500_000))
        assert await readyz(client) == (503, "the database could not do it: database or disk is full")
        await run.engine.settled()
        assert (await readyz(client))[0] == 503
        async with run.store.transaction() as tx:
            await tx.execute(text("PRAGMA max_page_count = 1000000"))
        await run.engine.settled()
        assert await readyz(client) == (200, "ok")


async def test_after_somebody_else_locked_the_database_it_is_not_ready_until_that_ends(url: str) -> None:
    other = connect(parse(url), writer=True)
    async with running(url) as run, asking(run) as client:
        async with run.store.transaction() as tx:
            await tx.execute(text("PRAGMA busy_timeout = 0"))
        async with other.begin():
            with pytest.raises(StoreError, match="locked"):
                await run.engine.submit(ask("1", open="x"))
            assert await readyz(client) == (503, "the database could not do it: database is locked")
        await run.engine.settled()
        assert await readyz(client) == (200, "ok")
    await other.dispose()


async def test_while_a_commit_hangs_it_is_not_ready(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warroom.engine.engine.STALLED", 0.0)
    other = connect(parse(url), writer=True)
    async with running(url) as run, asking(run) as client:
        async with other.begin():
            asked = asyncio.create_task(run.engine.submit(ask("1", open="x")))
            await soon(lambda: run.engine.trouble is not None)
            assert await readyz(client) == (503, "the database has not taken what is to be written for 0 s")
        await asked
        await run.engine.settled()
        assert await readyz(client) == (200, "ok")
    await other.dispose()


async def test_the_gauges_are_of_now_though_nobody_asked_whether_it_is_ready(url: str) -> None:
    async with running(url, Player(behave=for_ever)) as run, asking(run) as client:
        assert "\nwarroom_effects_waiting 0.0\n" in (await client.get("/metrics")).text
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a", "lane": "l"}, {"key": "b", "lane": "l"}]))
        told = (await client.get("/metrics")).text
        assert "\nwarroom_effects_waiting 2.0\n" in told
        assert "\nwarroom_effects_in_flight 1.0\n" in told


async def test_the_metrics_are_told_without_a_database_too(url: str) -> None:
    async with running(url) as run, asking(run) as client:
        await run.engine.submit(ask("1", open="x"))
        async with run.store.transaction() as tx:
            await tx.execute(text("DROP TABLE timer"))
        assert "warroom_inputs_total" in (await client.get("/metrics")).text
        assert (await readyz(client))[0] == 503
