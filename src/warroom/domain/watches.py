"""Watches: which run, when the next reading is due, when they are steady."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Incident


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Watches that have been healthy for as long as the pack asks."""
    return iter(())


def timers(i: Incident, pack: LoadedPack, now: datetime) -> Mapping[str, datetime]:
    """When each running watch is read next (UTC), by timer key `watch:ID:MOMENT`. A reading is no fact by itself."""
    return {}
