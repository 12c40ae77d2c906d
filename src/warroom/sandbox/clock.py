"""The time of the sandbox: real time, or a story that runs faster than life."""

import time
from datetime import UTC, datetime, timedelta


class StoryClock:
    """A clock that starts at ``anchor`` (aware UTC) and runs ``speed`` times faster than real time."""

    def __init__(self, anchor: datetime | None = None, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._anchor = anchor or datetime.now(UTC)
        self._speed = speed
        self._started = time.monotonic()

    def __call__(self) -> datetime:
        """The time now in the story, aware UTC."""
        return self._anchor + timedelta(seconds=(time.monotonic() - self._started) * self._speed)
