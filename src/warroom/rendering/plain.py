"""Document → readable plain text, for terminals and the text part of a mail."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from warroom.rendering.document import (
    Block,
    Buttons,
    Code,
    Divider,
    Document,
    Heading,
    Inline,
    Items,
    Paragraph,
    Quote,
    Small,
    Table,
)
from warroom.rendering.values import one_line


def plain_text_of(document: Document) -> str:
    """The whole document. Of the buttons only those that open an address are shown."""
    return "\n\n".join(filter(None, map(_block, document)))


def text_of_leaves(leaves: Iterable[Inline]) -> str:
    return "".join(map(str, leaves))


def _block(block: Block) -> str:
    match block:
        case Heading(inlines):
            title = one_line(text_of_leaves(inlines))
            return f"{title}\n{'=' * width(title)}" if title else ""
        case Paragraph(inlines) | Small(inlines):
            return text_of_leaves(inlines).strip()
        case Items(start, items):
            return "\n".join(_item(start, index, item) for index, item in enumerate(items))
        case Quote(blocks):
            return "\n".join(f"> {line}".rstrip() for line in plain_text_of(blocks).split("\n"))
        case Code(text):
            return _indent(text, "    ", "    ")
        case Divider():
            return "-" * 40
        case Table():
            return table_text(block)
        case Buttons(buttons):
            return "\n".join(f"{one_line(text_of_leaves(b.label))}: {b.url}" for b in buttons if b.url)
    return ""


def _item(start: int | None, index: int, item: tuple[Block, ...]) -> str:
    sign = "- " if start is None else f"{start + index}. "
    body = "\n".join(filter(None, map(_block, item)))
    return _indent(body, sign, " " * len(sign))


def _indent(text: str, first: str, rest: str) -> str:
    return "\n".join((first if not i else rest) + line for i, line in enumerate(text.split("\n")))


def table_text(table: Table) -> str:
    """A table as aligned columns for a fixed-width font, a rule under its header."""
    rows = [[one_line(text_of_leaves(cell)) for cell in row] for row in table.rows]
    widths = [max(width(row[column]) for row in rows) for column in range(len(table.right))]
    lines = [_row(row, widths, table.right) for row in rows]
    return "\n".join([lines[0], "  ".join("-" * size for size in widths), *lines[1:]])


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, size, to_right in zip(cells, widths, right, strict=True):
        gap = " " * (size - width(cell))
        padded.append(gap + cell if to_right else cell + gap)
    return "  ".join(padded).rstrip()


def width(text: str) -> int:
    """Columns the text takes in a fixed-width font: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
