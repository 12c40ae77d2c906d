"""Values leave the template as numbered marks and come back as leaves, after Markdown has been read.

A mark is `U+E000 <number> U+E001`. Markdown takes it for a word, whatever the value is, so no value can be
emphasis, a link, a mention, HTML, a heading or the start of a list. Private-use characters are taken out of
values (`values.clean`) and refused in templates, so a mark cannot be forged.
"""

from __future__ import annotations

import re

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from warroom.rendering.document import Date, Emoji, Leaf, Link, Mention, Phrase, Text
from warroom.rendering.values import text_of

MARK = re.compile("\ue000([0-9]+)\ue001")

SLOTS_KEY = "<slots>"
"""Where the slots live in the template's context: not a name that a template could write."""
NOW_KEY = "<now>"
"""Where the moment lives at which the message is read."""


def mark(index: int) -> str:
    return f"\ue000{index}\ue001"


class Slots:
    """The values of one rendering, in the order in which the template put them out."""

    def __init__(self) -> None:
        self._leaves: list[tuple[Leaf, ...]] = []

    def add(self, value: object) -> str:
        """Keep a value and return its mark."""
        self._leaves.append(leaves_of(value))
        return mark(len(self._leaves) - 1)

    def __getitem__(self, index: int) -> tuple[Leaf, ...]:
        return self._leaves[index]

    def text(self, index: int) -> str:
        return "".join(map(str, self._leaves[index]))

    def fill(self, text: str) -> str:
        """The text with every mark replaced by the readable text of its value."""
        return MARK.sub(lambda found: self.text(int(found[1])), text)


def leaves_of(value: object) -> tuple[Leaf, ...]:
    """A leaf made by a filter stays what it is; everything else is text. Undefined raises UndefinedError."""
    if isinstance(value, Text | Emoji | Mention | Date | Link):
        return (value,)
    if isinstance(value, Phrase):
        return value.parts
    if isinstance(value, Undefined):
        return (Text(str(value)),)  # StrictUndefined raises here, and says which name is missing
    text = text_of(value)
    return (Text(text),) if text else ()


@pass_context
def finalize(context: Context, value: object) -> str:
    """Jinja's hook for every `{{ … }}`: what is put out is only ever a mark."""
    slots: Slots = context[SLOTS_KEY]
    return slots.add(value)
