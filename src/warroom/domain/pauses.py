"""Pauses: the time for which an incident was resolved until it was reopened. Nobody was to do anything then, so it does
not count for what was still to be done: steps, items of checklists and clocks go on where they stood."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from warroom.domain import milestones
from warroom.domain.market import Sessions
from warroom.domain.milestones import History

Pause = tuple[datetime, datetime]
"""From the resolution to the reopening (UTC)."""


def of(history: History, before: datetime | None = None) -> tuple[Pause, ...]:
    """Every pause that is over, oldest first; with `before` (UTC) those that had begun by then, which is all that can
    matter to what ended at that moment."""
    held = milestones.held(history, "resolved")
    return tuple((s.start, s.end) for s in held if s.end and (before is None or s.start < before))


def after(start: datetime, span: timedelta, pauses: Iterable[Pause], hours: Sessions | None = None) -> datetime:
    """The moment (UTC) at which `span` has passed since `start` outside the pauses, and within `hours` if given. It
    lies in no pause: what comes to its end with the resolution does so at the reopening."""
    at, skipped = _after(start, span, hours), timedelta()
    for begin, end in pauses:
        if begin <= at and end > start:
            skipped += _elapsed(max(begin, start), end, hours)
            at = _after(start, span + skipped, hours)
    return at


def elapsed(start: datetime, stop: datetime, pauses: Iterable[Pause], hours: Sessions | None = None) -> timedelta:
    """The time from `start` to `stop` (UTC) outside the pauses, and within `hours` if given."""
    paused = (_elapsed(max(b, start), min(e, stop), hours) for b, e in pauses if b < stop and e > start)
    return _elapsed(start, stop, hours) - sum(paused, timedelta())


def _after(start: datetime, span: timedelta, hours: Sessions | None) -> datetime:
    return hours.after(start, span) if hours else start + span


def _elapsed(start: datetime, stop: datetime, hours: Sessions | None) -> timedelta:
    return hours.elapsed(start, stop) if hours else stop - start
