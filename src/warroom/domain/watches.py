"""Watches: which run, since when, and when the next reading is due."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from warroom.domain import milestones, protocol
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident, WatchMark
from warroom.domain.procedures import Watch

PREFIX = "watch:"
SHORT = 40


def timers(i: Incident, pack: LoadedPack, now: datetime, before: Mapping[str, datetime]) -> Mapping[str, datetime]:
    """When each running watch is read next (UTC), by timer key `watch:ID:MOMENT`. A reading is no fact by itself.

    Readings are `every` apart from the watch's beginning on, so that a late one does not move those after it.
    One of those before that is due and was not taken yet (something else came first) stays.
    """
    found: dict[str, datetime] = {}
    for name, watch, begin in running(i, pack):
        owed = {key: at for key, at in before.items() if at <= now and key.startswith(f"{PREFIX}{name}:")}
        if owed:
            found |= owed
            continue
        turns = max((now - begin) // watch.every, 0) + 1
        at = begin + turns * watch.every
        found[f"{PREFIX}{name}:{at.isoformat()}"] = at
    return found


def running(i: Incident, pack: LoadedPack) -> Iterator[tuple[str, Watch, datetime]]:
    """The watches that are read now, and since when (UTC): their milestone, an end taken back, another severity."""
    for name, watch in pack.pack.watches.items():
        if not protocol.concerns(i, watch.severities, watch.playbooks):
            continue
        spans = milestones.spans(i.history, watch.start, watch.end)
        if spans and spans[-1].end is None:
            begin = spans[-1].start
            yield name, watch, max(begin, _fits_since(i, watch) or begin)


def mark_of(i: Incident, name: str, begin: datetime) -> WatchMark | None:
    """What the watch said since it began to be read; what it said in an earlier run no longer counts."""
    mark = i.watches.get(name)
    return mark if mark is not None and mark.at >= begin else None


def said(value: object, summary: str) -> str:
    """A reading in a few words: the value where there is a number or a short text, then what the probe says of it."""
    shown = ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = f"{value:,.10g}"
    elif isinstance(value, str) and len(value) <= SHORT:
        shown = value
    return f"{shown} ({summary})" if shown and shown not in summary else summary


def slot_of(key: str) -> tuple[str, datetime]:
    """The watch and the moment (UTC) of a timer or effect key `watch:ID:MOMENT`."""
    name, _, at = key.removeprefix(PREFIX).partition(":")
    return name, datetime.fromisoformat(at)


def _fits_since(i: Incident, watch: Watch) -> datetime | None:
    """When the severity became one that is watched; None when it has been one all the time."""
    fits = [not watch.severities or severity in watch.severities for _, severity in i.severities]
    if all(fits):
        return None
    last_other = len(fits) - 1 - fits[::-1].index(False)
    return i.severities[last_other + 1][0]
