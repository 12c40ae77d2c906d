"""Communications: which are due, and when."""

from collections.abc import Iterator

from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Incident


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Communications that are still to go out."""
    return iter(())
