"""Every call the sandbox received or made, with real monotonic times, so that benchmarks can count."""

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Call:
    """One call. ``started`` and ``finished`` are seconds of ``time.monotonic()``."""

    surface: str
    method: str
    started: float
    in_flight: int
    """calls of the same surface under way when this one began, itself included"""
    finished: float | None = None
    ok: bool = False
    error: str | None = None


class Journal:
    """The calls in the order they began."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._open: Counter[str] = Counter()

    def begin(self, surface: str, method: str) -> Call:
        """Note that a call has arrived."""
        self._open[surface] += 1
        call = Call(surface, method, time.monotonic(), self._open[surface])
        self.calls.append(call)
        return call

    def end(self, call: Call, error: str | None = None) -> None:
        """Note how it ended: ``error`` None means well."""
        self._open[call.surface] -= 1
        call.finished = time.monotonic()
        call.ok = error is None
        call.error = error

    def of(self, surface: str, method: str | None = None) -> list[Call]:
        """The calls of a surface, or of one method of it."""
        return [c for c in self.calls if c.surface == surface and method in (None, c.method)]

    def clear(self) -> None:
        """Forget the finished calls."""
        self.calls = [c for c in self.calls if c.finished is None]

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(call) for call in self.calls]
