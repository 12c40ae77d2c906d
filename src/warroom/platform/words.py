"""Figures and names the way people read them."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_VALUE = 80


def figure(value: float) -> str:
    """A number with thousands separated: 1240 → "1,240", 0.8725 → "0.8725"."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.10g}"


def span(seconds: float) -> str:
    """A length of time: "12 ms" below a second, else "1.5 s"."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def plain(value: object) -> str:
    """A JSON value on one line, at most 80 characters."""
    match value:
        case None:
            text = "empty"
        case bool():
            text = str(value).lower()
        case int() | float():
            text = figure(value)
        case _:
            text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def label(path: str) -> str:
    """What a JMESPath asks for, in words: "groups[0].max_lag" → "max lag"; "the answer" when it names nothing."""
    names = re.findall(r"[A-Za-z_]\w*(?![\w(])", path)
    return names[-1].replace("_", " ") if names else "the answer"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for a name that does not exist: the nearest one, or all there are."""
    names = sorted(known)
    close = get_close_matches(word, names, 1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    return f"There is {', '.join(names)}." if names else "There is none."
