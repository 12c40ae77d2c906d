"""Slack's rate limits: tiers per method, and about one post a second in each channel."""

import math
import time
from collections import defaultdict, deque

from warroom.sandbox.slack_errors import RateLimitedError

TIER_2, TIER_3, TIER_4 = 20, 50, 100
POSTS_PER_MINUTE = 300
POST_BURST = 4
MINUTE_S = 60.0


class Limits:
    """Counts calls per minute of story time; windows are ``speed`` times shorter in real time."""

    def __init__(self, speed: float) -> None:
        self._minute = MINUTE_S / speed
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._per_second = speed

    def count(self, method: str, per_minute: int) -> None:
        """Count one call; raises RateLimitedError when the minute is full (refused calls do not count)."""
        now, calls = time.monotonic(), self._calls[method]
        while calls and calls[0] <= now - self._minute:
            calls.popleft()
        if len(calls) >= per_minute:
            raise RateLimitedError(max(1, math.ceil(calls[0] + self._minute - now)))
        calls.append(now)

    def count_post(self, channel: str) -> None:
        """Count a post to a channel: one a second, with short bursts; raises RateLimitedError."""
        now = time.monotonic()
        tokens, last = self._buckets.get(channel, (float(POST_BURST), now))
        tokens = min(float(POST_BURST), tokens + (now - last) * self._per_second)
        if tokens < 1:
            self._buckets[channel] = (tokens, now)
            raise RateLimitedError(max(1, math.ceil((1 - tokens) / self._per_second)))
        self.count("chat.postMessage", POSTS_PER_MINUTE)
        self._buckets[channel] = (tokens - 1, now)
