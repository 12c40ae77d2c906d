"""An incident's state: the fold of its facts. There is no other way to change one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from warroom.domain import facts as f
from warroom.domain import milestones
from warroom.domain.milestones import History, Moment
from warroom.domain.people import By
from warroom.domain.policy import Milestone, SeverityId

RECENT = 30
EMPTY: Mapping[str, Any] = MappingProxyType({})
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


@dataclass(frozen=True, kw_only=True)
class StepMark:
    """How far an escalation step is. `at` is when it was started, done, skipped or late (UTC); one that is done and was
    not `needed` did nothing. `begun` ones have done at their start what they do."""

    state: Literal["started", "done", "skipped", "late"]
    at: datetime
    by: By
    note: str = ""
    late: datetime | None = None
    reminded: bool = False
    needed: bool = True
    begun: bool = False

    @property
    def said(self) -> str:
        """How far it is in a word or two, for people: see `state`."""
        return "not needed" if self.state == "done" and not self.needed else self.state


@dataclass(frozen=True, kw_only=True)
class ClockMark:
    """What was said about one run of a clock; `deadline` (UTC) is the one that was last said to be missed.

    `breaches` counts how often that was said: after a correction it can be missed all the same.
    """

    warned: bool = False
    breached: bool = False
    deadline: datetime | None = None
    corrected: bool = False
    breaches: int = 0


@dataclass(frozen=True, kw_only=True)
class Update:
    """A status update that went out at `at` (UTC); `heard` is how many of the incident's `news` came before it."""

    at: datetime
    by: By
    human: bool
    status: str
    summary: str
    next_steps: str
    eta: str
    impact: str
    due: datetime | None
    cadence: str = ""
    heard: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One ordered action and what became of it (`outcome` is "requested" until it settles)."""

    run: str
    action: str
    scope: str | None
    reason: str
    mode: str
    by: By
    at: datetime
    parameters: Mapping[str, object] = field(default_factory=dict)
    lifts: tuple[str, ...] = ()
    title: str = ""
    outcome: str = "requested"
    detail: str = ""
    settled: datetime | None = None
    reminded: datetime | None = None
    lapsed: datetime | None = None


@dataclass(frozen=True)
class Lift:
    """A halt was read back as lifted `at` (UTC), by a resumption of `incident`: "" for the halt's own."""

    at: datetime
    incident: str = ""


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One run of probes; `results` is empty until they report."""

    run: str
    what: str
    probes: tuple[str, ...]
    by: By
    at: datetime
    results: tuple[Mapping[str, object], ...] = ()
    reported: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Something that waits for others' approval, or did. `state` is pending, approved, rejected, expired or void.

    `runs` is how many actions had been ordered when it was asked for, `while_open` whether the incident was open then.
    """

    request: f.ApprovalRequested
    by: By
    at: datetime
    given: tuple[By, ...] = ()
    state: str = "pending"
    why: str = ""
    closed_by: By | None = None
    runs: int = 0
    while_open: bool = True


@dataclass(frozen=True, kw_only=True)
class ItemMark:
    """How far an item of a checklist is; `late` is when it should have been done (UTC)."""

    done: bool = False
    at: datetime | None = None
    by: By | None = None
    how: str = ""
    late: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ChecklistMark:
    """A checklist that was put up `at` (UTC); items without a mark are still to be done."""

    at: datetime
    items: Mapping[str, ItemMark] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WatchMark:
    """What a watch last said. `since` is when its state began, `steady` when it was said to be steady (UTC)."""

    state: str
    value: object
    summary: str
    at: datetime
    since: datetime
    steady: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One incident as it stands. `count` is the number of facts folded in, `recent` the last ones worth telling, `news`
    all that updates may tell of, in the order in which we heard of them; `severity_said` is of when the newest word on
    the severity is (UTC), None while there is none but the first."""

    id: str
    title: str
    severity: SeverityId
    severity_reason: str
    severity_since: datetime
    severities: tuple[tuple[datetime, SeverityId], ...]
    opened: datetime
    opened_by: By
    pack: str
    pack_hash: str
    playbook: str | None
    service: str | None
    description: str
    origin: str
    market_open: bool
    details: Mapping[str, object] = field(default_factory=dict)
    count: int = 0
    status: str = "investigating"
    severity_said: datetime | None = None
    pagerduty_id: str | None = None
    pagerduty_url: str | None = None
    bridge: str = ""
    pagerduty_service: str | None = None
    history: History = ()
    roles: Mapping[str, By] = field(default_factory=dict)
    done: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: Mapping[str, f.EffectFailed] = field(default_factory=dict)
    clocks: Mapping[tuple[str, datetime], ClockMark] = field(default_factory=dict)
    steps: Mapping[str, StepMark] = field(default_factory=dict)
    asked: Mapping[str, datetime] = field(default_factory=dict)
    updates: tuple[Update, ...] = ()
    notes: tuple[f.Fact, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    runs: tuple[Run, ...] = ()
    elsewhere: tuple[tuple[datetime, f.HaltLifted], ...] = ()
    halt_told: datetime | None = None
    resolution: f.Resolved | None = None
    joined: tuple[f.Fact, ...] = ()
    joined_ids: tuple[str, ...] = ()
    heard: datetime | None = None
    gathers: str = ""
    detections: tuple[f.Fact, ...] = ()
    drafts: int = 0
    drafted: int = 0
    routine: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    told: frozenset[tuple[str, int]] = frozenset()
    approvals: tuple[Approval, ...] = ()
    checklists: Mapping[str, ChecklistMark] = field(default_factory=dict)
    signed: Mapping[tuple[str, int], f.Fact] = field(default_factory=dict)
    overrides: tuple[f.Fact, ...] = ()
    watches: Mapping[str, WatchMark] = field(default_factory=dict)
    storm: f.StormDetected | None = None
    glass: tuple[f.Fact, ...] = ()
    owed: tuple[f.FollowUpAdded, ...] = ()
    recent: tuple[f.Fact, ...] = ()
    news: tuple[f.Fact, ...] = ()

    def reached(self, milestone: Milestone) -> datetime | None:
        """When the milestone was reached (UTC); None while it is not."""
        return milestones.reached(self.history, milestone)

    @property
    def room(self) -> str | None:
        """The id of the incident's channel, once it exists."""
        return self.done.get("room", EMPTY).get("channel")

    @property
    def room_name(self) -> str | None:
        """The name of the incident's channel without the #, once it exists."""
        return self.done.get("room", EMPTY).get("name")

    @property
    def is_open(self) -> bool:
        """Not resolved (or reopened since). The record of a routine is no open incident."""
        return not self.routine and self.reached("resolved") is None

    @property
    def commander(self) -> By | None:
        """The incident commander, once there is one."""
        return self.roles.get("commander")

    @property
    def halts(self) -> tuple[Run, ...]:
        """Actions with a scope: trading halts, oldest first."""
        return tuple(r for r in self.runs if r.scope)

    def lifted(self, halt: Run) -> Lift | None:
        """What took a halt back: of this incident's confirmed runs only one ordered after it can have done so (they go
        one after the other), of another incident's whatever was read back after the halt was."""
        later = self.runs[self.runs.index(halt) + 1 :]
        own = next((r for r in later if halt.scope in r.lifts and r.outcome == "confirmed"), None)
        if own is not None:
            return Lift(own.settled or own.at)
        for at, other in self.elsewhere:
            reached = other.outcome == "confirmed" and halt.scope in other.scopes
            if reached and halt.settled is not None and halt.settled <= at:
                return Lift(at, other.incident)
        return None


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
