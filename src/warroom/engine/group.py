"""One turn of the writer: a bounded group of inputs, decided and written in one transaction.

Nothing here is visible before the commit: the group works on a copy of the memory. The lanes are changed in place;
when the commit fails they are loaded again from the table, which is the truth.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from warroom.domain.inputs import EffectResult, Input, TimerDue
from warroom.engine.deciding import Outcome, Setup, work_out
from warroom.engine.delivery import Delivery
from warroom.engine.lanes import Lanes, Pending, Picked
from warroom.engine.memory import Entry, Memory
from warroom.engine.outbox import Outbox
from warroom.engine.reading import Reading, Timer
from warroom.engine.work import Back, DecisionFailedError, Item, Receipt, trace
from warroom.store import codec, rows
from warroom.store.rows import Row
from warroom.store.tables import SYSTEM
from warroom.store.transaction import Batch, Seen, Transaction

log = structlog.get_logger(__name__)


class Group:
    """Decides and writes. Afterwards it holds what the engine makes of it once the commit is through:

    `memory` as it is now, `answers` for the submitters, `picked` to start, `lost` effects that are not ours any
    more, timers to hold back because their decision failed, when the next timer is `due` (UTC), whether there is
    `more` to do at once, and whether the lanes turned out to be `astray`: they have to be loaded again.
    """

    def __init__(
        self, setup: Setup, tx: Transaction, now: datetime, memory: Memory, lanes: Lanes, delivery: Delivery
    ) -> None:
        self.memory = memory
        self.answers: list[tuple[Item, Receipt | DecisionFailedError]] = []
        self.picked = Picked()
        self.failed_timers: list[Timer] = []
        self.lost: list[Pending] = []
        self.due: datetime | None = None
        self.more = False
        self.astray = False
        self._setup = setup
        self._tx = tx
        self._now = now
        self._lanes = lanes
        self._batch = Batch(now)
        self._reading = Reading(setup, tx, now, memory, lanes)
        self._outbox = Outbox(setup, tx, self._batch, memory, lanes, delivery)
        self._seen: dict[tuple[str, str], Seen] = {}
        self._failed: dict[tuple[str, str], DecisionFailedError] = {}
        self._before: dict[str, Mapping[str, datetime]] = {}
        self._touched: set[str] = set()
        self._opened: set[str] = set()
        self._horizon: datetime | None = None
        self._revision = self._seq = self._number = 0

    async def run(
        self,
        items: Sequence[Item],
        backs: Sequence[Back],
        *,
        busy: Mapping[str, Pending],
        held: Mapping[Timer, datetime],
        reload: bool,
        sweep: bool,
        start: bool,
        urgent: bool,
        doubtful: bool,
    ) -> None:
        """The whole turn inside the transaction; raises what the store raises.

        `busy` are effects whose outcome is still to come, `held` timers left alone until a moment. `reload`: memory
        and lanes are to be loaded first. `sweep`: look after dead processes. `start`: new calls may begin,
        if `urgent` only those of priority 0. `doubtful`: the last group could not be written, so where this one has
        nothing to write, try whether we could.
        """
        position = await self._tx.position(self._now.year)
        self._revision, self._seq, self._number = position.revision + 1, position.seq, position.number
        if position.revision > self.memory.revision or reload:
            await self._reading.catch_up(position.revision)
        if reload or (sweep and not self._setup.exclusive):
            await self._reading.own(busy, reload=reload)
        elif position.seq > self.memory.seq:
            await self._reading.handed(self.memory.seq)
        if reload:
            items = [*items, *(Item(rows.input_of(row)) for row in await self._tx.failed_results())]
        items, self.lost = await self._reading.fence(items, backs)
        timers: list[Item] = []
        if start and position.due is not None and position.due <= self._now:
            timers = await self._reading.due(held)
            self.more = len(timers) >= self._setup.tuning.group
        await self._decide([*items, *timers])
        for back in backs:
            self._outbox.back(back)
        await self._outbox.enlist(self._opened)
        await self._reading.load(self._lanes.incidents)
        if start:
            self.picked = self._outbox.pick(self._now, urgent=urgent)
        await self._write()
        if doubtful and self._batch.is_empty:
            await self._tx.try_out()
        self.lost += self._outbox.lost
        moved = timers or self._batch.timers_gone or self._batch.timers_set
        self.due = await self._tx.next_due() if moved else position.due

    async def _decide(self, items: Sequence[Item]) -> None:
        """Everything in the order of its time, whatever was here before left out."""
        if items:
            self._seen = await self._tx.seen({_key(item.input) for item in items})
        for item in sorted(items, key=_moment):
            await self._take(item)

    async def _take(self, item: Item) -> None:
        """Decides one input. What a rule gets wrong is that input's fate alone."""
        key = _key(item.input)
        seen = self._seen.get(key)
        if self._stale(item.input.body):
            return None
        if seen and not seen.failed:
            return self._repeated(item, Receipt(seen.answer, seen.incident, duplicate=True))
        if key in self._failed:
            return self._repeated(item, self._failed[key])
        try:
            if item.poison:
                raise ValueError(item.poison)
            route = self._setup.rules.route(item.input, self.memory.shown(), self._setup.shelf.current)
        except Exception as error:
            return self._fail(item, None, error)
        if route.incident is not None:
            await self._reading.load([route.incident])
        try:
            entry = self._reading.entry(route.incident) if route.incident is not None else None
            new_id = f"INC-{self._now.year}-{self._number + 1:04d}"
            outcome = work_out(self._setup, self.memory, entry, item.input, route, new_id)
        except Exception as error:
            return self._fail(item, route.incident, error)
        return self._apply(item, outcome)

    def _stale(self, body: object) -> bool:
        """Whether it is a timer that was changed meanwhile, or one that an earlier due time has overtaken."""
        if not isinstance(body, TimerDue):
            return False
        entry = self.memory.entries.get(body.incident)
        if entry is not None and entry.timers.get(body.key) != body.due:
            return True
        return self._horizon is not None and self._horizon < body.due

    def _apply(self, item: Item, outcome: Outcome) -> None:
        """Takes a decision over into the memory and the rows; nothing here can fail."""
        incident = outcome.decision.incident
        self._batch.facts += outcome.facts
        if outcome.system != self.memory.system:
            self.memory.system = outcome.system
            self._touched.add(SYSTEM)
        if incident is not None:
            if outcome.entry is None:
                self._number += 1
                self._opened.add(incident.id)
            for row, effect in outcome.effects:
                self._seq += 1
                row["seq"] = self._seq
                self._outbox.add(row, Pending(row["id"], incident.id, self._seq, effect, since=time.monotonic()))
            known = outcome.entry.keys if outcome.entry else frozenset()
            keys = known.union(effect.key for _, effect in outcome.effects)
            timers = outcome.entry.timers if outcome.entry else {}
            self._put(Entry(incident, outcome.end, timers, keys), outcome.decision.timers)
            self._lanes.touch(incident.id)
        self._finish(item)
        self._record(item, outcome.inbox)
        receipt = Receipt(outcome.decision.answer, outcome.inbox["incident_id"], duplicate=False)
        self._seen[_key(item.input)] = Seen(False, receipt.incident_id, receipt.answer)
        self.answers.append((item, receipt))

    def _put(self, entry: Entry, timers: Mapping[str, datetime]) -> None:
        """The incident as it is now, with `timers` in place of those it had."""
        id_, before = entry.incident.id, entry.timers
        self._before.setdefault(id_, before)
        self.memory.put(replace(entry, timers=timers))
        self._touched.add(id_)
        late = [due for key, due in timers.items() if due <= self._now and before.get(key) != due]
        if late:  # it comes before timers that are due later, in the next turn
            self._horizon = min(late) if self._horizon is None else min(*late, self._horizon)
            self.more = True

    def _finish(self, item: Item) -> None:
        """The effect whose outcome the input tells is over; a timer that fired does not stay."""
        body = item.input.body
        if item.result_of is not None and isinstance(body, EffectResult):
            self._outbox.finish(item.result_of, body.outcome, body.error)
        entry = self.memory.entries.get(body.incident) if isinstance(body, TimerDue) else None
        if isinstance(body, TimerDue) and entry is not None and entry.timers.get(body.key) == body.due:
            self._put(entry, {key: due for key, due in entry.timers.items() if key != body.key})

    def _repeated(self, item: Item, answer: Receipt | DecisionFailedError) -> None:
        self._finish(item)
        self.answers.append((item, answer))

    def _fail(self, item: Item, incident: str | None, error: Exception) -> None:
        """Keeps the input as failed; a repeat of it will be tried again."""
        reason = f"{type(error).__name__}: {error}"
        key, body = _key(item.input), item.input.body
        log.error("decision_failed", source=key[0], source_id=key[1], incident=incident, trace=trace(error))
        known = incident if incident in self.memory.entries else None
        try:
            row = rows.inbox_row(item.input, known, None, error=reason)
        except (TypeError, ValueError):  # it cannot be kept as it is, so at least as it reads
            row = rows.inbox_row(item.input, known, None, error=reason, body=codec.text(repr(body)))
        self._record(item, row)
        if isinstance(body, TimerDue):
            self.failed_timers.append((body.due, body.incident, body.key))
        else:
            self._finish(item)
        self._failed[key] = DecisionFailedError(f"this could not be handled and was kept to be looked at: {reason}")
        self.answers.append((item, self._failed[key]))

    def _record(self, item: Item, row: Row) -> None:
        if _key(item.input) in self._seen:
            self._batch.retried.append(row | {"b_source": row["source"], "b_source_id": row["source_id"]})
        else:
            self._batch.inbox.append(row)

    async def _write(self) -> None:
        batch = self._batch
        for id_ in self._touched - {SYSTEM}:
            entry = self.memory.entries[id_]
            row = rows.incident_row(self.memory.cards[id_], entry.incident.pack_hash, entry.end, self._revision)
            if id_ in self._opened:
                batch.opened.append(row)
                await self._freeze(entry.incident.pack_hash)
            else:
                batch.changed.append(row | {"b_id": id_})
        if SYSTEM in self._touched:
            row = rows.system_row(self.memory.system, self._now, self._revision)
            first = self.memory.system.count == sum(fact["incident_id"] == SYSTEM for fact in batch.facts)
            (batch.opened if first else batch.changed).append(row if first else row | {"b_id": SYSTEM})
        for id_, before in self._before.items():
            timers = self.memory.entries[id_].timers
            batch.timers_gone += [{"b_id": id_, "b_key": key} for key in before if timers.get(key) != before[key]]
            new = ((key, due) for key, due in timers.items() if before.get(key) != due)
            batch.timers_set += [{"incident_id": id_, "key": key, "due": due} for key, due in new]
        if self._touched:
            self.memory.revision = self._revision
        self.memory.seq = self._seq
        self.astray = self._outbox.withdraw(self.picked, await self._tx.write(batch))

    async def _freeze(self, hash: str) -> None:
        """Keeps the pack of an incident that opens, once for each hash."""
        if hash in self.memory.stored:
            return
        self.memory.stored.add(hash)
        if await self._tx.pack(hash) is None:
            pack = self._setup.shelf.frozen(hash).pack
            self._batch.packs.append({"hash": hash, "id": pack.id, "text": self._setup.shelf.freeze(pack)})


def _key(input: Input) -> tuple[str, str]:
    return codec.clean(input.source), codec.clean(input.source_id)


def _moment(item: Item) -> datetime:
    body = item.input.body
    return body.due if isinstance(body, TimerDue) else item.input.received
