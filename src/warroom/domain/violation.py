"""A violation that a platform reports of itself."""

from dataclasses import dataclass
from datetime import datetime

from warroom.domain.procedures import Level


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One reported violation. `id` is the reporter's own, unique within the pack; `at` is when it was detected."""

    id: str
    type: str
    level: Level
    service: str
    feature: str
    at: datetime
    description: str = ""
