"""Halts as they stand: in force until they are read back as lifted."""

from collections.abc import Sequence

from warroom.domain.decision import Card, StandingHalt
from warroom.domain.incident import Incident, Run
from warroom.domain.words import listed


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


def of_others(incident: str, pack: str, cards: Sequence[Card]) -> tuple[tuple[Card, StandingHalt], ...]:
    """The standing halts of the same platform that other incidents ordered, with their incidents."""
    return tuple((c, h) for c in cards if c.pack == pack and c.id != incident for h in c.halts)


def lifted_too(incident: str, pack: str, lifts: Sequence[str], cards: Sequence[Card]) -> str:
    """What resuming does to other incidents, as a sentence; "" when it touches none."""
    ids = tuple(dict.fromkeys(c.id for c, h in of_others(incident, pack, cards) if h.scope in lifts))
    if not ids:
        return ""
    if len(ids) == 1:
        return (
            f"This also lifts the halt of {ids[0]}, which has its own room and reasons: agree with its commander first."
        )
    return (
        f"This also lifts the halts of {listed(ids)}, which have their own rooms and reasons: "
        "agree with their commanders first."
    )
