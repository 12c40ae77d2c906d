"""A halt that outlasts its incident: resolving it lifts nothing, so people are reminded until somebody resumes.

No runbook gives a figure for this; ours is once an hour while the market is open.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from warroom.domain import facts as f
from warroom.domain import halts
from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Incident, Run

EVERY = timedelta(hours=1)


def standing(i: Incident) -> tuple[Run, ...]:
    """The halts that are in force, or of which nobody knows, oldest first."""
    return (*halts.in_force(i), *halts.unsettled(i))


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """The next reminder: an hour after the resolution or the last one, or when the market opens after that."""
    resolved = i.reached("resolved")
    if resolved is None or not standing(i):
        return
    at = after(max(resolved, i.halt_told or resolved), pack)
    yield Due(at, "halt:stands", f.HaltStands(due=at))


def after(told: datetime, pack: LoadedPack) -> datetime:
    """When people who were `told` then are reminded (UTC)."""
    return pack.sessions.next_open(told + EVERY)
