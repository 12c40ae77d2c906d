"""Checklists: which begin, what ticks itself, what is late, and how far each is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from warroom.domain import done, pauses, protocol
from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.done import complete as complete
from warroom.domain.done import newest, unhealthy
from warroom.domain.due import Due
from warroom.domain.incident import ChecklistMark, Incident, ItemMark
from warroom.domain.procedures import Checklist, Item
from warroom.domain.terms import Milestone

NO_MARK = ItemMark()
AFTERWARDS: tuple[Milestone, ...] = ("resolved", "resolution_announced", "reviewed", "closed")
"""milestones whose checklists are for the time after the incident"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One item of a checklist that was begun; `number` counts from 1, `due` is UTC."""

    number: int
    item: Item
    mark: ItemMark
    due: datetime | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How many items are done of how many, and how many of the open ones are late."""

    done: int
    total: int
    late: int

    def __str__(self) -> str:
        late = f", {self.late} late" if self.late else ""
        return f"{self.done} of {self.total}{late}"


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Checklists that begin at a milestone, and items that are late."""
    for name, checklist in pack.pack.checklists.items():
        mark = i.checklists.get(name)
        if mark is not None:
            yield from _late(i, name, checklist, mark)
            continue
        reached = i.reached(checklist.at) if checklist.at else None
        if reached and _is_for(i, checklist):
            yield Due(reached, f"checklist:{name}", f.ChecklistBegun(checklist=name))


def settled(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """Items that are done by now without anybody saying so. What a person took back needs new evidence."""
    for name in i.checklists:
        checklist = pack.pack.checklists.get(name)
        for row in rows(i, checklist, name) if checklist else ():
            how = "" if row.mark.done else _shown(i, pack, i.checklists[name], row)
            if how:
                yield f.ItemDone(checklist=name, item=row.item.id, how=how)


def rows(i: Incident, checklist: Checklist, name: str) -> tuple[Row, ...]:
    """Every item of a checklist that was begun, in order; none when it was not."""
    begun = i.checklists.get(name)
    if begun is None:
        return ()
    return tuple(
        Row(
            number=number,
            item=item,
            mark=begun.items.get(item.id, NO_MARK),
            due=_due(i, checklist, begun, item),
        )
        for number, item in enumerate(checklist.items, 1)
    )


def _due(i: Incident, checklist: Checklist, begun: ChecklistMark, item: Item) -> datetime | None:
    """When an item is late (UTC); None: never. Time for which the incident was resolved counts only for what is for
    that time, or was begun in it."""
    mark = begun.items.get(item.id, NO_MARK)
    if item.within is None or mark.late:
        return mark.late
    away = () if checklist.at in AFTERWARDS else pauses.of(i.history, mark.at if mark.done else None)
    return pauses.after(begun.at, item.within, (p for p in away if p[0] > begun.at))


def progress(i: Incident, checklist: Checklist, name: str) -> Progress:
    """How far a checklist is; nothing is done of one that was not begun."""
    found = rows(i, checklist, name)
    return Progress(
        done=sum(row.mark.done for row in found),
        total=len(checklist.items),
        late=sum(row.mark.late is not None and not row.mark.done for row in found),
    )


def _is_for(i: Incident, checklist: Checklist) -> bool:
    fits = protocol.concerns(i, checklist.severities, checklist.playbooks)
    return fits and protocol.applies(i, checklist.market) and not i.routine


def _late(i: Incident, name: str, checklist: Checklist, begun: ChecklistMark) -> Iterator[Due]:
    """Once the incident is resolved, nobody is late any more with what belongs to the time before."""
    resolved = i.reached("resolved")
    if resolved and begun.at < resolved and checklist.at not in AFTERWARDS:
        return
    for row in rows(i, checklist, name):
        if row.due and not row.mark.done and row.mark.late is None:
            late = f.ItemLate(checklist=name, item=row.item.id, due=row.due)
            yield Due(row.due, f"item:{name}:{row.item.id}", late)


def _shown(i: Incident, pack: LoadedPack, begun: ChecklistMark, row: Row) -> str:
    """How the record shows that an item is done; "" while it does not."""
    taken_back = row.mark.at
    for word in row.item.done_on:
        found = done.evidence(i, pack, word, after=taken_back)
        if found:
            return found.how
    run = newest(i, row.item.probes) if row.item.probes else None
    fresh = run and run.at >= begun.at and (taken_back is None or run.at > taken_back)
    if run and fresh and not unhealthy(run, pack):
        count = len(run.probes)
        return f"{count} reading{'' if count == 1 else 's'} healthy"
    return ""
