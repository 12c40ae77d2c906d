"""What a message shows of an incident, as plain values: pure functions from state to the names a template uses.

Moments are {"utc": ISO} (see `effects.moment`), durations are seconds, people are Slack ids where known, else names.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from warroom.domain import (
    approvals,
    checklists,
    clocks,
    gates,
    halts,
    outlasting,
    progress,
    protocol,
    schedule,
    teams,
    watches,
)
from warroom.domain.decision import LoadedPack
from warroom.domain.effects import moment
from warroom.domain.incident import Incident, Run
from warroom.domain.people import By
from warroom.domain.phases import phase_at
from warroom.domain.policy import Cadence, Pack, Severity
from warroom.domain.progress import resumed_elsewhere, started
from warroom.domain.progress import run_line as run_line
from warroom.domain.progress import taken as taken
from warroom.domain.sending import by_hand
from warroom.domain.words import clock, spell

View = dict[str, Any]
UNKNOWN = "not known yet"
ROOM_EDIT = "room.edit:"
"""begins the key of the edit that links the room in a post which went out before it; the key of the post follows"""
LOOKS_LIKE_AN_ID = re.compile(r"[UW][A-Z0-9]+")


_DEEDS = {
    "slack.post": "posting a message",
    "slack.edit": "bringing a message up to date",
    "slack.room": "opening the room",
    "slack.topic": "setting the room's topic",
    "slack.invite": "inviting people to the room",
    "slack.pin": "pinning the panel",
    "slack.bookmark": "adding a bookmark",
    "slack.file": "uploading a file",
    "people.find": "finding out whom to invite",
    "pagerduty.trigger": "telling PagerDuty of the incident",
    "pagerduty.change": "acknowledging or resolving in PagerDuty",
    "pagerduty.priority": "setting PagerDuty's priority",
    "pagerduty.note": "writing a note in PagerDuty",
    "pagerduty.page": "calling people through PagerDuty",
    "pagerduty.escalate": "escalating in PagerDuty",
    "pagerduty.update": "publishing a status update in PagerDuty",
    "mail.send": "sending an e-mail",
    "status_page.post": "posting on the status page",
    "wiki.page": "writing the page in the wiki",
    "platform.probes": "taking readings",
    "platform.act": "acting on the platform",
    "incident.lifted": "telling another incident that its halt was lifted",
    "timeline.write": "writing the timeline file",
    "postmortem.write": "compiling the post-mortem draft",
}


def deed(kind: str) -> str:
    """What an effect of this kind does, in the words of people."""
    return _DEEDS.get(kind, kind)


def who(by: By | None) -> str:
    """A person for the `mention` filter: the Slack id where known, else the name; "" for nobody.

    A name that could be taken for a Slack id ("WARREN") is written so that it cannot.
    """
    if by is None:
        return ""
    return by.slack_id or (by.name.capitalize() if LOOKS_LIKE_AN_ID.fullmatch(by.name) else by.name)


def base(i: Incident, pack: LoadedPack, now: datetime) -> View:
    """What nearly every message needs. `fields` are the known fields of the pack in order, `about` the value of every
    one by its name ("" while it is not known), so that a message of the pack may say {{ about.markets }}. `can_halt`: a
    halt may be ordered from here; where halting is switched off `by_hand` says how it is done on the platform."""
    severity = pack.pack.severities[i.severity]
    playbook = pack.pack.playbooks.get(i.playbook or "")
    due = schedule.next_update(i, pack, now)
    return {
        "id": i.id,
        "title": i.title,
        "plain": playbook.plain if playbook and playbook.plain else i.title,
        "desk": playbook.desk if playbook else "",
        "severity": i.severity,
        "severity_title": severity.title,
        "emoji": severity.emoji,
        "status": i.status,
        "room": i.room or "",
        "room_name": i.room_name or "",
        "started": moment(started(i)),
        "commander": who(i.commander),
        "next_update": moment(due) if due else None,
        "pagerduty": i.pagerduty_url or "",
        "bridge": bridge(i, pack),
        "fields": [{"title": x.title, "value": i.fields[n]} for n, x in pack.pack.fields.items() if n in i.fields],
        "about": {name: i.fields.get(name, "") for name in pack.pack.fields},
        "can_halt": pack.actions != "off" and any(a.scope for a in pack.pack.actions.values()),
        "by_hand": list(by_hand(pack.pack)) if pack.actions == "off" else [],
    }


def announcement(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any]) -> View:
    """The first alert, edited as the incident moves on."""
    playbook = pack.pack.playbooks.get(i.playbook or "")
    severity = pack.pack.severities[i.severity]
    cadences = _heard(pack.pack, severity, str(data.get("to") or severity.announce.channel))
    every = min((c.every for c in cadences), default=None)
    return base(i, pack, now) | {
        "next_update": _moment(schedule.next_update(i, pack, now, cadences)),
        "broadcast": data.get("broadcast") or "",
        "impact": impact(i, pack),
        "systems": list(playbook.systems) if playbook else [i.service or UNKNOWN],
        "taken": [*taken(i)],
        "every": every.total_seconds() if every else 0,
        "reason": i.severity_reason,
        "is_open": i.is_open,
        "acknowledged": i.reached("acknowledged") is not None,
        "halted": bool(halts.in_force(i)),
        "in_force": [run_line(r) for r in halts.in_force(i)],
        "unsettled": [run_line(r) for r in halts.unsettled(i)],
        "lifted": [_halt_line(i, r, now) for r in i.halts if r.outcome == "confirmed" and i.lifted(r)],
        "service": i.service or "",
    }


def _heard(pack: Pack, severity: Severity, channel: str) -> tuple[Cadence, ...]:
    """The updates that are read in this channel; all of them where none is."""
    audiences = pack.audiences
    heard = tuple(
        c
        for c in severity.cadences
        if channel in c.channels or any(channel in audiences[a].channels for a in c.audiences)
    )
    return heard or severity.cadences


def bridge(i: Incident, pack: LoadedPack) -> str:
    """Where people talk: the conference of the PagerDuty incident, else the deployment's own; "" for none."""
    return i.bridge or (pack.contacts.get(pack.pack.bridge, "") if pack.pack.bridge else "")


def impact(i: Incident, pack: LoadedPack) -> str:
    """The impact as last told, else the playbook's sentence for the desk, else the alert's description; where nobody
    has said any of them, that it is not known."""
    told = next((u.impact for u in reversed(i.updates) if u.impact), "")
    playbook = pack.pack.playbooks.get(i.playbook or "")
    return told or (playbook.desk if playbook else "") or i.description or UNKNOWN


def approval(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any]) -> View:
    """The request to approve an action whose run is `data["run"]`, as it stands."""
    a = next(a for a in i.approvals if a.request.run == data["run"])
    asked = a.request
    action = pack.pack.actions.get(asked.subject)
    return base(i, pack, now) | {
        "what": asked.title,
        "mode": asked.mode,
        "by": who(a.by),
        "reason": asked.reason,
        "scope": asked.scope or "",
        "lifts": list(asked.lifts),
        "danger": action.danger if action else "",
        "consequence": asked.consequence,
        "waived": gates.passed_over(i, pack, action.gate if action else None, now),
        "lines": asked.text.splitlines(),
        "need": asked.need,
        "left": max(asked.need - len(a.given), 0),
        "given": [who(by) for by in a.given],
        "approvers": [pack.pack.groups.get(g, g) for g in asked.approvers],
        "expires": moment(asked.expires),
        "within": (asked.expires - a.at).total_seconds(),
        "state": a.state,
        "why": a.why,
        "closed_by": who(a.closed_by) if a.state == "rejected" else "",
        "run": asked.run,
    }


def waiting(i: Incident, now: datetime) -> list[str]:
    """Requests that wait for approval, a line each."""
    return [
        f"{a.request.title}: {'DRY RUN, ' if a.request.mode == 'dry_run' else ''}"
        f"waits for approval since {clock(a.at, now)}, asked by {a.by.name}, "
        f"{len(a.given)} of {a.request.need} given, until {clock(a.request.expires, now)}"
        for a in approvals.pending(i)
    ]


def lasting(i: Incident, pack: LoadedPack, now: datetime) -> list[str]:
    """Time-limited actions in force with the time left, a line each."""
    lines = []
    for run, end in approvals.lasting(i, pack):
        left = spell(max(end - now, timedelta()))
        lines.append(f"{pack.pack.actions[run.action].title}: in force until {clock(end, now)}, {left} left")
    return lines


def halt_rows(i: Incident, now: datetime) -> list[View]:
    """The same with the moment and the person of each."""
    return [
        {
            "line": _halt_line(i, run, now),
            "at": moment(run.settled or run.at),
            "by": who(run.by),
            "id": i.id,
            "state": _halt_state(i, run),
        }
        for run in i.runs
        if run.scope or run.lifts
    ]


def halt_lines(i: Incident, now: datetime) -> list[str]:
    """Every halt and every resumption as a line, oldest first; a lifted halt says since when. Then what other incidents
    did to them."""
    return [*(_halt_line(i, run, now) for run in i.runs if run.scope or run.lifts), *resumed_elsewhere(i)]


def _halt_state(i: Incident, run: Run) -> str:
    """How a halt or a resumption stands, as a picture shows it."""
    if run.outcome != "confirmed":
        return run.outcome
    if run.lifts:
        return "resumed"
    return "lifted" if i.lifted(run) else "in force"


def _halt_line(i: Incident, run: Run, now: datetime) -> str:
    lifted = i.lifted(run) if run.scope else None
    if lifted is None:
        return run_line(run)
    return f"{run_line(run)}, LIFTED {clock(lifted.at, now)}" + (f" from {lifted.incident}" if lifted.incident else "")


def panel(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any] | None = None) -> View:
    """The live panel of the room, and the answer to /incident-status."""
    return base(i, pack, now) | {
        "reason": i.severity_reason,
        "impact": impact(i, pack),
        "is_open": i.is_open,
        "roles": [
            {"title": role.title, "who": who(i.roles.get(name))}
            for name, role in pack.pack.roles.items()
            if name == "commander" or name in i.roles or name in teams.roles(pack, i.severity)
        ],
        "checklists": [
            f"Checklist {known.title}: {checklists.progress(i, known, name)}"
            for name, known in pack.pack.checklists.items()
            if name in i.checklists
        ],
        "gates": _gate_lines(i, pack, now),
        "watches": _watches(i, pack),
        "phase": phase(pack, now),
        "clocks": [_clock(v) for v in _latest(clocks.views(i, pack, now))],
        "steps": steps(i, pack),
        "halts": halt_rows(i, now),
        "elsewhere": list(resumed_elsewhere(i)),
        "halted": bool(halts.in_force(i)),
        "waiting": waiting(i, now),
        "lasting": lasting(i, pack, now),
        "unknown": "unknown" in {*(r.outcome for r in i.runs), *(what.outcome for _, what in i.elsewhere)},
        "failures": list(failures(i).values()),
        "now": moment(now),
        "resolved": _moment(i.reached("resolved")),
        "joined": len(i.joined),
        "acknowledged": i.reached("acknowledged") is not None,
    }


def _watches(i: Incident, pack: LoadedPack) -> list[View]:
    """The watches that run, as they last spoke; `state` is "" before the first reading."""
    rows = []
    for name, watch, begin in watches.running(i, pack):
        mark = watches.mark_of(i, name, begin)
        rows.append(
            {
                "title": watch.title,
                "state": mark.state if mark else "",
                "summary": watches.said(mark.value, mark.summary) if mark else "",
                "since": _moment(mark.since) if mark else None,
                "steady": bool(mark and mark.steady),
                "every": watch.every.total_seconds(),
            }
        )
    return rows


def phase(pack: LoadedPack, now: datetime) -> View | None:
    """The phase of the pack's trading day at `now`; None when it has none then."""
    found = phase_at(pack.pack.calendar, pack.sessions, now)
    if found is None:
        return None
    priorities = list(found.priorities)
    return {"pack": pack.pack.title, "title": found.title, "until": moment(found.until), "priorities": priorities}


def in_vain(i: Incident, key: str) -> bool:
    """Whether it only was to link the room in a post that failed, or a room that did: that is said of those."""
    return key.startswith(ROOM_EDIT) and not i.failed.keys().isdisjoint({"room", key.removeprefix(ROOM_EDIT)})


def failures(i: Incident) -> Mapping[str, str]:
    """What could not be done, in words; of the edits of one post only the newest."""
    names = {k: k.partition(":")[0] if ".edit:" in k else k for k in i.failed if not in_vain(i, k)}
    return {name: f"{deed(i.failed[k].kind).capitalize()}: {i.failed[k].error}" for k, name in names.items()}


def steps(i: Incident, pack: LoadedPack) -> list[View]:
    """The protocol of the incident's severity: every step with owner, due time and how far it is."""
    rows = []
    for step in protocol.steps(i, pack):
        mark = i.steps.get(step.id)
        begin, end = schedule.window(i, pack, step) or (None, None)
        rows.append(
            {
                "id": step.id,
                "title": step.title,
                "owner": teams.owner(pack.pack, step.owner),
                "state": mark.said if mark else "waiting",
                "due": _moment(end),
                "starts": _moment(begin),
                "at": _moment(mark.at) if mark else None,
                "by": who(mark.by) if mark else "",
                "note": mark.note if mark else "",
                "late": bool(mark and mark.late),
            }
        )
    return rows


def checklist(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any]) -> View:
    """The checklist named `data["checklist"]`, every item with its state; a button for each that is open."""
    name = str(data["checklist"])
    known = pack.pack.checklists[name]
    return base(i, pack, now) | {
        "name": name,
        "checklist": known.title,
        "progress": str(checklists.progress(i, known, name)),
        "items": [_item(i, pack, row) for row in checklists.rows(i, known, name)],
    }


def _item(i: Incident, pack: LoadedPack, row: checklists.Row) -> View:
    holder = i.roles.get(row.item.owner)
    return {
        "number": row.number,
        "id": row.item.id,
        "title": row.item.title,
        "how": _parts(row.item.how),
        "owner": teams.owner(pack.pack, row.item.owner),
        "holder": holder.name if holder else "",
        "done": row.mark.done,
        "by": who(row.mark.by),
        "at": _moment(row.mark.at),
        "shown": row.mark.how,
        "due": _moment(row.due),
        "late": row.mark.late is not None,
    }


def gate(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any]) -> View:
    """The gate named `data["gate"]`, every criterion with its state and what can be done about it."""
    name = str(data["gate"])
    known = pack.pack.gates[name]
    states = gates.states(i, pack, name, now)
    return base(i, pack, now) | {
        "name": name,
        "gate": known.title,
        "before": known.before,
        "met": sum(s.met for s in states),
        "total": len(states),
        "open": not gates.unmet(states),
        "left": [s.title for s in gates.unmet(states)],
        "criteria": [
            {
                "number": s.number,
                "text": s.title,
                "met": s.met,
                "why": s.why,
                "waived": s.waived,
                "sign": bool(known.criteria[s.number].sign_off) and not s.met,
                "probes": (known.criteria[s.number].probes or "") if not s.met else "",
            }
            for s in states
        ],
    }


def _gate_lines(i: Incident, pack: LoadedPack, now: datetime) -> list[str]:
    """What stands before resolving, while it does."""
    lines = []
    for name in gates.before_resolving(i, pack) if i.is_open else ():
        states = gates.states(i, pack, name, now)
        met = sum(s.met for s in states)
        lines.append(f"Before resolving, {pack.pack.gates[name].title}: {met} of {len(states)} met")
    return lines


def playbook(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any]) -> View:
    """The matched playbook: symptoms, diagnosis, resolution in order, prevention."""
    book = pack.pack.playbooks[i.playbook or ""]
    return base(i, pack, now) | {
        "name": book.title,
        "symptoms": list(book.symptoms),
        "diagnosis": [pack.pack.probes[p].title for p in book.diagnosis],
        "resolution": [
            {
                "title": r.title,
                "how": _parts(r.how),
                "last_resort": r.last_resort,
                "action": r.action or "",
                "button": pack.pack.actions[r.action].title if r.action and r.action in pack.pack.actions else "",
            }
            for r in book.resolution
        ],
        "prevention": list(book.prevention),
        "others": [name for name in pack.pack.playbooks if name != i.playbook],
    }


def update(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any]) -> View:
    """The update numbered `data["number"]`, from 1. One that nobody wrote (`human` false) tells `news` since `since`
    and what is `missing`; its `summary`, if any, is what a person said last, at `last`. `headline` is all of it in a
    line. `eta_said` is when the estimate was given, if not with this update."""
    number = int(data["number"])
    said = i.updates[number - 1]
    last = next((u for u in reversed(i.updates[:number]) if u.human), None)
    cadences = _heard(pack.pack, protocol.severity_of(i, pack), str(data.get("to", "")))
    known = progress.since(i, pack, number)
    missing = [] if said.human else [*progress.missing(i, pack, now)]
    news = () if said.human else known.news
    newest = news[-1].text if news else f"nothing new was reported since {clock(known.quiet, now)}"
    estimated = progress.eta_said(i.updates[:number])
    return base(i, pack, now) | {
        "next_update": _moment(schedule.next_update(i, pack, now, cadences)),
        "number": data["number"],
        "at": moment(said.at),
        "status": said.status,
        "summary": said.summary,
        "last": _moment(last.at if last else None),
        "next_steps": [line for line in said.next_steps.splitlines() if line.strip()],
        "eta": said.eta,
        "eta_said": _moment(estimated) if estimated != said.at else None,
        "impact": said.impact or impact(i, pack),
        "human": said.human,
        "author": who(said.by) if said.human else "",
        "headline": said.summary if said.human else "; ".join([*missing, newest]),
        "news": [{"at": moment(x.at), "text": x.text} for x in news],
        "left_out": known.left_out,
        "missing": missing,
        "since": moment(known.since),
        "silent_since": moment(known.quiet),
        "taken": [line for line in taken(i) if line not in {x.text for x in news}],
        "halts": [run_line(run) for run in outlasting.standing(i)],
        "resumed": _moment(_resumed(i)),
        "in_force": [run_line(r) for r in halts.in_force(i)],
        "unsettled": [run_line(r) for r in halts.unsettled(i)],
    }


def _resumed(i: Incident) -> datetime | None:
    """When trading resumed last (UTC), where no halt stands any more."""
    lifts = [lift.at for halt in i.halts if (lift := i.lifted(halt))]
    return max(lifts, default=None) if not outlasting.standing(i) else None


def resolution(i: Incident, pack: LoadedPack, now: datetime, data: Mapping[str, Any]) -> View:
    """The resolution notice: what an announcement shows, and how it ended."""
    at = i.reached("resolved") or now
    said = i.resolution
    review = min((at + follow_up.within for follow_up in pack.pack.follow_ups), default=None)
    return announcement(i, pack, now, data) | {
        "resolved": moment(at),
        "duration": (at - started(i)).total_seconds(),
        "root_cause": said.root_cause if said else "",
        "summary": said.summary if said else "",
        "actions": [line for line in (said.actions_taken if said else "").splitlines() if line.strip()]
        or list(taken(i)),
        "review": _moment(review),
        "follow_ups": sum(len(follow_up.items) for follow_up in pack.pack.follow_ups),
        "still_halted": [run_line(r) for r in halts.in_force(i)],
        "waived": list(gates.unverified(i, pack, now)),
    }


VIEWS: Mapping[str, Callable[[Incident, LoadedPack, datetime, Mapping[str, Any]], View]] = {
    "announcement": announcement,
    "panel": panel,
    "playbook": playbook,
    "checklist": checklist,
    "gate": gate,
    "approval": approval,
    "update": update,
    "resolution": resolution,
}


def _parts(text: str) -> list[View]:
    """Pack text with `commands` in backticks, taken apart so that a message can show them as code."""
    return [{"text": part, "code": bool(n % 2)} for n, part in enumerate(text.split("`")) if part]


def _moment(at: datetime | None) -> dict[str, str] | None:
    return moment(at) if at else None


def _latest(views: tuple[clocks.ClockView, ...]) -> list[clocks.ClockView]:
    """The newest run of each clock."""
    return list({v.id: v for v in views}.values())


def _clock(v: clocks.ClockView) -> View:
    return {
        "title": v.title,
        "state": v.state,
        "used": v.used.total_seconds(),
        "within": v.within.total_seconds(),
        "left": v.left.total_seconds(),
        "deadline": moment(v.deadline),
        "ended": v.end is not None,
    }
