"""A mistake in a file that people write, and how it is said."""

import re
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
    words = {w.lower(): w for w in known}
    small = word.lower()
    if near := get_close_matches(small, words, n=3, cutoff=0.6):
        best = next((w for w in near if w.startswith(small) or small.startswith(w)), near[0])
        return f"; did you mean {words[best]}?"
    if not words:
        return "; none is defined"
    return f"; there is only {', '.join(sorted(words.values()))}" if len(words) <= 15 else ""


def without_consequences(found: Iterable[Problem], later: Iterable[Problem]) -> list[Problem]:
    """Both, but nothing of `later` about a place in which a mistake was found already."""
    first = list(found)
    broken = {(p.file, p.where) for p in first}
    return first + [p for p in later if not any((p.file, where) in broken for where in _around(p.where))]


def _around(where: str) -> Iterable[str]:
    """The place itself, every place around it, and the whole file (`""`)."""
    return ("", *(where[: end.start()] for end in re.finditer(r"\.|\[|$", where)))
