"""Put the values into a document: afterwards its inline content is leaves only."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from warroom.rendering.document import (
    Anchor,
    Block,
    Button,
    Buttons,
    Code,
    Document,
    Heading,
    Inline,
    Items,
    Leaf,
    Link,
    Paragraph,
    Quote,
    Slot,
    Small,
    Table,
    Text,
)
from warroom.rendering.slots import MARK, Slots
from warroom.rendering.values import is_web_url, one_line


def resolve(document: Document, slots: Slots) -> Document:
    """The document with its values. Links and buttons whose address is not http(s) become text or are left
    out.
    """
    return tuple(_block(block, slots) for block in document)


def resolve_inlines(inlines: Iterable[Inline], slots: Slots) -> tuple[Leaf, ...]:
    """The leaves of inline content; a value takes the style of its place."""
    leaves: list[Leaf] = []
    for inline in inlines:
        match inline:
            case Slot(index, style):
                leaves.extend(leaf.styled(style) for leaf in slots[index])
            case Anchor():
                leaves.extend(_anchor(inline, slots))
            case _:
                leaves.append(inline)
    return tuple(leaves)


def _anchor(anchor: Anchor, slots: Slots) -> tuple[Leaf, ...]:
    label = resolve_inlines(anchor.label, slots)
    url = _address(anchor.target, slots)
    if not is_web_url(url):
        return label
    text = one_line("".join(map(str, label))) or url
    inner = label[0].style if len(label) == 1 and isinstance(label[0], Text) else ()
    return (Link(url, text, tuple(dict.fromkeys((*anchor.style, *inner)))),)


def _address(target: str, slots: Slots) -> str:
    """A value that is the whole address stands as it is; as a part of one it is percent-encoded."""
    whole = MARK.fullmatch(target)
    if whole:
        return slots.text(int(whole[1])).strip()
    return MARK.sub(lambda found: quote(slots.text(int(found[1])), safe=""), target)


def _block(block: Block, slots: Slots) -> Block:
    match block:
        case Heading(inlines):
            return Heading(resolve_inlines(inlines, slots))
        case Paragraph(inlines):
            return Paragraph(resolve_inlines(inlines, slots))
        case Small(inlines):
            return Small(resolve_inlines(inlines, slots))
        case Items(start, items):
            return Items(start, tuple(resolve(item, slots) for item in items))
        case Quote(blocks):
            return Quote(resolve(blocks, slots))
        case Code(text):
            return Code(slots.fill(text))
        case Table(rows, right):
            return Table(tuple(tuple(resolve_inlines(cell, slots) for cell in row) for row in rows), right)
        case Buttons(buttons):
            return Buttons(tuple(_button(button, slots) for button in buttons if _usable(button, slots)))
        case _:
            return block


def _usable(button: Button, slots: Slots) -> bool:
    return bool(button.action) or is_web_url(_address(button.url, slots))


def _button(button: Button, slots: Slots) -> Button:
    return Button(
        label=resolve_inlines(button.label, slots),
        action=slots.fill(button.action),
        url=_address(button.url, slots),
        style=button.style,
        value=None if button.value is None else slots.fill(button.value),
    )
