"""A moment an incident is waiting for."""

from dataclasses import dataclass
from datetime import datetime

from warroom.domain import facts as f


@dataclass(frozen=True)
class Due:
    """`what` becomes a fact at `at` (UTC), unless the incident has moved on by then."""

    at: datetime
    key: str
    what: f.What
