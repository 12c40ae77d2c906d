"""Checklists: which begin, what ticks itself, what is late."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Incident


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Checklists that begin at a milestone, and items that are late."""
    return iter(())


def settled(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """Items that are done by now without anybody saying so."""
    return iter(())


def complete(i: Incident, pack: LoadedPack, checklist: str) -> bool:
    """Whether every item is done."""
    return False
