"""How far an incident is, in words: what was done, what is new since an update, and what nobody has done yet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from warroom.domain import checklists, fact_lines, milestones, protocol, teams
from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Diagnosis, Incident, Run, Update
from warroom.domain.people import WARROOM
from warroom.domain.words import clock, counted, spell

NOTES = 3
"""how many notes an update repeats, the newest ones"""
MOST = 12
"""how many news an update lists"""
COUNTED = ("alerts", "violations")
"""subjects of which an update names the newest and counts the rest"""


@dataclass(frozen=True, kw_only=True)
class News:
    """Something that happened `at` (UTC); later news on the same subject take its place."""

    at: datetime
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Since:
    """What an update tells that nobody wrote: the news since `since`, when its readers last heard of it, oldest first.
    `left_out` were more than fit. `quiet` is when the newest thing was heard that ever was news (UTC)."""

    since: datetime
    news: tuple[News, ...]
    left_out: int
    quiet: datetime


def started(i: Incident) -> datetime:
    """When it began as far as we know (UTC): detected, or else opened."""
    detected = i.reached("detected")
    return min(detected, i.opened) if detected else i.opened


def taken(i: Incident) -> tuple[str, ...]:
    """What has been done so far, in words, oldest first."""
    lines = [acknowledged(i), commanded(i), *(_run_now(i, run) for run in i.runs), *resumed_elsewhere(i)]
    lines += [_readings(d) for d in i.diagnoses if d.reported]
    return tuple(filter(None, lines))


def acknowledged(i: Incident) -> str:
    """How quickly it was acknowledged; "" while it is not."""
    at = i.reached("acknowledged")
    return f"Acknowledged after {spell(at - started(i))}" if at else ""


def commanded(i: Incident) -> str:
    """Who is in command; "" for nobody."""
    return f"{i.commander.name} is in command" if i.commander else ""


def _run_now(i: Incident, run: Run) -> str:
    """The same of a halt that was lifted says so."""
    return run_line(run) + (", LIFTED since" if run.scope and i.lifted(run) else "")


def run_line(run: Run) -> str:
    """An action and its outcome in a few words; unknown is said aloud."""
    what = f"Trading halt ({run.scope})" if run.scope else run.title or run.action
    if run.lifts:
        what = f"Resuming trading ({', '.join(run.lifts)})"
    if run.mode == "dry_run":
        return f"{what}: DRY RUN, {'nothing will be sent' if run.outcome == 'requested' else 'nothing was sent'}"
    return {
        "requested": f"{what}: ordered, not confirmed yet",
        "confirmed": f"{what}: CONFIRMED by reading back",
        "failed": f"{what}: FAILED",
        "unknown": f"{what}: UNKNOWN, check by hand",
    }[run.outcome]


def resumed_elsewhere(i: Incident) -> tuple[str, ...]:
    """What other incidents of the same platform did to this one's halts, a line each, oldest first."""
    return tuple(_resumed(what) for _, what in i.elsewhere)


def missing(i: Incident, pack: LoadedPack, now: datetime) -> tuple[str, ...]:
    """What nobody has done although it is time, a line each: nobody acknowledged, nobody commands, late steps."""
    lines = ["" if i.reached("acknowledged") else "Nobody has acknowledged it"]
    lines += ["" if i.commander or "commander" not in pack.pack.roles else "Nobody is in command"]
    for step in protocol.steps(i, pack):
        mark = i.steps.get(step.id)
        waits = step.owner == teams.SYSTEM and "acknowledged" in step.done_on  # the first line says it
        if mark and mark.state == "late" and not waits:
            owner = teams.owner(pack.pack, step.owner)
            lines.append(f"LATE since {clock(mark.late or mark.at, now)}: {step.title} ({owner})")
    return tuple(filter(None, lines))


def since(i: Incident, pack: LoadedPack, number: int) -> Since:
    """What is new with update `number` (from 1), since the one before that its readers got."""
    update = i.updates[number - 1]
    before = next((u for u in reversed(i.updates[: number - 1]) if u.cadence in ("", update.cadence)), None)
    first = before.heard if before else 0
    told = [x for fact in i.news[first : update.heard] if (x := _news(i, pack, fact))]
    earlier = next((x.at for fact in reversed(i.news[:first]) if (x := _news(i, pack, fact))), None)
    written = next((u.at for u in reversed(i.updates[:number]) if u.human), None)
    found = _bounded(told)
    return Since(
        since=before.at if before else started(i),
        news=found[-MOST:],
        left_out=max(len(found) - MOST, 0),
        quiet=max(filter(None, [started(i), earlier, written, *(x.at for x in told)])),
    )


def eta_said(updates: tuple[Update, ...]) -> datetime | None:
    """When the newest update's estimate was first given (UTC), which "20 minutes" counts from; None for none."""
    said = None
    for update in reversed(updates):
        if not update.eta or update.eta != updates[-1].eta:
            break
        said = update.at
    return said


def _bounded(told: list[News]) -> tuple[News, ...]:
    """The newest of every subject in the order of time, and of the notes the last ones."""
    newest = {news.subject: news for news in told}
    counts = {subject: sum(news.subject == subject for news in told) - 1 for subject in COUNTED}
    notes = [news for news in newest.values() if news.subject.startswith("note:")]
    kept = [news for news in newest.values() if news not in notes[:-NOTES]]
    more = [replace(x, text=f"{x.text} (and {n} more)") if (n := counts.get(x.subject, 0)) > 0 else x for x in kept]
    return tuple(sorted(more, key=lambda news: news.at))


def _news(i: Incident, pack: LoadedPack, fact: f.Fact) -> News | None:
    """What a fact tells people who follow from afar, as it stands now; None for what is of no use to them."""
    subject, text = next(_told(i, pack, fact), ("", ""))
    return News(at=fact.at, subject=subject, text=text) if text else None


def _told(i: Incident, pack: LoadedPack, fact: f.Fact) -> Iterator[tuple[str, str]]:
    what = fact.what
    line = fact_lines.tell(fact, pack)
    match what:
        case f.NoteAdded() if what.kind != "pin":
            yield (
                f"note:{fact.recorded.isoformat()}:{what.text}",
                what.text if fact.by == WARROOM else f"{fact.by.name}: {what.text}",
            )
        case f.MilestoneReached(milestone="acknowledged"):
            yield "acknowledged", acknowledged(i)
        case f.MilestoneReached(milestone="contained" | "recovery_started" | "validated"):
            if milestones.first(i.history, what.milestone) == fact.at:
                yield what.milestone, line if fact.by == WARROOM else f"{line} ({fact.by.name})"
        case f.MilestoneWithdrawn(milestone="acknowledged" | "resolved"):
            yield what.milestone, line
        case f.RoleAssigned(role="commander"):
            yield "commander", commanded(i)
        case f.ActionRequested() | f.ActionSettled():
            yield from ((what.run, run_line(run)) for run in i.runs if run.run == what.run)
        case f.HaltLifted():
            yield what.run, _resumed(what)
        case f.ProbesReported():
            yield from ((f"readings:{d.what}", _readings(d)) for d in i.diagnoses if d.run == what.run)
        case f.WatchSaw() | f.WatchSteady():
            yield f"watch:{what.watch}", line
        case f.StepDone() | f.StepSkipped() if fact.by != WARROOM:
            yield f"step:{what.step}", line
        case f.ItemDone() | f.ItemUndone():
            known = pack.pack.checklists.get(what.checklist)
            if known:
                done = checklists.progress(i, known, what.checklist)
                yield f"checklist:{what.checklist}", f"Checklist {known.title}: {done}"
        case f.FieldSet(source="person"):
            yield f"field:{what.field}", line
        case f.AlertJoined():
            yield "alerts", line
        case f.DetectionJoined():
            yield "violations", line
        case f.ApprovalRequested(kind="action") | f.ActionHeld() | f.ActionLapsed():
            yield what.run, line
        case f.SeverityChanged() | f.PlaybookChanged() | f.StormDetected():
            yield type(what).__name__, line
        case f.SignedOff() | f.GateOverridden():
            yield f"gate:{what.gate}:{line}", line


def _readings(diagnosis: Diagnosis) -> str:
    return f"{counted(len(diagnosis.results), 'reading')} taken ({diagnosis.what.replace('_', ' ')})"


def _resumed(what: f.HaltLifted) -> str:
    said = {"confirmed": "CONFIRMED by reading back", "unknown": "UNKNOWN, check by hand"}
    return f"Resuming trading ({', '.join(what.scopes)}) from {what.incident}: {said[what.outcome]}"
