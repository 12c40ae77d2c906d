"""How the response went, measured: clocks, protocol, reaction times, updates, objectives."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from warroom.domain import clocks, milestones, pauses, protocol, schedule, teams
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident, StepMark
from warroom.domain.people import WARROOM
from warroom.domain.policy import Cadence, Milestone, Step
from warroom.postmortem.markdown import clock, span
from warroom.postmortem.model import ClockRow, ObjectiveRow, Reaction, StepRow, UpdateRow

RESULTS = {
    "met": "met",
    "corrected": "met (announced as late, then corrected)",
    "paused": "paused outside the hours it counts",
}
REACTIONS: dict[Milestone, str] = {
    "announced": "announced",
    "acknowledged": "acknowledged",
    "commander_assigned": "commander named",
}


def started(incident: Incident) -> datetime:
    """When it began as far as the record knows (UTC): detected, or else opened."""
    detected = milestones.first(incident.history, "detected")
    return min(detected, incident.opened) if detected else incident.opened


def declared(incident: Incident) -> datetime:
    """When it was declared (UTC)."""
    return milestones.first(incident.history, "declared") or incident.opened


def clock_rows(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[ClockRow, ...]:
    """Every run of every clock; a second run of the same clock says when it began."""
    rows: list[ClockRow] = []
    seen: set[str] = set()
    for view in clocks.views(incident, pack, now):
        again = f" (again from {clock(view.start, started(incident))})" if view.id in seen else ""
        seen.add(view.id)
        ok = {"met": True, "corrected": True, "late": False}.get(view.state)
        row = ClockRow(title=view.title + again, limit=view.within, used=view.used, result=_clock_result(view), ok=ok)
        rows.append(row)
    return tuple(rows)


def _clock_result(view: clocks.ClockView) -> str:
    if view.state == "late":
        return f"late by {span(view.used - view.within)}" + (", still open" if view.end is None else "")
    return RESULTS.get(view.state, "running")


def step_rows(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[StepRow, ...]:
    """The protocol of the present severity, after what was done of an earlier severity's."""
    rows: list[StepRow] = []
    seen: set[str] = set()
    now_asked = {step.id for step in protocol.steps(incident, pack)}
    for step in protocol.all_steps(pack.pack):
        mark = incident.steps.get(step.id)
        if step.id in seen or (mark is None and step.id not in now_asked):
            continue
        seen.add(step.id)
        rows.append(_step(incident, pack, step, mark, now))
    return tuple(rows)


def _step(i: Incident, pack: LoadedPack, step: Step, mark: StepMark | None, now: datetime) -> StepRow:
    _, due = schedule.window(i, pack, step) or (None, None)
    finished = mark if mark and mark.state in ("done", "skipped") and mark.needed else None
    result, ok = _step_result(i, mark, due, now)
    return StepRow(
        title=step.title,
        owner=teams.owner(pack.pack, step.owner),
        due=due,
        done=finished.at if finished else None,
        by=_doer(i, step, finished) if finished else "",
        result=result,
        ok=ok,
        left_out=finished is not None and finished.state == "skipped",
    )


def _doer(i: Incident, step: Step, mark: StepMark) -> str:
    """Who did a step: where warroom saw it done, the person whose action or role did it."""
    if mark.by == WARROOM and mark.state == "done":
        for condition in step.done_on:
            kind, _, name = condition.partition(":")
            ordered = next((r for r in i.runs if kind == "action" and r.action == name and r.settled), None)
            if ordered:
                return ordered.by.name
            if condition == "commander_assigned" and i.commander:
                return i.commander.name
    return mark.by.name


def _step_result(i: Incident, mark: StepMark | None, due: datetime | None, now: datetime) -> tuple[str, bool | None]:
    resolved = i.reached("resolved")
    how = f" ({mark.note})" if mark and mark.note else ""
    if mark and mark.state == "skipped":
        return f"left out: {mark.note}", False
    if mark and not mark.needed:
        return f"{mark.said}{how}", None
    if mark and mark.state == "done":
        if due and mark.at > due:
            return f"late by {span(mark.at - due)}{how}", False
        return f"in time{how}", True
    if (mark and mark.state == "late") or (due and due <= (resolved or now)):
        return "late, never done" if resolved else "late, still open", False
    return ("resolved before it was due" if resolved else "not due yet"), None


def reactions(incident: Incident) -> tuple[Reaction, ...]:
    """What was reached how long after the declaration, in the order of time."""
    since = declared(incident)
    found = {what: milestones.first(incident.history, milestone) for milestone, what in REACTIONS.items()}
    halt = next(iter(incident.halts), None)
    if halt:
        found["halt ordered"] = halt.at
        sure = next((r for r in incident.halts if r.outcome == "confirmed"), None)
        found["halt confirmed"] = sure.settled if sure else None
    found["resolved"] = incident.reached("resolved")
    reached = sorted((at, what) for what, at in found.items() if at)
    return tuple(Reaction(what=what, took=max(at - since, timedelta())) for at, what in reached)


def update_rows(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[UpdateRow, ...]:
    """How each cadence of the severity was kept; one whose start was never reached is left out."""
    cadences = pack.pack.severities[incident.severity].cadences
    return tuple(row for cadence in cadences if (row := _cadence(incident, cadence, now)))


def _cadence(i: Incident, cadence: Cadence, now: datetime) -> UpdateRow | None:
    begin = milestones.first(i.history, cadence.start)
    if begin is None:
        return None
    end = max(milestones.reached(i.history, cadence.end) or now, begin)
    away = pauses.of(i.history) if cadence.end == "resolved" else ()
    told = [u for u in i.updates if u.cadence in ("", cadence.id) and begin <= u.at <= end]
    return UpdateRow(
        title=cadence.title,
        every=cadence.every,
        written=sum(u.human for u in told),
        unwritten=tuple(u.due or u.at for u in told if not u.human),
        longest_gap=max(pauses.elapsed(a, b, away) for a, b in pairwise([begin, *sorted(u.at for u in told), end])),
    )


def objective_rows(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[ObjectiveRow, ...]:
    """What the platform holds itself to, measured where the record can tell.

    `rto`: start to recovery validated (resolved when nobody validated). `mttr`: start to resolved. `communication`:
    the longer of declared to announced and resolved to announced as resolved. Others are asked for.
    """
    rows: list[ObjectiveRow] = []
    for name, objective in pack.pack.objectives.items():
        spans = tuple(_objective(incident, name.lower()))
        used = max(((end or max(now, start)) - start for start, end in spans), default=None)
        result, ok = _against(used, objective.target, running=any(end is None for _, end in spans))
        rows.append(ObjectiveRow(title=objective.title, target=objective.target, measured=used, result=result, ok=ok))
    return tuple(rows)


def _objective(i: Incident, name: str) -> Iterator[tuple[datetime, datetime | None]]:
    resolved = i.reached("resolved")
    if "rto" in name:
        yield started(i), i.reached("validated") or resolved
    elif "mttr" in name:
        yield started(i), resolved
    elif "communication" in name:
        yield declared(i), milestones.first(i.history, "announced")
        if resolved:
            yield resolved, i.reached("resolution_announced")


def _against(used: timedelta | None, target: timedelta, *, running: bool) -> tuple[str, bool | None]:
    if used is None:
        return "see the question", None
    if used > target:
        return f"missed by {span(used - target)}", False
    return ("running", None) if running else ("met", True)
