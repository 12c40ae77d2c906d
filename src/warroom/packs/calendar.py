"""Trading days of a pack's calendar: its hours with the holidays and half days of an exchange."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

import holidays
from holidays.registry import FINANCIAL

from warroom.domain.market import Sessions
from warroom.domain.policy import Calendar

YEARS = range(2000, 2101)
_CLOSE = re.compile(r"close at (\d{1,2}):(\d\d) ?([ap])m", re.IGNORECASE)


def known_calendars() -> frozenset[str]:
    """The names that `holidays:` of a pack's calendar may have."""
    return frozenset(code for _, *codes in FINANCIAL.values() for code in codes)


def sessions(calendar: Calendar, years: Iterable[int] = YEARS) -> Sessions:
    """The sessions of `calendar`, its holidays known for `years`.

    A half day is taken from the exchange's own calendar and closes when that says (NYSE: 13:00 on the day after
    Thanksgiving, on Christmas Eve and on the day before Independence Day). Raises NotImplementedError for an
    exchange that `holidays` does not know.
    """
    closed, half_days = _days(calendar.holidays, tuple(years)) if calendar.holidays else (frozenset(), {})
    return Sessions(
        timezone=calendar.timezone,
        open=calendar.open,
        close=calendar.close,
        weekdays=frozenset(calendar.weekdays),
        holidays=closed,
        business_open=calendar.business_open,
        business_close=calendar.business_close,
        half_days={day: close for day, close in half_days.items() if calendar.open < close < calendar.close},
    )


@cache
def _days(market: str, years: tuple[int, ...]) -> tuple[frozenset[date], Mapping[date, time]]:
    """Holidays, and half days with their close: worked out once for all packs of an exchange."""
    exchange = _exchange(market)
    closed = frozenset(exchange(years=years))
    return closed, _half_days(exchange, years, closed)


def _exchange(market: str) -> type[holidays.HolidayBase]:
    """The calendar of one exchange, loaded alone: its package would load every country's (8 MB, 0.1 s)."""
    folder = str(Path(holidays.__file__).parent / "financial")
    for name, (_, *codes) in FINANCIAL.items():
        spec = PathFinder.find_spec(f"holidays.financial.{name}", [folder]) if market in codes else None
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            found: type[holidays.HolidayBase] = getattr(module, market)
            return found
    raise NotImplementedError(f"{market} is no exchange that `holidays` knows")


def _half_days(
    exchange: type[holidays.HolidayBase], years: tuple[int, ...], closed: frozenset[date]
) -> dict[date, time]:
    category = "half_day"
    if category not in exchange.supported_categories:
        return {}
    days = {}
    for day, name in exchange(years=years, categories=(category,)).items():
        if day not in closed and (found := _CLOSE.search(name)):
            hour, minute, half = int(found[1]) % 12, int(found[2]), found[3].lower()
            days[day] = time(hour + (12 if half == "p" else 0), minute)
    return days
