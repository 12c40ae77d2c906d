"""Market hours: when the market is open, and time counted only while it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from warroom.domain.terms import Counting


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Trading sessions in local time. `half_days` gives the earlier close of a shortened day."""

    timezone: str
    open: time
    close: time
    weekdays: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = field(default_factory=frozenset)
    half_days: dict[date, time] = field(default_factory=dict)
    business_open: time = time(9)
    business_close: time = time(17)

    @property
    def business(self) -> "Sessions":
        """The same days with the hours of the office."""
        return replace(self, open=self.business_open, close=self.business_close, half_days={})

    @property
    def days(self) -> "Sessions":
        """The same days from midnight to midnight."""
        return replace(self, open=time(0), close=time.max, half_days={})

    def counted(self, counting: Counting) -> "Sessions":
        """The hours in which a clock counts that does not always count."""
        match counting:
            case "business_hours":
                return self.business
            case "business_days":
                return self.days
        return self

    def session(self, day: date) -> tuple[datetime, datetime] | None:
        """Open and close of a local day in UTC; None when the market stays closed."""
        if day.weekday() not in self.weekdays or day in self.holidays:
            return None
        zone = ZoneInfo(self.timezone)
        close = self.half_days.get(day, self.close)
        begin = datetime.combine(day, self.open, zone).astimezone(UTC)
        last = datetime.combine(day + timedelta(days=1), time(0), zone) if close == time.max else None
        end = (last or datetime.combine(day, close, zone)).astimezone(UTC)
        return begin, end

    def is_open(self, at: datetime) -> bool:
        """Whether the market is open at `at` (UTC); the open itself counts, the close does not."""
        session = self.session(at.astimezone(ZoneInfo(self.timezone)).date())
        return session is not None and session[0] <= at < session[1]

    def sessions_from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Sessions that end after `at` (UTC), in order, up to 400 days ahead."""
        day = at.astimezone(ZoneInfo(self.timezone)).date()
        for ahead in range(400):
            session = self.session(day + timedelta(days=ahead))
            if session and session[1] > at:
                yield session

    def next_open(self, at: datetime) -> datetime:
        """`at` itself while it is open, else the next opening (UTC). Raises ValueError when none comes in 400 days."""
        for begin, _ in self.sessions_from(at):
            return max(begin, at)
        raise ValueError("the market does not open within 400 days")

    def next_day(self, at: datetime) -> datetime:
        """The opening (UTC) of the first day with a session after the local day of `at`."""
        today = at.astimezone(ZoneInfo(self.timezone)).date()
        midnight = datetime.combine(today + timedelta(days=1), time(0), ZoneInfo(self.timezone)).astimezone(UTC)
        return self.next_open(midnight)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Time from `start` to `end` (UTC) that lies in sessions; zero when `end` is not after `start`."""
        total = timedelta()
        for begin, close in self.sessions_from(start):
            if begin >= end:
                break
            total += min(close, end) - max(begin, start)
        return max(total, timedelta())

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The moment (UTC) at which `span` of session time has passed since `start`.

        Raises ValueError when that is more than 400 days away.
        """
        left = span
        for begin, close in self.sessions_from(start):
            begin = max(begin, start)
            if close - begin >= left:
                return begin + left
            left -= close - begin
        raise ValueError("that much market time does not pass within 400 days")
