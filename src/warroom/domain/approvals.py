"""Approvals and the time limits of actions: requests that expire, acts that lapse."""

from collections.abc import Iterator

from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Incident


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Expiry of open requests; reminder and end of time-limited actions in force."""
    return iter(())
