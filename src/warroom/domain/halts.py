"""Halts as they stand: in force until they are read back as lifted."""

from warroom.domain.decision import StandingHalt
from warroom.domain.incident import Incident, Run


def in_force(i: Incident) -> tuple[Run, ...]:
    """Halts that were read back as in force and not read back as lifted since, oldest first."""
    return tuple(r for r in i.halts if r.outcome == "confirmed" and i.lifted(r) is None)


def unsettled(i: Incident) -> tuple[Run, ...]:
    """Halts of which nobody knows yet, or ever knew, whether they are in force."""
    doubtful = (r for r in i.halts if r.mode == "live" and r.outcome in ("unknown", "requested"))
    return tuple(r for r in doubtful if i.lifted(r) is None)


def standing_halts(i: Incident) -> tuple[StandingHalt, ...]:
    """What other incidents need to know of this one's halts: those in force, and those nobody is sure of."""
    runs = {r.run for r in (*in_force(i), *unsettled(i))}
    return tuple(
        StandingHalt(scope=str(r.scope), state=r.outcome, since=r.settled or r.at, by=r.by.name)
        for r in i.halts
        if r.run in runs
    )
