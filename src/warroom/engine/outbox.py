"""The effects of a group: new ones join the lanes, undone ones go back, and what may start is picked."""

from collections.abc import Mapping
from datetime import datetime

from warroom.domain.incident import Incident
from warroom.engine.deciding import Setup
from warroom.engine.delivery import Delivery
from warroom.engine.lanes import Buckets, Lanes, Pending, Picked
from warroom.engine.memory import Memory
from warroom.engine.work import Back
from warroom.store import codec
from warroom.store.rows import Row
from warroom.store.transaction import Batch, Transaction


class Outbox:
    """Keeps lanes and rows in step inside one transaction. `lost` are effects that are no longer ours to settle."""

    def __init__(
        self, setup: Setup, tx: Transaction, batch: Batch, memory: Memory, lanes: Lanes, delivery: Delivery
    ) -> None:
        self._setup = setup
        self._tx = tx
        self._batch = batch
        self._memory = memory
        self._lanes = lanes
        self._delivery = delivery
        self._new: list[tuple[Row, Pending]] = []
        self._rows: dict[str, Row] = {}
        self.lost: list[Pending] = []

    def add(self, row: Row, pending: Pending) -> None:
        """A new effect, and its row."""
        self._new.append((row, pending))

    def finish(self, pending: Pending, state: str, error: str = "") -> None:
        """The effect is over, in this state."""
        self._lanes.remove(pending)
        row = {"b_id": pending.id, "state": state, "settled_at": self._batch.now, "error": codec.clean(error)}
        self._batch.settled.append(row)

    def back(self, back: Back) -> None:
        """An effect waits again, unless a newer one has taken its place."""
        pending = back.pending
        if pending.id not in self._lanes:
            return None
        if not back.doubt:
            pending.doubt = False
            if not self._lanes.newest(pending):
                self.lost.append(pending)
                return self.finish(pending, "dropped")
            row = {"b_id": pending.id, "state": "waiting", "not_before": back.not_before}
            self._batch.requeued.append(row | {"error": codec.clean(back.error)})
        self._lanes.back(pending, back.not_before)
        return None

    async def enlist(self, opened: set[str]) -> None:
        """New effects join the lanes, in place of those they make pointless.

        An effect whose lane another process works on goes to that process. `opened` are new incidents.
        """
        owners: Mapping[tuple[str, str], str] = {}
        if not self._setup.exclusive:
            asked = {p.incident for _, p in self._new if self._may_be_elsewhere(p)} - opened
            owners = await self._tx.owners(asked) if asked else {}
        for row, pending in self._new:
            effect = pending.effect
            replaced = self._lanes.replaced(pending.incident, effect.coalesce, pending.seq)
            for old in replaced:
                self.finish(old, "dropped")
            if effect.coalesce and not self._setup.exclusive:  # other processes may hold more of them
                self._batch.dropped.append(self._dropped(pending))
            row["owner"] = owners.get((pending.incident, effect.lane), self._setup.owner)
            if row["owner"] == self._setup.owner:
                self._lanes.add(pending)
                self._rows[pending.id] = row
            self._batch.effects.append(row)

    def pick(self, now: datetime, *, urgent: bool) -> Picked:
        """Takes what may start (`urgent`: of priority 0 only); the attempts are recorded with everything else."""
        picked = self._lanes.pick(now, self._look, self._buckets, urgent=urgent)
        for pending in picked.start:
            if pending.doubt:
                continue
            pending.attempt += 1
            row = self._rows.get(pending.id)
            if row is not None:
                row |= {"state": "sending", "attempt": 1, "attempted_at": now}
            else:
                self._batch.start.append(pending.id)
        return picked

    def withdraw(self, picked: Picked, started: set[str]) -> bool:
        """Leaves out what was not ours, or not waiting, when its attempt was to be recorded; whether there was any."""
        strange = [p for p in picked.start if p.id in self._batch.start and p.id not in started]
        for pending in strange:
            picked.start.remove(pending)
            self._lanes.remove(pending)
        return bool(strange)

    def _may_be_elsewhere(self, pending: Pending) -> bool:
        lane = pending.effect.lane
        return bool(lane) and not self._lanes.holds(pending.incident, lane)

    def _dropped(self, pending: Pending) -> Row:
        """Which waiting rows the new effect replaces: those that no other effect waits for."""
        needed = {key for other in self._lanes.of(pending.incident) for key in other.effect.after}
        place = {"b_incident": pending.incident, "b_mark": pending.effect.coalesce, "b_seq": pending.seq}
        return place | {"b_spare": sorted(needed), "b_at": self._batch.now}

    def _look(self, id_: str) -> Incident | None:
        entry = self._memory.entries.get(id_)
        return entry.incident if entry else None

    def _buckets(self, pending: Pending) -> Buckets:
        incident = self._memory.entries[pending.incident].incident
        return self._delivery.buckets(pending, incident, self._setup.shelf)
