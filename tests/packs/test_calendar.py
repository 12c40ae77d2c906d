from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.market import Sessions
from warroom.domain.policy import Calendar
from warroom.packs.calendar import sessions

NYSE = sessions(Calendar(timezone="America/New_York", open=time(9, 30), close=time(16), holidays="NYSE"))
BEGIN = datetime(2023, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 7 * 365 * 86_400).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
SPANS = st.integers(0, 60 * 60 * 60).map(lambda seconds: timedelta(seconds=seconds))


def hours(found: Sessions, day: date) -> tuple[str, str] | None:
    session = found.session(day)
    zone = ZoneInfo(found.timezone)
    return None if session is None else tuple(f"{at.astimezone(zone):%H:%M}" for at in session)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 2), ("09:30", "16:00")),
        (date(2026, 3, 7), None),
        (date(2026, 1, 1), None),
        (date(2026, 4, 3), None),  # Good Friday
        (date(2026, 7, 3), None),  # Independence Day, observed
        (date(2025, 7, 3), ("09:30", "13:00")),
        (date(2026, 11, 26), None),  # Thanksgiving
        (date(2026, 11, 27), ("09:30", "13:00")),
        (date(2026, 12, 24), ("09:30", "13:00")),
        (date(2027, 12, 24), None),  # Christmas Day, observed
        (date(2025, 1, 9), None),  # a day of mourning
    ],
)
def test_the_new_york_exchange_keeps_its_holidays_and_half_days(day: date, expected: tuple[str, str] | None) -> None:
    assert hours(NYSE, day) == expected


def test_the_hours_follow_summer_time() -> None:
    winter, summer = NYSE.session(date(2026, 3, 6)), NYSE.session(date(2026, 3, 9))
    assert winter is not None
    assert summer is not None
    assert (winter[0].hour, summer[0].hour) == (14, 13)


def test_without_an_exchange_every_weekday_is_a_session() -> None:
    plain = sessions(Calendar(timezone="UTC", open=time(8), close=time(17)))
    assert hours(plain, date(2026, 12, 25)) == ("08:00", "17:00")


def test_only_the_years_asked_for_are_known() -> None:
    few = sessions(Calendar(timezone="UTC", open=time(8), close=time(17), holidays="NYSE"), [2026])
    assert {day.year for day in few.holidays} == {2026}


def test_a_half_day_that_ends_after_the_usual_close_changes_nothing() -> None:
    early = sessions(Calendar(timezone="America/New_York", open=time(9, 30), close=time(12), holidays="NYSE"), [2026])
    assert hours(early, date(2026, 11, 27)) == ("09:30", "12:00")


@given(MOMENTS, SPANS)
def test_after_is_the_inverse_of_elapsed(start: datetime, span: timedelta) -> None:
    assert NYSE.elapsed(start, NYSE.after(start, span)) == span


@given(MOMENTS, SPANS, SPANS)
def test_market_time_adds_up(start: datetime, one: timedelta, two: timedelta) -> None:
    middle, end = start + one, start + one + two
    assert NYSE.elapsed(start, middle) + NYSE.elapsed(middle, end) == NYSE.elapsed(start, end) <= one + two
