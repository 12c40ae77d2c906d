"""Makes the calls, and says what became of them. Every outcome goes back through the writer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.inputs import EffectResult, Input
from warroom.engine.lanes import Buckets, Pending
from warroom.engine.limits import Limits
from warroom.engine.memory import PackShelf
from warroom.engine.metrics import Metrics
from warroom.engine.ports import Clock, Job, Performer
from warroom.engine.work import Back, Item, Tuning, Work, trace
from warroom.errors import Refused, TryAgain, Uncertain

log = structlog.get_logger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class _Done:
    result: Mapping[str, object]


@dataclass(frozen=True)
class _Again:
    reason: str
    after: float | None = None


@dataclass(frozen=True)
class _Refused:
    reason: str


@dataclass(frozen=True)
class _Doubt:
    reason: str


_Outcome = _Done | _Again | _Refused | _Doubt | None


class Delivery:
    """Calls performers. `post` takes what became of each call; `random` gives numbers in [0, 1) for jitter."""

    def __init__(
        self,
        performers: Sequence[Performer],
        limits: Limits,
        clock: Clock,
        tuning: Tuning,
        metrics: Metrics,
        random: Callable[[], float],
        post: Callable[[Work], None],
    ) -> None:
        self._performers = {kind: performer for performer in performers for kind in performer.kinds}
        self._limits = limits
        self._clock = clock
        self._tuning = tuning
        self._metrics = metrics
        self._random = random
        self._post = post
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """How many calls are under way."""
        return len(self._tasks)

    def buckets(self, pending: Pending, incident: Incident, shelf: PackShelf) -> Buckets:
        """The limits that the next attempt draws on. Raises Refused when nothing here can perform it."""
        performer = self._performers.get(pending.effect.kind)
        if performer is None:
            raise Refused(f"nothing in this deployment performs {pending.effect.kind}")
        try:
            pack = shelf.frozen(incident.pack_hash)
            return performer.buckets(self._job(pending, incident, pack, pending.attempt + 1))
        except Exception as error:
            log.error("buckets_failed", kind=pending.effect.kind, effect=pending.id, trace=trace(error))
            raise Refused(f"it could not be prepared: {type(error).__name__}: {error}") from error

    def launch(self, pending: Pending, incident: Incident, pack: LoadedPack) -> None:
        """Starts the call; its attempt is on disk."""
        job = self._job(pending, incident, pack, pending.attempt)
        task = asyncio.create_task(self._fly(pending, job), name=f"effect {pending.effect.kind} {pending.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._landed(done, pending))

    def refuse(self, pending: Pending, reason: str) -> None:
        """The effect is given up without a call; what may have happened before is unknown then."""
        self._settle(pending, "unknown" if pending.doubt else "refused", error=reason)

    async def close(self) -> None:
        """Gives the calls under way their grace, then leaves them to be reconciled by the next start."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._tuning.grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _job(self, pending: Pending, incident: Incident, pack: LoadedPack, attempt: int) -> Job:
        return Job(
            id=pending.id,
            effect=pending.effect,
            incident=incident,
            pack=pack,
            attempt=attempt,
            now=self._clock.now(),
        )

    async def _fly(self, pending: Pending, job: Job) -> None:
        performer = self._performers[pending.effect.kind]
        pending.begun = pending.begun or job.now
        if not pending.doubt:
            outcome = await self._call(performer.perform, job, pending)
            match outcome:
                case _Done():
                    return self._settle(pending, "done", outcome.result, started=job.now)
                case _Refused():
                    return self._settle(pending, "refused", error=outcome.reason, started=job.now)
                case _Again():
                    return self._again(pending, job, outcome)
            pending.doubt = True
        found = await self._call(performer.find, job, pending)
        match found:
            case _Done():
                self._settle(pending, "done", found.result, started=job.now)
            case None:
                self._again(pending, job, _Again("it did not take effect", after=0.0 if pending.attempt <= 1 else None))
            case _Again():
                self._look_later(pending, found)
            case _Refused() | _Doubt():
                self._settle(pending, "unknown", error=found.reason, started=job.now)
        return None

    async def _call(
        self, call: Callable[[Job], Awaitable[Mapping[str, object] | None]], job: Job, pending: Pending
    ) -> _Outcome:
        looking = pending.doubt
        try:
            async with asyncio.timeout(self._tuning.timeout):
                result = await call(job)
        except TryAgain as error:
            return _Again(str(error), error.after)
        except Refused as error:
            return _Refused(str(error))
        except Uncertain as error:
            return _Doubt(str(error))
        except TimeoutError:
            reason = f"no answer within {self._tuning.timeout:.0f} s"
            return _Again(reason) if looking else _Doubt(reason)
        except Exception as error:
            log.error("performer_failed", kind=pending.effect.kind, effect=pending.id, trace=trace(error))
            return _Doubt(f"{type(error).__name__}: {error}")
        return None if result is None else _Done(result)

    def _again(self, pending: Pending, job: Job, outcome: _Again) -> None:
        """Back to waiting, or given up when patience ends."""
        if outcome.after:
            for name in pending.drew[-1:]:  # the narrowest is named last: others may go on
                self._limits.pause(name, outcome.after)
        now = self._clock.now()
        patience = self._tuning.patience(pending.effect)
        if pending.attempt >= patience.attempts or now - (pending.begun or now) >= patience.age:
            reason = f"given up after {pending.attempt} attempts: {outcome.reason}"
            return self._settle(pending, "refused", error=reason, started=job.now)
        self._metrics.effects.labels(pending.effect.kind, "again").inc()
        if now - pending.effect.at >= self._tuning.worry and not pending.told:
            pending.told = True
            self._post(Item(self._news(pending, "delayed", error=outcome.reason)))
        self._post(Back(pending, self._after(now, pending.attempt, outcome.after), outcome.reason))
        return None

    def _look_later(self, pending: Pending, outcome: _Again) -> None:
        """The look did not come about: look again, or say that nobody knows."""
        pending.finds += 1
        now = self._clock.now()
        patience = self._tuning.patience(pending.effect)
        if pending.finds >= patience.attempts or now - pending.effect.at >= patience.age:
            return self._settle(pending, "unknown", error=f"it could not be looked up: {outcome.reason}")
        moment = self._after(now, pending.finds, outcome.after)
        self._post(Back(pending, moment, outcome.reason, doubt=True))
        return None

    def _after(self, now: datetime, tries: int, after: float | None) -> datetime:
        """When to try again: when the other side says, else twice as late each time."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries - 1, 10)) * (0.75 + self._random() / 2)
        return now + timedelta(seconds=pause if after is None else after)

    def _landed(self, task: asyncio.Task[None], pending: Pending) -> None:
        """The call is over. A mistake of ours in handling it must not leave the effect without an end."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("delivery_failed", kind=pending.effect.kind, effect=pending.id, trace=trace(error))
            self._settle(pending, "unknown", error=f"{type(error).__name__}: {error}")

    def _settle(
        self,
        pending: Pending,
        outcome: str,
        result: Mapping[str, object] | None = None,
        *,
        error: str = "",
        started: datetime | None = None,
    ) -> None:
        """The end of an effect, as an input."""
        self._metrics.effects.labels(pending.effect.kind, outcome).inc()
        if pending.effect.priority == 0:
            self._metrics.urgent.observe(max(0.0, time.monotonic() - pending.since))
        self._post(Item(self._news(pending, outcome, result, error=error, started=started), result_of=pending))

    def _news(
        self,
        pending: Pending,
        outcome: str,
        result: Mapping[str, object] | None = None,
        *,
        error: str = "",
        started: datetime | None = None,
    ) -> Input:
        """What became of an effect, as an input; that it is delayed is news once."""
        body = EffectResult(
            incident=pending.incident,
            key=pending.effect.key,
            kind=pending.effect.kind,
            outcome=outcome,
            result=result or {},
            error=error,
            started=started,
        )
        source_id = f"{pending.id}:delayed" if outcome == "delayed" else f"{pending.id}:{pending.attempt}:{outcome}"
        return Input(source="effect", source_id=source_id, received=self._clock.now(), body=body)
