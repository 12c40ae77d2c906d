"""Document → Slack blocks, split into parts where Slack's limits ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from warroom.rendering import document as doc
from warroom.rendering.document import Text
from warroom.rendering.elements import HEADER, Json, button
from warroom.rendering.inline import context_elements, flat, rich_elements, split_text
from warroom.rendering.plain import table_text, text_of_leaves

RICH = 3000
"""Characters in one rich_text block; Slack names no limit, so we keep to that of a section."""
PREFORMATTED = 2800
BLOCKS_PER_PART = 50
CHARACTERS_PER_PART = 12_000
BUTTONS_PER_BLOCK = 25
ENDING = 10
"""Rows of buttons and small print that a split message keeps in its first part."""
DEEPEST_INDENT = 8


def blocks_of(document: doc.Document, button_value: str = "") -> list[Json]:
    """The blocks of a whole document, however many. `button_value` goes to every button without its own."""
    writer = _Writer(button_value)
    for block in document:
        writer.write(block)
    writer.flush()
    return writer.blocks


def split_parts(blocks: Sequence[Json]) -> list[list[Json]]:
    """Runs of at most 50 blocks and 12,000 characters. The rows of buttons and small print that end the
    message stay at the end of the first one, so that what it asks people to do is in the main post."""
    if len(blocks) <= BLOCKS_PER_PART and sum(map(_weight, blocks)) <= CHARACTERS_PER_PART:
        return [list(blocks)]
    cut = len(blocks)
    while cut > max(len(blocks) - ENDING, 0) and blocks[cut - 1]["type"] in ("actions", "context"):
        cut -= 1
    ending = list(blocks[cut:])
    parts: list[list[Json]] = [[]]
    count, weight = len(ending), sum(map(_weight, ending))
    for block in blocks[:cut]:
        size = _weight(block)
        if parts[-1] and (count + 1 > BLOCKS_PER_PART or weight + size > CHARACTERS_PER_PART):
            parts.append([])
            count, weight = 0, 0
        parts[-1].append(block)
        count, weight = count + 1, weight + size
    parts[0].extend(ending)
    return parts


def _weight(value: object) -> int:
    """Characters in a block, its addresses and ids included."""
    match value:
        case str():
            return len(value)
        case dict():
            return sum(_weight(item) for key, item in value.items() if key != "type")
        case list():
            return sum(map(_weight, value))
        case _:
            return 0


@dataclass(slots=True)
class _Writer:
    button_value: str
    blocks: list[Json] = field(default_factory=list)
    rich: list[Json] = field(default_factory=list)
    size: int = 0
    links: int = 0

    def write(self, block: doc.Block) -> None:
        match block:
            case doc.Heading(inlines):
                if text_of_leaves(inlines).strip():
                    self._single({"type": "header", "text": flat(inlines, HEADER)})
            case doc.Paragraph(inlines):
                self._paragraph(inlines)
            case doc.Small(inlines):
                if text_of_leaves(inlines).strip():
                    self._single({"type": "context", "elements": context_elements(inlines)})
            case doc.Items():
                self._items(block, 0)
            case doc.Quote(blocks):
                for chunk in _chunks(rich_elements(_quoted(blocks))):
                    self._push({"type": "rich_text_quote", "elements": chunk})
            case doc.Code(text):
                self._preformatted(text)
            case doc.Table():
                self._preformatted(table_text(block))
            case doc.Divider():
                self._single({"type": "divider"})
            case doc.Buttons(buttons):
                self._buttons(buttons)

    def flush(self) -> None:
        if self.rich:
            self.blocks.append({"type": "rich_text", "elements": self.rich})
            self.rich, self.size = [], 0

    def _single(self, block: Json) -> None:
        self.flush()
        self.blocks.append(block)

    def _push(self, element: Json) -> None:
        size = _characters(element["elements"])
        if self.size + size > RICH:
            self.flush()
        self.rich.append(element)
        self.size += size

    def _paragraph(self, inlines: Iterable[doc.Inline]) -> None:
        for index, chunk in enumerate(_chunks(rich_elements(inlines))):
            last = self.rich[-1] if self.rich else None
            size = _characters(chunk) + 2
            if not index and last and last["type"] == "rich_text_section" and self.size + size <= RICH:
                last["elements"] += _after(last["elements"], chunk)
                self.size += size
            else:
                self._push({"type": "rich_text_section", "elements": chunk})

    def _preformatted(self, text: str) -> None:
        pieces = list(split_text(text, PREFORMATTED))
        for index, piece in enumerate(pieces, 1):
            shown = piece if index == len(pieces) else piece.removesuffix("\n") or " "
            self._push({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]})

    def _items(self, items: doc.Items, indent: int) -> None:
        for index, blocks in enumerate(items.items):
            number = None if items.start is None else items.start + index
            opening = list(takewhile(lambda block: isinstance(block, doc.Paragraph), blocks))
            first, *rest = _chunks(rich_elements(_joined(opening, "\n"))) or [[{"type": "text", "text": " "}]]
            self._item(number, min(indent, DEEPEST_INDENT), first)
            for chunk in rest:
                self._push({"type": "rich_text_section", "elements": chunk})
            for block in blocks[len(opening) :]:
                if isinstance(block, doc.Items):
                    self._items(block, indent + 1)
                else:
                    self.write(block)

    def _item(self, number: int | None, indent: int, elements: list[Json]) -> None:
        section = {"type": "rich_text_section", "elements": elements}
        style = "bullet" if number is None else "ordered"
        size = _characters(elements)
        last = self.rich[-1] if self.rich else {}
        if (last.get("style"), last.get("indent")) == (style, indent) and self.size + size <= RICH:
            follows = number is None or number == last.get("offset", 0) + len(last["elements"]) + 1
            if follows:
                last["elements"].append(section)
                self.size += size
                return
        found: Json = {"type": "rich_text_list", "style": style, "indent": indent, "elements": [section]}
        if number is not None and number > 1:
            found["offset"] = number - 1
        self._push(found)

    def _buttons(self, buttons: Sequence[doc.Button]) -> None:
        row: list[Json] = []
        for each in buttons:
            made = self._button(each)
            if len(row) == BUTTONS_PER_BLOCK or any(b["action_id"] == made["action_id"] for b in row):
                self._single({"type": "actions", "elements": row})  # an action id is unique within its block
                row = []
            row.append(made)
        if row:
            self._single({"type": "actions", "elements": row})

    def _button(self, each: doc.Button) -> Json:
        label = flat(each.label, HEADER)
        if each.url:
            self.links += 1
        return button(
            label["text"],
            each.action or f"open.{self.links}",
            value=self.button_value if each.value is None else each.value,
            style=each.style,
            url=each.url,
            emoji=label["emoji"],
        )


def _characters(elements: Iterable[Json]) -> int:
    """Characters of rich_text elements, those of sections inside a list included; no element counts less
    than 12, which is about what a mention shows."""
    return sum(
        _characters(element["elements"])
        if "elements" in element
        else max(len(element.get("text", "")) + len(element.get("url", "")), 12)
        for element in elements
    )


def _chunks(elements: Iterable[Json]) -> list[list[Json]]:
    chunks: list[list[Json]] = []
    size = RICH
    for element in elements:
        length = _characters([element])
        if size + length > RICH or not chunks:
            chunks.append([])
            size = 0
        chunks[-1].append(element)
        size += length
    return chunks


def _after(before: list[Json], chunk: list[Json]) -> list[Json]:
    """The chunk with a blank line in front, in its own text element where that is unstyled."""
    first = chunk[0]
    if first["type"] == "text" and "style" not in first and len(first["text"]) < RICH - 2:
        return [{"type": "text", "text": "\n\n" + first["text"]}, *chunk[1:]]
    return [{"type": "text", "text": "\n\n"}, *chunk]


def _joined(paragraphs: Iterable[doc.Block], between: str) -> Iterator[doc.Inline]:
    for index, block in enumerate(paragraphs):
        if index:
            yield Text(between)
        if isinstance(block, doc.Paragraph):
            yield from block.inlines


def _quoted(blocks: Iterable[doc.Block], sign: str = "") -> Iterator[doc.Inline]:
    """The content of a quote in lines, as Slack's quotes hold no lists and no blocks."""
    for index, block in enumerate(blocks):
        if index:
            yield Text("\n" if sign else "\n\n")
        match block:
            case doc.Paragraph(inlines) | doc.Heading(inlines) | doc.Small(inlines):
                yield from inlines
            case doc.Items(start, items):
                for number, item in enumerate(items):
                    own = "• " if start is None else f"{start + number}. "
                    yield Text(("\n" if number else "") + own)
                    yield from _quoted(item, own)
            case doc.Code(text):
                yield Text(text, ("code",))
            case doc.Table():
                yield Text(table_text(block), ("code",))
            case doc.Quote(inner):
                yield from _quoted(inner)
            case _:
                pass
