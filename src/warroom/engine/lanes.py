"""Which effects may start now: order inside a lane, urgency across lanes, limits for all. No I/O, no clock.

An effect is eligible when nothing before it in its lane is unfinished, its moment has come, and everything it
comes `after` is done. Eligible effects start in the order of (priority, seq). One that lacks a token holds up nobody
who draws on other limits; while a first alert lacks one, minor incidents leave it all the limits it draws on.
"""

from bisect import insort
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace

from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.outgoing import PRIORITY
from warroom.engine.limits import Limits
from warroom.errors import Refused

Buckets = tuple[str, ...]
MINOR = PRIORITY["P2"]
"""From this priority on, effects give way to a first alert (priority 0) that lacks a token."""


@dataclass(slots=True, eq=False)
class Pending:
    """An unfinished effect. `doubt`: it may have happened, look first. `since` is when it was decided (real seconds).

    `flying`: it has been picked, and what became of it is not recorded yet. `finds` counts looks that failed. `ready`
    are the limits it is queued for, `drew` those it took its last token from. `begun` is when it was first tried here
    (UTC), `told` whether people were told that it is taking long.
    """

    id: str
    incident: str
    seq: int
    effect: Effect
    attempt: int = 0
    not_before: datetime | None = None
    doubt: bool = False
    since: float = 0.0
    flying: bool = False
    finds: int = 0
    begun: datetime | None = None
    told: bool = False
    ready: Buckets | None = None
    drew: Buckets = ()


@dataclass(slots=True)
class Picked:
    """What may start now, what is hopeless and why, and when to look again (UTC)."""

    start: list[Pending] = field(default_factory=list)
    refuse: list[tuple[Pending, str]] = field(default_factory=list)
    again: datetime | None = None


@dataclass(frozen=True)
class Waits:
    """Not yet; `until` is the moment (UTC) that ends it, None if something else has to happen first."""

    until: datetime | None = None


@dataclass(frozen=True)
class Hopeless:
    """Never, for `reason`."""

    reason: str


def obstacle(pending: Pending, incident: Incident, now: datetime) -> Waits | Hopeless | None:
    """What keeps the first effect of its lane from starting; None when nothing does."""
    effect = pending.effect
    if not pending.doubt:
        if effect.expires is not None and effect.expires <= now:
            return Hopeless("too late: it had to be done by " + effect.expires.strftime("%Y-%m-%d %H:%M:%S UTC"))
        for key in effect.after:
            failed = incident.failed.get(key)
            if failed and key not in incident.done:
                return Hopeless(f"not tried, because {failed.kind} ({key}) was {failed.outcome}: {failed.error}")
        if any(key not in incident.done for key in effect.after):
            return Waits()
    if pending.not_before is not None and pending.not_before > now:
        return Waits(pending.not_before)
    return None


class Lanes:
    """The unfinished effects of this process. `cap` is how many calls may be under way; priority 0 is exempt."""

    def __init__(self, limits: Limits, cap: int) -> None:
        self._limits = limits
        self._cap = cap
        self._all: dict[str, Pending] = {}
        self._lanes: dict[str, dict[str, list[Pending]]] = {}
        self._ready: dict[Buckets, list[tuple[int, int, Pending]]] = {}
        self._later: list[tuple[datetime, int, Pending]] = []
        self._dirty: set[str] = set()
        self._flying = 0

    def __contains__(self, id_: str) -> bool:
        return id_ in self._all

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    @property
    def incidents(self) -> Collection[str]:
        """Incidents with unfinished effects."""
        return self._lanes.keys()

    @property
    def dirty(self) -> Collection[str]:
        """Incidents that the next pick looks at."""
        return self._dirty

    def holds(self, incident: str, lane: str) -> bool:
        """Whether an effect of this lane is unfinished here."""
        return lane in self._lanes.get(incident, ())

    def of(self, incident: str) -> list[Pending]:
        """The unfinished effects of an incident."""
        return [pending for lane in self._lanes.get(incident, {}).values() for pending in lane]

    def add(self, pending: Pending) -> None:
        """One more effect, new or loaded."""
        self._all[pending.id] = pending
        self._flying += pending.flying
        lane = self._lanes.setdefault(pending.incident, {}).setdefault(_lane(pending), [])
        insort(lane, pending, key=lambda p: p.seq)
        if pending.effect.expires is not None:
            heappush(self._later, (pending.effect.expires, pending.seq, pending))
        self._dirty.add(pending.incident)

    def remove(self, pending: Pending) -> None:
        """The effect is finished, dropped, or somebody else's."""
        if self._all.pop(pending.id, None) is None:
            return
        self._flying -= pending.flying
        pending.ready = None
        lanes = self._lanes[pending.incident]
        lane = lanes[_lane(pending)]
        lane.remove(pending)
        if not lane:
            del lanes[_lane(pending)]
        if not lanes:
            del self._lanes[pending.incident]
        self._dirty.add(pending.incident)

    def back(self, pending: Pending, not_before: datetime | None) -> None:
        """The effect was not done: it waits again, at the head of its lane."""
        self._flying -= pending.flying
        pending.flying = False
        pending.not_before = not_before
        self._dirty.add(pending.incident)

    def touch(self, incident: str) -> None:
        """The incident changed: look at its effects again."""
        if incident in self._lanes:
            self._dirty.add(incident)

    def replaced(self, incident: str, mark: str, before: int) -> list[Pending]:
        """Waiting effects with the coalescing `mark` decided before `before`, that no other effect waits for."""
        if not mark:
            return []
        needed = {key for pending in self.of(incident) for key in pending.effect.after}
        return [
            pending
            for pending in self.of(incident)
            if pending.effect.coalesce == mark
            and pending.seq < before
            and not pending.flying
            and not pending.doubt
            and pending.effect.key not in needed
        ]

    def newest(self, pending: Pending) -> bool:
        """Whether no newer effect with the same coalescing mark is waiting."""
        mark = pending.effect.coalesce
        return not mark or all(p.effect.coalesce != mark or p.seq <= pending.seq for p in self.of(pending.incident))

    def pick(
        self,
        now: datetime,
        look: Callable[[str], Incident | None],
        buckets: Callable[[Pending], Buckets],
        *,
        urgent: bool = False,
    ) -> Picked:
        """Takes what may start at `now` (UTC), most urgent first, and takes its tokens.

        `look` gives an incident's state, `buckets` the limits an effect draws on, or raises Refused. `urgent`: only
        what has priority 0 may start.
        """
        picked = Picked()
        while self._later and self._later[0][0] <= now:
            pending = heappop(self._later)[2]
            if pending.id in self._all:
                self._dirty.add(pending.incident)
        for id_ in self._dirty:
            incident = look(id_)
            for lane in self._lanes.get(id_, {}).values():
                if incident is not None and not lane[0].flying:
                    self._examine(lane[0], incident, now, buckets, picked)
        self._dirty.clear()
        waits = self._choose(picked, urgent)
        moments = [now + timedelta(seconds=wait) for wait in waits if wait]
        if self._later:
            moments.append(self._later[0][0])
        picked.again = min(moments, default=None)
        return picked

    def _examine(
        self,
        pending: Pending,
        incident: Incident,
        now: datetime,
        buckets: Callable[[Pending], Buckets],
        picked: Picked,
    ) -> None:
        found = obstacle(pending, incident, now)
        names: Buckets | None = None
        if found is None:
            try:
                names = buckets(pending)
            except Refused as error:
                found = Hopeless(str(error))
        if isinstance(found, Hopeless):
            self._fly(pending)
            picked.refuse.append((pending, found.reason))
        elif isinstance(found, Waits):
            pending.ready = None
            if found.until is not None:
                heappush(self._later, (found.until, pending.seq, pending))
        elif names is not None:
            names = () if pending.doubt else names
            if names == pending.ready:
                return
            pending.ready = names
            heappush(self._ready.setdefault(names, []), (pending.effect.priority, pending.seq, pending))

    def _choose(self, picked: Picked, urgent: bool) -> Iterator[float]:
        """Starts the heads of the queues in order; yields how long the queues without a token must wait."""
        heads = []
        for names, queue in list(self._ready.items()):
            if self._tidy(names, queue):
                heads.append((queue[0][0], queue[0][1], names))
        heapify(heads)
        waits: list[float] = []
        kept: set[str] = set()
        while heads:
            priority, _, names = heads[0]
            if priority > 0 and (urgent or self._flying >= self._cap):
                break
            queue = self._ready[names]
            if priority >= MINOR and not kept.isdisjoint(names):
                heappop(heads)
                continue
            if not self._limits.take(names):
                waits.append(self._limits.wait(names))
                kept.update(names if priority == 0 else ())
                heappop(heads)
                continue
            pending = heappop(queue)[2]
            self._fly(pending)
            pending.drew = names
            picked.start.append(pending)
            if self._tidy(names, queue):
                heapreplace(heads, (queue[0][0], queue[0][1], names))
            else:
                heappop(heads)
        return iter(waits)

    def _tidy(self, names: Buckets, queue: list[tuple[int, int, Pending]]) -> bool:
        """Drops entries that no longer stand; False when the queue is empty then, and gone."""
        while queue and (queue[0][2].ready != names or queue[0][2].flying):
            heappop(queue)
        if not queue:
            del self._ready[names]
        return bool(queue)

    def _fly(self, pending: Pending) -> None:
        pending.flying = True
        pending.ready = None
        self._flying += 1


def _lane(pending: Pending) -> str:
    """The lane, or one of its own."""
    return pending.effect.lane or f"\0{pending.id}"
