"""The story's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from warroom.sandbox.clock import StoryClock

BEGIN = datetime(2026, 10, 19, 13, 31, tzinfo=UTC)


def test_it_starts_where_it_is_told_and_runs_faster_than_life() -> None:
    clock = StoryClock(BEGIN, 3600)
    assert timedelta() <= clock() - BEGIN < timedelta(hours=1)
    assert 0 < clock.real_seconds(BEGIN + timedelta(hours=1)) <= 1
    assert clock.real_seconds(BEGIN - timedelta(hours=1)) == 0


def test_it_changes_its_pace_without_a_jump() -> None:
    clock = StoryClock(BEGIN, 1)
    before = clock.seconds()
    clock.run(1e-6)
    assert 0 <= clock.seconds() - before < 1
    assert clock.now() >= BEGIN
    assert clock.real_seconds(clock.now() + timedelta(seconds=1)) > 1000


def test_it_does_not_stand_still_or_go_back() -> None:
    with pytest.raises(ValueError, match="above 0"):
        StoryClock(BEGIN, 0)
