"""Clocks tell aware UTC, run at their speed, or stand still until moved."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from warroom.engine.clock import ManualClock, ScaledClock, SystemClock

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def test_the_system_clock_tells_the_machines_time() -> None:
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert 59 < clock.real_seconds(clock.now() + timedelta(minutes=1)) <= 60
    assert clock.real_seconds(clock.now() - timedelta(minutes=1)) == 0


def test_a_scaled_clock_begins_at_its_anchor_and_runs_at_its_speed() -> None:
    clock = ScaledClock(600, datetime.now(UTC) - timedelta(seconds=1), START)
    assert timedelta(minutes=10) <= clock.now() - START < timedelta(minutes=20)
    assert 5.5 < clock.real_seconds(clock.now() + timedelta(hours=1)) <= 6
    before = clock.seconds()
    assert clock.seconds() >= before
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(0)


def test_a_manual_clock_stands_still_until_it_is_moved_and_says_so() -> None:
    clock = ManualClock(START.astimezone(timezone(timedelta(hours=5))))
    woken: list[datetime] = []
    clock.subscribe(lambda: woken.append(clock.now()))
    assert clock.now() == START
    assert clock.now().utcoffset() == timedelta()
    assert clock.real_seconds(START + timedelta(seconds=1)) == math.inf
    clock.advance(timedelta(seconds=1))
    assert woken == [START + timedelta(seconds=1)]
    assert clock.real_seconds(START + timedelta(seconds=1)) == 0
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(timedelta(seconds=-1))
