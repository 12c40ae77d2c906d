"""The hash chain over an incident's facts: each link covers its place, its payload and the link before it."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from json import dumps

GENESIS = "0" * 64
_ID = re.compile(r"INC-(\d{4})-(\d+)")


@dataclass(frozen=True, slots=True)
class Link:
    """One stored fact as the chain sees it: `payload` is its canonical text, `seq` counts from 1."""

    incident: str
    seq: int
    payload: str
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends according to its incident: the number of facts, and the last hash."""

    count: int
    head: str


BEGIN = End(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold; `seq` is the number of the fact, `reason` a sentence.

    `seq` is 0 where a whole incident is gone.
    """

    incident: str
    seq: int
    reason: str


def link(prev: str, incident_id: str, seq: int, payload: str) -> str:
    """The hash (hex SHA-256) of fact number `seq` of `incident_id`, which follows the hash `prev`."""
    return sha256(dumps([prev, incident_id, seq, payload]).encode()).hexdigest()


def verify(rows: Iterable[Link], ends: Mapping[str, End] | None = None) -> list[Break]:
    """What is wrong with `rows`, given in the order of `seq`; chains of several incidents may be mixed.

    A chain cannot know that its last links are missing: `ends` tells where each incident says that it ends.
    """
    breaks: list[Break] = []
    last: dict[str, Link] = {}
    for row in rows:
        before = last.get(row.incident)
        expected = before.seq + 1 if before else 1
        if row.seq != expected:
            breaks.append(Break(row.incident, row.seq, f"fact {expected} should come here, not {row.seq}"))
        if row.prev != (before.hash if before else GENESIS):
            breaks.append(Break(row.incident, row.seq, "it does not follow from the fact before it"))
        if row.hash != link(row.prev, row.incident, row.seq, row.payload):
            breaks.append(Break(row.incident, row.seq, "its content is not what was recorded"))
        last[row.incident] = row
    for incident, end in (ends or {}).items():
        row_at_end = last.get(incident)
        count, head = (row_at_end.seq, row_at_end.hash) if row_at_end else (0, GENESIS)
        if (count, head) != (end.count, end.head):
            breaks.append(
                Break(incident, count, f"the incident ends at fact {end.count}, its chain at {count} or otherwise")
            )
    return breaks


def gone(known: Collection[str], traces: Mapping[str, Iterable[str]]) -> list[Break]:
    """The incidents that were deleted as a whole, in the order of their ids.

    `known` are the ids that have both an incident and facts; `traces` the ids that the rows of other tables tell of, by
    the tables' names. The numbers of a year are given one after the other, so that a number left out is a trace, too.
    """
    told: dict[str, list[str]] = {}
    for table, ids in traces.items():
        for id_ in set(ids) - set(known):
            told.setdefault(id_, []).append(table)
    breaks = {id_: Break(id_, 0, f"it was deleted, but is told of in {', '.join(told[id_])}") for id_ in told}
    numbers: dict[str, set[int]] = {}
    for year, number in (found.groups() for id_ in known if (found := _ID.fullmatch(id_))):
        numbers.setdefault(year, set()).add(int(number))
    for year, taken in numbers.items():
        for number in set(range(1, max(taken))) - taken:
            id_ = f"INC-{year}-{number:04d}"
            breaks.setdefault(id_, Break(id_, 0, "it was deleted: later ones of its year are there"))
    return [breaks[id_] for id_ in sorted(breaks)]
