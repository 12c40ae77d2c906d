"""One turn of the writer: a bounded group of inputs, decided and written in one transaction.

Nothing here is visible before the commit: the group works on a copy of the memory. The lanes are changed in place;
when the commit fails they are loaded again from the table, which is the truth.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from warroom.domain.chain import BEGIN, End
from warroom.domain.decision import NO_PACK, Context, Decision, Route
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.inputs import EffectResult, Input, TimerDue
from warroom.engine.delivery import Delivery
from warroom.engine.lanes import Buckets, Lanes, Pending, Picked
from warroom.engine.memory import RECENT, Entry, Memory, PackShelf, entry_of
from warroom.engine.work import Back, DecisionFailedError, Item, Receipt, Rules, Tuning
from warroom.store import codec, rows
from warroom.store.rows import Row, StoredEffect
from warroom.store.tables import SYSTEM
from warroom.store.transaction import Batch, History, Seen, Transaction

log = structlog.get_logger(__name__)

Timer = tuple[datetime, str, str]
"""Due (UTC), incident, key."""


@dataclass(slots=True)
class Group:
    """Decides and writes; afterwards says what to answer, what to start, and when to wake."""

    setup: Setup
    tx: Transaction
    now: datetime
    memory: Memory
    lanes: Lanes
    delivery: Delivery
    busy: Mapping[str, Pending]
    held: Mapping[Timer, datetime]
    answers: list[tuple[Item, Receipt | DecisionFailedError]] = field(default_factory=list)
    picked: Picked = field(default_factory=Picked)
    failed_timers: list[Timer] = field(default_factory=list)
    lost: list[Pending] = field(default_factory=list)
    due: datetime | None = None
    more: bool = False
    _batch: Batch = field(init=False)
    _histories: dict[str, History] = field(default_factory=dict)
    _seen: dict[tuple[str, str], Seen] = field(default_factory=dict)
    _failed: dict[tuple[str, str], DecisionFailedError] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)
    _opened: set[str] = field(default_factory=set)
    _new: list[tuple[Row, Pending]] = field(default_factory=list)
    _rows: dict[str, Row] = field(default_factory=dict)
    _horizon: datetime | None = None
    _revision: int = 0
    _seq: int = 0
    _number: int = 0

    def __post_init__(self) -> None:
        self._batch = Batch(self.now)

    # --- the turn ---------------------------------------------------------------------------------------------

    async def run(
        self, items: Sequence[Item], backs: Sequence[Back], *, reload: bool, sweep: bool, start: bool
    ) -> None:
        """The whole turn inside the transaction; raises what the store raises. `start`: new calls may begin."""
        position = await self.tx.position(self.now.year)
        self._revision, self._seq, self._number = position.revision + 1, position.seq, position.number
        if reload:
            self.memory, recovered = Memory(), await self.tx.failed_results()
            items = [*items, *(Item(rows.input_of(row)) for row in recovered)]
        if position.revision > self.memory.revision or reload:
            await self._catch_up()
        if not self.setup.exclusive or reload:
            await self._own(reload=reload, sweep=sweep)
        items = await self._fence(items, backs)
        timers = await self._due() if position.due is not None and position.due <= self.now else []
        await self._prepare([*items, *timers])
        for item in sorted([*items, *timers], key=_moment):
            await self._take(item)
        for back in backs:
            self._back(back)
        await self._enlist()
        await self._load(self.lanes.incidents)
        if start:
            self._pick()
        await self._write()
        changed = bool(timers or self._batch.timers_gone or self._batch.timers_set)
        self.due = await self.tx.next_due() if changed else position.due

    # --- inputs -------------------------------------------------------------------------------------------------

    async def _prepare(self, items: Sequence[Item]) -> None:
        """Looks up which inputs were here before."""
        if items:
            self._seen = await self.tx.seen((_key(item.input)) for item in items)

    async def _take(self, item: Item) -> None:
        """Decides one input. What a rule gets wrong is that input's fate alone."""
        key = _key(item.input)
        if self._stale(item.input.body):
            return None
        seen = self._seen.get(key)
        if seen and not seen.failed:
            self._forget(item)
            self.answers.append((item, Receipt(seen.answer, seen.incident, duplicate=True)))
            return None
        if key in self._failed:
            self._forget(item)
            self.answers.append((item, self._failed[key]))
            return None
        try:
            if item.poison:
                raise ValueError(item.poison)
            route = self.setup.rules.route(item.input, self.memory.shown(), self.setup.shelf.current)
        except Exception as error:
            return self._fail(item, None, error)
        if route.incident is not None:
            await self._load([route.incident])
        try:
            outcome = self._decide(item.input, route)
        except Exception as error:
            return self._fail(item, route.incident, error)
        self._apply(item, outcome)
        return None

    def _stale(self, body: object) -> bool:
        """Whether it is a timer that was changed meanwhile, or one that an earlier due time has overtaken."""
        if not isinstance(body, TimerDue):
            return False
        entry = self.memory.entries.get(body.incident)
        if entry is not None and entry.timers.get(body.key) != body.due:
            return True
        overtaken = self._horizon is not None and self._horizon < body.due
        self.more |= overtaken
        return overtaken

    # --- what follows from a decision -----------------------------------------------------------------------------

    def _apply(self, item: Item, outcome: _Outcome) -> None:
        """Takes a decision over into the memory and the rows; nothing here can fail."""
        decision, incident, batch = outcome.decision, outcome.decision.incident, self._batch
        batch.facts += outcome.facts
        if outcome.system != self.memory.system:
            self.memory.system = outcome.system
            self._touched.add(SYSTEM)
        if incident is not None:
            if outcome.entry is None:
                self._number += 1
                self._opened.add(incident.id)
            timers = self._timers(incident.id, outcome.entry, decision.timers, item.input.body)
            for row, effect in outcome.effects:
                self._seq += 1
                row["seq"] = self._seq
                pending = Pending(row["id"], incident.id, self._seq, effect, since=time.monotonic())
                self._new.append((row, pending))
            known = outcome.entry.keys if outcome.entry else frozenset()
            keys = known.union(effect.key for _, effect in outcome.effects)
            self.memory.put(Entry(incident, outcome.end, timers, keys))
            self._touched.add(incident.id)
            self.lanes.touch(incident.id)
        elif isinstance(item.input.body, TimerDue):
            self._forget(item)
        self._finish(item)
        self._record(item, outcome.inbox)
        receipt = Receipt(decision.answer, outcome.inbox["incident_id"], duplicate=False)
        self._seen[_key(item.input)] = Seen(False, receipt.incident_id, receipt.answer)
        self.answers.append((item, receipt))

    def _timers(
        self, id_: str, entry: Entry | None, wanted: Mapping[str, datetime], body: object
    ) -> Mapping[str, datetime]:
        """Replaces an incident's timers, writing only what changes. A timer that fired does not stay."""
        before = entry.timers if entry else {}
        fired = (body.key, body.due) if isinstance(body, TimerDue) else None
        timers = {key: due for key, due in wanted.items() if (key, due) != fired}
        gone = [key for key, due in before.items() if timers.get(key) != due]
        self._batch.timers_gone += [{"b_id": id_, "b_key": key} for key in gone]
        new = {key: due for key, due in timers.items() if before.get(key) != due}
        self._batch.timers_set += [{"incident_id": id_, "key": key, "due": due} for key, due in new.items()]
        for due in new.values():
            if due <= self.now:
                self._horizon = min(due, self._horizon or due)
                self.more = True
        return timers

    def _forget(self, item: Item) -> None:
        """The input has been dealt with before: its effect is finished, its timer goes."""
        self._finish(item)
        body = item.input.body
        if isinstance(body, TimerDue):
            entry = self.memory.entries.get(body.incident)
            if entry is not None:
                timers = {key: due for key, due in entry.timers.items() if (key, due) != (body.key, body.due)}
                self.memory.entries[body.incident] = Entry(entry.incident, entry.end, timers, entry.keys)
                self._touched.add(body.incident)
            self._batch.timers_gone.append({"b_id": body.incident, "b_key": body.key})

    def _finish(self, item: Item) -> None:
        """Marks the effect whose outcome the input tells."""
        pending, body = item.result_of, item.input.body
        if pending is None or not isinstance(body, EffectResult):
            return
        self.lanes.remove(pending)
        self._batch.settled.append(
            {"b_id": pending.id, "state": body.outcome, "settled_at": self.now, "error": codec.clean(body.error)}
        )

    def _fail(self, item: Item, incident: str | None, error: Exception) -> None:
        """Keeps the input as failed; a repeat of it will be tried again."""
        reason = f"{type(error).__name__}: {error}"
        key = _key(item.input)
        log.error("decision_failed", source=key[0], source_id=key[1], incident=incident, exc_info=error)
        self._finish(item)
        known = incident if incident in self.memory.entries else None
        try:
            row = rows.inbox_row(item.input, known, None, error=reason)
        except (TypeError, ValueError):
            row = rows.inbox_row(item.input, known, None, error=reason, body=codec.text(repr(item.input.body)))
        self._record(item, row)
        if isinstance(item.input.body, TimerDue):
            body = item.input.body
            self.failed_timers.append((body.due, body.incident, body.key))
        self._failed[key] = DecisionFailedError(f"this could not be handled and was kept to be looked at: {reason}")
        self.answers.append((item, self._failed[key]))

    def _record(self, item: Item, row: Row) -> None:
        if _key(item.input) in self._seen:
            self._batch.retried.append(row | {"b_source": row["source"], "b_source_id": row["source_id"]})
        else:
            self._batch.inbox.append(row)

    # --- effects ----------------------------------------------------------------------------------------------------

    def _back(self, back: Back) -> None:
        """An effect waits again, unless a newer one has taken its place."""
        pending = back.pending
        if pending.id not in self.lanes:
            return None
        if not back.doubt:
            pending.doubt = False
            if not self.lanes.newest(pending):
                self.lanes.remove(pending)
                self.lost.append(pending)
                return self._settle_dropped(pending)
            row = {"b_id": pending.id, "state": "waiting", "not_before": back.not_before}
            self._batch.requeued.append(row | {"error": codec.clean(back.error)})
        self.lanes.back(pending, back.not_before)
        return None

    def _settle_dropped(self, pending: Pending) -> None:
        self._batch.settled.append({"b_id": pending.id, "state": "dropped", "settled_at": self.now, "error": ""})

    async def _enlist(self) -> None:
        """New effects join the lanes, in place of those they make pointless; other processes' lanes get theirs."""
        owners: Mapping[tuple[str, str], str] = {}
        if not self.setup.exclusive:
            foreign = {
                p.incident
                for _, p in self._new
                if p.effect.lane and p.incident not in self._opened and not self.lanes.holds(p.incident, p.effect.lane)
            }
            owners = await self.tx.owners(foreign) if foreign else {}
        for row, pending in self._new:
            effect = pending.effect
            replaced = self.lanes.replaced(pending.incident, effect.coalesce, pending.seq)
            for old in replaced:
                self.lanes.remove(old)
            if replaced or (effect.coalesce and not self.setup.exclusive):
                self._batch.dropped.append(self._drop_row(pending))
            row["owner"] = owners.get((pending.incident, effect.lane), self.setup.owner)
            if row["owner"] == self.setup.owner:
                self.lanes.add(pending)
                self._rows[pending.id] = row
            self._batch.effects.append(row)

    def _drop_row(self, pending: Pending) -> Row:
        needed = sorted({key for other in self.lanes.of(pending.incident) for key in other.effect.after})
        return {
            "b_incident": pending.incident,
            "b_mark": pending.effect.coalesce,
            "b_seq": pending.seq,
            "b_spare": needed,
            "b_at": self.now,
        }

    def _pick(self) -> None:
        """Takes what may start, and records its attempt with everything else."""
        self.picked = self.lanes.pick(self.now, self._look, self._buckets)
        for pending in self.picked.start:
            if pending.doubt:
                continue
            pending.attempt += 1
            row = self._rows.get(pending.id)
            if row is not None:
                row |= {"state": "sending", "attempt": 1, "attempted_at": self.now}
            else:
                self._batch.start.append(pending.id)

    def _look(self, id_: str) -> Incident | None:
        entry = self.memory.entries.get(id_)
        return entry.incident if entry else None

    def _buckets(self, pending: Pending) -> Buckets:
        incident = self.memory.entries[pending.incident].incident
        return self.delivery.buckets(pending, incident, self.setup.shelf.frozen(incident.pack_hash))

    # --- writing ----------------------------------------------------------------------------------------------------

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
            row = rows.system_row(self.memory.system, self.now, self._revision)
            first = self.memory.system.count == len([f for f in batch.facts if f["incident_id"] == SYSTEM])
            (batch.opened if first else batch.changed).append(row if first else row | {"b_id": SYSTEM})
        if self._touched:
            self.memory.revision = self._revision
        started = await self.tx.write(batch)
        for pending in [p for p in self.picked.start if p.id in batch.start and p.id not in started]:
            self.picked.start.remove(pending)
            self.lanes.remove(pending)

    async def _freeze(self, hash: str) -> None:
        """Keeps the pack of an incident that opens, once for each hash."""
        if hash in self.memory.stored or any(row["hash"] == hash for row in self._batch.packs):
            return
        self.memory.stored.add(hash)
        if await self.tx.pack(hash) is None:
            pack = self.setup.shelf.frozen(hash).pack
            self._batch.packs.append({"hash": hash, "id": pack.id, "text": self.setup.shelf.freeze(pack)})


def _key(input: Input) -> tuple[str, str]:
    return codec.clean(input.source), codec.clean(input.source_id)


def _moment(item: Item) -> datetime:
    body = item.input.body
    return body.due if isinstance(body, TimerDue) else item.input.received


