"""What a group reads before it decides: what others did, which effects are ours, and what is due."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import structlog

from warroom.domain.chain import End
from warroom.domain.inputs import Input, TimerDue
from warroom.engine.deciding import Setup
from warroom.engine.lanes import Lanes, Pending
from warroom.engine.memory import RECENT, Entry, Memory, entry_of
from warroom.engine.work import Back, Item, trace
from warroom.store import rows
from warroom.store.rows import StoredEffect
from warroom.store.tables import SYSTEM
from warroom.store.transaction import History, Transaction

log = structlog.get_logger(__name__)

Timer = tuple[datetime, str, str]
"""Due (UTC), incident, key."""


class Reading:
    """Brings the group's memory and the lanes up to the tables, inside its transaction."""

    def __init__(self, setup: Setup, tx: Transaction, now: datetime, memory: Memory, lanes: Lanes) -> None:
        self._setup = setup
        self._tx = tx
        self._now = now
        self._memory = memory
        self._lanes = lanes
        self._histories: dict[str, History] = {}

    async def catch_up(self, revision: int) -> None:
        """Takes in what changed up to `revision`: everything recent at the start, others' commits later."""
        since = self._memory.revision
        for row in await self._tx.changed(since, None if since else self._now - RECENT):
            if row.id == SYSTEM:
                self._memory.system = End(row._mapping["count"], row.head)
                continue
            self._memory.show(rows.card_of(row))
            self._memory.entries.pop(row.id, None)
            self._lanes.touch(row.id)
        self._memory.revision = revision
        await self.load([card.id for card in self._memory.shown() if card.is_open])

    async def own(self, busy: Mapping[str, Pending], *, reload: bool) -> None:
        """Makes the lanes equal to the effects that are ours in the table; takes over those of dead processes."""
        if self._setup.exclusive:
            await self._tx.take_all()
        else:
            await self._tx.renew(self._setup.tuning.lease)
            taken = await self._tx.take_over()
            if taken:
                log.warning("effects_taken_over", count=taken)
        ours = await self._tx.owned()
        for pending in [p for p in self._lanes if reload or (p.id not in ours and p.id not in busy)]:
            self._lanes.remove(pending)
        for stored in await self._tx.unfinished([id_ for id_ in ours if id_ not in self._lanes]):
            flown = busy.get(stored.id)
            self._lanes.add(_pending(stored) if flown is None else _still_flying(flown, stored))

    async def handed(self, after: int) -> None:
        """Takes in effects decided elsewhere since the one numbered `after`, for lanes that are ours."""
        for stored in await self._tx.handed(after):
            self._lanes.add(_pending(stored))

    async def fence(self, items: Sequence[Item], backs: Sequence[Back]) -> tuple[list[Item], list[Pending]]:
        """Leaves out results of effects that somebody else took over meanwhile: they find out for themselves.

        Returns the items that stay, and the effects that are lost to us.
        """
        flown = [p for p in (*(i.result_of for i in items), *(b.pending for b in backs)) if p is not None]
        if self._setup.exclusive or not flown:
            return list(items), []
        ours = await self._tx.owned([p.id for p in flown])
        lost = [p for p in flown if p.id not in ours]
        for pending in lost:
            self._lanes.remove(pending)
        return [item for item in items if item.result_of is None or item.result_of.id in ours], lost

    async def load(self, ids: Iterable[str]) -> None:
        """Brings incidents into memory that are not there, and their packs onto the shelf."""
        missing = [id_ for id_ in ids if id_ not in self._memory.entries]
        if not missing:
            return
        self._histories |= await self._tx.histories(missing)
        for id_ in missing:
            try:
                entry = self.entry(id_)
            except ValueError as error:
                log.error("incident_unreadable", incident=id_, trace=trace(error))
                continue
            if entry is not None and not self._setup.shelf.knows(entry.incident.pack_hash):
                text = await self._tx.pack(entry.incident.pack_hash)
                if text is not None:
                    self._setup.shelf.keep(entry.incident.pack_hash, text)

    def entry(self, id_: str) -> Entry | None:
        """A loaded incident as it stands in this group; None when there is none. Raises ValueError if unreadable."""
        entry = self._memory.entries.get(id_)
        history = self._histories.get(id_)
        if entry is None and history is not None and history.facts:
            entry = self._memory.entries[id_] = entry_of(history)
        return entry

    async def due(self, held: Mapping[Timer, datetime]) -> list[Item]:
        """Timers that are due, as inputs in due order, except those held back after a failure; bounded."""
        limit = self._setup.tuning.group
        found = await self._tx.due(self._now, limit + len(held))
        ready = [timer for timer in found if held.get(timer, self._now) <= self._now][:limit]
        await self.load({incident for _, incident, _ in ready})
        return [
            Item(
                Input(
                    source="timer",
                    source_id=f"{incident}:{key}:{due.isoformat()}",
                    received=self._now,
                    body=TimerDue(incident=incident, key=key, due=due),
                )
            )
            for due, incident, key in ready
        ]


def _still_flying(pending: Pending, stored: StoredEffect) -> Pending:
    """An effect whose outcome is still to be recorded, as the last commit left it.

    A group that failed may have put it back to waiting, and even picked it again, before its rows were undone.
    """
    pending.flying = True
    pending.attempt = stored.attempt
    return pending


def _pending(stored: StoredEffect) -> Pending:
    return Pending(
        stored.id,
        stored.incident,
        stored.seq,
        stored.effect,
        attempt=stored.attempt,
        not_before=stored.not_before,
        doubt=stored.state == "sending",
        since=time.monotonic(),
    )
