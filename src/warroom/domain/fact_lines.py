"""A fact in one line, for timelines; and the titles of what facts name by id."""

from warroom.domain import facts as f
from warroom.domain import protocol
from warroom.domain.decision import LoadedPack
from warroom.domain.policy import Pack
from warroom.domain.words import clock, counted, listed


def tell(fact: f.Fact, pack: LoadedPack) -> str:
    """A fact as one line of a timeline; "" for what people need not read."""
    what = fact.what
    p = pack.pack
    match what:
        case f.IncidentOpened():
            return f"{what.severity} opened: {what.title} ({what.severity_reason})"
        case f.MilestoneReached():
            where = " in PagerDuty" if what.source == "pagerduty" else ""
            return f"{what.milestone.replace('_', ' ').capitalize()}{where}"
        case f.MilestoneWithdrawn():
            return f"No longer {what.milestone.replace('_', ' ')}"
        case f.SeverityChanged():
            return f"Severity is now {what.severity} ({what.reason})"
        case f.RoleAssigned():
            role = p.roles.get(what.role)
            return f"{what.person.name} is {role.title if role else what.role}"
        case f.ClockBreached():
            return f"SLA missed: {_clock_title(p, what.clock)}"
        case f.ClockCorrected():
            return f"SLA kept after all: {_clock_title(p, what.clock)}"
        case f.StepDone(needed=False):
            return f"Step not needed: {_step_title(p, what.step)} ({what.how})"
        case f.StepDone():
            return f"Step done: {_step_title(p, what.step)} ({what.how})"
        case f.StepReopened():
            return f"Step to be done again: {_step_title(p, what.step)}"
        case f.StepSkipped():
            return f"Step skipped: {_step_title(p, what.step)} ({what.reason})"
        case f.StepLate():
            return f"Step LATE: {_step_title(p, what.step)}"
        case f.UpdateGiven():
            return (
                f"Update ({what.status}): {what.summary}" if what.human else "Update from the record: nobody wrote it"
            )
        case f.NoteAdded():
            return what.text
        case f.ProbesRequested():
            return f"Diagnostics asked for: {what.what}"
        case f.ProbesReported():
            bad = sum(1 for r in what.results if r.get("state") != "ok")
            return f"Diagnostics: {counted(len(what.results), 'reading')}, {bad} not healthy"
        case f.ActionRequested():
            return f"{what.title or what.action} ordered ({what.mode.replace('_', ' ')}): {what.reason}"
        case f.ActionHeld():
            return f"{_action_title(p, what.action)} was not ordered by its automatic rule: {what.why}"
        case f.ApprovalRequested():
            dry = " (DRY RUN)" if what.mode == "dry_run" else ""
            return f"Approval asked for{dry}: {what.title} ({what.reason})"
        case f.ApprovalGiven():
            return f"Approved: {what.title}"
        case f.ApprovalClosed():
            return f"Request {what.how}: {what.title} ({what.why})"
        case f.ActionLapsing():
            return f"It lapses soon: {what.title}"
        case f.ActionLapsed():
            return f"It has lapsed: {what.title}"
        case f.GlassBroken():
            return f"GLASS BROKEN: halted without the right to ({what.reason})"
        case f.FollowUpAdded():
            return f"Owed: {what.title} ({what.why})"
        case f.ActionSettled():
            return f"{_action_title(p, what.action)}: {what.outcome.upper().replace('_', ' ')}. {what.detail}"
        case f.HaltLifted():
            scopes = ", ".join(what.scopes)
            return f"Trading resumed ({scopes}) from {what.incident}: {what.outcome.upper()} ({what.reason})"
        case f.Denied():
            return f"Refused: {what.what} ({what.why})"
        case f.Resolved():
            return f"Root cause: {what.root_cause or 'not given'}"
        case f.EffectDelayed():
            return f"Still trying {what.kind}: {what.error}"
        case f.EffectFailed():
            return f"Could not do {what.kind}: {what.error}"
        case f.DraftAsked():
            return f"Post-mortem draft {what.number} is compiled ({what.reason})"
        case f.CommunicationDue():
            return _communication(p, what.communication)
        case f.AlertJoined():
            return f"Related alert: {what.title}"
        case f.WatchSaw():
            return f"{_watch_title(p, what.watch)}: {what.summary} ({what.why})"
        case f.WatchSteady():
            return f"{_watch_title(p, what.watch)}: steady since {clock(what.since, fact.at)}"
        case f.FieldSet():
            field = p.fields.get(what.field)
            return f"{field.title if field else what.field}: {what.value}"
        case f.ChecklistBegun():
            return f"Checklist begun: {_checklist_title(p, what.checklist)}"
        case f.ItemDone():
            return f"Ticked: {item_title(p, what.checklist, what.item)}" + (f" ({what.how})" if what.how else "")
        case f.ItemUndone():
            return f"Tick taken back: {item_title(p, what.checklist, what.item)}"
        case f.ItemLate():
            return f"Item LATE: {item_title(p, what.checklist, what.item)}"
        case f.SignedOff():
            return f"Signed off: {criterion_title(p, what.gate, what.criterion)}"
        case f.GateOverridden(via="pagerduty"):
            return f"Resolved in PagerDuty although not met: {'; '.join(what.unmet)}"
        case f.GateOverridden():
            return f"Gate overridden ({what.reason}). Not met: {'; '.join(what.unmet)}"
        case f.DetectionJoined():
            return f"More violations: {what.reason}"
        case f.StormDetected():
            return f"Storm: {what.count} alerts within {what.within // 60} minutes ({p.storms[what.storm].title})"
        case f.PlaybookChanged():
            return f"Playbook: {p.playbooks[what.playbook].title} ({what.reason})"
    return ""


def _watch_title(p: Pack, watch: str) -> str:
    return p.watches[watch].title if watch in p.watches else watch


def _clock_title(p: Pack, clock: str) -> str:
    return next((c.title for name, c in protocol.all_clocks(p) if name == clock), clock)


def _communication(pack: Pack, name: str) -> str:
    """What is told to whom, of a communication that is due."""
    known = next((c for c in protocol.all_communications(pack) if c.id == name), None)
    if known is None:
        return f"To be told now: {name.replace('_', ' ')}"
    titles = [
        pack.audiences[a].title + (" once approved" if pack.audiences[a].external else "") for a in known.audiences
    ]
    to = listed([*(pack.channels.get(c, f"the {c}") for c in known.channels), *titles])
    return f"“{known.message.replace('_', ' ').capitalize()}” goes to {to}"


def _step_title(p: Pack, step: str) -> str:
    found = protocol.step_named(p, step)
    return found.title if found else step


def _action_title(p: Pack, action: str) -> str:
    return p.actions[action].title if action in p.actions else action


def _checklist_title(p: Pack, checklist: str) -> str:
    return p.checklists[checklist].title if checklist in p.checklists else checklist


def item_title(p: Pack, checklist: str, item: str) -> str:
    """An item's title, with its checklist's."""
    known = p.checklists.get(checklist)
    found = next((x.title for x in known.items if x.id == item), item) if known else item
    return f"{found} ({_checklist_title(p, checklist)})"


def criterion_title(p: Pack, gate: str, criterion: int) -> str:
    """A criterion's title, with its gate's."""
    known = p.gates.get(gate)
    if known is None or criterion >= len(known.criteria):
        return gate
    return f"{known.criteria[criterion].title} ({known.title})"
