"""Reported violations: written in the store's one transaction, read beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from warroom.domain.procedures import Level
from warroom.domain.violation import Violation
from warroom.store import codec
from warroom.store.store import Store
from warroom.store.tables import Table

violation = Table.metadata.tables["violation"]
weighed = Table.metadata.tables["weighed"]

AT_ONCE = 5_000
"""Rows of one statement: PostgreSQL takes 32,767 values, and nobody waits long for the transaction."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A violation as it was reported to a pack; `more` is what the report says beyond what we know, as JSON."""

    pack: str
    violation: Violation
    received: datetime
    more: str = "{}"


class ViolationStore:
    """The tables `violation` and `weighed` of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._insert = sqlite.insert if store.exclusive else postgresql.insert

    async def add(self, reported: Sequence[Reported], done: Mapping[str, int]) -> list[bool]:
        """Writes those that are not there yet, and how far each pack's are weighed, in one transaction.

        Returns for each whether it is new. Raises StoreError when nothing was written.
        """
        keys = [(codec.clean(r.pack), codec.clean(r.violation.id)) for r in reported]
        known: set[tuple[str, str]] = set()
        fresh: list[bool] = []
        async with self._store.transaction() as tx:
            for pack in {pack for pack, _ in keys}:
                ids = [id_ for of, id_ in keys if of == pack]
                for begin in range(0, len(ids), AT_ONCE):
                    some = ids[begin : begin + AT_ONCE]
                    query = select(violation.c.id).where(violation.c.pack == pack, violation.c.id.in_(some))
                    known |= {(pack, row.id) for row in await tx.rows(query)}
            for key in keys:
                fresh.append(key not in known)
                known.add(key)
            rows = [_row(r) for r, new in zip(reported, fresh, strict=True) if new]
            for begin in range(0, len(rows), AT_ONCE):
                await tx.execute(insert(violation), rows[begin : begin + AT_ONCE])
            for pack, seq in done.items():
                put = self._insert(weighed).values(pack=pack, seq=seq)
                later = {"seq": seq}
                further = weighed.c.seq < seq
                await tx.execute(put.on_conflict_do_update(index_elements=["pack"], set_=later, where=further))
        return fresh

    async def unweighed(self, pack: str, after: int | None) -> tuple[list[Violation], int]:
        """The oldest violations of a pack after number `after` (None: after what is marked as weighed), and the number
        of the last of them; bounded."""
        async with self._store.reading() as connection:
            if after is None:
                mark = select(weighed.c.seq).where(weighed.c.pack == pack)
                after = await connection.scalar(mark) or 0
            query = select(violation).where(violation.c.pack == pack, violation.c.seq > after)
            rows = (await connection.execute(query.order_by(violation.c.seq).limit(AT_ONCE))).all()
        return [_violation(row) for row in rows], rows[-1].seq if rows else after

    async def near(
        self, pack: str, level: Level | None, first: datetime, last: datetime, within: timedelta, count: int
    ) -> list[Violation]:
        """The violations of a level (None: of all) from `first` to `last`, and the nearest `count` on either side of
        them within `within`."""
        of = select(violation).where(violation.c.pack == pack)
        if level is not None:
            of = of.where(violation.c.level == level)
        at = violation.c.at
        queries: tuple[Select[Any], ...] = (
            of.where(at < first, at >= first - within).order_by(at.desc()).limit(count),
            of.where(at >= first, at <= last).order_by(at),
            of.where(at > last, at <= last + within).order_by(at).limit(count),
        )
        found: list[Violation] = []
        async with self._store.reading() as connection:
            for query in queries:
                found += [_violation(row) for row in await connection.execute(query)]
        return found

    async def between(self, pack: str, level: Level | None, after: datetime, until: datetime) -> int:
        """How many violations there are after `after` and up to `until` (UTC)."""
        query = select(func.count()).where(violation.c.pack == pack, violation.c.at > after, violation.c.at <= until)
        if level is not None:
            query = query.where(violation.c.level == level)
        async with self._store.reading() as connection:
            return await connection.scalar(query) or 0


def _row(reported: Reported) -> dict[str, Any]:
    v = reported.violation
    return {
        "pack": codec.clean(reported.pack),
        "id": codec.clean(v.id),
        "type": codec.clean(v.type),
        "level": v.level,
        "service": codec.clean(v.service),
        "feature": codec.clean(v.feature),
        "at": v.at,
        "received": reported.received,
        "description": codec.clean(v.description),
        "more": codec.clean(reported.more),
    }


def _violation(row: Any) -> Violation:
    return Violation(
        id=row.id,
        type=row.type,
        level=row.level,
        service=row.service,
        feature=row.feature,
        at=row.at,
        description=row.description,
    )
