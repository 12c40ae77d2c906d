"""Routines: probes that a pack takes by itself on trading days."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from warroom.domain.decision import LoadedPack
from warroom.domain.inputs import RoutineDue


def due_between(packs: Mapping[str, LoadedPack], begin: datetime, end: datetime) -> Iterator[RoutineDue]:
    """Every routine due after `begin` and up to `end` (UTC), in due order."""
    return iter(())
