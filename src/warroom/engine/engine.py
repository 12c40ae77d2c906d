"""The engine: what is submitted is written, decided and carried out.

    async with Engine(store, rules=…, shelf=…, performers=…, clock=…, limits=…) as engine:
        receipt = await engine.submit(input)

One writer task decides everything that waits, as a group, in one transaction. Effects that may start at once have
their attempt recorded in that same transaction, so that between an alert and the first call there is one commit.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import random as machine_random
from types import TracebackType
from typing import Self
from uuid import uuid4

import structlog

from warroom.domain.decision import Card
from warroom.domain.evolve import fold
from warroom.domain.facts import Fact
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, TimerDue
from warroom.engine.between import Between
from warroom.engine.deciding import Setup
from warroom.engine.delivery import Delivery
from warroom.engine.group import Group
from warroom.engine.lanes import Lanes, Pending
from warroom.engine.limits import Limits
from warroom.engine.memory import RECENT, Memory, PackShelf
from warroom.engine.metrics import Metrics
from warroom.engine.ports import Clock, Performer
from warroom.engine.reading import Timer
from warroom.engine.timers import Waker
from warroom.engine.work import Back, Item, Receipt, Rules, Tuning, Work, trace
from warroom.errors import StoreError
from warroom.store.store import Backlog, BadRowsError, Store

log = structlog.get_logger(__name__)

FORGET = timedelta(hours=1)
"""How often closed incidents are dropped from memory."""

STALLED = 4.0
"""Real seconds after which a group that is still being written counts as trouble: a lock, a database that hangs."""

CROWD = 1.0
"""Real seconds for which those who wait for an answer may keep calls that are not urgent from starting."""


class Engine:
    """One process's engine over a store. `owner` names the process among replicas."""

    def __init__(
        self,
        store: Store,
        *,
        rules: Rules,
        shelf: PackShelf,
        performers: Sequence[Performer],
        clock: Clock,
        limits: Limits,
        tuning: Tuning | None = None,
        metrics: Metrics | None = None,
        random: Callable[[], float] = machine_random,
        owner: str | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tuning = tuning or Tuning()
        self.metrics = metrics or Metrics()
        self.owner = owner or uuid4().hex
        self._setup = Setup(rules, shelf, self._tuning, self.owner, store.exclusive)
        self._memory = Memory()
        self._lanes = Lanes(limits, self._tuning.cap)
        everybody = (*performers, Between(self.submit, clock))
        self._delivery = Delivery(everybody, limits, clock, self._tuning, self.metrics, random, self._post)
        self._waker = Waker(clock, self._on_wake, self._tuning.sweep)
        self._outside: deque[Item] = deque()
        self._inside: deque[Work] = deque()
        self._busy: dict[str, Pending] = {}
        self._held: dict[Timer, datetime] = {}
        self._work = asyncio.Event()
        self._quiet = asyncio.Event()
        self._crowd: float | None = None
        self._next: datetime | None = None
        self._reload = True
        self._sweep = True
        self._failure: str | None = None
        self._began: float | None = None
        self._forgot: datetime | None = None
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Loads open incidents, unfinished effects and overdue timers, and begins. Raises StoreError."""
        await self._commit([], [])
        self._waker.start()
        self._waker.at(self._next)
        self._writer = asyncio.create_task(self._write(), name="writer")
        self._work.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Starts no new calls, gives those under way their grace, writes what is queued, and ends."""
        self._stopping = True
        self._waker.stop()
        self._work.set()
        if self._writer is not None:
            await asyncio.wait([self._writer])
        await self._delivery.close()
        while self._inside:
            await self._turn(*self._gather())
        if not self._store.exclusive:
            try:
                async with self._store.transaction(self.owner) as tx:
                    await tx.leave()
            except StoreError as reason:
                log.warning("lease_kept", error=str(reason))

    # --- questions ------------------------------------------------------------------------------------------------

    async def submit(self, input: Input) -> Receipt:
        """Takes an input; returns when it is decided and committed.

        Raises DecisionFailedError when the rules could not handle it (it is kept as failed), StoreError when it is
        not on disk, and ValueError when `received` is not an aware time.
        """
        if input.received.utcoffset() is None:
            raise ValueError("the time an input was received must be aware")
        if self._stopping or self._writer is None or self._writer.done():
            raise StoreError("the engine is not running; try again in a moment")
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._outside.append(Item(input, future))
        self._kick()
        return await asyncio.shield(future)

    def cards(self) -> tuple[Card, ...]:
        """Open incidents and those of the last days in short, oldest first."""
        return self._memory.shown()

    async def incident(self, id_: str) -> Incident | None:
        """An incident as it stands; None when there is none of that name."""
        entry = self._memory.entries.get(id_)
        return entry.incident if entry else fold(await self.facts(id_))

    async def facts(self, id_: str) -> list[Fact]:
        """The facts of an incident, in the order recorded."""
        return await self._store.facts(id_)

    async def backlog(self) -> Backlog:
        """What is owed now; also sets the gauges."""
        backlog = await self._store.backlog(self._clock.now())
        self.metrics.waiting.set(sum(backlog.waiting.values()))
        self.metrics.flying.set(self._delivery.under_way)
        return backlog

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written down, in a sentence.

        None when the last group that had something to write was written, and none hangs.
        """
        if self._writer is None or self._writer.done():
            return "nothing is written down any more, for the writer has ended; start warroom again"
        waited = 0.0 if self._began is None else time.monotonic() - self._began
        if self._failure is None and waited > STALLED:
            return f"the database has not taken what is to be written for {waited:.0f} s"
        return self._failure

    @property
    def wakes_at(self) -> datetime | None:
        """The next moment (UTC) at which a timer is due or an effect may be tried again; None when nothing waits."""
        return self._next

    async def settled(self) -> None:
        """Returns when nothing is queued or under way, and nothing could start now."""
        self._on_wake()
        await self._quiet.wait()

    # --- the writer -----------------------------------------------------------------------------------------------

    def _post(self, work: Work) -> None:
        self._inside.append(work)
        self._kick()

    def _kick(self) -> None:
        self._quiet.clear()
        self._work.set()

    def _on_wake(self) -> None:
        """A sweep, a moment that has come, or a jump of the clock."""
        self._sweep = True
        late = self._next is not None and self._next <= self._clock.now()
        if late or self._reload or self._held or not self._store.exclusive:
            self._kick()

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            items, backs = self._gather()
            self._began = time.monotonic()
            await self._turn(items, backs)
            self._began = None
            if self._outside or self._inside:
                self._work.set()
            elif self._stopping:
                return
            elif not self._busy and not self._work.is_set():
                self._quiet.set()

    def _gather(self) -> tuple[list[Item], list[Back]]:
        """A bounded group; a part of it is kept for people and alerts, however much of our own waits."""
        size = self._tuning.group
        inside = min(len(self._inside), max(size // 4, size - len(self._outside)))
        items = [self._outside.popleft() for _ in range(min(len(self._outside), size - inside))]
        backs: list[Back] = []
        for _ in range(inside):
            work = self._inside.popleft()
            if isinstance(work, Back):
                backs.append(work)
            else:
                items.append(work)
        return items, backs

    async def _turn(self, items: list[Item], backs: list[Back]) -> None:
        """One group: committed, or refused to everybody in it. A value the database cannot take is singled out."""
        try:
            await self._commit(items, backs)
        except BadRowsError as error:
            self._reload = True  # the database works, so this is no trouble of the whole
            if len(items) + len(backs) > 1:
                for item in items:
                    await self._turn([item], [])
                for back in backs:
                    await self._turn([], [back])
            elif items and not items[0].poison:
                items[0].poison = str(error)
                await self._turn(items, [])
            else:
                self._refused(items, backs, error)
        except StoreError as error:
            self._failed(items, backs, error)
        except Exception as error:  # a mistake of ours must not leave senders waiting for ever
            log.error("turn_failed", trace=trace(error))
            self._failed(items, backs, StoreError(f"nothing was written: {type(error).__name__}: {error}"))

    def _failed(self, items: list[Item], backs: list[Back], error: StoreError) -> None:
        """The whole group was not written; what is in the lanes and in memory is loaded again first."""
        self._reload, self._failure = True, str(error)
        self._refused(items, backs, error)

    async def _commit(self, items: list[Item], backs: list[Back]) -> None:
        begin = time.monotonic()
        now = self._clock.now()
        sweep, self._sweep = self._sweep, False
        async with self._store.transaction(self.owner) as tx:
            memory = Memory() if self._reload else self._memory.copy()
            group = Group(self._setup, tx, now, memory, self._lanes, self._delivery)
            await group.run(
                items,
                backs,
                busy=self._busy,
                held=self._held,
                reload=self._reload,
                sweep=sweep,
                start=not self._stopping,
                urgent=self._crowded(begin),
                doubtful=self._failure is not None,
            )
        self._reload, self._failure = group.astray, None
        self._publish(group, items, backs, now)
        if items:
            self.metrics.group.observe(len(items))
            self.metrics.commit.observe(time.monotonic() - begin)

    def _crowded(self, now: float) -> bool:
        """Whether people wait for an answer: they come before all calls but the first alerts, for a moment."""
        if not self._outside:
            self._crowd = None
            return False
        self._crowd = self._crowd or now
        return now - self._crowd < CROWD

    def _publish(self, group: Group, items: list[Item], backs: list[Back], now: datetime) -> None:
        """Makes what was committed visible, starts calls and answers."""
        self._memory = group.memory
        for pending in (*(i.result_of for i in items), *(b.pending for b in backs), *group.lost):
            if pending is not None:
                self._busy.pop(pending.id, None)
        for pending in group.picked.start:
            self._busy[pending.id] = pending
            incident = self._memory.entries[pending.incident].incident
            self._delivery.launch(pending, incident, self._setup.shelf.frozen(incident.pack_hash))
        for pending, reason in group.picked.refuse:
            self._busy[pending.id] = pending
            self._delivery.refuse(pending, reason)
        for item, answer in group.answers:
            self._answer(item, answer)
        self._held = {timer: until for timer, until in self._held.items() if until > now}
        self._held |= dict.fromkeys(group.failed_timers, now + self._tuning.holdoff)
        due = group.due if group.due is None or group.due > now or group.more else None
        self._next = min((moment for moment in (due, group.picked.again) if moment), default=None)
        if group.more:
            self._work.set()
        self._waker.at(self._next)
        if self._forgot is None or now - self._forgot > FORGET:
            self._forgot = now
            self._memory.forget(now - RECENT, self._lanes.incidents)

    def _answer(self, item: Item, answer: Receipt | Exception) -> None:
        fate = "failed" if isinstance(answer, Exception) else "duplicate" if answer.duplicate else "decided"
        self.metrics.inputs.labels(item.input.source, fate).inc()
        if isinstance(item.input.body, TimerDue):
            self.metrics.timers_late.observe((item.input.received - item.input.body.due).total_seconds())
        if item.future is None or item.future.done():
            return
        if isinstance(answer, Exception):
            item.future.set_exception(answer)
        else:
            item.future.set_result(answer)

    def _refused(self, items: list[Item], backs: list[Back], error: StoreError) -> None:
        """Nothing was written: senders are told, and our own work is tried again."""
        log.error("commit_failed", inputs=len(items) + len(backs), error=str(error))
        loop = asyncio.get_running_loop()
        for item in items:
            if item.future is not None:
                self._answer(item, StoreError(str(error)))
            elif not self._stopping:
                loop.call_later(self._tuning.retry, self._post, item)
        for back in backs:
            if not self._stopping:
                loop.call_later(self._tuning.retry, self._post, back)
