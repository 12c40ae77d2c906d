"""Answers that may be a few minutes old."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by name, each forgotten after its time (seconds of `monotonic`)."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._values: dict[str, tuple[T, float]] = {}

    def get(self, name: str) -> tuple[T] | None:
        """The value in a tuple of one (it may be None itself), or None when it is not remembered."""
        if name not in self._values:
            return None
        value, until = self._values[name]
        return (value,) if self._monotonic() < until else None

    def put(self, name: str, value: T, seconds: float) -> T:
        """Remember the value for so long, and return it."""
        self._values[name] = (value, self._monotonic() + seconds)
        return value
