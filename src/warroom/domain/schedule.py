"""What has come due, and when the next thing will: clocks, escalation steps, update cadences.

Both answers are computed from the incident and its pack, so a timer carries no meaning of its own: it only wakes
us, and whatever wakes us first, everything overdue is done, once, in due order.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from warroom.domain import (
    approvals,
    checklists,
    clocks,
    done,
    fields,
    milestones,
    outlasting,
    pauses,
    protocol,
    teams,
    telling,
    watches,
)
from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.evolve import evolve
from warroom.domain.incident import Incident
from warroom.domain.latest import latest
from warroom.domain.people import WARROOM
from warroom.domain.policy import Cadence, Severity, Step

PANEL_EVERY = timedelta(minutes=1)
DRAFT_AFTER = timedelta(minutes=2)
A_MOMENT = timedelta(minutes=1)
"""what a step of warroom's own gets to do what it does, however late it began: a downtime of ours calls nobody"""


@latest
def upcoming(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[Due, ...]:
    """Everything the incident is waiting for, in due order; some of it may be overdue at `now`."""
    if incident.routine:
        return ()
    found = [
        *_clocks(incident, pack, now),
        *_steps(incident, pack, now),
        *_cadences(incident, pack, now),
        *_drafts(incident),
        *telling.due(incident, pack),
        *approvals.due(incident, pack),
        *outlasting.due(incident, pack),
        *checklists.due(incident, pack),
    ]
    return tuple(sorted(found, key=lambda due: (due.at, due.key)))


def catch_up(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[Incident, tuple[f.Fact, ...]]:
    """The incident with everything due by `now` done, and the facts that say so."""
    made: list[f.Fact] = []
    while True:
        settled = next(_settled(incident, pack, now), None)
        due = settled or next((d.what for d in upcoming(incident, pack, now) if d.at <= now), None)
        if due is None:
            return incident, tuple(made)
        if any(fact.what == due for fact in made):
            raise RuntimeError(f"{incident.id}: {due} is due again after it was done; the rules go round in a circle")
        fact = f.Fact(at=now, recorded=now, by=WARROOM, what=due)
        incident = evolve(incident, fact)
        made.append(fact)


def timers(
    incident: Incident, pack: LoadedPack, now: datetime, before: Mapping[str, datetime] | None = None
) -> Mapping[str, datetime]:
    """When to wake up for this incident: every moment due, the next refresh of its panel, and the next readings.

    `before` are the timers it had: a reading that is due already and has not been taken stays due.
    """
    wanted = {due.key: due.at for due in upcoming(incident, pack, now)}
    if incident.is_open and incident.room and any(v.end is None for v in clocks.views(incident, pack, now)):
        minute = now.replace(second=0, microsecond=0) + PANEL_EVERY
        wanted[f"panel:{minute.isoformat()}"] = minute
    return {**wanted, **watches.timers(incident, pack, now, before or {})}


def next_update(
    incident: Incident, pack: LoadedPack, now: datetime, cadences: Iterable[Cadence] | None = None
) -> datetime | None:
    """When the next scheduled update after `now` is due (UTC), of any cadence or of these; None when none is. One that
    is due now is being sent."""
    wanted = _severity(incident, pack).cadences if cadences is None else cadences
    dues = [(_due(incident, c), c.every) for c in wanted]
    return min((due if due > now else due + every for due, every in dues if due), default=None)


def asked_for(incident: Incident, pack: LoadedPack) -> datetime | None:
    """The due moment (UTC) of the update that the room has been asked for; None when it owes none."""
    dues = {c.id: _due(incident, c) for c in _severity(incident, pack).cadences}
    return min((due for name, due in dues.items() if due and incident.asked.get(name) == due), default=None)


def anchor(incident: Incident, step: Step) -> datetime | None:
    """The moment a step's minutes count from: its milestone, or when the severity was raised to the step's."""
    reached = milestones.first(incident.history, step.after)
    if reached is None:
        return None
    raised = incident.severity_since != incident.opened
    return max(reached, incident.severity_since) if raised else reached


def window(incident: Incident, pack: LoadedPack, step: Step) -> tuple[datetime, datetime | None] | None:
    """When the step begins and when it is late (UTC; None: never); None while its minutes do not count yet.

    A step that waits for business (market) hours begins with them and keeps its length. Time for which the incident was
    resolved does not count, and what was late stays late at its moment.
    """
    counted = anchor(incident, step)
    if counted is None:
        return None
    mark = incident.steps.get(step.id)
    away = pauses.of(incident.history, mark.at if mark and mark.state in ("done", "skipped") else None)
    begin = pauses.after(counted, step.start, away)
    if step.hours != "always":
        hours = pack.sessions.business if step.hours == "business" else pack.sessions
        begin = hours.next_open(begin)
        for resolved, reopened in away:
            if resolved <= begin < reopened:
                begin = hours.next_open(reopened)
    if step.end is None:
        return begin, None
    return begin, (mark and mark.late) or pauses.after(begin, step.end - step.start, away)


def step_effects(pack: LoadedPack, step: Step) -> tuple[str, ...]:
    """The keys of the effects a step makes by itself. What waits for an approval is not among them, and an act counts
    when it is confirmed: see `_acted`."""
    keys: list[str] = []
    for number, do in enumerate(step.does):
        key = do_key(f"step:{step.id}", number, do.kind)
        if do.kind == "tell":
            inside = telling.inside(pack.pack, do.audiences)
            keys += [way.key for way in telling.ways(pack.pack, key, do.channels, inside)]
        elif do.kind not in ("escalate", "act"):  # an escalation is left out while somebody has acknowledged
            keys.append(key)
    return tuple(keys)


def act_run(of: str, step: Step, number: int) -> str:
    """The run of the `number`-th thing a step does, when it is an act; `of` is step or late."""
    return f"{of}-{step.id}-{number}"


def _acted(i: Incident, step: Step) -> bool:
    """Whether everything that the step orders by itself was confirmed; a rehearsal has done nothing."""
    runs = {act_run("step", step, number) for number, do in enumerate(step.does) if do.kind == "act"}
    return runs <= {r.run for r in i.runs if r.outcome == "confirmed"}


def do_key(of: str, number: int, kind: str) -> str:
    """The effect key of the `number`-th thing a step does; the announcement is everybody's one announcement."""
    return "announce" if kind == "announce" else f"{of}:{number}:{kind}"


def _severity(incident: Incident, pack: LoadedPack) -> Severity:
    return pack.pack.severities[incident.severity]


def _settled(i: Incident, pack: LoadedPack, now: datetime) -> Iterator[f.What]:
    """What holds by now without a moment of its own."""
    yield from fields.settled(i, pack)
    if i.routine:
        return
    yield from approvals.settled(i)
    yield from checklists.settled(i, pack)
    yield from teams.settled(i, pack)
    yield from _validated(i, pack)
    yield from _undone_steps(i, pack)
    yield from _finished_steps(i, pack)
    yield from _reached_by_steps(i, pack)
    yield from _corrections(i, pack, now)


def _validated(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """The pack's validation was read, and every probe of it is healthy."""
    run = done.newest(i, pack.pack.validation)
    if run and i.reached("validated") is None and not done.unhealthy(run, pack):
        yield f.MilestoneReached(milestone="validated", source="warroom")


def _drafts(i: Incident) -> Iterator[Due]:
    """A resolution gets its post-mortem draft when it has been announced, or a little later if it is not; one, also
    when PagerDuty dates it otherwise afterwards."""
    resolved = i.reached("resolved")
    if resolved is None or i.drafted >= len(milestones.held(i.history, "resolved")):
        return
    told = [m.at for m in milestones.of(i.history, "resolution_announced") if m.reached and m.at >= resolved]
    at = min([*told, resolved + DRAFT_AFTER])
    yield Due(at, f"draft:{resolved.isoformat()}", f.DraftAsked(number=i.drafts + 1, reason="resolved"))


def _clocks(i: Incident, pack: LoadedPack, now: datetime) -> Iterator[Due]:
    for view in clocks.views(i, pack, now):
        told = view.mark.breached and not view.mark.corrected
        if told or (view.end is not None and view.state != "late"):
            continue
        run = f"{view.id}:{view.start.isoformat()}"
        if view.end is None and not view.mark.warned and view.warn_at > view.start and now < view.deadline:
            yield Due(view.warn_at, f"warn:{run}", f.ClockWarned(clock=view.id, start=view.start))
        breach = f.ClockBreached(clock=view.id, start=view.start, deadline=view.deadline)
        yield Due(view.deadline, f"breach:{run}", breach)


def _corrections(i: Incident, pack: LoadedPack, now: datetime) -> Iterator[f.What]:
    runs = {(view.id, view.start): view for view in clocks.views(i, pack, now)}
    for (clock, start), mark in i.clocks.items():
        if not mark.breached or mark.corrected:
            continue
        view = runs.get((clock, start))
        in_time = view.end if view and view.state == "corrected" else None
        # late news may have made another run of this one: what we said of it can be wrong all the same
        reached = in_time if view else clocks.kept(i, pack, clock, mark)
        if reached:
            yield f.ClockCorrected(clock=clock, start=start, reached=reached)


def _steps(i: Incident, pack: LoadedPack, now: datetime) -> Iterator[Due]:
    if not i.is_open:
        return
    for step in protocol.steps(i, pack):
        span = window(i, pack, step)
        mark = i.steps.get(step.id)
        if span is None or (mark and mark.state in ("done", "skipped")):
            continue
        begin, end = span
        if mark is None:
            yield Due(begin, f"step:{step.id}", f.StepStarted(step=step.id))
        elif end is not None and mark.state == "started":
            if step.remind_before is not None and not mark.reminded and now < end:
                yield Due(end - step.remind_before, f"remind:{step.id}", f.StepReminded(step=step.id))
            late = max(end, mark.at + A_MOMENT) if step.owner == teams.SYSTEM else end
            yield Due(late, f"late:{step.id}", f.StepLate(step=step.id, due=end))


def _undone_steps(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """Steps that a milestone did which was taken back since."""
    for step in protocol.steps(i, pack):
        mark = i.steps.get(step.id)
        if mark is None or mark.state != "done" or mark.by != WARROOM:
            continue
        by = next((word for word in step.done_on if ":" not in word and milestones.words(word) == mark.note), None)
        if by and milestones.reached(i.history, by) is None and not _done(i, pack, step, mark.at):  # type: ignore[arg-type]
            yield f.StepReopened(step=step.id)


def _finished_steps(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    for step in protocol.steps(i, pack):
        mark = i.steps.get(step.id)
        if (mark is None and anchor(i, step) is None) or (mark and mark.state in ("done", "skipped")):
            continue
        how = _done(i, pack, step, mark.at if mark else None)
        if how:
            yield f.StepDone(step=step.id, how=how, needed=mark is not None or not _escalates(step))


def _escalates(step: Step) -> bool:
    """Whether all the step does is to call or tell people, which is left out once what it waits for has come."""
    return step.owner == teams.SYSTEM and all(do.kind in ("page", "escalate", "tell") for do in step.does)


def _reached_by_steps(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """Milestones that steps done by now reach; a skipped step reaches none."""
    for step in protocol.steps(i, pack):
        mark = i.steps.get(step.id)
        if step.reaches and mark and mark.state == "done" and milestones.first(i.history, step.reaches) is None:
            yield f.MilestoneReached(milestone=step.reaches, source="warroom")


def _done(i: Incident, pack: LoadedPack, step: Step, started: datetime | None) -> str:
    """How the step got done; "" while it is not. Its own effects and the update it asks for come after its start."""
    for word in step.done_on:
        found = done.evidence(i, pack, word) if word not in ("effects", "update") else None
        if found:
            return found.how
        if word == "effects" and started and _acted(i, step) and all(key in i.done for key in step_effects(pack, step)):
            return "sent"
        if word == "update" and started and any(u.human and u.at >= started for u in i.updates):
            return "told in an update"
    return ""


def _due(i: Incident, cadence: Cadence) -> datetime | None:
    if milestones.reached(i.history, cadence.end) is not None:
        return None
    begin = milestones.first(i.history, cadence.start)
    if begin is None:
        return None
    withdrawn = [m.at for m in milestones.of(i.history, cadence.end) if not m.reached]
    sent = [u.at for u in i.updates if u.cadence in ("", cadence.id)]
    last = max([begin, *withdrawn, *sent])
    if i.severity_since != i.opened:
        last = max(last, i.severity_since)
    return last + cadence.every


def _cadences(i: Incident, pack: LoadedPack, now: datetime) -> Iterator[Due]:
    for cadence in _severity(i, pack).cadences:
        due = _due(i, cadence)
        if due is None:
            continue
        if i.asked.get(cadence.id) != due and now < due:
            ask = f.UpdateAsked(cadence=cadence.id, due=due)
            yield Due(due - cadence.ask_before, f"ask:{cadence.id}:{due.isoformat()}", ask)
        yield Due(due, f"update:{cadence.id}:{due.isoformat()}", automatic_update(i, cadence.id, due))


def automatic_update(i: Incident, cadence: str, due: datetime) -> f.UpdateGiven:
    """The update that goes out when nobody wrote one: what is known, and since when nothing new was said."""
    last = next((u for u in reversed(i.updates) if u.human), None)
    return f.UpdateGiven(
        human=False,
        status=i.status,
        summary=last.summary if last else "",
        next_steps=last.next_steps if last else "",
        eta=last.eta if last else "",
        impact=last.impact if last else "",
        due=due,
        cadence=cadence,
    )
