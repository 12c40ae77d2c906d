"""Fields: what an incident is about, read from its alert or told by people."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident


def settled(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """Fields that the alert or the pack's default fills."""
    return iter(())


def missing(i: Incident, pack: LoadedPack) -> tuple[str, ...]:
    """Fields that the room is asked for and that nobody has filled."""
    return ()
