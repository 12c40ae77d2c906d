"""The timeline of an incident as a file, written anew whenever something worth telling has happened.

<data>/<timeline_file of the pack>, e.g. reports/incidents/data/2026-11-17-INC-2026-0001/timeline.md
(market-data-runbook.md, Detection and Triage 4).
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path

from warroom.domain import fact_lines, views
from warroom.domain.decision import LoadedPack
from warroom.domain.evolve import fold
from warroom.domain.facts import Fact
from warroom.domain.incident import Incident
from warroom.engine.ports import Job
from warroom.errors import Refused, StoreError, TryAgain
from warroom.postmortem.files import write_all
from warroom.postmortem.markdown import clean, inline, link, stamp
from warroom.postmortem.performer import ReadFacts

TIMELINE = "timeline.write"
_ID = re.compile(r"[A-Za-z0-9][\w-]*")


class TimelinePerformer:
    """ports.Performer for `timeline.write`: the whole file from the facts on disk, so that none can be missing."""

    kinds = frozenset({TIMELINE})

    def __init__(self, data: Path, facts: ReadFacts) -> None:
        self._data = data
        self._facts = facts

    def buckets(self, job: Job) -> tuple[str, ...]:
        """No rate limits."""
        return ()

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Write it; returns its path. Raises TryAgain or Refused."""
        path = place(self._data, job.pack.pack.timeline_file, job.incident)
        try:
            facts = await self._facts(job.incident.id)
            text = written(fold(facts) or job.incident, facts, job.pack)
            await asyncio.to_thread(write_all, {path: text})
        except StoreError as error:
            raise TryAgain(f"the facts of {job.incident.id} cannot be read: {error}") from error
        except OSError as error:
            raise TryAgain(f"cannot write {path}: {error.strerror}; check WARROOM_DATA") from error
        return {"path": str(path)}

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """None: writing it once more is harmless."""
        return None


def place(data: Path, template: str, incident: Incident) -> Path:
    """Where the file lies below `data`. Raises Refused when that is not below it."""
    if not template or not _ID.fullmatch(incident.id):
        raise Refused(f"no timeline file can be named after {incident.id!r} by {template!r}")
    day = incident.opened.astimezone(UTC).date().isoformat()
    path = data / template.replace("{date}", day).replace("{id}", incident.id)
    if not path.resolve().is_relative_to(data.resolve()) or path.resolve() == data.resolve():
        raise Refused(f"the timeline file {template!r} of the pack does not lie below WARROOM_DATA; mend the pack")
    return path


def written(incident: Incident, facts: Sequence[Fact], pack: LoadedPack) -> str:
    """The timeline as Markdown; text from outside is only ever text."""
    return "\n".join(
        [*_head(incident, pack), "", "| Time (UTC) | What | Who |", "|---|---|---|", *_rows(facts, pack), ""]
    )


def _head(i: Incident, pack: LoadedPack) -> Iterator[str]:
    severity = pack.pack.severities[i.severity]
    yield f"# Timeline of {i.id}: {inline(i.title)}"
    yield ""
    yield "Written by warroom as it happens; it is written over with every new entry, so add notes in the room."
    yield ""
    yield f"- **Platform:** {inline(pack.pack.title)}"
    yield f"- **Severity:** {i.severity} {inline(severity.title)}"
    yield f"- **Status:** {inline(i.status)}"
    yield f"- **Opened:** {stamp(i.opened)}"
    for name, field in pack.pack.fields.items():
        if name in i.fields:
            yield f"- **{inline(field.title)}:** {inline(i.fields[name])}"
    if i.pagerduty_url:
        yield f"- **PagerDuty:** {link(i.pagerduty_id or 'incident', i.pagerduty_url)}"
    if bridge := views.bridge(i, pack):
        yield f"- **Bridge:** {link(bridge, bridge)}"


def _rows(facts: Sequence[Fact], pack: LoadedPack) -> Iterator[str]:
    """What happened, in the order in which it did."""
    for fact in sorted(facts, key=lambda fact: fact.at):
        told = clean(fact_lines.tell(fact, pack))
        if told:
            yield f"| {fact.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} | {inline(told)} | {inline(fact.by.name)} |"
