"""A bucket never gives more than its capacity and what it regained."""

from hypothesis import given
from hypothesis import strategies as st

from warroom.engine.limits import Limits, Rate, Unlimited


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


pauses = st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=60)


@given(pauses, st.integers(1, 5), st.floats(0.05, 4))
def test_no_window_of_time_gives_more_than_capacity_and_regain(steps: list[float], capacity: int, rate: float) -> None:
    seconds = Seconds()
    limits = Limits({"x": Rate(capacity, rate)}, seconds)
    taken: list[float] = []
    for step in steps:
        seconds.now += step
        while limits.take(["x"]):
            taken.append(seconds.now)
    for i, begin in enumerate(taken):
        for j, end in enumerate(taken[i:]):
            assert j + 1 <= capacity + rate * (end - begin) + 1e-5


@given(pauses, st.floats(0.05, 4))
def test_after_the_wait_it_names_there_is_a_token(steps: list[float], rate: float) -> None:
    seconds = Seconds()
    limits = Limits({"x": Rate(1, rate)}, seconds)
    for step in steps:
        seconds.now += step
        limits.take(["x"])
        seconds.now += limits.wait(["x"])
        assert limits.wait(["x"]) < 1e-6
        assert limits.take(["x"])


def test_either_all_tokens_are_taken_or_none() -> None:
    limits = Limits({"a": (1, 1), "b": (2, 1)}, Seconds())
    assert limits.take(["a", "b"])
    assert not limits.take(["a", "b"])
    assert limits.take(["b"])


def test_each_name_of_a_pattern_has_a_bucket_of_its_own_and_the_first_pattern_counts() -> None:
    limits = Limits({"post:vip": (2, 1), "post:*": (1, 1)}, Seconds())
    assert [limits.take(["post:vip"]) for _ in range(3)] == [True, True, False]
    assert [limits.take([f"post:{name}"]) for name in "aab"] == [True, False, True]


def test_a_pause_holds_for_its_time_and_a_shorter_one_does_not_end_it() -> None:
    seconds = Seconds()
    for limits in (Limits({"x": (5, 1)}, seconds), Unlimited(seconds)):
        limits.pause("x", 10)
        limits.pause("x", 1)
        assert not limits.take(["x"])
        assert limits.take(["y"])
        assert limits.wait(["x"]) == 10
        seconds.now += 10
        assert limits.take(["x"])
