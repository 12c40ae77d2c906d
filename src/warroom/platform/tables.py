"""Text tables for monospace type."""

from collections.abc import Sequence
from itertools import zip_longest

WIDEST_CELL = 120


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to equal width under `head`; columns of figures stand to the right. No trailing blanks."""
    cells = [[_cell(c) for c in row] for row in rows]
    names = [_cell(h) for h in head]
    columns = list(zip_longest(*cells, fillvalue="")) or [()] * len(names)
    widths = [max(map(len, (name, *column))) for name, column in zip(names, columns, strict=True)]
    right = [bool(column) and all(map(_is_figure, column)) for column in columns]

    def line(row: Sequence[str]) -> str:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    rule = "  ".join("-" * w for w in widths)
    return "\n".join([line(names), rule, *map(line, cells)])


def _cell(text: str) -> str:
    one_line = "".join(c if c.isprintable() else " " for c in text)
    return one_line if len(one_line) <= WIDEST_CELL else one_line[: WIDEST_CELL - 1] + "…"


def _is_figure(text: str) -> bool:
    return text == "NULL" or text.replace(",", "").replace(".", "", 1).lstrip("-").isdigit()
