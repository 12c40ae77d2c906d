"""An incident is the fold of its facts: what each of them changes, and nothing else changes one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from warroom.domain import facts as f
from warroom.domain import milestones
from warroom.domain.incident import (
    Approval,
    ChecklistMark,
    ClockMark,
    Diagnosis,
    Incident,
    ItemMark,
    Run,
    StepMark,
    Update,
    WatchMark,
)
from warroom.domain.milestones import Moment
from warroom.domain.people import By

RECENT = 30
NEWS = (
    f.NoteAdded,
    f.MilestoneReached,
    f.MilestoneWithdrawn,
    f.RoleAssigned,
    f.ActionRequested,
    f.ActionHeld,
    f.ActionSettled,
    f.ActionLapsed,
    f.ApprovalRequested,
    f.HaltLifted,
    f.ProbesReported,
    f.WatchSaw,
    f.WatchSteady,
    f.StepDone,
    f.StepSkipped,
    f.ItemDone,
    f.ItemUndone,
    f.FieldSet,
    f.AlertJoined,
    f.DetectionJoined,
    f.SeverityChanged,
    f.PlaybookChanged,
    f.StormDetected,
    f.SignedOff,
    f.GateOverridden,
)
"""facts that may be news to those who read the updates; `progress` says which are, and how they are told"""


def fold(facts: Iterable[f.Fact]) -> Incident | None:
    """The incident that these facts, in the order recorded, add up to; None for no facts."""
    incident: Incident | None = None
    for fact in facts:
        incident = evolve(incident, fact)
    return incident


def evolve(incident: Incident | None, fact: f.Fact) -> Incident:
    """The incident after one more fact. Raises ValueError when the first fact does not open one."""
    what = fact.what
    if incident is None:
        if not isinstance(what, f.IncidentOpened):
            raise ValueError(f"the first fact of an incident must open it, not {type(what).__name__}")
        return Incident(
            id=what.id,
            title=what.title,
            severity=what.severity,
            severity_reason=what.severity_reason,
            severity_since=fact.at,
            severities=((fact.at, what.severity),),
            opened=fact.at,
            opened_by=fact.by,
            pack=what.pack,
            pack_hash=what.pack_hash,
            playbook=what.playbook,
            service=what.service,
            description=what.description,
            origin=what.origin,
            pagerduty_service=what.pagerduty_service,
            market_open=what.market_open,
            details=what.details,
            routine=what.routine,
            heard=fact.at,
            gathers=what.storm,
            count=1,
            recent=(fact,),
        )
    told = not isinstance(what, f.EffectDone)
    recent = (*incident.recent, fact)[-RECENT:] if told else incident.recent
    news = (*incident.news, fact) if isinstance(what, NEWS) else incident.news
    return replace(incident, count=incident.count + 1, recent=recent, news=news, **_change(incident, fact))


def _change(i: Incident, fact: f.Fact) -> dict[str, Any]:
    what = fact.what
    match what:
        case f.IncidentOpened():
            raise ValueError(f"{i.id} is open already")
        case f.PagerDutyLinked():
            return {
                "pagerduty_id": what.pagerduty_id,
                "pagerduty_url": what.url,
                "pagerduty_service": what.service_id,
                "bridge": what.bridge or i.bridge,
            }
        case f.BridgeChanged():
            return {"bridge": what.bridge}
        case f.MilestoneReached() | f.MilestoneWithdrawn():
            came = isinstance(what, f.MilestoneReached)
            moment = Moment(fact.at, came, what.milestone, what.source)
            return {"history": milestones.add(i.history, moment)}
        case f.SeverityChanged():
            since = max(fact.at, i.severity_since)  # where clocks differ it stays the newest
            return {
                "severity": what.severity,
                "severity_reason": what.reason,
                "severity_since": since,
                "severities": (*i.severities, (since, what.severity)),
                "severity_said": since,
            }
        case f.SeverityConfirmed():
            return {"severity_said": max(fact.at, i.severity_since)}
        case f.StatusChanged():
            return {"status": what.status}
        case f.RoleAssigned():
            return {"roles": {**i.roles, what.role: what.person}}
        case f.EffectDone():
            failed = {k: v for k, v in i.failed.items() if k != what.key}
            return {"done": {**i.done, what.key: what.result}, "failed": failed}
        case f.EffectFailed():
            return {"failed": {**i.failed, what.key: what}}
        case f.ClockWarned() | f.ClockBreached() | f.ClockCorrected():
            return {"clocks": _mark_clock(i, what)}
        case f.StepReopened():
            return {"steps": _reopen_step(i, fact, what)}
        case f.StepStarted() | f.StepDone() | f.StepSkipped() | f.StepLate() | f.StepReminded():
            return {"steps": _mark_step(i, fact, what)}
        case f.UpdateAsked():
            return {"asked": {**i.asked, what.cadence: what.due}}
        case f.UpdateGiven():
            return _update(i, fact, what)
        case f.EffectDelayed() | f.ActionHeld():
            return {}
        case f.NoteAdded() | f.Denied():
            return {"notes": (*i.notes, fact)}
        case f.ProbesRequested():
            run = Diagnosis(run=what.run, what=what.what, probes=what.probes, by=fact.by, at=fact.at)
            return {"diagnoses": (*i.diagnoses, run)}
        case f.ProbesReported():
            return {
                "diagnoses": tuple(
                    replace(d, results=what.results, reported=fact.at) if d.run == what.run else d for d in i.diagnoses
                )
            }
        case f.ActionRequested():
            asked = Run(
                run=what.run,
                action=what.action,
                scope=what.scope,
                reason=what.reason,
                mode=what.mode,
                by=fact.by,
                at=fact.at,
                parameters=what.parameters,
                lifts=what.lifts,
                title=what.title,
            )
            return {"runs": (*i.runs, asked)}
        case f.ActionSettled():
            return {
                "runs": tuple(
                    replace(r, outcome=what.outcome, detail=what.detail, settled=fact.at) if r.run == what.run else r
                    for r in i.runs
                )
            }
        case f.HaltStands():
            return {"halt_told": fact.at}
        case f.HaltLifted():
            return {"elsewhere": (*i.elsewhere, (fact.at, what))}
        case f.Resolved():
            return {"resolution": what}
        case f.DraftAsked():
            turn = len(milestones.held(i.history, "resolved")) if i.reached("resolved") else i.drafted
            return {"drafts": max(i.drafts, what.number), "drafted": turn}
        case f.AlertJoined():
            return {
                "joined": (*i.joined, fact),
                "joined_ids": (*i.joined_ids, what.pagerduty_id),
                "heard": max(i.heard or fact.at, fact.at),
            }
        case f.DetectionJoined():
            return {"detections": (*i.detections, fact), "heard": max(i.heard or fact.at, fact.at)}
        case f.PlaybookChanged():
            return {"playbook": what.playbook, "watches": {}}  # other watches, or the same ones anew
        case f.StormDetected():
            return {"storm": what}
        case f.FieldSet():
            return {"fields": {**i.fields, what.field: what.value}}
        case f.CommunicationDue():
            return {"told": i.told | {(what.communication, what.turn)}}
        case f.ApprovalRequested() | f.ApprovalGiven() | f.ApprovalClosed():
            return {"approvals": _approvals(i, fact, what)}
        case f.ActionLapsing():
            return {"runs": tuple(replace(r, reminded=fact.at) if r.run == what.run else r for r in i.runs)}
        case f.ActionLapsed():
            return {"runs": tuple(replace(r, lapsed=fact.at) if r.run == what.run else r for r in i.runs)}
        case f.GlassBroken():
            return {"glass": (*i.glass, fact)}
        case f.FollowUpAdded():
            return {"owed": (*i.owed, what)}
        case f.ChecklistBegun():
            return {"checklists": {**i.checklists, what.checklist: ChecklistMark(at=fact.at)}}
        case f.ItemDone() | f.ItemUndone() | f.ItemLate():
            return {"checklists": _mark_item(i, fact, what)}
        case f.SignedOff():
            return {"signed": {**i.signed, (what.gate, what.criterion): fact}}
        case f.GateOverridden():
            return {"overrides": (*i.overrides, fact)}
        case f.WatchSaw() | f.WatchSteady():
            return {"watches": _mark_watch(i, fact, what)}


def _approvals(
    i: Incident, fact: f.Fact, what: f.ApprovalRequested | f.ApprovalGiven | f.ApprovalClosed
) -> tuple[Approval, ...]:
    match what:
        case f.ApprovalRequested():
            asked = Approval(request=what, by=fact.by, at=fact.at, runs=len(i.runs), while_open=i.is_open)
            return (*i.approvals, asked)
        case f.ApprovalGiven():
            return tuple(_approved(a, fact.by) if a.request.run == what.run else a for a in i.approvals)
        case f.ApprovalClosed():
            return tuple(
                replace(a, state=what.how, why=what.why, closed_by=fact.by) if a.request.run == what.run else a
                for a in i.approvals
            )


def _approved(approval: Approval, by: By) -> Approval:
    if approval.state != "pending" or by.id in {approval.by.id, *(given.id for given in approval.given)}:
        return approval  # each counts once, and the requester never
    given = (*approval.given, by)
    return replace(approval, given=given, state="approved" if len(given) >= approval.request.need else approval.state)


def _mark_item(i: Incident, fact: f.Fact, what: f.ItemDone | f.ItemUndone | f.ItemLate) -> Mapping[str, ChecklistMark]:
    checklist = i.checklists.get(what.checklist, ChecklistMark(at=fact.at))
    mark = checklist.items.get(what.item, ItemMark())
    match what:
        case f.ItemDone():
            mark = replace(mark, done=True, at=fact.at, by=fact.by, how=what.how)
        case f.ItemUndone():
            mark = replace(mark, done=False, at=fact.at, by=fact.by, how="")
        case f.ItemLate():
            mark = replace(mark, late=what.due)
    return {**i.checklists, what.checklist: replace(checklist, items={**checklist.items, what.item: mark})}


def _mark_watch(i: Incident, fact: f.Fact, what: f.WatchSaw | f.WatchSteady) -> Mapping[str, WatchMark]:
    before = i.watches.get(what.watch)
    if isinstance(what, f.WatchSteady):
        return {**i.watches, what.watch: replace(before, steady=fact.at)} if before else i.watches
    same = before is not None and before.state == what.state and not what.anew
    mark = WatchMark(
        state=what.state,
        value=what.value,
        summary=what.summary,
        at=fact.at,
        since=before.since if before and same else fact.at,
        steady=before.steady if before and same else None,
    )
    return {**i.watches, what.watch: mark}


def _mark_clock(
    i: Incident, what: f.ClockWarned | f.ClockBreached | f.ClockCorrected
) -> Mapping[tuple[str, datetime], ClockMark]:
    key = (what.clock, what.start)
    mark = i.clocks.get(key, ClockMark())
    match what:
        case f.ClockWarned():
            mark = replace(mark, warned=True)
        case f.ClockBreached():
            again = mark.breaches + 1
            mark = replace(mark, breached=True, deadline=what.deadline, corrected=False, breaches=again)
        case f.ClockCorrected():
            mark = replace(mark, corrected=True)
    return {**i.clocks, key: mark}


def _mark_step(
    i: Incident, fact: f.Fact, what: f.StepStarted | f.StepDone | f.StepSkipped | f.StepLate | f.StepReminded
) -> Mapping[str, StepMark]:
    before = i.steps.get(what.step)
    late, begun = (before.late, before.begun) if before else (None, False)
    match what:
        case f.StepReminded():
            mark = replace(before or StepMark(state="started", at=fact.at, by=fact.by), reminded=True)
        case f.StepStarted():
            mark = StepMark(state="started", at=fact.at, by=fact.by, begun=True)
        case f.StepDone():
            mark = StepMark(state="done", at=fact.at, by=fact.by, note=what.how, late=late, needed=what.needed)
        case f.StepSkipped():
            mark = StepMark(state="skipped", at=fact.at, by=fact.by, note=what.reason, late=late)
        case f.StepLate():
            mark = StepMark(state="late", at=fact.at, by=fact.by, late=what.due)
    return {**i.steps, what.step: replace(mark, begun=mark.begun or begun)}


def _reopen_step(i: Incident, fact: f.Fact, what: f.StepReopened) -> Mapping[str, StepMark]:
    """As if it had not begun where it had not, else under way again, or late as it was."""
    before = i.steps.get(what.step)
    rest = {name: mark for name, mark in i.steps.items() if name != what.step}
    if before is None or not before.begun:
        return rest
    state: Literal["started", "late"] = "late" if before.late else "started"
    return {**rest, what.step: StepMark(state=state, at=fact.at, by=fact.by, late=before.late, begun=True)}


def _update(i: Incident, fact: f.Fact, what: f.UpdateGiven) -> dict[str, Any]:
    update = Update(
        at=fact.at,
        by=fact.by,
        human=what.human,
        status=what.status,
        summary=what.summary,
        next_steps=what.next_steps,
        eta=what.eta,
        impact=what.impact,
        due=what.due,
        cadence=what.cadence,
        heard=len(i.news),
    )
    unanswered = {name: due for name, due in i.asked.items() if not what.human and name != what.cadence}
    return {"updates": (*i.updates, update), "status": what.status, "asked": unanswered}
