"""Lengths of time as people write them: `90s`, `15m`, `1h 30m`, `2d`."""

import re
from datetime import timedelta

UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
PATTERN = r"(?=\d)" + " ?".join(rf"(?:\d+{unit}(?![a-z]))?" for unit in UNITS)
_WHOLE = re.compile(PATTERN)
_PART = re.compile(r"(\d+)(ms|[wdhms])")


def is_duration(text: str) -> bool:
    """Whether `text` is a duration: numbers with units, the larger unit first, each once."""
    return _WHOLE.fullmatch(text) is not None


def parse_duration(text: str) -> timedelta:
    """The length of time that `text` says. Raises ValueError with what to write instead."""
    if not is_duration(text):
        raise ValueError(f"{text!r} is no length of time; write one such as 90s, 15m, 1h 30m or 2d")
    return sum((int(number) * UNITS[unit] for number, unit in _PART.findall(text)), timedelta())


def format_duration(span: timedelta) -> str:
    """`span` as `parse_duration` reads it, to the millisecond. Raises ValueError for a negative one."""
    if span < timedelta():
        raise ValueError("a length of time cannot be negative")
    parts = []
    for unit, size in UNITS.items():
        if unit == "w":
            continue
        count, span = divmod(span, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
