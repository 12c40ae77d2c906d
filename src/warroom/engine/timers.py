"""Wakes the engine at the next due moment, and once a sweep in case a wake-up was missed.

APScheduler does nothing but wake: what is due is in the tables. Its own idea of a missed run (dropped after a
second by default) is switched off. It counts by the machine's date, which may be set back; the sweep does not, and
sets the wake-up anew.
"""

import asyncio
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
        self._sweeping: asyncio.Task[None] | None = None
        if isinstance(clock, Jumps):
            clock.subscribe(self._on_jump)

    def start(self) -> None:
        """From now on `wake` is called. Needs a running event loop."""
        self._scheduler.start()
        self._sweeping = asyncio.create_task(self._sweeps(), name="sweep")

    def stop(self) -> None:
        """No more wake-ups."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def at(self, moment: datetime | None) -> None:
        """The next moment (UTC) to wake at, in place of the one before; None for nothing but the sweep."""
        if moment == self._next or not self._scheduler.running:
            return
        self._next = moment
        self._arm()

    def _arm(self) -> None:
        """Tells the scheduler, which counts in the machine's own time, when to wake us."""
        if self._scheduler.get_job("wake"):
            self._scheduler.remove_job("wake")
        seconds = FAR if self._next is None else self._clock.real_seconds(self._next)
        if seconds < FAR:
            self._scheduler.add_job(
                self._on_time,
                "date",
                run_date=datetime.now(UTC) + timedelta(seconds=seconds),
                id="wake",
                misfire_grace_time=None,
                max_instances=100,  # the wake-up before may not have been put away yet: this one must not be skipped
            )

    def _on_jump(self) -> None:
        if self._scheduler.running:
            self._wake()

    async def _on_time(self) -> None:
        self._next = None
        self._wake()

    async def _sweeps(self) -> None:
        while True:
            await asyncio.sleep(self._sweep)
            self._wake()
            self._arm()
