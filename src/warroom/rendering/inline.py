"""Leaves → the inline forms Slack knows: rich_text elements, mrkdwn, plain_text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from warroom.domain.words import clock, day
from warroom.rendering.document import Date, Emoji, Inline, Leaf, Link, Mention, Style, Text
from warroom.rendering.elements import Json, plain_text
from warroom.rendering.values import one_line, utc_stamp

ELEMENT = 3000
"""Characters in one rich_text element."""

_IDS = {"user": "user_id", "channel": "channel_id", "usergroup": "usergroup_id"}
_SIGILS = {"user": "@", "channel": "#", "usergroup": "!subteam^", "broadcast": "!"}
_SIGNS = {"bold": "*", "italic": "_", "strike": "~", "code": "`"}
_EMOJI_NAME = re.compile(r":(?=[a-z0-9_+'-]+:)", re.IGNORECASE)


def rich_elements(inlines: Iterable[Inline]) -> list[Json]:
    """Elements of a rich_text section; Slack never parses their text again. Long text is split at spaces."""
    elements: list[Json] = []
    text = ""
    style: Style = ()
    for part in _expanded(inlines):
        if isinstance(part, Text) and part.style == style:
            text += part.text
            continue
        elements.extend(_texts(text, style))
        if isinstance(part, Text):
            text, style = part.text, part.style
        else:
            text, style = "", ()
            elements.append(part)
    elements.extend(_texts(text, style))
    return elements


def _expanded(inlines: Iterable[Inline]) -> Iterator[Text | Json]:
    for inline in inlines:
        match inline:
            case Text():
                yield inline
            case Emoji(name):
                yield {"type": "emoji", "name": name}
            case Date(at, now):
                yield Text(f"{clock(at, now)} (")
                yield {
                    "type": "date",
                    "timestamp": int(at.timestamp()),
                    "format": _local(at, now),
                    "fallback": utc_stamp(at),
                }
                yield Text(")")
            case Mention("broadcast", range_):
                yield {"type": "broadcast", "range": range_}
            case Mention(kind, id_, _, style):
                yield {"type": kind, _IDS[kind]: id_} | _style(style)
            case Link(url, label, style):
                yield {"type": "link", "url": url, "text": label[:ELEMENT]} | _style(style)


def _local(at: datetime, now: datetime) -> str:
    """The reader's own time in Slack's words, with the reader's own day where the UTC one is named."""
    return "{time}" if day(at) == day(now) else "{date_short} at {time}"


def _style(style: Style) -> Json:
    return {"style": dict.fromkeys(style, True)} if style else {}


def _texts(text: str, style: Style) -> Iterator[Json]:
    for piece in split_text(text, ELEMENT):
        yield {"type": "text", "text": piece} | _style(style)


def split_text(text: str, limit: int) -> Iterator[str]:
    """The text in pieces of at most `limit` characters, cut after a line or a word where that is possible.
    Nothing is lost: the pieces joined are the text. An empty text has no pieces."""
    while len(text) > limit:
        half = limit // 2
        cut = text.rfind("\n", half, limit) + 1 or text.rfind(" ", half, limit) + 1 or limit
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


def mrkdwn(inlines: Iterable[Inline]) -> str:
    """Slack's mrkdwn with `&`, `<` and `>` of every text escaped, so that it holds no markup but ours.

    `*`, `_` and `~` cannot be escaped there: use it for template text and for the fallback line only.
    """
    return "".join(map(_mrkdwn, inlines))


def _mrkdwn(inline: Inline) -> str:
    match inline:
        case Text(text, style):
            signs = "".join(_SIGNS[name] for name in style) if text.strip() == text else ""
            return f"{signs}{escape(text)}{signs[::-1]}"
        case Emoji(name):
            return f":{name}:"
        case Date(at, now):
            moment = f"<!date^{int(at.timestamp())}^{_local(at, now)}^{utc_stamp(at)}>"
            return f"{clock(at, now)} ({moment})"
        case Mention(kind, id_):
            return f"<{_SIGILS[kind]}{id_}>"
        case Link(url, label):
            return f"<{escape(url)}|{escape(label)}>"
    return ""


def escape(text: str) -> str:
    """Slack's escaping, which is exactly these three."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def flat(inlines: Iterable[Inline], limit: int) -> Json:
    """A plain_text object in one line, in which only the template's emoji names become pictures."""
    leaves = list(inlines)
    emoji = any(isinstance(leaf, Emoji) for leaf in leaves)
    return plain_text(one_line("".join(_flat(leaf, emoji) for leaf in leaves)), limit, emoji=emoji)


def _flat(inline: Inline, emoji: bool) -> str:
    match inline:
        case Emoji(name):
            return f":{name}:"
        case Date(at, now):
            return clock(at, now)
        case Link(label=label):
            return _defused(label) if emoji else label
        case _:
            return _defused(str(inline)) if emoji else str(inline)


def _defused(text: str) -> str:
    return _EMOJI_NAME.sub(":\N{WORD JOINER}", text)


def context_elements(inlines: Iterable[Inline]) -> list[Json]:
    """Elements of a context block, at most 10: words and values as plain_text, and dates, mentions and links
    between them as mrkdwn."""
    leaves: list[Inline] = list(inlines)
    elements: list[Json] = []
    for special, run in groupby(leaves, key=lambda leaf: isinstance(leaf, Date | Mention | Link)):
        group = list(run)
        if not one_line("".join(map(str, group))):
            continue
        text = mrkdwn(group).strip()
        if special and len(text) <= CONTEXT:
            elements.append({"type": "mrkdwn", "text": text, "verbatim": True})
        else:
            elements.append(flat(group, CONTEXT))
    return elements if len(elements) <= 10 else [flat(leaves, CONTEXT)]


CONTEXT = 2000
"""Characters in one element of a context block."""


def clip_leaves(leaves: Iterable[Leaf], limit: int) -> tuple[Leaf, ...]:
    """Leaves in one line, with about `limit` characters in all."""
    kept: list[Leaf] = []
    left = limit
    for leaf in leaves:
        size = len(str(leaf))
        if isinstance(leaf, Text):
            text = re.sub(r"\s+", " ", leaf.text)
            kept.append(Text(text if len(text) <= left else text[: max(left - 1, 0)] + "…", (), leaf.trusted))
        elif size <= left:
            kept.append(leaf)
        left -= size
        if left <= 0:
            break
    return tuple(kept)
