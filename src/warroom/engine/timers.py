"""Wakes the engine at the next due moment, and once a sweep in case a wake-up was missed.

APScheduler does nothing but wake: what is due is in the tables. Its own idea of a missed run (dropped after a
second by default) is switched off.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from warroom.engine.clock import Jumps
from warroom.engine.ports import Clock

FAR = 3600.0


class Waker:
    """Calls `wake` at the moment asked for, after every jump of the clock, and every `sweep` real seconds."""

    def __init__(self, clock: Clock, wake: Callable[[], None], sweep: float) -> None:
        self._clock = clock
        self._wake = wake
        self._sweep = sweep
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._next: datetime | None = None
        if isinstance(clock, Jumps):
            clock.subscribe(self._on_jump)

    def start(self) -> None:
        """From now on `wake` is called. Needs a running event loop."""
        self._scheduler.start()
        self._scheduler.add_job(
            self._wakes, "interval", seconds=self._sweep, id="sweep", misfire_grace_time=None, coalesce=True
        )

    def stop(self) -> None:
        """No more wake-ups."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def at(self, moment: datetime | None) -> None:
        """The next moment (UTC) to wake at, in place of the one before; None for nothing but the sweep."""
        if moment == self._next or not self._scheduler.running:
            return
        self._next = moment
        if self._scheduler.get_job("wake"):
            self._scheduler.remove_job("wake")
        seconds = FAR if moment is None else self._clock.real_seconds(moment)
        if seconds < FAR:  # the scheduler counts in the machine's own time
            self._scheduler.add_job(
                self._on_time,
                "date",
                run_date=datetime.now(UTC) + timedelta(seconds=seconds),
                id="wake",
                misfire_grace_time=None,
            )

    def _on_jump(self) -> None:
        if self._scheduler.running:
            self._wake()

    async def _on_time(self) -> None:
        self._next = None
        self._wake()

    async def _wakes(self) -> None:
        self._wake()
