"""The one transaction that decides: what it reads and writes, as statements over whole groups of rows."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Executable,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy import Row as DatabaseRow
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from warroom.domain.chain import BEGIN, End
from warroom.domain.effects import Answer
from warroom.store import codec, rows
from warroom.store.rows import Row, StoredEffect
from warroom.store.tables import SYSTEM, UNFINISHED, Table

_tables = Table.metadata.tables
inbox, incident, fact = _tables["inbox"], _tables["incident"], _tables["fact"]
effect, timer, pack = _tables["effect"], _tables["timer"], _tables["pack"]
replica = _tables["replica"]

CHUNK = 10_000
TRIAL, TRIAL_SIZE = "trial", 64 * 1024
unfinished = UNFINISHED
"""Literal, so that both databases see that the partial index answers it."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far the tables are: the highest revision, effect and number of the year, and the next timer."""

    revision: int
    seq: int
    number: int
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """An input that was there before."""

    failed: bool
    incident: str | None
    answer: Answer | None


@dataclass(slots=True)
class History:
    """Everything stored about an incident that deciding needs."""

    facts: list[DatabaseRow[Any]] = field(default_factory=list)
    end: End = BEGIN
    timers: dict[str, datetime] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Batch:
    """What a group of decisions writes. `start` are ids of effects whose attempt begins at `now`."""

    now: datetime
    packs: list[Row] = field(default_factory=list)
    opened: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    inbox: list[Row] = field(default_factory=list)
    retried: list[Row] = field(default_factory=list)
    facts: list[Row] = field(default_factory=list)
    effects: list[Row] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)
    settled: list[Row] = field(default_factory=list)
    requeued: list[Row] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    timers_gone: list[Row] = field(default_factory=list)
    timers_set: list[Row] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not any(getattr(self, part.name) for part in fields(self) if part.name != "now")


_position = select(
    select(func.max(incident.c.revision)).scalar_subquery(),
    select(func.max(effect.c.seq)).scalar_subquery(),
    select(func.max(incident.c.number)).where(incident.c.year == bindparam("y")).scalar_subquery(),
    select(func.min(timer.c.due)).scalar_subquery(),
)
_seen = select(inbox.c.source, inbox.c.source_id, inbox.c.state, inbox.c.incident_id, inbox.c.answer).where(
    tuple_(inbox.c.source, inbox.c.source_id).in_(bindparam("ids", expanding=True))
)
_retry = (
    update(inbox)
    .where(inbox.c.source == bindparam("b_source"), inbox.c.source_id == bindparam("b_source_id"))
    .where(inbox.c.state == "failed")
)
_change = update(incident).where(incident.c.id == bindparam("b_id"))
_drop = (
    update(effect)
    .where(effect.c.incident_id == bindparam("b_incident"), effect.c.coalesce == bindparam("b_mark"))
    .where(
        effect.c.state == "waiting",
        effect.c.seq < bindparam("b_seq"),
        effect.c.key.not_in(bindparam("b_spare", expanding=True)),
    )
    .values(state="dropped", settled_at=bindparam("b_at"))
)
_update_effect = update(effect).where(effect.c.id == bindparam("b_id"), unfinished)
_start = (
    update(effect)
    .where(effect.c.id.in_(bindparam("ids", expanding=True)), effect.c.state == "waiting")
    .where(effect.c.owner == bindparam("b_owner"))
    .values(state="sending", attempt=effect.c.attempt + 1, attempted_at=bindparam("b_at"))
    .returning(effect.c.id)
)
_timer_gone = delete(timer).where(timer.c.incident_id == bindparam("b_id"), timer.c.key == bindparam("b_key"))


class Transaction:
    """One deciding transaction. `owner` is this process; see `Store.transaction`."""

    def __init__(self, connection: AsyncConnection, owner: str) -> None:
        self._connection = connection
        self._owner = owner

    async def execute(self, statement: Executable, many: Sequence[Row] | None = None) -> None:
        """Runs one more statement in this transaction, once for each of `many`."""
        await self._connection.execute(statement, many)

    async def rows(self, query: Executable) -> Sequence[DatabaseRow[Any]]:
        """What a query finds in this transaction."""
        return (await self._connection.execute(query)).all()

    async def position(self, year: int) -> Position:
        """How far the tables are; `year` is that of the next incident's number."""
        revision, seq, number, due = (await self._connection.execute(_position, {"y": year})).one()
        return Position(revision or 0, seq or 0, number or 0, due)

    async def next_due(self) -> datetime | None:
        """When the next timer is due (UTC)."""
        due: datetime | None = await self._connection.scalar(select(func.min(timer.c.due)))
        return due

    async def changed(self, since: int, recent: datetime | None) -> Sequence[DatabaseRow[Any]]:
        """Rows of incidents that changed after revision `since`; with `recent` only those open or opened since."""
        query = select(incident).where(incident.c.revision > since)
        if recent is not None:
            query = query.where(incident.c.is_open | (incident.c.opened > recent) | (incident.c.id == SYSTEM))
        return (await self._connection.execute(query)).all()

    async def seen(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Seen]:
        """Which of these (source, source_id) are in the inbox."""
        found = (await self._connection.execute(_seen, {"ids": list(keys)})).all()
        return {
            (row.source, row.source_id): Seen(row.state == "failed", row.incident_id, codec.answer(row.answer))
            for row in found
        }

    async def failed_results(self) -> Sequence[DatabaseRow[Any]]:
        """Results of effects that `decide` could not take."""
        query = select(inbox).where(inbox.c.state == "failed", inbox.c.source == "effect").order_by(inbox.c.received)
        return (await self._connection.execute(query)).all()

    async def due(self, now: datetime, limit: int) -> list[tuple[datetime, str, str]]:
        """Timers due at `now`: (due, incident, key), in due order."""
        query = (
            select(timer.c.due, timer.c.incident_id, timer.c.key)
            .where(timer.c.due <= now)
            .order_by(timer.c.due, timer.c.incident_id, timer.c.key)
            .limit(limit)
        )
        return [(due, id_, key) for due, id_, key in (await self._connection.execute(query)).all()]

    async def histories(self, ids: Collection[str]) -> dict[str, History]:
        """What is stored about these incidents."""
        found = {id_: History() for id_ in ids}
        facts = select(fact).where(fact.c.incident_id.in_(ids)).order_by(fact.c.incident_id, fact.c.seq)
        for row in await self._connection.execute(facts):
            history = found[row.incident_id]
            history.facts.append(row)
            history.end = End(row.seq, row.hash)
        for row in await self._connection.execute(select(timer).where(timer.c.incident_id.in_(ids))):
            found[row.incident_id].timers[row.key] = row.due
        keys = select(effect.c.incident_id, effect.c.key).where(effect.c.incident_id.in_(ids))
        for row in await self._connection.execute(keys):
            found[row.incident_id].keys.add(row.key)
        return found

    async def pack(self, hash: str) -> str | None:
        """The text of a frozen pack."""
        found: str | None = await self._connection.scalar(select(pack.c.text).where(pack.c.hash == hash))
        return found

    async def owners(self, ids: Collection[str]) -> dict[tuple[str, str], str]:
        """Who owns the unfinished effects of these incidents, by (incident, lane)."""
        query = select(effect.c.incident_id, effect.c.lane, effect.c.owner).distinct()
        found = await self._connection.execute(
            query.where(unfinished, effect.c.lane != "", effect.c.incident_id.in_(ids))
        )
        return {(row.incident_id, row.lane): row.owner for row in found}

    async def owned(self, ids: Collection[str] | None = None) -> set[str]:
        """Which effects are unfinished and ours, of these or of all."""
        query = select(effect.c.id).where(unfinished, effect.c.owner == self._owner)
        if ids is not None:
            query = query.where(effect.c.id.in_(ids))
        return set((await self._connection.scalars(query)).all())

    async def unfinished(self, ids: Sequence[str]) -> list[StoredEffect]:
        """These effects, in the order decided."""
        found: list[StoredEffect] = []
        for begin in range(0, len(ids), CHUNK):
            query = select(effect).where(effect.c.id.in_(ids[begin : begin + CHUNK]))
            found += [rows.effect_of(row) for row in await self._connection.execute(query)]
        return sorted(found, key=lambda stored: stored.seq)

    async def handed(self, after: int) -> list[StoredEffect]:
        """Unfinished effects of ours that were decided after the one numbered `after`, in that order."""
        query = select(effect).where(unfinished, effect.c.owner == self._owner, effect.c.seq > after)
        return [rows.effect_of(row) for row in await self._connection.execute(query.order_by(effect.c.seq))]

    async def take_all(self) -> None:
        """Makes every unfinished effect ours: right for the only process there is."""
        await self._connection.execute(update(effect).where(unfinished).values(owner=self._owner))

    async def renew(self, lease: timedelta) -> None:
        """Says that this process lives, for `lease` from now by the database's clock (PostgreSQL)."""
        until = func.now() + literal(lease)
        alive = postgresql.insert(replica).values(id=self._owner, lease_until=until)
        await self._connection.execute(alive.on_conflict_do_update(index_elements=["id"], set_={"lease_until": until}))

    async def take_over(self) -> int:
        """Takes the effects of processes whose lease has ended; how many there were (PostgreSQL)."""
        await self._connection.execute(delete(replica).where(replica.c.lease_until < func.now()))
        orphans = select(effect.c.id).where(unfinished, effect.c.owner.not_in(select(replica.c.id)))
        taken = update(effect).where(effect.c.id.in_(orphans.with_for_update(skip_locked=True)))
        return (await self._connection.execute(taken.values(owner=self._owner))).rowcount

    async def try_out(self) -> None:
        """Writes something of the size of a busy group and takes it back: raises what keeps us from writing."""
        await self._connection.execute(insert(pack), {"hash": TRIAL, "id": TRIAL, "text": "." * TRIAL_SIZE})
        await self._connection.execute(delete(pack).where(pack.c.hash == TRIAL))

    async def leave(self) -> None:
        """Gives up our lease, so that others may take over at once."""
        await self._connection.execute(delete(replica).where(replica.c.id == self._owner))

    async def write(self, batch: Batch) -> set[str]:
        """Writes everything; returns which of `batch.start` were still ours to start."""
        run = self._connection.execute
        for statement, many in (
            (insert(pack), batch.packs),
            (insert(incident), batch.opened),
            (_change, batch.changed),
            (insert(inbox), batch.inbox),
            (_retry, batch.retried),
            (insert(fact), batch.facts),
            (insert(effect), batch.effects),
            (_update_effect, batch.settled),
            (_update_effect, batch.requeued),
            (_timer_gone, batch.timers_gone),
            (insert(timer), batch.timers_set),
        ):
            if many:
                await run(statement, many)
        for one in batch.dropped:
            await run(_drop, one)
        if not batch.start:
            return set()
        started = {"ids": batch.start, "b_owner": self._owner, "b_at": batch.now}
        return set((await self._connection.scalars(_start, started)).all())
