"""Failures to order: what goes wrong, where, and how often."""

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Literal, get_args

Kind = Literal["429", "500", "drop_before", "drop_after", "latency", "outage", "refuse"]
Surface = Literal["slack", "pagerduty", "events", "platform", "webhook", "mail", "status_page", "wiki"]


@dataclass
class Fault:
    """One rule. ``times`` None means until it is removed; ``retry_after`` and ``delay_s`` are seconds."""

    id: int
    surface: Surface
    method: str
    kind: Kind
    times: int | None
    retry_after: int
    delay_s: float
    error: str
    used: int = 0

    def matches(self, surface: str, method: str) -> bool:
        spent = self.times is not None and self.used >= self.times
        return not spent and self.surface == surface and fnmatchcase(method, self.method)


class Faults:
    """The rules in force.

    Kinds: ``429`` with Retry-After, ``500``, ``drop_before`` (the connection closes, nothing happened),
    ``drop_after`` (it happened, the connection closes without an answer), ``latency`` (``delay_s`` more),
    ``outage`` (as drop_before, and by default until removed), ``refuse`` (the service's own error ``error``).
    """

    def __init__(self) -> None:
        self._numbers = count(1)
        self.rules: list[Fault] = []

    def add(
        self,
        surface: Surface,
        method: str = "*",
        kind: Kind = "500",
        *,
        times: int | None = None,
        retry_after: int = 1,
        delay_s: float = 0.0,
        error: str = "internal_error",
    ) -> Fault:
        """Add a rule; ``method`` may hold ``*``. ``times`` defaults to 1, for ``outage`` to no end.

        Raises ValueError for an unknown surface or kind.
        """
        if surface not in get_args(Surface):
            raise ValueError(f"no surface {surface!r}; there are {', '.join(get_args(Surface))}")
        if kind not in get_args(Kind):
            raise ValueError(f"no kind {kind!r}; there are {', '.join(get_args(Kind))}")
        if times is None and kind != "outage":
            times = 1
        rule = Fault(next(self._numbers), surface, method, kind, times, retry_after, delay_s, error)
        self.rules.append(rule)
        return rule

    def take(self, surface: str, method: str) -> list[Fault]:
        """The rules this call meets, used up by one: any latencies, and at most one other."""
        met: list[Fault] = []
        for rule in self.rules:
            if not rule.matches(surface, method):
                continue
            if rule.kind != "latency" and any(m.kind != "latency" for m in met):
                continue
            rule.used += 1
            met.append(rule)
        return met

    def clear(self, surface: str | None = None, rule_id: int | None = None) -> None:
        """Remove all rules, those of a surface, or one."""
        self.rules = [
            r
            for r in self.rules
            if (surface is not None and r.surface != surface) or (rule_id is not None and r.id != rule_id)
        ]

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]
