"""A mistake in a file that people write, and how it is said."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake: in which file and line (from 1; 0 when there is none), at which key, and what to do."""

    file: str
    line: int
    where: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.where, self.sentence) if part)


def nearest(word: str, known: Iterable[str]) -> str:
    """`"; did you mean X?"` for the nearest known word, or the known words when there are few, or nothing."""
    words = sorted(set(known))
    if near := get_close_matches(word.lower(), {w.lower(): w for w in words}, n=1, cutoff=0.6):
        return f"; did you mean {next(w for w in words if w.lower() == near[0])}?"
    if not words:
        return "; none is defined"
    return f"; known are {', '.join(words)}" if len(words) <= 15 else ""
