"""An engine over a database, with toy rules and a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from tests.engine.toys import RULES, START, Player, shelf

from warroom.domain.facts import Fact
from warroom.engine.clock import ManualClock
from warroom.engine.engine import Engine
from warroom.engine.limits import Limits, Unlimited
from warroom.engine.memory import PackShelf
from warroom.engine.ports import Performer
from warroom.engine.work import Rules, Tuning
from warroom.store.database import connect, parse
from warroom.store.store import Store

ID = "INC-2026-0001"


@dataclass
class Running:
    """What a test holds in its hands."""

    engine: Engine
    clock: ManualClock
    store: Store
    url: str

    async def notes(self, id_: str = ID) -> list[str]:
        """What the notes of an incident say, as "kind text"."""
        return [f"{x.what.kind} {x.what.text}" for x in await self.facts(id_) if hasattr(x.what, "text")]

    async def facts(self, id_: str = ID) -> list[Fact]:
        return await self.engine.facts(id_)

    async def rows(self, query: str) -> list[Any]:
        """Rows as they are on disk, seen by a connection of its own."""
        return await rows(self.url, query)


async def rows(url: str, query: str) -> list[Any]:
    """Rows as they are on disk."""
    database = connect(parse(url), writer=False)
    try:
        async with database.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]
    finally:
        await database.dispose()


async def run_sql(url: str, statement: str) -> None:
    """Changes rows behind the engine's back."""
    database = connect(parse(url), writer=True)
    async with database.begin() as connection:
        await connection.execute(text(statement))
    await database.dispose()


@asynccontextmanager
async def running(
    url: str,
    *performers: Performer,
    clock: ManualClock | None = None,
    limits: Limits | None = None,
    rules: Rules = RULES,
    tuning: Tuning | None = None,
    packs: PackShelf | None = None,
    owner: str | None = None,
) -> AsyncIterator[Running]:
    """An engine at work; a call that hangs is given up quickly at the end."""
    clock = clock or ManualClock(START)
    store = await Store.open(url)
    players: Sequence[Performer] = performers or [Player()]
    try:
        async with (
            asyncio.timeout(60),
            Engine(
                store,
                rules=rules,
                shelf=packs or shelf(),
                performers=players,
                clock=clock,
                limits=limits or Unlimited(clock.seconds),
                tuning=tuning or Tuning(grace=0.05),
                random=lambda: 0.5,
                owner=owner,
            ) as engine,
        ):
            yield Running(engine, clock, store, url)
    finally:
        await store.close()
