"""A fact as a row of the timeline: what happened, what was done about it, and the words by which to find its post."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from warroom.domain import clocks, fact_lines, milestones, pauses, protocol
from warroom.domain import facts as f
from warroom.domain.incident import Incident
from warroom.domain.milestones import Moment
from warroom.domain.people import PAGERDUTY, WARROOM
from warroom.domain.policy import Milestone, Pack
from warroom.postmortem.markdown import clock, span

HEARD_LATE = timedelta(minutes=1)
SAME_RESOLVING = timedelta(minutes=2)  # the form in Slack, and PagerDuty's own time of it
REACHED: dict[Milestone, str] = {
    "detected": "Detected",
    "announced": "Announced",
    "acknowledged": "Acknowledged",
    "responding": "Responding",
    "contained": "Contained",
    "recovery_started": "Recovery started",
    "validated": "Recovery validated",
    "resolved": "Resolved",
    "resolution_announced": "Resolution announced",
    "reviewed": "Reviewed",
    "closed": "Closed",
}  # declared is the opening itself, commander_assigned is told by the role
DELIVERED = {
    "slack.room": "War room opened",
    "pagerduty.escalate": "Escalated in PagerDuty",
    "pagerduty.trigger": "Alert raised in PagerDuty",
}


@dataclass(frozen=True)
class Told:
    """`echo` is text of the fact that a post of ours about it repeats; `group` marks rows that may be told as one."""

    event: str = ""
    action: str = ""
    echo: str = ""
    group: str = ""


@dataclass(frozen=True)
class Teller:
    """Puts the facts of one incident into words."""

    incident: Incident
    pack: Pack
    asked: dict[str, f.ProbesRequested] = field(default_factory=dict)
    resolved: tuple[datetime, ...] = ()
    acknowledged: tuple[datetime, ...] = ()

    @classmethod
    def of(cls, incident: Incident, facts: Sequence[f.Fact], pack: Pack) -> "Teller":
        """A teller that knows which request each report belongs to, and when people acknowledged and resolved it."""
        asked = {x.what.run: x.what for x in facts if isinstance(x.what, f.ProbesRequested)}
        resolved = tuple(x.at for x in facts if isinstance(x.what, f.Resolved))
        acknowledged = tuple(
            x.at
            for x in facts
            if isinstance(x.what, f.MilestoneReached)
            and (x.what.milestone, x.what.source) == ("acknowledged", "pagerduty")
            and x.by.id != PAGERDUTY.id
        )
        return cls(incident, pack, asked, resolved, acknowledged)

    def tell(self, fact: f.Fact) -> Told | None:
        """The fact in words; None for what a reader of the timeline need not know."""
        match fact.what:
            case f.IncidentOpened() as what:
                start = "Alert in PagerDuty" if what.origin == "pagerduty" else "Declared in Slack"
                opened = f"Opened as {what.severity}: {what.severity_reason}"
                return Told(f"{start}: {what.title}", opened, echo=what.title)
            case f.MilestoneReached() | f.MilestoneWithdrawn():
                return self._milestone(fact, fact.what)
            case f.SeverityChanged() as what:
                return Told(what.reason, f"Severity set to {what.severity}", echo=what.reason)
            case f.RoleAssigned() as what:
                role = self.pack.roles.get(what.role)
                plays = f"is {role.title if role else what.role}"
                return Told(action=f"{what.person.name} {plays}", echo=plays)
            case f.ClockBreached() | f.ClockCorrected():
                return self._clock(fact, fact.what)
            case f.StepDone() | f.StepSkipped() | f.StepLate():
                return self._step(fact, fact.what)
            case f.UpdateGiven() as what:
                return _update(fact, what)
            case f.NoteAdded() as what:
                return Told(what.text if what.kind == "note" else f"{what.kind.capitalize()}: {what.text}")
            case f.ProbesRequested() | f.ProbesReported():
                return self._probes(fact.what)
            case f.ActionRequested() | f.ActionSettled():
                return self._action(fact.what)
            case f.HaltLifted() as what:
                lifted = f"Trading resumed from {what.incident} ({', '.join(what.scopes)}): {what.outcome.upper()}"
                return Told(f"“{what.reason}”", lifted, echo=what.reason)
            case f.ActionHeld() as what:
                return Told(f"Not ordered by itself: {self._title(what.action)}", f"Nothing was sent ({what.why})")
            case f.ActionLapsed() as what:
                return Told(f"Its time was over: {self._title_of(what.run)}")
            case f.GlassBroken() as what:
                return Told(
                    f"“{what.reason}”", "Glass broken: a halt by somebody who may not order one", echo=what.reason
                )
            case f.FollowUpAdded() as what:
                return Told(action=f"Owed: {what.title}", echo=what.title)
            case f.ApprovalRequested() | f.ApprovalGiven() | f.ApprovalClosed():
                return self._approval(fact.what)
            case f.Denied() as what:
                return Told(f"Not permitted: {what.what}", f"Nothing was done ({what.why})")
            case f.Resolved() as what:
                return Told(action=f"Resolved: {what.summary or what.root_cause}", echo=what.root_cause)
            case f.WatchSaw() as what:
                return Told(f"{self._watch(what.watch)}: {what.summary} ({what.why})", echo=what.summary)
            case f.WatchSteady() as what:
                return Told(
                    f"{self._watch(what.watch)}: steady since {clock(what.since, fact.at)}", echo="steady since"
                )
            case f.FieldSet() as what:
                about = self.pack.fields.get(what.field)
                return Told(f"{about.title if about else what.field}: {what.value}", echo=what.value)
            case f.AlertJoined() as what:
                return Told(f"Related alert: {what.title}", group="related alerts")
            case f.ItemDone() | f.ItemUndone() | f.ItemLate():
                return self._item(fact, fact.what)
            case f.SignedOff() as what:
                return Told(action=f"Signed off: {fact_lines.criterion_title(self.pack, what.gate, what.criterion)}")
            case f.GateOverridden() as what:
                return self._overridden(what)
            case f.EffectDone() as what:
                return _delivered(what)
            case f.EffectFailed() as what:
                outcome = "Not delivered" if what.outcome == "refused" else "Delivery unknown"
                return Told(f"{outcome} ({what.kind}): {what.error}", group=f"{what.kind} {what.error}")
        return None

    def _watch(self, name: str) -> str:
        return self.pack.watches[name].title if name in self.pack.watches else name

    def _milestone(self, fact: f.Fact, what: f.MilestoneReached | f.MilestoneWithdrawn) -> Told | None:
        words = REACHED.get(what.milestone)
        if words is None:
            return None
        if isinstance(what, f.MilestoneWithdrawn):
            again = "Reopened" if what.milestone == "resolved" else f"No longer {words.lower()}"
            return Told(again, echo=again)
        moment = Moment(fact.at, True, what.milestone, what.source)
        if moment not in milestones.of(self.incident.history, what.milestone) or self._told_otherwise(fact, what):
            return None
        if fact.recorded - fact.at > HEARD_LATE:
            words += f" (known from {clock(fact.recorded, fact.at)})"
        return Told(event=words) if what.milestone == "detected" else Told(action=words, echo=REACHED[what.milestone])

    def _told_otherwise(self, fact: f.Fact, what: f.MilestoneReached) -> bool:
        i = self.incident
        if what.milestone == "detected":
            return fact.at >= i.opened
        if what.milestone == "responding":
            return fact.at == i.reached("acknowledged")
        if what.milestone == "acknowledged":  # told once, with the name that PagerDuty gives
            told = (abs(fact.at - at) <= SAME_RESOLVING for at in self.acknowledged)
            return fact.by.id == PAGERDUTY.id and any(told)
        near = (abs(fact.at - at) <= SAME_RESOLVING for at in self.resolved)
        return what.milestone == "resolved" and any(near)

    def _clock(self, fact: f.Fact, what: f.ClockBreached | f.ClockCorrected) -> Told:
        all_clocks = dict(protocol.all_clocks(self.pack))
        in_force = self.pack.severities[self.incident.severity].clocks
        known = in_force.get(what.clock) or all_clocks.get(what.clock)
        title = known.title if known else what.clock
        if isinstance(what, f.ClockBreached):
            limit = ""
            if known and known.counting == "always":
                still = clocks.away(self.incident, known, what.deadline)
                limit = f" ({span(pauses.elapsed(what.start, what.deadline, still))})"
            return Told(f"Time ran out: {title}{limit}", echo=title)
        return Told(f"In time after all: {title}, at {clock(what.reached, fact.at)}", echo=title)

    def _step(self, fact: f.Fact, what: f.StepDone | f.StepSkipped | f.StepLate) -> Told | None:
        steps = {step.id: step for step in protocol.all_steps(self.pack)}
        title = steps[what.step].title if what.step in steps else what.step
        match what:
            case f.StepLate():
                due = f", due {clock(what.due, fact.at)}" if fact.at - what.due > HEARD_LATE else ""
                return Told(f"Step late: {title}{due}", echo=title)
            case f.StepSkipped():
                return Told(action=f"Step left out: {title} ({what.reason})", echo=title)
        return None if fact.by == WARROOM else Told(action=f"Step done: {title} ({what.how})", echo=title)

    def _item(self, fact: f.Fact, what: f.ItemDone | f.ItemUndone | f.ItemLate) -> Told | None:
        title = fact_lines.item_title(self.pack, what.checklist, what.item)
        match what:
            case f.ItemLate():
                return Told(f"Checklist item late: {title}", echo=title)
            case f.ItemUndone():
                return Told(action=f"Tick taken back: {title}")
        return None if fact.by == WARROOM else Told(action=f"Ticked: {title}")

    def _overridden(self, what: f.GateOverridden) -> Told:
        known = self.pack.gates.get(what.gate)
        gate = known.title if known else what.gate
        missing = f"Not met: {'; '.join(what.unmet)}"
        if what.via == "pagerduty":
            return Told(missing, f"Resolved in PagerDuty past “{gate}”", echo=gate)
        return Told(missing, f"“{gate}” overridden: {what.reason}", echo=what.reason)

    def _probes(self, what: f.ProbesRequested | f.ProbesReported) -> Told | None:
        if isinstance(what, f.ProbesRequested):
            reported = any(d.run == what.run and d.reported for d in self.incident.diagnoses)
            return None if reported else Told(f"Diagnostics asked for, no answer: {what.what}")
        asked = self.asked.get(what.run)
        name = asked.what if asked else what.run
        book = self.pack.playbooks.get(name)
        bad = [str(r.get("title") or r.get("probe")) for r in what.results if r.get("state") != "ok"]
        count = f"{len(what.results)} reading{'' if len(what.results) == 1 else 's'}"
        found = f"not healthy: {', '.join(bad)}" if bad else f"{count}, nothing unhealthy"
        plain = name.replace("_", " ")
        return Told(f"Diagnostics ({book.title if book else plain}): {found}", echo=f"Diagnostics: {plain}")

    def _approval(self, what: f.ApprovalRequested | f.ApprovalGiven | f.ApprovalClosed) -> Told:
        title = next((a.request.title for a in self.incident.approvals if a.request.run == what.run), what.run)
        match what:
            case f.ApprovalRequested():
                others = f"{what.need} other{'s' if what.need > 1 else ''}"
                dry = " (DRY RUN)" if what.mode == "dry_run" else ""
                return Told(f"“{what.reason}”", f"Approval by {others} asked for: {title}{dry}", echo=what.reason)
            case f.ApprovalGiven():
                return Told(action=f"Approved: {title}")
            case f.ApprovalClosed():
                return Told(f"Request {what.how}: {title} ({what.why})", echo=what.why)

    def _title(self, action: str) -> str:
        known = self.pack.actions.get(action)
        return known.title if known else action

    def _title_of(self, run: str) -> str:
        return next((self._title(r.action) for r in self.incident.runs if r.run == run), run)

    def _action(self, what: f.ActionRequested | f.ActionSettled) -> Told:
        known = self.pack.actions.get(what.action)
        title = known.title if known else what.action
        if isinstance(what, f.ActionRequested):
            mode = " (DRY RUN)" if what.mode == "dry_run" else ""
            return Told(f"“{what.reason}”", f"Ordered: {title}{mode}", echo=what.reason)
        outcome = {"dry_run": "rehearsed, nothing was sent", "unknown": "UNKNOWN"}.get(what.outcome, what.outcome)
        return Told(f"{title}: {outcome}", echo=what.detail)


def _delivered(what: f.EffectDone) -> Told | None:
    if what.kind == "pagerduty.page":
        paged = what.result.get("paged")
        names = [str(name) for name in paged] if isinstance(paged, list | tuple) else []
        if not names and what.result.get("rung"):
            return None
        paging = f"Paged {', '.join(names)}" if names else "Responders paged in PagerDuty"
        return Told(action=paging, echo="PagerDuty is calling")
    return Told(action=DELIVERED[what.kind]) if what.kind in DELIVERED else None


def _update(fact: f.Fact, what: f.UpdateGiven) -> Told:
    if what.human:
        then = f". Next: {what.next_steps}" if what.next_steps else ""
        return Told(action=f"Update ({what.status}): {what.summary.rstrip('.')}{then}", echo=what.summary)
    due = f" due {clock(what.due, fact.at)}" if what.due else ""
    return Told(f"No person wrote the update{due}", "Sent from what was known", echo=what.summary)
