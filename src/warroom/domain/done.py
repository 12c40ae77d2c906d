"""What the words of `done_on` mean, for the steps of a protocol and the items of a checklist alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from warroom.domain import milestones
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Diagnosis, Incident


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Something was done `at` (UTC); `how` says in words by what it shows."""

    how: str
    at: datetime


def evidence(i: Incident, pack: LoadedPack, word: str, after: datetime | None = None) -> Evidence | None:
    """The newest sign that `word` is fulfilled: a milestone, `action:NAME` confirmed, `probes:GROUP`
    reported, `checklist:NAME` complete. Signs from `after` (UTC) or before do not count. None: there is none."""
    found = _evidence(i, pack, word)
    return found if found and (after is None or found.at > after) else None


def complete(i: Incident, pack: LoadedPack, checklist: str) -> bool:
    """Whether the checklist was begun and every item is done."""
    return _completed(i, pack, checklist) is not None


def newest(i: Incident, group: str) -> Diagnosis | None:
    """The newest run of a probe group that has reported."""
    return next((d for d in reversed(i.diagnoses) if d.what == group and d.reported), None)


def unhealthy(run: Diagnosis, pack: LoadedPack) -> tuple[str, ...]:
    """The probes of a reported run that are not healthy, those without an answer included, by title."""
    healthy = {str(r.get("probe")) for r in run.results if r.get("state") == "ok"}
    known = pack.pack.probes
    return tuple(known[p].title if p in known else p for p in run.probes if p not in healthy)


def _evidence(i: Incident, pack: LoadedPack, word: str) -> Evidence | None:
    kind, _, name = word.partition(":")
    match kind:
        case "action":
            return next(_settled(i, name), None)
        case "probes":
            run = newest(i, name)
            return Evidence(how="readings collected", at=run.reported) if run and run.reported else None
        case "checklist":
            at = _completed(i, pack, name)
            known = pack.pack.checklists.get(name)
            return Evidence(how=f"checklist “{known.title if known else name}” complete", at=at) if at else None
    at = milestones.reached(i.history, word)  # type: ignore[arg-type]
    return Evidence(how=milestones.words(word), at=at) if at else None


def _settled(i: Incident, action: str) -> Iterator[Evidence]:
    for run in reversed(i.runs):
        if run.action == action and run.outcome == "confirmed":  # a rehearsal has done nothing
            yield Evidence(how=f"{run.action} confirmed", at=run.settled or run.at)


def _completed(i: Incident, pack: LoadedPack, checklist: str) -> datetime | None:
    known, begun = pack.pack.checklists.get(checklist), i.checklists.get(checklist)
    if known is None or begun is None:
        return None
    marks = [begun.items.get(item.id) for item in known.items]
    if not all(mark and mark.done for mark in marks):
        return None
    return max([begun.at, *(mark.at for mark in marks if mark and mark.at)])
