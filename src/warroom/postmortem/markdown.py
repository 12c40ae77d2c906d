"""Text from outside as Markdown that can only ever be text, in any renderer.

Addresses and @names become code: readable, easy to copy, and no renderer links or mentions what stands in code.
What would end a table cell or open a tag becomes a character reference; the rest is escaped with a backslash, and
only where Markdown would see a mark, so that the file is pleasant to read as it is.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from warroom.domain.words import spell

NOTHING = "—"
_KEPT = "\n\t\u200d"  # the joiner holds emoji together
_REFERENCES = {"<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;"}
_TOKEN = re.compile(r"[^\s`|<>\\]*(?:://|@(?=\w)|\bwww\.)[^\s`|<>\\]*(?<![.,;:!?])", re.IGNORECASE)
_MARK = re.compile(r"[\\*\[\]~$<>|`]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_START = re.compile(r"#{1,6}(?=\s|$)|[-+](?=\s|$|-)|=|\d{1,9}(?=[.)](?:\s|$))")
_URL = re.compile(r"https?://[^\s<>()|\\`\"\[\]]*[^\s<>()|\\`\"\[\].,;:!?]", re.IGNORECASE)


class Safe(str):
    """Markdown of our own making, not escaped again."""

    __slots__ = ()


def clean(text: str) -> str:
    """Text without control, invisible, direction-changing and private-use characters; line ends are `\\n`."""
    lines = "\n".join(text.splitlines())
    return "".join(c for c in lines if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))


def inline(text: str) -> Safe:
    """The text in one line, fit for a table cell, a list item, a paragraph or a heading."""
    line = " ".join(clean(text).split())
    out: list[str] = []
    end = 0
    for token in _TOKEN.finditer(line):
        out += [_escape(line[end : token.start()], first=end == 0), f"`{token[0]}`"]
        end = token.end()
    out.append(_escape(line[end:], first=end == 0))
    return Safe("".join(out))


def _escape(text: str, *, first: bool) -> str:
    start = _START.match(text) if first else None
    head = ""
    if start:
        head = f"{start[0]}\\{text[start.end()]}" if start[0].isdigit() else f"\\{start[0]}"
        text = text[start.end() + start[0].isdigit() :]
    return head + _MARK.sub(lambda m: _REFERENCES.get(m[0]) or ("&amp;" if m[0] == "&" else f"\\{m[0]}"), text)


def prose(text: str) -> Safe:
    """Text of several lines as paragraphs; lines that begin like a list become one."""
    lines = [line.strip() for line in clean(text).splitlines() if line.strip()]
    listed = [re.match(r"(?:[-*•+]|\d{1,3}[.)])\s+(?=\S)", line) for line in lines]
    out: list[str] = []
    for number, (line, mark) in enumerate(zip(lines, listed, strict=True)):
        if number and not (mark and listed[number - 1]):
            out.append("")
        out.append(f"- {inline(line[mark.end() :])}" if mark else inline(line))
    return Safe("\n".join(out))


def link(label: object, url: str) -> Safe:
    """A link, or only the label when the address is not a plain http(s) one."""
    text = written(label)
    return Safe(f"[{text}]({url})") if _URL.fullmatch(url) else text


def written(value: object) -> Safe:
    """A value as it stands in the document. Raises TypeError for what is not plain."""
    match value:
        case Safe():
            return value
        case str():
            return inline(value)
        case None:
            return Safe(NOTHING)
        case int():
            return Safe(value)
        case datetime():
            return stamp(value)
        case timedelta():
            return Safe(span(value))
        case _:
            raise TypeError(f"a post-mortem cannot show a {type(value).__name__}")


def stamp(at: datetime) -> Safe:
    """`2026-03-02 14:31 UTC`."""
    return Safe(f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def clock(at: datetime | None, beside: datetime) -> Safe:
    """`14:31:05`, or `03-02 14:31:05` (UTC) where the moment it stands beside is of another day; a dash for None."""
    if at is None:
        return Safe(NOTHING)
    utc = at.astimezone(UTC)
    return Safe(f"{utc:%H:%M:%S}" if utc.date() == beside.astimezone(UTC).date() else f"{utc:%m-%d %H:%M:%S}")


def span(length: timedelta) -> str:
    """A duration in words: "1 m 2 s"; below a second "under 1 s"."""
    return "under 1 s" if timedelta() <= length < timedelta(seconds=1) else spell(length)


def commas(values: Iterable[object]) -> Safe:
    """Values one after the other."""
    return Safe(", ".join(map(written, values)))


def plain(markdown: str) -> str:
    """What `inline` was given, read back from what it made."""
    parts = re.split(r"(`[^`]*`)", markdown)
    return "".join(
        part[1:-1] if number % 2 else html.unescape(re.sub(r"\\([^\w\s]|_)", r"\1", part))
        for number, part in enumerate(parts)
    )
