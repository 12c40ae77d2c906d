"""Gates: what must hold before an incident is resolved or an action is sent, and how far it is."""

from dataclasses import dataclass
from datetime import datetime

from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a criterion of a gate is; `why` says it in words."""

    number: int
    title: str
    met: bool
    why: str


def states(i: Incident, pack: LoadedPack, gate: str, now: datetime) -> tuple[State, ...]:
    """Every criterion of a gate as of `now` (UTC), in order."""
    return ()


def before_resolving(i: Incident, pack: LoadedPack) -> tuple[str, ...]:
    """The gates that stand before resolving this incident."""
    return ()
