"""A template's Markdown without its values, so that it can be checked before there are any.

Every expression becomes a mark. An `if` gives one variant per branch, a `for` one with its body and one
without, so that between them the variants hold every line of the template in a place where it can occur.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from jinja2 import nodes

from warroom.rendering.slots import mark


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Markdown with marks; `lines[i]` is the template line of text line `i`, `filters[n]` the outermost
    filter of mark `n`, or an empty string.
    """

    text: str
    lines: list[int]
    filters: dict[int, str]


@dataclass(frozen=True, slots=True)
class _Chunk:
    text: str
    line: int


def skeletons(tree: nodes.Template) -> Iterator[Skeleton]:
    """The variants of one template."""
    filters: dict[int, str] = {}
    numbers = count()

    def branches(node: nodes.Node) -> list[list[_Chunk]]:
        match node:
            case nodes.Output():
                return [[chunk(child) for child in node.nodes]]
            case nodes.If():
                ways = [*variants(node.body)]
                for elif_ in node.elif_:
                    ways += variants(elif_.body)
                return ways + variants(node.else_)
            case nodes.For():
                return variants(node.body) + variants(node.else_)
            case _:
                return [[]]

    def variants(body: Iterable[nodes.Node]) -> list[list[_Chunk]]:
        columns = [branches(node) for node in body]
        height = max(map(len, columns), default=1)
        return [[piece for column in columns for piece in column[min(row, len(column) - 1)]] for row in range(height)]

    def chunk(node: nodes.Node) -> _Chunk:
        if isinstance(node, nodes.TemplateData):
            return _Chunk(node.data, node.lineno)
        index = next(numbers)
        filters[index] = node.name if isinstance(node, nodes.Filter) else ""
        return _Chunk(mark(index), node.lineno)

    for chunks in variants(tree.body):
        yield _assemble(chunks, filters)


def _assemble(chunks: list[_Chunk], filters: dict[int, str]) -> Skeleton:
    lines: list[int] = []
    fresh = True  # the next character begins a line of the text
    for chunk in chunks:
        parts = chunk.text.split("\n")
        for offset, part in enumerate(parts):
            fresh = fresh or offset > 0
            if fresh and (part or offset < len(parts) - 1):
                lines.append(chunk.line + offset)
                fresh = False
    return Skeleton("".join(chunk.text for chunk in chunks), lines or [1], filters)
