"""A message between Markdown and its outputs: blocks that hold inline leaves.

Straight from Markdown, inline content may hold a `Slot` (a value not filled in yet) or an `Anchor` (a link
whose address may contain one). After `resolve` only leaves are left: `Text`, `Emoji`, `Mention`, `Date`,
`Link`. Filters make the same leaves, and `str(leaf)` is its readable text, so a leaf joined to a string
degrades to text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from warroom.rendering.emoji import picture
from warroom.rendering.values import utc_stamp

Style: TypeAlias = tuple[str, ...]
"""Any of bold, italic, strike, code."""


@dataclass(frozen=True, slots=True)
class Text:
    """Characters. Newlines are line breaks. `trusted` is True for what stands in the template itself."""

    text: str
    style: Style = ()
    trusted: bool = False

    def __str__(self) -> str:
        return self.text

    def styled(self, style: Style) -> Leaf:
        return Text(self.text, style, self.trusted) if style else self


@dataclass(frozen=True, slots=True)
class Emoji:
    name: str

    def __str__(self) -> str:
        return picture(self.name)

    def styled(self, style: Style) -> Leaf:
        return self


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody or something Slack knows by id; `name` is for outputs outside Slack."""

    kind: Literal["user", "channel", "usergroup", "broadcast"]
    id: str
    name: str = ""
    style: Style = ()

    def __str__(self) -> str:
        return ("#" if self.kind == "channel" else "@") + (self.name or self.id)

    def styled(self, style: Style) -> Leaf:
        if "code" in style:
            return Text(str(self), style)
        return Mention(self.kind, self.id, self.name, style) if style else self


@dataclass(frozen=True, slots=True)
class Date:
    """A moment in a message of `now`: Slack shows it in UTC and in the reader's own zone, mail and terminal in UTC."""

    at: datetime
    now: datetime

    def __str__(self) -> str:
        return utc_stamp(self.at)

    def styled(self, style: Style) -> Leaf:
        return Text(str(self), style) if "code" in style else self


@dataclass(frozen=True, slots=True)
class Link:
    """A checked http(s) address and its label in one line."""

    url: str
    label: str
    style: Style = ()

    def __str__(self) -> str:
        return self.label if self.label == self.url else f"{self.label} ({self.url})"

    def styled(self, style: Style) -> Leaf:
        return Link(self.url, self.label, style) if style else self


@dataclass(frozen=True, slots=True)
class Phrase:
    """Several leaves made by one expression, e.g. by `and_list`."""

    parts: tuple[Leaf, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of the value number `index` of this rendering."""

    index: int
    style: Style = ()


@dataclass(frozen=True, slots=True)
class Anchor:
    """A Markdown link before its address is known; `target` may contain slot marks."""

    target: str
    label: tuple[Inline, ...]
    title: str = ""
    style: Style = ()


Leaf: TypeAlias = Text | Emoji | Mention | Date | Link
Inline: TypeAlias = Leaf | Slot | Anchor


@dataclass(frozen=True, slots=True)
class Heading:
    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Small:
    """Small print."""

    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; `start` is its first number, or None for bullets."""

    start: int | None
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted text; before `resolve` it may contain slot marks."""

    text: str


@dataclass(frozen=True, slots=True)
class Divider:
    pass


@dataclass(frozen=True, slots=True)
class Table:
    """`rows[0]` is the header; `right` tells per column whether it is right-aligned."""

    rows: tuple[tuple[tuple[Inline, ...], ...], ...]
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Button:
    """Either `action` (a Slack action id) or `url`; `value` None means the value shared by the message."""

    label: tuple[Inline, ...]
    action: str = ""
    url: str = ""
    style: str = ""
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Buttons:
    buttons: tuple[Button, ...]


Block: TypeAlias = Heading | Paragraph | Small | Items | Quote | Code | Divider | Table | Buttons
Document: TypeAlias = tuple[Block, ...]
