"""Values from outside: made plain, made harmless, made text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

Plain: TypeAlias = "str | int | float | bool | datetime | list[Plain] | dict[str, Plain] | None"

UNKNOWN = "—"
"""What a value of None reads as, unless the template says `| otherwise("…")`."""

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNWANTED = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls except tab and newline: ESC would drive a terminal
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2061-\u206f\ufeff"  # invisible, or turns text around
    "\ud800-\udfff"  # lone surrogates cannot be sent as UTF-8
    "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"  # private use: the renderer's own marks
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # interlinear marks and tags
    "]"
)


def clean(text: str) -> str:
    """Text without control, bidirectional, invisible and private-use characters; every line end is `\\n`."""
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


def plain(value: object, field: str) -> Plain:
    """A clean copy of a value made of plain things only, datetimes in UTC.

    `field` names the value in errors. Raises TypeError for objects, naive datetimes and keys that are not
    str.
    """
    match value:
        case None | bool():
            return value
        case str():
            return clean(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case datetime():
            if value.tzinfo is None:
                raise TypeError(f"{field} is a datetime without a time zone; hand in aware UTC")
            return value.astimezone(UTC)
        case list() | tuple():
            return [plain(item, f"{field}[{index}]") for index, item in enumerate(value)]
        case Mapping():
            return {_key(key, field): plain(item, f"{field}.{key}") for key, item in value.items()}
        case _:
            raise TypeError(
                f"{field} is a {type(value).__name__}; hand in plain values "
                "(str, int, float, bool, None, aware datetime, list, dict)"
            )


def _key(key: object, field: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{field} has the key {key!r}; keys must be str")
    return clean(key)


def text_of(value: object) -> str:
    """The text a plain value shows as when no filter says otherwise."""
    match value:
        case str():
            return value
        case None:
            return UNKNOWN
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.10g}"
        case datetime():
            return utc_stamp(value)
        case list() | tuple():
            return ", ".join(text_of(item) for item in value)
        case dict():
            return ", ".join(f"{key}: {text_of(item)}" for key, item in value.items())
        case _:
            return str(value)


def utc_stamp(at: datetime) -> str:
    """`2026-03-02 14:31 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def one_line(text: str) -> str:
    """The text in a single line, runs of white space made one space, ends trimmed."""
    return " ".join(text.split())


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, the last one `…` if something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def is_web_url(text: str) -> bool:
    """True for an http(s) address with a host and nothing that could end it early."""
    return len(text) <= 3000 and _WEB_URL.fullmatch(text) is not None


_WEB_URL = re.compile(r"https?://[^\s/?#<>\"|\\^`{}]+[^\s<>\"|\\^`{}]*", re.IGNORECASE)
