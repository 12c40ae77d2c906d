"""The timeline as a table of text, 100 columns wide: minute and time, kind, what happens, who, what if it is late."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, zip_longest

from warroom.domain.terms import Milestone
from warroom.explain.case import Case
from warroom.explain.rows import Row, conditional, gates, rows
from warroom.explain.words import plain
from warroom.packs.condition_references import MILESTONES
from warroom.packs.durations import format_duration

WIDTH = 100
_NAMES = ("after", "", "what happens", "who", "if it is late")
_WIDTHS = (9, 6, 35, 21, 21)
_STYLES = ("cyan", "magenta", "dim", "", "yellow")
_GAP = "  "
Line = tuple[tuple[str, str], ...]
"""Pieces of text with their styles, as Rich names them."""


def explanation(case: Case) -> Iterator[Line]:
    """The whole explanation, line by line."""
    yield from _head(case)
    found = rows(case)
    before = [m for m in MILESTONES if m != "declared" and MILESTONES.index(m) < MILESTONES.index("resolved")]
    yield from _section(case, "From the first alert", [r for r in found if r.after in ("detected", "declared")])
    for milestone in before[1:]:
        yield from _section(case, f"Once it is {plain(milestone)}", [r for r in found if r.after == milestone])
    yield from _gates(case)
    after: tuple[Milestone, ...] = ("resolved", "resolution_announced", "reviewed", "closed")
    for milestone in after:
        title = "After it is resolved" if milestone == "resolved" else f"Once it is {plain(milestone)}"
        yield from _section(case, title, [r for r in found if r.after == milestone])
    yield from _hint(case)


def _head(case: Case) -> Iterator[Line]:
    about = case.about
    yield ((f"{case.pack.title} · {case.severity} {about.title}", "bold"),)
    for line in _wrapped(about.definition, WIDTH):
        yield ((line, ""),)
    if case.book is not None:
        yield ((f"Playbook: {case.book.title}", ""),)
    if case.begins is not None:
        yield from (((line, ""),) for line in _when(case, case.begins))
    elif conditional(case):
        said = (
            "Shown for any time of day: what says “only if the market is …” exists in one of the two cases, and hours "
            "of market or business are not worked out. --against 10:00 shows one case with its real times."
        )
        for line in _wrapped(said, WIDTH):
            yield ((line, "dim"),)


def _wrapped(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    """`text` in lines of at most `width`; names with hyphens stay whole unless they are longer than that."""
    lines = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
    return [line.rstrip() for line in lines]


def _when(case: Case, begins: datetime) -> tuple[str, str]:
    local = begins.astimezone(case.zone)
    session = case.sessions.session(local.date())
    hours = ""
    if session is not None:
        opened, closed = (moment.astimezone(case.zone) for moment in session)
        hours = f" (it opens at {opened:%H:%M} and closes at {closed:%H:%M})"
    where = case.pack.calendar.timezone
    return (
        f"Declared {local:%A %-d %B %Y, %H:%M} {where} ({begins.astimezone(UTC):%H:%M} UTC).",
        f"The market is {case.market}{hours}.",
    )


def _section(case: Case, title: str, found: Sequence[Row]) -> Iterator[Line]:
    if not found:
        return
    yield ()
    yield ((title, "bold"),)
    yield _cells(_NAMES, ["dim"] * len(_NAMES))
    yield (("─" * WIDTH, "dim"),)
    for n, (at, group) in enumerate(groupby(found, key=lambda row: row.at)):
        if n:
            yield ()
        label = [_minute(at)]
        if case.begins is not None and found[0].after == "declared":
            label.append(case.label("declared", at))
        for row in group:
            yield from _row(row, label)
            label = []


def _row(row: Row, label: list[str]) -> Iterator[Line]:
    _, _, what, who, late = _WIDTHS
    title = _wrapped(row.what, what) or [""]
    details = [part for detail in row.details for part in _wrapped(detail, what, "  ", "    ")]
    columns = [label, [row.kind], title + details, _wrapped(row.who, who), _wrapped(row.if_late, late)]
    for index, texts in enumerate(zip_longest(*columns, fillvalue="")):
        yield _cells(texts, [*_STYLES[:2], "bold" if index < len(title) else "dim", *_STYLES[3:]])


def _cells(texts: Sequence[str], styles: Sequence[str]) -> Line:
    """A line of the table; nothing follows the last text."""
    pieces = []
    last = max((n for n, text in enumerate(texts) if text), default=0)
    for n, (width, text, style) in enumerate(zip(_WIDTHS, texts, styles, strict=True)):
        if n <= last:
            pieces.append((text.ljust(width) + _GAP if n < last else text, style))
    return tuple(pieces)


def _minute(at: timedelta) -> str:
    """A length of time in the first column; after days, only hours matter."""
    if not at:
        return "0m"
    return " ".join(format_duration(at).split()[:2]) if at >= timedelta(days=1) else format_duration(at)


def _gates(case: Case) -> Iterator[Line]:
    found = gates(case)
    if not found:
        return
    yield ()
    yield (("Before it may be resolved", "bold"),)
    yield (("─" * WIDTH, "dim"),)
    for title, criteria in found:
        yield ((title, ""),)
        for must in criteria:
            for line in _wrapped(must, WIDTH, "  ☐ ", "    "):
                yield ((line, ""),)


def _hint(case: Case) -> Iterator[Line]:
    """Which playbooks would add something."""
    if case.playbook is not None:
        return
    books = case.pack.playbooks.items()
    adding = [name for name, book in books if book.steps or book.clocks or book.communications]
    if adding:
        yield ()
        said = f"These playbooks add steps of their own (--playbook NAME): {', '.join(adding)}."
        for line in _wrapped(said, WIDTH):
            yield ((line, "dim"),)
