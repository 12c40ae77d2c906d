"""Takes reports in: many are written in one transaction, then weighed by the pack's rules beside it.

What was written and not weighed when the process ended is weighed at the next start: the table says how far we are.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
from prometheus_client import CollectorRegistry, Counter

from warroom.domain.breaker import Seen, detections
from warroom.domain.decision import LoadedPack
from warroom.domain.inputs import Detection, Input
from warroom.domain.procedures import AlertRule, Threshold, Violations
from warroom.domain.violation import Violation
from warroom.engine.ports import Clock
from warroom.errors import StoreError
from warroom.store.violations import AT_ONCE, Reported, ViolationStore

SOURCE = "violations"
RETRY = 1.0
"""Real seconds after which weighing is tried again."""

LOGGED = 20
"""So many ids stand in a line of the log; all of them are in the table."""

log = structlog.get_logger("warroom.violations")


@dataclass(frozen=True)
class Taken:
    """How many violations of a report were new, and how many were there before."""

    accepted: int
    duplicates: int


class Intake:
    """Writes and weighs reports. `submit` takes detections and returns when they are decided.

    async with Intake(store, packs=…, submit=engine.submit, clock=…, registry=…) as intake:
        taken = await intake.take(reported)
    """

    def __init__(
        self,
        store: ViolationStore,
        *,
        packs: Mapping[str, LoadedPack],
        submit: Callable[[Input], Awaitable[object]],
        clock: Clock,
        registry: CollectorRegistry,
    ) -> None:
        self._store = store
        self._packs = {name: p.pack.violations for name, p in packs.items() if p.pack.violations is not None}
        self._submit = submit
        self._clock = clock
        self._counter = Counter(
            "warroom_violations",
            "Violations reported, by pack, level and whether they were new.",
            ["pack", "level", "fate"],
            registry=registry,
        )
        self._queue: deque[tuple[Sequence[Reported], asyncio.Future[Taken]]] = deque()
        self._work = asyncio.Event()
        self._weigh = asyncio.Event()
        self._calm = asyncio.Event()
        self._owed = 0
        self._far: dict[str, int] = {}
        self._unmarked: dict[str, int] = {}
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None
        self._weigher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins; first of all with what an earlier process left unweighed."""
        self._writer = asyncio.create_task(self._write(), name="violations")
        self._weigher = asyncio.create_task(self._weighing(), name="weighing")
        self._weigh.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes what was taken, and ends; what is not weighed yet is weighed at the next start."""
        self._stopping = True
        self._work.set()
        if self._writer is not None and self._weigher is not None:
            await self._writer
            self._weigher.cancel()
            await asyncio.gather(self._weigher, return_exceptions=True)
        try:
            await self._mark()
        except StoreError as reason:
            log.warning("violations_weighed_again_at_start", reason=str(reason))

    async def take(self, reported: Sequence[Reported]) -> Taken:
        """Returns when the report is on disk. Raises StoreError when it is not."""
        if self._stopping or self._writer is None or self._writer.done():
            raise StoreError("violation reports are not taken just now; send it again in a moment")
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._queue.append((reported, future))
        self._owed += 1
        self._calm.clear()
        self._work.set()
        return await asyncio.shield(future)

    async def settled(self) -> None:
        """Returns when everything taken has been weighed."""
        await self._calm.wait()

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._queue:
                await self._write_some()
            if self._stopping:
                return

    async def _write_some(self) -> None:
        """A bounded group of reports, in one transaction: decisions come in between."""
        group = [self._queue.popleft()]
        while self._queue and sum(len(r) for r, _ in group) + len(self._queue[0][0]) <= AT_ONCE:
            group.append(self._queue.popleft())
        reported = [one for report, _ in group for one in report]
        marks, self._unmarked = self._unmarked, {}
        try:
            fresh = await self._store.add(reported, marks)
        except Exception as error:  # whatever it is, senders must not wait for ever
            self._unmarked = {**marks, **self._unmarked}
            log.error("violations_not_written", count=len(reported), reason=f"{type(error).__name__}: {error}")
            for _, future in group:
                _settle(future, StoreError(str(error)))
            self._owed -= len(group)
            self._weigh.set()
            return
        self._count(reported, fresh)
        begin = 0
        for report, future in group:
            accepted = sum(fresh[begin : begin + len(report)])
            begin += len(report)
            _settle(future, Taken(accepted, len(report) - accepted))
        self._owed -= len(group)
        self._weigh.set()

    def _count(self, reported: Sequence[Reported], fresh: Sequence[bool]) -> None:
        """Counts every violation, and logs those that are new: a line for each pack and level, whatever its level."""
        new: dict[tuple[str, str], list[str]] = {}
        for one, first in zip(reported, fresh, strict=True):
            self._counter.labels(one.pack, one.violation.level, "new" if first else "duplicate").inc()
            if first:
                new.setdefault((one.pack, one.violation.level), []).append(one.violation.id)
        for (pack, level), ids in new.items():
            log.info("violations_reported", pack=pack, level=level, count=len(ids), ids=ids[:LOGGED])

    async def _weighing(self) -> None:
        while True:
            await self._weigh.wait()
            self._weigh.clear()
            try:
                for pack, policy in self._packs.items():
                    while await self._weigh_some(pack, policy):
                        pass
                if not self._queue:
                    await self._mark()
            except Exception as error:  # a mistake of ours must not end the weighing for good
                log.error("violations_not_weighed", reason=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY)
                self._weigh.set()
            if not self._weigh.is_set() and not self._owed:
                self._calm.set()

    async def _weigh_some(self, pack: str, policy: Violations) -> bool:
        """Weighs the next violations; False when there are none. What they set off is decided before they count."""
        new, last = await self._store.unweighed(pack, self._far.get(pack))
        self._far.setdefault(pack, last)
        if not new:
            return False
        seen = Seen(new=new, near=await self._near(pack, policy, new), counts=await self._counts(pack, policy, new))
        for found in detections(pack, policy, seen):
            await self._report(found)
        self._far[pack] = self._unmarked[pack] = last
        return True

    async def _report(self, found: Detection) -> None:
        log.info("violations_detected", pack=found.pack, key=found.key, severity=found.severity, why=found.reason)
        given = Input(source=SOURCE, source_id=f"{found.pack}:{found.key}", received=self._clock.now(), body=found)
        await self._submit(given)

    async def _mark(self) -> None:
        if self._unmarked:
            marks, self._unmarked = self._unmarked, {}
            await self._store.add((), marks)

    async def _near(self, pack: str, policy: Violations, new: Sequence[Violation]) -> list[Violation]:
        """The new violations and those that could fill a window together with them."""
        found = {v.id: v for v in new}
        rules: list[Threshold | AlertRule] = [*policy.breaker, *(r for r in policy.rules if r.rise_pct is None)]
        for level in {rule.level for rule in rules}:
            looks = [rule for rule in rules if rule.level == level and rule.count > 1]  # one alone needs no other
            if not looks:
                continue
            widest, most = max(rule.within for rule in looks), max(rule.count for rule in looks)
            for first, last in _runs(sorted(v.at for v in new if level in (None, v.level)), widest):
                near = await self._store.near(pack, level, first, last, widest, most)
                found.update((v.id, v) for v in near)
        return list(found.values())

    async def _counts(self, pack: str, policy: Violations, new: Sequence[Violation]) -> Mapping[str, tuple[int, int]]:
        """For each rule of a trend, the violations of its last span and of the one before."""
        now = max(self._clock.now(), *(v.at for v in new))
        counts: dict[str, tuple[int, int]] = {}
        for rule in policy.rules:
            if rule.rise_pct is not None:
                middle = now - rule.within
                last = await self._store.between(pack, rule.level, middle, now)
                before = await self._store.between(pack, rule.level, middle - rule.within, middle)
                counts[rule.id] = (last, before)
        return counts


def _settle(future: "asyncio.Future[Taken]", result: Taken | StoreError) -> None:
    if future.done():
        return
    if isinstance(result, StoreError):
        future.set_exception(result)
    else:
        future.set_result(result)


def _runs(times: Sequence[datetime], gap: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """The first and last of each stretch of ordered times without a gap longer than `gap`."""
    for index, time in enumerate(times):
        if index == 0 or time - times[index - 1] > gap:
            first = time
        if index + 1 == len(times) or times[index + 1] - time > gap:
            yield first, time
