"""Small helpers for words people type and read."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

_REACHED = {
    "responding": "somebody responds",
    "commander_assigned": "somebody is in command",
    "recovery_started": "recovery has begun",
    "resolution_announced": "the resolution is announced",
}


def reaching(milestone: str) -> str:
    """That a milestone is reached, as people say it."""
    return _REACHED.get(milestone, f"it is {milestone.replace('_', ' ')}")


def nearest(word: str, options: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The real words closest to a mistyped one, best first; empty when nothing is close."""
    by_lower = {option.lower(): option for option in options}
    return tuple(by_lower[m] for m in get_close_matches(word.lower(), by_lower, n=most, cutoff=0.5))


def slug(text: str, most: int) -> str:
    """Lower-case letters, digits and single hyphens, at most `most` characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:most].strip("-")


def spell(span: timedelta) -> str:
    """A duration as people say it: "2 m 31 s", "1 h 5 m", "45 s"; the two largest parts."""
    seconds = int(span.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return sign + (" ".join(parts[:2]) or "0 s")


def day(at: datetime) -> str:
    """The UTC day of a moment: "Wed 18 Nov 2026"."""
    utc = at.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b %Y}"


def stamp(at: datetime) -> str:
    """A moment as it can be read on any day: "Wed 18 Nov 2026, 14:31 UTC"."""
    return f"{day(at)}, {at.astimezone(UTC):%H:%M} UTC"


def clock(at: datetime, now: datetime) -> str:
    """A moment as people read it at `now`: "14:31 UTC", on another UTC day with that day."""
    return f"{at.astimezone(UTC):%H:%M} UTC" if day(at) == day(now) else stamp(at)


def counted(count: int, noun: str) -> str:
    """ "1 reading", "2 readings", "3 other people"; the nouns that do not just take an s are in `_PLURALS`."""
    *before, last = noun.split(" ")
    return f"{count} {' '.join([*before, last if count == 1 else _PLURALS.get(last, f'{last}s')])}"


_PLURALS = {"person": "people"}


def listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    words = list(items)
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
