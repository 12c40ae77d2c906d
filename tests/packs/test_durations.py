from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.packs.durations import format_duration, is_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h 30m", 5400), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("250ms", 0.25)],
)
def test_lengths_of_time_are_written_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "15 m", "15min", "30m 1h", "1h 1h", "-5m", "1.5h", "09:30", "P1D"])
def test_anything_else_is_no_length_of_time(text: str) -> None:
    assert not is_duration(text)
    with pytest.raises(ValueError, match="write one such as 90s, 15m, 1h 30m or 2d"):
        parse_duration(text)


@given(st.integers(0, 10**12).map(lambda n: timedelta(milliseconds=n)))
def test_what_is_written_is_read_back(span: timedelta) -> None:
    assert parse_duration(format_duration(span)) == span


def test_a_negative_length_of_time_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(timedelta(seconds=-1))
