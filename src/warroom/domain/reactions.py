"""What we do about a fact: the effects that follow from it. Pure; every effect has a key of its own for ever."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from warroom.domain import (
    acting,
    clocks,
    on_approval,
    on_checklist,
    on_detection,
    on_field,
    on_gate,
    on_lifted,
    on_outcome,
    on_role,
    on_routine,
    on_step,
    on_storm,
    on_telling,
    on_watch,
    phone_calls,
    protocol,
    teams,
    views,
)
from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Effect, moment
from warroom.domain.incident import Incident
from warroom.domain.outgoing import ACT, EDIT, FIRST, PANEL, POST, PRIORITY, SETUP, Out
from warroom.domain.policy import Milestone, SeverityId
from warroom.domain.words import slug, stamp

MIRRORS = ("slack.edit", "timeline.write")
TOLD_IN_PAGERDUTY: tuple[Milestone, ...] = ("commander_assigned", "contained", "resolved")


def react(before: Incident | None, after: Incident, fact: f.Fact, pack: LoadedPack, now: datetime) -> Iterator[Effect]:
    """The effects of one fact; `before` and `after` are the incident without and with it."""
    out = Out(after, pack, now)
    what = fact.what
    if after.routine:
        yield from on_routine.react(out, fact)
        return
    if before is not None and Out(before, pack, now).topic_text() != out.topic_text():
        yield out.topic()
    match what:
        case f.IncidentOpened():
            yield from _opened(out, fact, what)
        case f.BridgeChanged(bridge=address):
            yield from _bridge(out, f"bookmark:bridge:{out.i.count}", address, since=fact.at)
            yield from out.announcements()
        case f.PagerDutyLinked():
            yield from _linked(out, before, what)
        case f.MilestoneReached():
            yield from _reached(out, before, fact, what)
        case f.MilestoneWithdrawn():
            yield from _withdrawn(out, before, fact, what)
        case f.SeverityChanged():
            yield from _severity(out, before, fact, what)
        case f.RoleAssigned():
            yield from on_role.react(out, before, fact, what)
        case f.EffectDone():
            yield from on_outcome.done(out, what)
            yield from on_approval.react(out, fact)
        case f.EffectFailed():
            yield from on_outcome.failed(out, before, what)
        case f.EffectDelayed():
            yield from on_outcome.delayed(out, what)
        case f.ClockWarned() | f.ClockBreached() | f.ClockCorrected():
            yield from _clock(out, what)
        case f.StepStarted() | f.StepReminded() | f.StepDone() | f.StepReopened() | f.StepSkipped() | f.StepLate():
            yield from on_step.react(out, fact, what)
        case f.UpdateAsked() | f.UpdateGiven():
            yield from _update(out, before, fact, what)
        case f.NoteAdded():
            yield from _note(out, fact, what)
        case f.ProbesRequested() | f.ProbesReported():
            yield from _probes(out, fact, what)
        case (
            f.ActionRequested()
            | f.ActionSettled()
            | f.ActionHeld()
            | f.ActionLapsing()
            | f.ActionLapsed()
            | f.GlassBroken()
            | f.FollowUpAdded()
            | f.HaltStands()
        ):
            yield from acting.react(out, fact)
        case f.HaltLifted():
            yield from on_lifted.react(out, fact, what)
        case f.DraftAsked():
            data = {"number": what.number, "reason": what.reason}
            key = f"postmortem:{what.number}"
            yield out.effect(key, "postmortem.write", data, lane="postmortem", rank=PANEL)
        case f.AlertJoined() | f.StormDetected():
            yield from on_storm.react(out, fact)
        case f.DetectionJoined():
            yield from on_detection.react(out, what)
        case f.CommunicationDue():
            yield from on_telling.react(out, fact)
        case f.ApprovalRequested() | f.ApprovalGiven() | f.ApprovalClosed():
            yield from on_approval.react(out, fact)
        case f.ChecklistBegun() | f.ItemDone() | f.ItemUndone() | f.ItemLate():
            yield from on_checklist.react(out, fact)
        case f.SignedOff() | f.GateOverridden():
            yield from on_gate.react(out, fact)
        case f.FieldSet():
            yield from on_field.react(out, fact)
        case f.WatchSaw() | f.WatchSteady():
            yield from on_watch.react(out, fact)
        case f.PlaybookChanged():
            yield from _playbook(out, before, fact, what)


def of_a_mirror(fact: f.Fact) -> bool:
    """Whether it tells that something which only shows what is known (an edit, the timeline file) did not work.

    No other mirror is brought up to date for it: two that both fail would go on for ever.
    """
    return isinstance(fact.what, f.EffectFailed | f.EffectDelayed) and fact.what.kind in MIRRORS


def changes_panel(fact: f.Fact) -> bool:
    """Whether people would see this fact on the live panel."""
    if of_a_mirror(fact):
        return False
    unseen = (
        f.SeverityConfirmed
        | f.IncidentOpened
        | f.EffectDone
        | f.UpdateAsked
        | f.ProbesRequested
        | f.Denied
        | f.CommunicationDue
    )
    return not isinstance(fact.what, unseen)


def _opened(out: Out, fact: f.Fact, what: f.IncidentOpened) -> Iterator[Effect]:
    i, severity = out.i, out.pack.pack.severities[what.severity]
    yield out.effect(
        "announce",
        "slack.post",
        {
            "to": severity.announce.channel,
            "message": severity.announce.message,
            "view": "announcement",
            "broadcast": severity.announce.broadcast or "",
        },
        lane="announce",
        rank=FIRST,
    )
    name = f"{i.id.lower()}-{slug(i.title, 50)}".strip("-")
    yield out.effect("room", "slack.room", {"name": name}, rank=SETUP)
    if fact.by.slack_id:
        declarer = {"people": [fact.by.slack_id], "groups": []}
        yield out.effect("invite:declarer", "slack.invite", declarer, rank=SETUP, after=("room",))
    yield from _people(out, "people", what.severity)
    panel = {"to": "room", "message": "panel", "view": "panel"}
    yield out.effect("panel", "slack.post", panel, lane="room", rank=SETUP, after=("room",))
    yield out.effect("pin", "slack.pin", {"of": "panel"}, rank=POST, after=("panel",))
    mark = {"topic": out.topic_text(), "mark": True}
    yield out.effect("topic:opened", "slack.topic", mark, lane="topic", rank=EDIT, after=("room",))
    if i.playbook:
        book = {"to": "room", "message": "playbook", "view": "playbook"}
        yield out.effect("playbook", "slack.post", book, lane="room", rank=SETUP, after=("room",))
    if what.origin in ("slack", "violations"):
        trigger = {
            "summary": f"[{what.severity}] {what.title}",
            "severity": {"P0": "critical", "P1": "error", "P2": "warning", "P3": "info"}[what.severity],
            "details": {"incident": i.id, "description": what.description},
            "dedup_key": i.id,
        }
        yield out.effect("pagerduty.open", "pagerduty.trigger", trigger, lane="pager", rank=FIRST)
    yield from on_field.opened(out)
    yield from _bridge(out, "bookmark:bridge", views.bridge(i, out.pack))


def _linked(out: Out, before: Incident | None, what: f.PagerDutyLinked) -> Iterator[Effect]:
    if what.url:
        data = {"title": "PagerDuty incident", "url": what.url, "emoji": ":rotating_light:"}
        yield out.effect("bookmark:pagerduty", "slack.bookmark", data, rank=EDIT, after=("room",))
    yield from _bridge(out, "bookmark:bridge:pagerduty", what.bridge)
    first = before is not None and before.pagerduty_service is None
    if first and what.service_id and teams.ON_CALL in _wanted(out, out.i.severity):
        wanted = {"groups": [teams.ON_CALL], "service": what.service_id}
        yield out.effect("people:on_call", "people.find", wanted, rank=SETUP)


def _bridge(out: Out, key: str, address: str, since: datetime | None = None) -> Iterator[Effect]:
    """A bookmark of the conference, where it has an address; one that replaces another says `since` when (UTC)."""
    if address.startswith(("https://", "http://")):
        title = f"Conference bridge since {stamp(since)}" if since else "Conference bridge"
        data = {"title": title, "url": address, "emoji": ":telephone_receiver:"}
        yield out.effect(key, "slack.bookmark", data, rank=EDIT, after=("room",))


def _wanted(out: Out, severity: SeverityId) -> tuple[str, ...]:
    """The groups that are invited in incidents of this severity, and those that fill its roles."""
    return tuple(dict.fromkeys((*out.pack.pack.severities[severity].invite, *teams.groups(out.pack, severity))))


def _people(out: Out, key: str, severity: SeverityId) -> Iterator[Effect]:
    """Looks up whom to invite. Who is on call is known with PagerDuty's service: `_linked` asks for them then."""
    service = out.i.pagerduty_service or ""
    groups = [group for group in _wanted(out, severity) if service or group != teams.ON_CALL]
    if groups:
        yield out.effect(key, "people.find", {"groups": groups, "service": service}, rank=SETUP)


def _reached(out: Out, before: Incident | None, fact: f.Fact, what: f.MilestoneReached) -> Iterator[Effect]:
    i = out.i
    was = before.reached(what.milestone) if before else None
    if was is not None or i.reached(what.milestone) is None:
        return
    turn = sum(1 for m in i.history if m.milestone == what.milestone and m.reached)
    key = f"{what.milestone}:{turn}"
    if what.milestone in ("acknowledged", "resolved") and what.source == "slack":
        data = {"status": what.milestone, "by": fact.by.id}
        yield out.effect(f"pagerduty.{key}", "pagerduty.change", data, lane="pager", rank=SETUP)
    yield from on_storm.follow(out, what.milestone, key, what.source, fact.by)
    if what.milestone in TOLD_IN_PAGERDUTY:
        yield out.note(f"note:{key}", f"{what.milestone.replace('_', ' ')}: {fact.by.name}")
    if what.milestone == "acknowledged":
        context = {"by": views.who(fact.by), "at": moment(fact.at), "source": what.source}
        yield out.say(f"say:{key}", "acknowledged", context)
        yield from out.announcements()
    if what.milestone == "resolved":
        yield from out.announcements()
        if i.resolution is None:
            yield out.say(f"ask.cause:{turn}", "root_cause_request", {"by": views.who(fact.by)})


def _playbook(out: Out, before: Incident | None, fact: f.Fact, what: f.PlaybookChanged) -> Iterator[Effect]:
    """The room gets the playbook; whoever was told what is affected reads that it has changed."""
    key = f"playbook:{out.i.count}"
    yield out.post(key, "room", "playbook", {"view": "playbook"})
    yield from out.announcements()
    told = views.announcement(out.i, out.pack, out.now, {}) | {
        "before": views.base(before, out.pack, out.now)["plain"] if before else "",
        "why": what.reason,
    }
    for channel in on_telling.told_so_far(out):
        yield out.post(f"{key}:to:{channel}", channel, "playbook_changed", {"context": told})


def _withdrawn(out: Out, before: Incident | None, fact: f.Fact, what: f.MilestoneWithdrawn) -> Iterator[Effect]:
    message = {"resolved": "reopened", "acknowledged": "unacknowledged"}.get(what.milestone)
    gone = before is not None and before.reached(what.milestone) is not None
    if message and gone and out.i.reached(what.milestone) is None:
        turn = sum(1 for m in out.i.history if m.milestone == what.milestone and not m.reached)
        context = {"by": views.who(fact.by), "at": moment(fact.at), "broadcast": ""}
        yield out.say(f"{message}:{turn}", message, context)
        if message == "reopened":
            first = out.pack.pack.severities[out.i.severity].announce
            announce, told = first.channel, views.base(out.i, out.pack, out.now) | context
            loud = told | {"broadcast": first.broadcast or ""}
            yield out.post(f"reopened:{turn}:announce", announce, message, {"context": loud})
            for channel in on_telling.told_of_the_end(out):
                if channel not in (announce, "room"):
                    yield out.post(f"reopened:{turn}:to:{channel}", channel, message, {"context": told})
        yield from out.announcements()


def _severity(out: Out, before: Incident | None, fact: f.Fact, what: f.SeverityChanged) -> Iterator[Effect]:
    count = len(out.i.severities)
    severity = out.pack.pack.severities[what.severity]
    old = before.severity if before else what.severity
    context = {"by": views.who(fact.by), "old": old, "why": what.reason}
    yield out.say(f"severity:{count}", "severity_changed", context)
    if PRIORITY[what.severity] < PRIORITY[old]:
        data = {"view": "announcement", "broadcast": severity.announce.broadcast or ""}
        to = severity.announce.channel
        yield out.post(f"announce:{count}", to, severity.announce.message, data, rank=FIRST)
        yield from _people(out, f"people:{count}", what.severity)
    else:  # where more was promised, less is said aloud
        told = views.base(out.i, out.pack, out.now) | context
        to = out.pack.pack.severities[old].announce.channel
        yield out.post(f"severity:{count}:announce", to, "severity_changed", {"context": told})
    yield from out.announcements()
    if fact.by.slack_id:
        data = {"priority": what.severity}
        yield out.effect(f"priority:{count}", "pagerduty.priority", data, lane="pager", rank=EDIT)


def _clock(out: Out, what: f.ClockWarned | f.ClockBreached | f.ClockCorrected) -> Iterator[Effect]:
    clock = next(clock for name, clock in protocol.all_clocks(out.pack.pack) if name == what.clock)
    current = protocol.clocks_under(out.i, out.pack, out.i.severity).get(what.clock, clock)
    views_of_it = clocks.views(out.i, out.pack, out.now)
    view = next((v for v in views_of_it if (v.id, v.start) == (what.clock, what.start)), None)
    within = view.within if view else current.within
    run = f"{what.clock}:{what.start.isoformat()}"
    breaches = out.i.clocks[what.clock, what.start].breaches
    said = f"{run}:{breaches}" if breaches > 1 else run
    context: dict[str, Any] = {
        "clock": current.title,
        "within": within.total_seconds(),
        "start": moment(what.start),
    }
    match what:
        case f.ClockWarned():
            left = view.left if view else timedelta()
            yield out.say(f"warn:{run}", "clock_warning", context | {"left": max(left, timedelta()).total_seconds()})
        case f.ClockBreached():
            yield out.say(f"breach:{said}", "clock_breached", context | {"deadline": moment(what.deadline)})
            if current.tell:
                text = f"{out.i.id}: {current.title} missed. {out.i.title}"
                yield out.page(f"breach:{said}:page", current.tell, text)
        case f.ClockCorrected():
            used = view.used if view else max(what.reached - what.start, timedelta())
            told = context | {"reached": moment(what.reached), "used": used.total_seconds()}
            full = views.base(out.i, out.pack, out.now) | told
            edit = {"of": f"breach:{said}", "message": "clock_corrected", "context": full}
            yield out.effect(f"corrected:{said}:edit", "slack.edit", edit, lane="room", after=(f"breach:{said}",))
            yield out.say(f"corrected:{said}", "clock_corrected", told)


def _update(out: Out, before: Incident | None, fact: f.Fact, what: f.UpdateAsked | f.UpdateGiven) -> Iterator[Effect]:
    if isinstance(what, f.UpdateAsked):
        yield out.say(f"ask:{what.cadence}:{what.due.isoformat()}", "update_request", {"due": moment(what.due)})
    else:
        yield from on_telling.react(out, fact)
        yield from _answered(out, before, fact, what)


def _answered(out: Out, before: Incident | None, fact: f.Fact, what: f.UpdateGiven) -> Iterator[Effect]:
    """The requests that this update answers ask no more."""
    author = views.who(fact.by) if what.human else ""
    for cadence, due in before.asked.items() if before else ():
        if cadence in out.i.asked:
            continue
        key = f"ask:{cadence}:{due.isoformat()}"
        if key in out.i.done:
            yield out.replaced(key, "update_over", {"due": moment(due), "at": moment(fact.at), "author": author})


def _note(out: Out, fact: f.Fact, what: f.NoteAdded) -> Iterator[Effect]:
    if what.kind in ("note", "pagerduty", "vendor"):
        context = {"text": what.text, "by": views.who(fact.by), "source": what.kind}
        yield out.say(f"note:{out.i.count}:{len(out.i.notes)}", "note", context)
    if what.kind.startswith(phone_calls.NOT_REACHED):
        yield from on_step.call_again(out, what)


def _probes(out: Out, fact: f.Fact, what: f.ProbesRequested | f.ProbesReported) -> Iterator[Effect]:
    if isinstance(what, f.ProbesRequested):
        seal = what.what == out.pack.pack.evidence
        data = {"run": what.run, "probes": list(what.probes), "title": what.what, "seal": seal}
        yield out.effect(f"probes:{what.run}", "platform.probes", data, rank=ACT)
        return
    run = next(d for d in out.i.diagnoses if d.run == what.run)
    earlier = next(
        (d for d in reversed(out.i.diagnoses) if d.run != run.run and d.what == run.what and d.results), None
    )
    before = {str(r["probe"]): r.get("state") for r in earlier.results} if earlier else {}
    rows = [
        {
            "title": r.get("title"),
            "state": r.get("state"),
            "summary": r.get("summary"),
            "elapsed": r.get("elapsed_s"),
            "changed": bool(before) and before.get(str(r.get("probe"))) not in (None, r.get("state")),
        }
        for r in what.results
    ]
    context = {
        "what": run.what.replace("_", " "),
        "rows": rows,
        "bad": sum(1 for r in rows if r["state"] != "ok"),
        "by": views.who(run.by),
        "seal": what.seal,
    }
    button = f"{out.i.id}|{run.what}"
    yield out.say(f"probes:{what.run}:table", "diagnostics", context, button=button)
