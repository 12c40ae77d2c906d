"""Trading days of a pack's calendar: its hours with the holidays and half days of an exchange."""

import re
from collections.abc import Iterable
from datetime import date, time

import holidays

from warroom.domain.market import Sessions
from warroom.domain.policy import Calendar

YEARS = range(2000, 2101)
_CLOSE = re.compile(r"close at (\d{1,2}):(\d\d) ?([ap])m", re.IGNORECASE)


def known_calendars() -> frozenset[str]:
    """The names that `holidays:` of a pack's calendar may have."""
    return frozenset(holidays.list_supported_financial(include_aliases=True))


def sessions(calendar: Calendar, years: Iterable[int] = YEARS) -> Sessions:
    """The sessions of `calendar`, its holidays known for `years`.

    A half day is taken from the exchange's own calendar and closes when that says (NYSE: 13:00 on the day after
    Thanksgiving, on Christmas Eve and on the day before Independence Day). Raises NotImplementedError for an
    exchange that `holidays` does not know.
    """
    closed: frozenset[date] = frozenset()
    half_days: dict[date, time] = {}
    if calendar.holidays:
        days = list(years)
        closed = frozenset(holidays.financial_holidays(calendar.holidays, years=days))
        half_days = _half_days(calendar.holidays, days, closed)
    return Sessions(
        timezone=calendar.timezone,
        open=calendar.open,
        close=calendar.close,
        weekdays=frozenset(calendar.weekdays),
        holidays=closed,
        half_days={day: close for day, close in half_days.items() if calendar.open < close < calendar.close},
    )


def _half_days(market: str, years: list[int], closed: frozenset[date]) -> dict[date, time]:
    category = "half_day"
    supported = type(holidays.financial_holidays(market)).supported_categories
    if category not in supported:
        return {}
    days = {}
    for day, name in holidays.financial_holidays(market, years=years, categories=(category,)).items():
        if day not in closed and (found := _CLOSE.search(name)):
            hour, minute, half = int(found[1]) % 12, int(found[2]), found[3].lower()
            days[day] = time(hour + (12 if half == "p" else 0), minute)
    return days
