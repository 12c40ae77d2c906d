"""The filters a template may use: the only way to make a mention, a date or a link.

A filter never fails on a value: what it cannot make sense of is shown as text, and None, "" and missing keys
pass through, so that `{{ due | when | otherwise("not set") }}` works.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS as JINJA
from jinja2.runtime import Context

from warroom.domain import words
from warroom.rendering.document import Date, Leaf, Link, Mention, Phrase, Text
from warroom.rendering.slots import NOW_KEY, leaves_of
from warroom.rendering.values import clip, is_web_url, one_line, text_of

RANGES = ("here", "channel", "everyone")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")
_USER = re.compile(r"[UW][A-Z0-9]{2,}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,}")
_USERGROUP = re.compile(r"S[A-Z0-9]{2,}")


def _blank(value: object) -> bool:
    return isinstance(value, Undefined) or value is None or value == ""  # Undefined refuses ==


def mention(value: object, name: str | None = None) -> object:
    """A user id as a mention; `name` is what mail and terminal show."""
    known = isinstance(value, str) and _USER.fullmatch(value)
    return Mention("user", str(value), text_of(name or "")) if known else value


def channel(value: object, name: str | None = None) -> object:
    """A channel id as a link to the channel; `name` (without #) is what mail and terminal show."""
    known = isinstance(value, str) and _CHANNEL.fullmatch(value)
    return Mention("channel", str(value), text_of(name or "").removeprefix("#")) if known else value


def usergroup(value: object, name: str | None = None) -> object:
    """A user group id as a mention; `name` is what mail and terminal show."""
    known = isinstance(value, str) and _USERGROUP.fullmatch(value)
    return Mention("usergroup", str(value), text_of(name or "").removeprefix("@")) if known else value


def broadcast(value: object) -> object:
    """`here`, `channel` or `everyone` as a mention of all of them."""
    return Mention("broadcast", value) if isinstance(value, str) and value in RANGES else value


def _moment(value: object) -> datetime | None:
    """The moment that a value is; a platform and its people write one as `2026-03-02T14:31:00Z`."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@pass_context
def when(context: Context, value: object) -> object:
    """A moment in UTC and, in Slack, beside it in the reader's own zone; a moment of another day with its day."""
    at = _moment(value)
    return Date(at, context[NOW_KEY]) if at else value


@pass_context
def clock(context: Context, value: object) -> object:
    """A moment as `14:31 UTC`, one of another day as `Mon 2 Mar 2026, 14:31 UTC`."""
    at = _moment(value)
    return words.clock(at, context[NOW_KEY]) if at else value


def day(value: object) -> object:
    """The UTC day of a moment as `Mon 2 Mar 2026`."""
    return words.day(value) if isinstance(value, datetime) else value


def duration(value: object) -> object:
    """Seconds as the two largest units: `2 m 31 s`, `1 h 5 m`, `3 d 4 h`, `0 s`, `-45 s`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return value
    rest = abs(int(value))
    parts: list[int] = []
    for size in (86_400, 3_600, 60, 1):
        parts.append(rest // size)
        rest %= size
    first = next((index for index, part in enumerate(parts) if part), 3)
    shown = [f"{parts[i]} {'dhms'[i]}" for i in (first, first + 1) if i < 4 and (parts[i] or i == first)]
    return ("-" if int(value) < 0 else "") + " ".join(shown)


def number(value: object, digits: int | None = None) -> object:
    """A number with thousands separated: `1,234,567`; with `digits` decimals, else at most two."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if digits is not None:
        return f"{value:,.{min(max(digits, 0), 12)}f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def counted(value: object, noun: str) -> object:
    """How many there are of something: `1 reading`, `2 readings`."""
    return words.counted(value, noun) if isinstance(value, int) and not isinstance(value, bool) else value


def link(value: object, label: object = None) -> object:
    """An http(s) address as a link; anything else as text."""
    if not isinstance(value, str) or not is_web_url(value):
        return value
    return Link(value, value if _blank(label) else one_line(text_of(label)) or value)


def _many(value: object) -> list[object]:
    if value is None or isinstance(value, Undefined):
        return []
    return list(value) if isinstance(value, list | tuple | dict) else [value]


def _phrase(items: Iterable[object], separators: Callable[[int], str]) -> Phrase:
    parts: list[Leaf] = []
    for index, item in enumerate(items):
        if index:
            parts.append(Text(separators(index)))
        parts.extend(leaves_of(item))
    return Phrase(tuple(parts))


def and_list(value: object) -> object:
    """`a`, `a and b`, `a, b and c`. Mentions and links in the list stay what they are."""
    items = _many(value)
    return _phrase(items, lambda index: " and " if index == len(items) - 1 else ", ") if items else None


def join(value: object, separator: str = ", ") -> object:
    """The items with the separator between them. Mentions and links in the list stay what they are."""
    items = _many(value)
    return _phrase(items, lambda _: text_of(separator)) if items else None


@pass_context
def map_(context: Context, value: object, filter: str = "", *, attribute: str = "") -> list[object]:
    """`people | map(attribute="id")` or `ids | map("mention")`."""
    environment = context.environment
    if attribute:
        return [environment.getitem(item, attribute) for item in _many(value)]
    return [environment.call_filter(filter, item, context=context) for item in _many(value)]


def plain_title(value: object) -> object:
    """Text in one line, trimmed."""
    return value if _blank(value) else one_line(_text(value))


def clip_(value: object, length: int) -> object:
    """At most `length` characters, ending in `…` if something was cut."""
    return value if _blank(value) else clip(_text(value), length)


def otherwise(value: object, text: object) -> object:
    """The value, or `text` when it is None, empty or missing."""
    return text if _blank(value) or value == [] or value == {} else value


def length(value: object) -> int:
    """How many items or characters."""
    return len(value) if isinstance(value, str) else len(_many(value))


def upper(value: object) -> object:
    """Text in capitals."""
    return value if _blank(value) else _text(value).upper()


def lower(value: object) -> object:
    """Text in small letters."""
    return value if _blank(value) else _text(value).lower()


def first(value: object) -> object:
    """The first item, or None."""
    return next(iter(_many(value)), None)


def last(value: object) -> object:
    """The last item, or None."""
    return next(reversed(_many(value)), None)


def _text(value: object) -> str:
    return "".join(map(str, leaves_of(value)))


FILTERS: dict[str, Callable[..., Any]] = {
    "mention": mention,
    "channel": channel,
    "usergroup": usergroup,
    "broadcast": broadcast,
    "when": when,
    "clock": clock,
    "day": day,
    "duration": duration,
    "number": number,
    "counted": counted,
    "link": link,
    "and_list": and_list,
    "join": join,
    "map": map_,
    "plain_title": plain_title,
    "clip": clip_,
    "otherwise": otherwise,
    "default": JINJA["default"],
    "length": length,
    "upper": upper,
    "lower": lower,
    "first": first,
    "last": last,
}

MENTIONS = frozenset({"mention", "channel", "usergroup", "broadcast", "link"})
"""Filters whose result a heading or a button label cannot hold."""
MARKUP = MENTIONS | {"when", "and_list", "join"}
"""Filters whose result `~` would turn into plain text."""
