"""The words that packs are written in: milestones, severities, conditions over an alert."""

from dataclasses import dataclass
from typing import Literal

Milestone = Literal[
    "detected",
    "declared",
    "announced",
    "acknowledged",
    "responding",
    "commander_assigned",
    "contained",
    "recovery_started",
    "validated",
    "resolved",
    "resolution_announced",
    "reviewed",
    "closed",
]
SeverityId = Literal["P0", "P1", "P2", "P3"]
Counting = Literal["always", "market_hours", "business_hours", "business_days"]
Market = Literal["always", "open", "closed"]
"""Whether something counts at any time, or only when the incident began while the market was open (closed)."""

STRICT = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class When:
    """One condition over an alert. Exactly one of the tests is set.

    `field` is title, description, service, priority, urgency, market ("open" or "closed"), details.NAME, or, where
    an incident exists already (steps, communications), also playbook or fields.NAME.
    `matches` is a case-insensitive regular expression searched in the text; `over` and `under` compare numbers,
    the edge itself not counted.
    """

    __pydantic_config__ = STRICT
    field: str
    matches: str | None = None
    equals: str | float | bool | None = None
    over: float | None = None
    under: float | None = None
