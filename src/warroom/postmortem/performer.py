"""Writes post-mortem drafts: `postmortem.write` effects become files.

<data>/<incident id>/postmortem-<number>.md    for people
<data>/<incident id>/incident.json             the facts, for machines
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warroom.domain.evolve import fold
from warroom.domain.facts import Fact
from warroom.domain.incident import Incident
from warroom.engine.ports import Job
from warroom.errors import Refused, StoreError, TryAgain
from warroom.postmortem.document import STANDARD, compile, questions_in, render, templates
from warroom.postmortem.files import write_all
from warroom.postmortem.lines import Line

ReadHistory = Callable[[str, datetime], Awaitable[Sequence[Line]]]
"""(channel id, oldest UTC) → its messages. Raises TryAgain or Refused."""
ReadFacts = Callable[[str], Awaitable[Sequence[Fact]]]
"""incident id → its facts in recorded order. Raises StoreError."""
_ID = re.compile(r"[A-Za-z0-9][\w-]*")


class PostmortemPerformer:
    """ports.Performer for `postmortem.write`.

    One reading of the room may take `reading` real seconds (less than the engine gives an effect). When the room
    cannot be read for `patience` since the draft was wanted, it is written from the facts alone and says so.
    """

    kinds = frozenset({"postmortem.write"})

    def __init__(
        self,
        data: Path,
        history: ReadHistory,
        facts: ReadFacts,
        *,
        patience: timedelta = timedelta(minutes=5),
        reading: float = 100.0,
    ) -> None:
        self._data = data
        self._history = history
        self._facts = facts
        self._patience = patience
        self._reading = reading

    def buckets(self, job: Job) -> tuple[str, ...]:
        """None of its own: the reader of the history obeys Slack's limits itself."""
        return ()

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Compile and write; returns path, text, questions, title. Raises TryAgain or Refused."""
        number, folder = self._place(job)
        try:
            facts = await self._facts(job.incident.id)
        except StoreError as error:
            raise TryAgain(f"the facts of {job.incident.id} cannot be read: {error}") from error
        incident = fold(facts) or job.incident
        unknown = {severity for _, severity in incident.severities} - set(job.pack.pack.severities)
        if unknown:
            raise Refused(
                f"pack {job.pack.pack.id!r} has no severity {min(unknown)}: "
                f"{incident.id} needs the pack {incident.pack!r} that it was opened with"
            )
        lines, notices = await self._lines(job, incident)
        document = compile(
            incident,
            facts,
            lines,
            job.pack,
            job.now,
            number=number,
            reason=str(job.effect.data.get("reason", "")),
            notices=notices,
        )
        wanted = job.pack.pack.postmortem
        text = render(document, wanted if wanted in templates() else STANDARD)
        path = folder / f"postmortem-{number}.md"
        try:
            await asyncio.to_thread(write_all, {folder / "incident.json": as_json(incident, facts), path: text})
        except OSError as error:
            raise TryAgain(f"cannot write {path}: {error.strerror}; check WARROOM_DATA") from error
        return _result(path, text)

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """The draft of that number if its file is there: it is renamed into place only when complete."""
        number, folder = self._place(job)
        path = folder / f"postmortem-{number}.md"
        try:
            return _result(path, await asyncio.to_thread(path.read_text, "utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TryAgain(f"cannot read {path}: {error.strerror}; check WARROOM_DATA") from error

    def _place(self, job: Job) -> tuple[int, Path]:
        number = job.effect.data.get("number")
        if not isinstance(number, int) or number < 1 or not _ID.fullmatch(job.incident.id):
            raise Refused(f"no file can be named after draft {number!r} of {job.incident.id!r}")
        return number, self._data / job.incident.id

    async def _lines(self, job: Job, incident: Incident) -> tuple[Sequence[Line], list[str]]:
        if incident.room is None:
            return (), ["The incident had no war room: this draft is made from warroom's own record."]
        try:
            async with asyncio.timeout(self._reading):
                return await self._history(incident.room, incident.opened), []
        except (TryAgain, TimeoutError) as error:
            why = str(error) or "it took too long"
            if job.now - job.effect.at < self._patience:
                raise TryAgain(why, error.after if isinstance(error, TryAgain) else None) from error
        except Refused as error:
            why = str(error)
        alone = "this draft is made from warroom's own record; /incident postmortem makes a new one"
        return (), [f"The war room could not be read ({why.rstrip('.')}): {alone}."]


def as_json(incident: Incident, facts: Sequence[Fact]) -> str:
    """The facts as JSON: {"incident", "pack", "pack_hash", "facts": [{"at", "recorded", "by", "kind", "what"}]}."""
    told = [
        {
            "at": _plain(fact.at),
            "recorded": _plain(fact.recorded),
            "by": _plain(fact.by),
            "kind": type(fact.what).__name__,
            "what": _plain(fact.what),
        }
        for fact in facts
    ]
    whole = {"incident": incident.id, "pack": incident.pack, "pack_hash": incident.pack_hash, "facts": told}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _result(path: Path, text: str) -> Mapping[str, object]:
    title = text.partition("\n")[0].removeprefix("# ")
    return {"path": str(path), "text": text, "questions": questions_in(text), "title": title}
