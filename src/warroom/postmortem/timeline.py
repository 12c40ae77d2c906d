"""Facts and messages as one timeline, without noise and without saying anything twice."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from warroom.domain import facts as f
from warroom.domain.incident import Incident
from warroom.domain.policy import Pack
from warroom.postmortem.lines import Line
from warroom.postmortem.markdown import clock
from warroom.postmortem.messages import row_of, spoken, worth_telling
from warroom.postmortem.model import Row, Timeline
from warroom.postmortem.telling import Teller

POSTED_WITHIN = timedelta(minutes=10)  # a post may wait for Slack's limits
POSTED_EARLY = timedelta(seconds=5)  # Slack's clock is not ours
AT_ONCE = timedelta(seconds=2)
POSTED_SOON = timedelta(seconds=5)
SHORTEST_ECHO = 4


@dataclass(frozen=True)
class _Entry:
    row: Row
    echo: str = ""
    group: str = ""


def timeline(incident: Incident, facts: Sequence[f.Fact], lines: Sequence[Line], pack: Pack) -> Timeline:
    """What happened, in order.

    A message marked for the timeline is told by its own words, a post of ours that repeats a fact lends its
    link to the fact's row, and all other posts of ours are left out.
    """
    said = spoken(lines)
    marked = {fact.what.ts for fact in facts if isinstance(fact.what, f.NoteAdded) and fact.what.ts}
    marked &= {line.ts for line in said}
    shown = worth_telling(said, marked)
    entries = _grouped(_entries(Teller.of(incident, facts, pack), facts, marked))
    rows = _linked(entries, [line for line in lines if line.effect_id])
    rows += [row_of(line) for line in shown]
    merged = _merged(sorted(rows, key=lambda row: row.at))
    return Timeline(rows=_placed(merged, lines), left_out=len(said) - len(shown))


def _entries(teller: Teller, facts: Sequence[f.Fact], marked: set[str]) -> list[_Entry]:
    found: list[_Entry] = []
    for fact in facts:
        if isinstance(fact.what, f.NoteAdded) and fact.what.ts in marked:
            continue
        told = teller.tell(fact)
        if told:
            row = Row(at=fact.at, event=told.event, action=told.action, who=fact.by.name)
            found.append(_Entry(row, " ".join(told.echo.split()).casefold(), told.group))
    return found


def _grouped(entries: Iterable[_Entry]) -> list[_Entry]:
    """Entries of the same group told once, with their number."""
    found: list[_Entry] = []
    entries = list(entries)
    sizes = Counter(e.group for e in entries if e.group)
    seen: set[str] = set()
    for entry in entries:
        if entry.group in seen:
            continue
        if sizes[entry.group] > 1:
            seen.add(entry.group)
            last = max(e.row.at for e in entries if e.group == entry.group)
            more = f" (and {sizes[entry.group] - 1} more until {clock(last, entry.row.at)})"
            entry = replace(entry, row=replace(entry.row, event=entry.row.event + more))
        found.append(entry)
    return found


def _linked(entries: Sequence[_Entry], posts: Sequence[Line]) -> list[Row]:
    """The rows of the entries, each with the link of the nearest post of ours that repeats it."""
    rows = [entry.row for entry in entries]
    for post in posts:
        text = " ".join(post.text.split()).casefold()
        near = [
            (abs(post.at - row.at), number)
            for number, (row, entry) in enumerate(zip(rows, entries, strict=True))
            if not row.url
            and row.at - POSTED_EARLY <= post.at <= row.at + POSTED_WITHIN
            and len(entry.echo) >= SHORTEST_ECHO
            and entry.echo in text
        ]
        if near:
            number = min(near)[1]
            rows[number] = replace(rows[number], url=post.permalink)
    return rows


def _placed(rows: Sequence[Row], lines: Sequence[Line]) -> tuple[Row, ...]:
    """Every row leads somewhere: one that nobody wrote about to what was said within seconds of it, else to where the
    conversation was at its time."""
    if not lines:
        return tuple(rows)
    ordered = sorted(lines, key=lambda x: x.at)
    return tuple(row if row.url else replace(row, url=_near(row, ordered).permalink) for row in rows)


def _near(row: Row, ordered: Sequence[Line]) -> Line:
    after = next((x for x in ordered if row.at <= x.at <= row.at + POSTED_SOON), None)
    return after or next((x for x in reversed(ordered) if x.at <= row.at), ordered[0])


def _merged(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Neighbours of the same moment by the same person become one row; a message keeps its own."""
    found: list[Row] = []
    for row in rows:
        last = found[-1] if found else None
        if last and last.who == row.who and row.at - last.at <= AT_ONCE and not (last.url and row.url):
            found[-1] = replace(
                last,
                event=_joined(last.event, row.event),
                action=_joined(last.action, row.action),
                url=last.url or row.url,
            )
        else:
            found.append(row)
    return tuple(found)


def _joined(one: str, other: str) -> str:
    if not one or not other or other == one:
        return one or other
    return f"{one.rstrip('.')}; {other}"
