"""Document → an HTML fragment for mail: every value escaped, dates in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby

from warroom.rendering.document import (
    Block,
    Button,
    Buttons,
    Code,
    Divider,
    Document,
    Heading,
    Inline,
    Items,
    Link,
    Paragraph,
    Quote,
    Small,
    Style,
    Table,
    Text,
)

_TAGS = {"bold": "strong", "italic": "em", "strike": "s", "code": "code"}


def html_of(document: Document) -> str:
    """The whole document. Buttons that open an address become links; the others act only in Slack."""
    return "\n".join(filter(None, map(_block, document)))


def _block(block: Block) -> str:
    match block:
        case Heading(inlines):
            return f"<h2>{_inlines(inlines)}</h2>"
        case Paragraph(inlines):
            return f"<p>{_inlines(inlines)}</p>" if inlines else ""
        case Small(inlines):
            return f"<p><small>{_inlines(inlines)}</small></p>"
        case Items(start, items):
            body = "".join(f"<li>{_tight(item)}</li>" for item in items)
            if start is None:
                return f"<ul>{body}</ul>"
            return f'<ol start="{start}">{body}</ol>' if start != 1 else f"<ol>{body}</ol>"
        case Quote(blocks):
            return f"<blockquote>{html_of(blocks)}</blockquote>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Divider():
            return "<hr>"
        case Table():
            return _table(block)
        case Buttons(buttons):
            links = " · ".join(_link(button) for button in buttons if button.url)
            return f"<p>{links}</p>" if links else ""
    return ""


def _tight(item: tuple[Block, ...]) -> str:
    """The first paragraph of a list item without its <p>, as mail programs give that a margin."""
    match item:
        case (Paragraph(inlines), *rest):
            return _inlines(inlines) + html_of(tuple(rest))
    return html_of(item)


def _table(table: Table) -> str:
    def row(cells: Iterable[tuple[Inline, ...]], tag: str) -> str:
        shown = []
        for cell, right in zip(cells, table.right, strict=True):
            align = ' align="right"' if right else ' align="left"'
            shown.append(f"<{tag}{align}>{_inlines(cell)}</{tag}>")
        return f"<tr>{''.join(shown)}</tr>"

    head, *body = table.rows
    return f"<table><thead>{row(head, 'th')}</thead><tbody>{''.join(row(r, 'td') for r in body)}</tbody></table>"


def _link(button: Button) -> str:
    return f'<a href="{escape(button.url)}">{_inlines(button.label)}</a>'


def _inlines(inlines: Iterable[Inline]) -> str:
    runs = groupby(inlines, key=lambda inline: getattr(inline, "style", ()))
    return "".join(_styled("".join(map(_inline, run)), style) for style, run in runs)


def _inline(inline: Inline) -> str:
    match inline:
        case Text(text):
            return _lines(text)
        case Link(url, label):
            return f'<a href="{escape(url)}">{_lines(label)}</a>'
        case _:
            return escape(str(inline))


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")


def _styled(html: str, style: Style) -> str:
    for name in reversed(style):
        html = f"<{_TAGS[name]}>{html}</{_TAGS[name]}>"
    return html
