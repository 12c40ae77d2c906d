"""Routines: probes that a pack takes by itself on trading days."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from warroom.domain.decision import LoadedPack
from warroom.domain.inputs import RoutineDue

SOURCE = "routine"
LOOK_AHEAD = timedelta(days=14)


def due_between(packs: Mapping[str, LoadedPack], begin: datetime, end: datetime) -> Iterator[RoutineDue]:
    """Every routine due after `begin` and up to `end` (UTC), in due order: at its local time on every trading day."""
    found = [
        RoutineDue(pack=pack_id, routine=name, due=at)
        for pack_id, pack in packs.items()
        for name in pack.pack.routines
        for at in _times(pack, name, begin, end)
    ]
    yield from sorted(found, key=lambda due: (due.due, due.pack, due.routine))


def next_run(pack: LoadedPack, routine: str, after: datetime) -> datetime | None:
    """When a routine is due next (UTC); None when no trading day comes in two weeks."""
    return next(_times(pack, routine, after, after + LOOK_AHEAD), None)


def source_id(due: RoutineDue, packs: Mapping[str, LoadedPack]) -> str:
    """What makes a run recognisable wherever and however often it is noticed: the pack, the routine, the local day."""
    day = due.due.astimezone(ZoneInfo(packs[due.pack].sessions.timezone)).date()
    return f"{due.pack}:{due.routine}:{day.isoformat()}"


def _times(pack: LoadedPack, routine: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(pack.sessions.timezone)
    day = begin.astimezone(zone).date()
    while day <= end.astimezone(zone).date():
        at = datetime.combine(day, pack.pack.routines[routine].at, zone).astimezone(UTC)
        if pack.sessions.session(day) is not None and begin < at <= end:
            yield at
        day += timedelta(days=1)
