"""The time of the sandbox: real time, or a story that runs faster than life."""

import time
from datetime import UTC, datetime, timedelta


class StoryClock:
    """A clock that starts at ``anchor`` (aware UTC) and runs ``speed`` times faster than real time.

    The sandbox calls it; a bot in the same process can be handed it as its clock, too.
    """

    def __init__(self, anchor: datetime | None = None, speed: float = 1.0) -> None:
        self._began = self._anchor = anchor or datetime.now(UTC)
        self._started = time.monotonic()
        self._speed = speed
        self.run(speed)

    def __call__(self) -> datetime:
        """The time now in the story, aware UTC."""
        return self.now()

    def now(self) -> datetime:
        """The time now in the story, aware UTC."""
        return self._anchor + timedelta(seconds=(time.monotonic() - self._started) * self._speed)

    def seconds(self) -> float:
        """Seconds of the story since it began."""
        return (self.now() - self._began).total_seconds()

    def real_seconds(self, until: datetime) -> float:
        """How many seconds of real waiting lie before a time of the story; 0 when it is past."""
        return max(0.0, (until - self.now()).total_seconds() / self._speed)

    def run(self, speed: float) -> None:
        """From now on it runs ``speed`` times faster than real time; raises ValueError unless that is above 0."""
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._anchor, self._started = self.now(), time.monotonic()
        self._speed = speed
