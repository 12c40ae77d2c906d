"""Phases of the trading day: which one it is now, and until when."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from warroom.domain.market import Sessions
from warroom.domain.policy import Calendar


@dataclass(frozen=True, kw_only=True)
class PhaseNow:
    """The phase of the trading day that lasts `until` (UTC), and what comes first in it."""

    title: str
    until: datetime
    priorities: tuple[str, ...]


def phase_at(calendar: Calendar, sessions: Sessions, now: datetime) -> PhaseNow | None:
    """The phase at `now` (UTC); None where the calendar has none, or on a day that is no trading day.

    A phase over midnight belongs to the day it begins on. On a half day what begins or ends with the close does so at
    the earlier one.
    """
    zone = ZoneInfo(sessions.timezone)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        if sessions.session(day) is None:
            continue
        close = sessions.half_days.get(day, calendar.close)
        for phase in calendar.phases.values():
            start = close if phase.start == calendar.close else phase.start
            end = close if phase.end == calendar.close else phase.end
            last = day + timedelta(days=1) if _over_midnight(start, end) else day
            begin = datetime.combine(day, start, zone).astimezone(UTC)
            until = datetime.combine(last, end, zone).astimezone(UTC)
            if begin <= now < until:
                return PhaseNow(title=phase.title, until=until, priorities=phase.priorities)
    return None


def _over_midnight(start: time, end: time) -> bool:
    return end <= start
