"""Where time comes from: the machine, a faster machine, or a test's hand."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable


@runtime_checkable
class Jumps(Protocol):
    """A clock whose time jumps, and that says so."""

    def subscribe(self, wake: Callable[[], None]) -> None:
        """`wake` is called after every jump."""
        ...


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """The time now (aware, UTC)."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Seconds that pass evenly, whatever happens to the machine's date; for rate limits."""
        return time.monotonic()

    def real_seconds(self, until: datetime) -> float:
        """How many seconds of real waiting lie before `until`; 0 when it is past."""
        return max(0.0, (until - self.now()).total_seconds())


class ScaledClock:
    """Time that runs `speed` times as fast as life; it read `anchor_scaled` when life read `anchor_real`."""

    def __init__(
        self, speed: float, anchor_real: datetime | None = None, anchor_scaled: datetime | None = None
    ) -> None:
        if speed <= 0:
            raise ValueError("the speed of a clock must be above 0")
        self.speed = speed
        begin = anchor_real or datetime.now(UTC)
        self._monotonic = time.monotonic() - (datetime.now(UTC) - begin).total_seconds()
        self._anchor = anchor_scaled or begin

    def now(self) -> datetime:
        """The time now (aware, UTC), as this clock has it."""
        return self._anchor + timedelta(seconds=(time.monotonic() - self._monotonic) * self.speed)

    def seconds(self) -> float:
        """Seconds of this clock that pass evenly; for rate limits."""
        return time.monotonic() * self.speed

    def real_seconds(self, until: datetime) -> float:
        """How many seconds of real waiting lie before `until`; 0 when it is past."""
        return max(0.0, (until - self.now()).total_seconds() / self.speed)


class ManualClock:
    """Time that stands still until `advance` moves it."""

    def __init__(self, start: datetime) -> None:
        self._start = self._now = start.astimezone(UTC)
        self._wakes: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The time now (aware, UTC)."""
        return self._now

    def seconds(self) -> float:
        """Seconds since the start; for rate limits."""
        return (self._now - self._start).total_seconds()

    def real_seconds(self, until: datetime) -> float:
        """0 when `until` is past; for ever otherwise, since waiting moves nothing."""
        return 0.0 if until <= self._now else math.inf

    def subscribe(self, wake: Callable[[], None]) -> None:
        """`wake` is called after every advance."""
        self._wakes.append(wake)

    def advance(self, by: timedelta) -> None:
        """Moves the time on and wakes whoever waits for it."""
        if by < timedelta():
            raise ValueError("time does not go back")
        self._now += by
        for wake in self._wakes:
            wake()
