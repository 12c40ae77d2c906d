"""A rendered message: what goes to Slack, to mail and to a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from warroom.rendering.blocks import blocks_of, split_parts
from warroom.rendering.document import Document, Leaf, Paragraph, Text
from warroom.rendering.elements import Json
from warroom.rendering.html import html_of
from warroom.rendering.inline import clip_leaves, mrkdwn
from warroom.rendering.plain import plain_text_of, text_of_leaves
from warroom.rendering.values import clean, one_line

SUMMARY = 1000
"""Characters of the summary line."""


@dataclass(frozen=True, slots=True)
class Part:
    """One `chat.postMessage`: its blocks and its fallback `text`, which is escaped mrkdwn."""

    blocks: list[Json]
    text: str


@dataclass(frozen=True)
class Message:
    """`parts[0]` is the main post and holds the buttons; further parts exist only when it would be too long.

    `summary` is the notification line as plain text, fit for a mail's subject. `html` and `plain` are the
    whole message as an HTML fragment and as text, made when first asked for.
    """

    parts: tuple[Part, ...]
    summary: str
    document: Document = field(repr=False, default=())

    @cached_property
    def html(self) -> str:
        return html_of(self.document)

    @cached_property
    def plain(self) -> str:
        return plain_text_of(self.document)


def build(document: Document, summary: Iterable[Leaf], button_value: str = "") -> Message:
    """A message from a resolved document and the leaves of its summary line."""
    line = clip_leaves(summary, SUMMARY)
    text = one_line(mrkdwn(line))
    runs = split_parts(blocks_of(document, button_value))
    parts = tuple(
        Part(blocks, text if not index else f"{text} ({index + 1}/{len(runs)})") for index, blocks in enumerate(runs)
    )
    return Message(parts, one_line(text_of_leaves(line)), document)


def notice(text: str) -> Message:
    """A message of plain text without a template: the last resort when a template fails at render time."""
    cleaned = clean(text)
    return build((Paragraph((Text(cleaned),)),), (Text(cleaned),))
