"""The last answer of a pure function is kept for the very same arguments, and only for those."""

from warroom.domain.latest import latest


def test_the_same_objects_are_not_asked_about_again_and_others_are() -> None:
    asked: list[tuple[list[int], str, str]] = []

    @latest
    def ask(first: list[int], second: str, third: str) -> int:
        asked.append((first, second, third))
        return len(asked)

    one, other = [1], [1]
    assert [ask(one, "a", "b"), ask(one, "a", "b"), ask(other, "a", "b"), ask(other, "a", "c")] == [1, 1, 2, 3]
    assert ask(one, "a", "b") == 4  # only the last answer is kept


def test_a_failure_is_not_kept() -> None:
    told = []

    @latest
    def ask(first: int, second: int, third: int) -> float:
        told.append(first)
        return first / second + third

    for _ in range(2):
        try:
            ask(1, 0, 0)
        except ZeroDivisionError:
            continue
    assert told == [1, 1]
