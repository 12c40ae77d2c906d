"""The last answer of a pure function, kept: deciding asks the same thing about the same incident several times."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")


def latest(ask: Callable[[A, B, C], T]) -> Callable[[A, B, C], T]:
    """`ask`, not computed again while it is called with the very same (frozen) arguments as the time before.

    Arguments count as the same when they are the same objects: comparing incidents would cost more than it saves.
    """
    kept: tuple[A, B, C, T] | None = None

    @wraps(ask)
    def asked(first: A, second: B, third: C) -> T:
        nonlocal kept
        if kept is not None and kept[0] is first and kept[1] is second and kept[2] is third:
            return kept[3]
        answer = ask(first, second, third)
        kept = (first, second, third, answer)
        return answer

    return asked
