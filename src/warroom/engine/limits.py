"""Rate limits: token buckets by name, so that we stay below what the other side allows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

DUST = 1e-6
"""What a token may lack: moments are rounded to microseconds."""


class Rate(NamedTuple):
    """At most `capacity` at once, and `per_second` on the average."""

    capacity: float
    per_second: float


@dataclass(slots=True)
class _Bucket:
    rate: Rate | None
    tokens: float
    at: float
    paused_until: float = 0.0


class Limits:
    """Buckets for the names that effects draw on.

    `rates` maps patterns ("slack:chat.postMessage:*") to (capacity, tokens per second), the first that fits counting;
    a name that fits none is not limited but can be paused. `seconds` tells the time in seconds that pass evenly
    (`clock.seconds`).
    """

    def __init__(self, rates: Mapping[str, tuple[float, float]], seconds: Callable[[], float]) -> None:
        self._rates = rates
        self._seconds = seconds
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, names: Iterable[str]) -> float:
        """How many seconds until each of `names` has a token, if nobody takes one; 0 is now."""
        now = self._seconds()
        return max((self._wait(self._bucket(name, now), now) for name in names), default=0.0)

    def take(self, names: Iterable[str]) -> bool:
        """Takes a token of each, or of none when one is missing."""
        now = self._seconds()
        buckets = [self._bucket(name, now) for name in names]
        if any(self._wait(bucket, now) > 0 for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.tokens -= 1
        return True

    def pause(self, name: str, seconds: float) -> None:
        """Nobody gets a token of `name` for so many seconds: the other side said so."""
        now = self._seconds()
        bucket = self._bucket(name, now)
        bucket.paused_until = max(bucket.paused_until, now + seconds)

    def _bucket(self, name: str, now: float) -> _Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            found = next((rate for pattern, rate in self._rates.items() if fnmatchcase(name, pattern)), None)
            rate = Rate(*found) if found else None
            bucket = self._buckets[name] = _Bucket(rate, rate.capacity if rate else 0.0, now)
        if bucket.rate:
            gained = max(0.0, now - bucket.at) * bucket.rate.per_second
            bucket.tokens = min(bucket.rate.capacity, bucket.tokens + gained)
        bucket.at = now
        return bucket

    @staticmethod
    def _wait(bucket: _Bucket, now: float) -> float:
        paused = max(0.0, bucket.paused_until - now)
        if bucket.rate is None or bucket.tokens >= 1 - DUST:
            return paused
        return max(paused, (1 - bucket.tokens) / bucket.rate.per_second)


class Unlimited(Limits):
    """No limits but the pauses that the other side asks for."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        super().__init__({}, seconds)
