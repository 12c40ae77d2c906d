"""Markdown → document. Total: what is not supported is reported and shown as text, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from warroom.rendering.document import (
    Anchor,
    Block,
    Button,
    Buttons,
    Code,
    Divider,
    Document,
    Emoji,
    Heading,
    Inline,
    Items,
    Paragraph,
    Quote,
    Slot,
    Small,
    Style,
    Table,
    Text,
)
from warroom.rendering.slots import MARK

_PIECE = re.compile(
    f"{MARK.pattern}"
    r"|(?<![\w:]):(?=[a-z0-9_+'-]*[a-z_+-])([a-z0-9_+'-]+):(?![\w])"  # :rotating_light:, but not 12:30:45
)
_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
_ACTION_ID = re.compile(r"[a-z][a-z0-9_.:-]{0,200}")
_TITLE = re.compile(r"(?:(?P<style>primary|danger)(?:\s+|$))?(?:value=(?P<value>.*))?", re.DOTALL)
_SCHEMES = ("action:", "open:")


class _Parser(MarkdownIt):
    """Link addresses stay as written: marks would be percent-encoded, and `resolve` checks the address."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        return url

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return True


_parser = (
    _Parser("commonmark")
    .enable(["table", "strikethrough"])
    # Indented code and underlined headings are traps in indented templates; link definitions nobody needs.
    .disable(["code", "lheading", "reference"])
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, and what was not supported: line of the Markdown (from 0) and what to do."""

    document: Document
    mistakes: tuple[tuple[int, str], ...]


@lru_cache(maxsize=1024)
def read(markdown: str) -> Reading:
    """Read Markdown whose values are marks. Cached: the same template with other values is the same text."""
    reader = _Reader(_parser.parse(markdown))
    document = reader.blocks(None)
    return Reading(document, tuple(reader.mistakes))


def literal(text: str, style: Style = (), *, emoji: bool = True) -> Iterator[Inline]:
    """The leaves and slots of template text in which only marks and emoji names mean something."""
    position = 0
    for found in _PIECE.finditer(text):
        if found[1] is None and not emoji:
            continue
        if found.start() > position:
            yield Text(text[position : found.start()], style, trusted=True)
        yield Slot(int(found[1]), style) if found[1] is not None else Emoji(found[2])
        position = found.end()
    if position < len(text):
        yield Text(text[position:], style, trusted=True)


@dataclass(slots=True)
class _Reader:
    tokens: Sequence[Token]
    position: int = 0
    line: int = 0
    mistakes: list[tuple[int, str]] = field(default_factory=list)

    def blocks(self, until: str | None) -> tuple[Block, ...]:
        found: list[Block] = []
        while self.position < len(self.tokens):
            token = self._next()
            if token.type == until:
                break
            found.append(self._block(token))
        return tuple(found)

    def _next(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        if token.map:
            self.line = token.map[0]
        return token

    def _wrong(self, text: str, line: int | None = None) -> None:
        self.mistakes.append((self.line if line is None else line, text))

    def _block(self, token: Token) -> Block:
        match token.type:
            case "heading_open":
                return self._heading(token.tag)
            case "paragraph_open":
                return self._paragraph()
            case "bullet_list_open":
                return Items(None, self._items("bullet_list_close"))
            case "ordered_list_open":
                start = token.attrs.get("start", 1)
                return Items(int(start), self._items("ordered_list_close"))
            case "blockquote_open":
                return Quote(self.blocks("blockquote_close"))
            case "fence":
                return Code(token.content.removesuffix("\n"))
            case "hr":
                return Divider()
            case "table_open":
                return self._table()
            case _:
                self._wrong("HTML is not shown in messages; write Markdown")
                return Paragraph(tuple(literal(token.content.rstrip("\n"))))

    def _inline_block(self) -> tuple[Inline, ...]:
        inlines = self._inlines(self._next().children or [])
        self.position += 1  # the closing token
        return inlines

    def _heading(self, tag: str) -> Block:
        inlines = self._inline_block()
        if tag == "h6":
            return Small(inlines)
        if tag in ("h4", "h5"):
            self._wrong("use # or ## for headings, ### for a bold line, ###### for small print")
        return Heading(inlines) if tag in ("h1", "h2") else Paragraph(_bold(inlines))

    def _paragraph(self) -> Block:
        inlines = self._inline_block()
        links = [inline for inline in inlines if isinstance(inline, Anchor)]
        buttons = [link for link in links if link.target.startswith(_SCHEMES)]
        rest = (i for i in inlines if not isinstance(i, Anchor))
        alone = all(isinstance(inline, Text) and not inline.text.strip() for inline in rest)
        if buttons and alone and len(buttons) == len(links):
            return Buttons(tuple(map(self._button, buttons)))
        if buttons:
            self._wrong("buttons stand in a paragraph of their own, with a blank line above and below")
        for link in links:
            if link.title:
                self._wrong("only buttons take a title; remove the text in quotes from the link")
        return Paragraph(inlines)

    def _button(self, link: Anchor) -> Button:
        scheme, _, target = link.target.partition(":")
        title = _TITLE.fullmatch(link.title.strip())
        if title is None:
            self._wrong(f'button title {link.title!r}: write "primary", "danger" or "danger value=…"')
        style, value = (title["style"] or "", title["value"]) if title else ("", None)
        if scheme == "open":
            if not target:
                self._wrong("open: needs an address: [Label](open:{{ url }})")
            return Button(link.label, url=target, style=style, value=value)
        if not _ACTION_ID.fullmatch(MARK.sub("x", target)):
            self._wrong(f"action id {target!r}: write small letters, digits, . _ : and -, e.g. incident.ack")
        return Button(link.label, action=target, style=style, value=value)

    def _items(self, until: str) -> tuple[tuple[Block, ...], ...]:
        items = []
        while self._next().type != until:  # list_item_open
            items.append(self.blocks("list_item_close"))
        return tuple(items)

    def _table(self) -> Table:
        rows: list[list[tuple[Inline, ...]]] = []
        right: list[bool] = []
        while (token := self._next()).type != "table_close":
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                if token.type == "th_open":
                    right.append("right" in str(token.attrs.get("style", "")))
                rows[-1].append(self._inline_block())
        return Table(tuple(map(tuple, rows)), tuple(right))

    def _inlines(self, tokens: Sequence[Token]) -> tuple[Inline, ...]:
        found: list[Inline] = []
        style: list[str] = []
        text = ""
        line = self.line
        position = 0

        def flush() -> None:
            nonlocal text
            found.extend(literal(text, tuple(dict.fromkeys(style))))
            text = ""

        while position < len(tokens):
            token = tokens[position]
            position += 1
            name, _, edge = token.type.rpartition("_")
            if token.type in ("softbreak", "hardbreak"):
                text += "\n"
                line += 1
            elif name in _STYLES:
                flush()
                if edge == "open":
                    style.append(_STYLES[name])
                else:
                    style.reverse()
                    style.remove(_STYLES[name])
                    style.reverse()
            elif token.type == "code_inline":
                flush()
                found.extend(literal(token.content, (*dict.fromkeys(style), "code"), emoji=False))
            elif token.type == "link_open":
                flush()
                end = next(i for i in range(position, len(tokens)) if tokens[i].type == "link_close")
                target, title = str(token.attrs.get("href", "")), str(token.attrs.get("title", ""))
                self._check_target(target, line)
                label = self._inlines(tokens[position:end])
                found.append(Anchor(target, label, title, tuple(dict.fromkeys(style))))
                position = end + 1
            else:
                if token.type == "html_inline":
                    self._wrong("HTML is not shown in messages; write Markdown", line)
                elif token.type == "image":
                    self._wrong("pictures are not shown in messages; upload the file and link to it", line)
                text += token.content
        flush()
        return tuple(found)

    def _check_target(self, target: str, line: int) -> None:
        web = target.lower().startswith(("http://", "https://"))
        if not web and not target.startswith(_SCHEMES) and not MARK.match(target):
            self._wrong(f"link to {target!r}: write an http(s) address, action:id or open:address", line)


def _bold(inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
    def bold(inline: Inline) -> Inline:
        match inline:
            case Slot(index, style):
                return Slot(index, tuple(dict.fromkeys(("bold", *style))))
            case Anchor(target, label, title, style):
                return Anchor(target, label, title, tuple(dict.fromkeys(("bold", *style))))
            case Text(text, style):
                return Text(text, tuple(dict.fromkeys(("bold", *style))), trusted=True)
            case _:
                return inline

    return tuple(map(bold, inlines))
