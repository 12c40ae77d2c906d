"""Slash commands: what people type under stress. Every one answers with what happened or what to type instead."""

from collections.abc import Callable, Mapping

from warroom.domain import fact_lines, halting, phone_calls, protocol, resolving, rights, schedule, views
from warroom.domain import facts as f
from warroom.domain.commands import INCIDENT, did_you_mean, person
from warroom.domain.decision import Context
from warroom.domain.declaring import SEVERITIES, on_declare
from warroom.domain.effects import Form, Reply, moment
from warroom.domain.handling import (
    Handled,
    card_row,
    contact_row,
    panel_answer,
    room_link,
    run_id,
    say,
    which_incident,
    wrong,
)
from warroom.domain.incident import Incident
from warroom.domain.inputs import Command, Input
from warroom.domain.on_action import on_action
from warroom.domain.on_checklist import on_checklist
from warroom.domain.on_field import on_set
from warroom.domain.on_gate import on_gate
from warroom.domain.on_milestone import on_milestone
from warroom.domain.on_runbook import on_runbook, on_vendor
from warroom.domain.people import Actor, By
from warroom.domain.routing import open_cards, typed_in


def on_command(incident: Incident | None, command: Command, given: Input, ctx: Context) -> Handled:
    """The answer to a slash command, and the facts it makes."""
    typed = typed_in(command, ctx.cards)
    if typed.named and incident is None:
        handled = wrong(f"There is no incident “{typed.named}”.", "/incident list shows the open ones.")
    elif incident is not None and incident.routine:
        said = f"{incident.id} is the record of “{incident.title}”, not an incident."
        handled = wrong(said, "/incident list shows the open ones.")
    elif command.name == "/halt":
        handled = halting.on_halt(incident, command.actor, typed.rest, given, ctx)
    elif command.name == "/diagnostics":
        handled = diagnostics(incident, command.actor, typed.rest, given, ctx)
    elif command.name == "/incident-status":
        handled = panel_answer(incident, ctx) if incident else _status_without(ctx)
    elif typed.word in ("help", "list", "declare"):
        handled = _WITHOUT[typed.word](command.actor, typed.rest, ctx)
    elif typed.word not in INCIDENT:
        hints = [f"/incident {INCIDENT[w].usage}" for w in did_you_mean(typed.word, dict(INCIDENT))[:3]]
        handled = wrong(f"There is no /incident {typed.word}.", *hints, "/incident help lists everything.")
    elif incident is None:
        handled = which_incident(ctx, f"/incident {typed.word}", typed.rest)
    else:
        handled = _WITHIN[typed.word](incident, command.actor, typed.rest, given, ctx)
    return handled


def acknowledge(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """Acknowledged here at once; PagerDuty is told, and its time replaces ours when it answers."""
    if not incident.is_open:
        return wrong(f"{incident.id} is resolved already.", "/incident list shows the open ones.")
    at = incident.reached("acknowledged")
    if at:
        return say("already", text="it was acknowledged already", at=moment(at), **room_link(incident))
    fact = f.MilestoneReached(milestone="acknowledged", source="slack")
    return Handled(ctx.facts(actor.by, fact), Reply("done", {"text": "You acknowledged it", **room_link(incident)}))


def take_command(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """The person becomes incident commander."""
    if incident.commander and incident.commander.id == actor.by.id:
        at = incident.reached("commander_assigned") or ctx.now
        return say("already", text="you are in command already", at=moment(at), **room_link(incident))
    refusal = rights.not_from_here(incident, actor, given, ctx)
    return refusal or _assign(incident, actor, "commander", actor.by, ctx)


def diagnostics(incident: Incident | None, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """Runs a playbook's readings, a group's, or a single one; without a word those of the matched playbook."""
    if incident is None:
        return which_incident(ctx, "/diagnostics", text)
    pack = ctx.pack.pack
    choices: dict[str, tuple[str, ...]] = {name: book.diagnosis for name, book in pack.playbooks.items()}
    choices |= {name: tuple(probes) for name, probes in pack.probe_groups.items()}
    choices |= {name: (name,) for name in pack.probes}
    typed = text.strip()
    what = typed or incident.playbook or next(iter(pack.probe_groups), "")
    what = what if what in choices else what.lower()
    if what not in choices:
        near = did_you_mean(what, tuple(choices))[:5]
        return wrong(f"There are no diagnostics called “{typed}”.", *(f"/diagnostics {n}" for n in near))
    fact = f.ProbesRequested(run=run_id(given), what=what, probes=choices[what])
    answer = Reply(
        "diagnostics_started", {"what": what.replace("_", " "), "count": len(choices[what]), **room_link(incident)}
    )
    return Handled(ctx.facts(actor.by, fact), answer)


def open_update_form(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`update TEXT` sends it at once with everything else as it was; without text the form opens, filled in."""
    last = next((u for u in reversed(incident.updates) if u.human), None)
    values = {
        "status": incident.status,
        "summary": "",
        "next_steps": last.next_steps if last else "",
        "eta": last.eta if last else "",
        "impact": views.impact(incident, ctx.pack),
    }
    if not incident.is_open:
        return wrong(f"{incident.id} is resolved.", "/incident note TEXT still adds to its timeline.")
    if not text:
        return Handled(answer=Form("update", incident.id, {"values": values}))
    return give_update(incident, actor, values | {"summary": text}, ctx)


def give_update(incident: Incident, actor: Actor, values: Mapping[str, str], ctx: Context) -> Handled:
    """A person's update, to every audience of the cadence. An impact that was left as it stood is not said anew."""
    impact = values.get("impact", "").strip()
    told = next((u.impact for u in reversed(incident.updates) if u.impact), "")
    due = schedule.asked_for(incident, ctx.pack)
    given = f.UpdateGiven(
        human=True,
        status=values.get("status") or incident.status,
        summary=values["summary"].strip(),
        next_steps=values.get("next_steps", "").strip(),
        eta=values.get("eta", "").strip(),
        impact=told if impact == views.impact(incident, ctx.pack) else impact,
        due=due,
    )
    answer = Reply("done", {"text": "Your update is on its way", **room_link(incident)})
    return Handled(ctx.facts(actor.by, given), answer)


def draft(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """Compiles the post-mortem draft now."""
    answer = Reply("done", {"text": "The draft is being compiled and will be posted here", **room_link(incident)})
    asked = f.DraftAsked(number=incident.drafts + 1, reason=f"asked for by {actor.name}")
    return Handled(ctx.facts(actor.by, asked), answer)


def mark_step(
    incident: Incident, actor: Actor, step_id: str, reason: str | None, ctx: Context, how: str = ""
) -> Handled:
    """A protocol step is done (`reason` None), by `how` in words, or skipped for a reason.

    Where a halt does a step, a person who says that it is done must say how: warroom has not read it back.
    """
    steps = {s.id: s for s in protocol.steps(incident, ctx.pack)}
    step = steps.get(step_id)
    if step is None:
        near = did_you_mean(step_id, tuple(steps))[:4]
        return wrong(f"There is no step “{step_id}”.", *(f"/incident step done {n}" for n in near))
    mark = incident.steps.get(step_id)
    if mark and mark.state in ("done", "skipped"):
        return say("already", text=f"step “{step.title}” is {mark.said}", at=moment(mark.at), **room_link(incident))
    by_hand = reason is None and protocol.halt_of(ctx.pack.pack, step) is not None
    if by_hand and not how:
        return wrong(
            f"No confirmed halt does “{step.title}”, so say how trading was stopped.",
            f"/incident step done {step_id} HOW",
            f"/incident step skip {step_id} WHY",
        )
    whats: list[f.What] = [f.StepDone(step=step_id, how=f"by {actor.name}{f': {how}' if how else ''}")]
    if reason is not None:
        whats = [f.StepSkipped(step=step_id, reason=reason)]
    if by_hand:
        whats.append(f.NoteAdded(text=f"{step.title}: done by hand, not read back by warroom. {how}", kind="note"))
    word = "done" if reason is None else "skipped"
    text = f"Step “{step.title}” is {word}"
    return Handled(ctx.facts(actor.by, *whats), Reply("done", {"text": text, **room_link(incident)}))


def _assign(incident: Incident, actor: Actor, role: str, person_: By, ctx: Context) -> Handled:
    title = ctx.pack.pack.roles[role].title
    milestone = ctx.pack.pack.roles[role].milestone
    facts = ctx.facts(actor.by, f.RoleAssigned(role=role, person=person_))
    if role == "commander" and person_ == actor.by and incident.is_open and incident.reached("acknowledged") is None:
        facts += ctx.facts(actor.by, f.MilestoneReached(milestone="acknowledged", source="slack"))
    if milestone and incident.reached(milestone) is None:
        facts += ctx.facts(actor.by, f.MilestoneReached(milestone=milestone, source="slack"))
    return Handled(facts, Reply("role_answer", {"role": title, "person": views.who(person_), **room_link(incident)}))


def _assign_typed(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    role, _, rest = text.partition(" ")
    role = role.lower()
    roles = ctx.pack.pack.roles
    if role not in roles:
        near = did_you_mean(role, tuple(roles))
        said = f"There is no role “{role}”." if role else "Say which role, and who."
        return wrong(said, *(f"/incident assign {r} @person" for r in near))
    mentioned = person(rest)
    if mentioned is None:
        return wrong("Say who: pick the person from the list Slack offers after @.", f"/incident assign {role} @person")
    if isinstance(given.body, Command) and mentioned[0] in given.body.nobody:
        said = f"{mentioned[1]} is a bot, or nobody with an account here: a role needs a person."
        return wrong(said, f"/incident assign {role} @person")
    refusal = rights.not_from_here(incident, actor, given, ctx)
    return refusal or _assign(incident, actor, role, By(f"slack:{mentioned[0]}", mentioned[1]), ctx)


def _severity(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    word, _, why = text.partition(" ")
    severity = next((s for s in SEVERITIES if s == word.upper()), None)
    if severity is None:
        said = f"“{word}” is no severity." if word else "Say which severity."
        return wrong(said, *(f"/incident severity {s} WHY" for s in SEVERITIES))
    if not incident.is_open:
        return wrong(f"{incident.id} is resolved.", "/incident note TEXT still adds to its timeline.")
    if severity == incident.severity:
        return say(
            "already", text=f"it is {severity} already", at=moment(incident.severity_since), **room_link(incident)
        )
    if refusal := rights.not_less_grave(incident, actor, severity, ctx):
        return refusal
    fact = f.SeverityChanged(severity=severity, reason=why.strip() or "no reason was given")
    return Handled(ctx.facts(actor.by, fact), Reply("done", {"text": f"It is {severity} now", **room_link(incident)}))


def _note(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    if not text:
        return wrong("A note needs a text.", "/incident note TEXT")
    answer = Reply("done", {"text": "Noted in the timeline", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.NoteAdded(text=text)), answer)


def _step(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    word, _, rest = text.partition(" ")
    step_id, _, why = rest.strip().partition(" ")
    if word not in ("done", "skip") or not step_id:
        open_ = [s.id for s in protocol.steps(incident, ctx.pack) if not _over(incident, s.id)]
        hints = [f"/incident step done {step}" for step in open_]
        return wrong("Say what happened to which step.", *hints, "/incident step skip STEP WHY")
    if word == "skip" and not why.strip():
        return wrong("Skipping a step needs a reason.", f"/incident step skip {step_id} WHY")
    why = why.strip()
    call = next((s for s in protocol.steps(incident, ctx.pack) if s.id == step_id and s.call), None)
    if word == "done" and call:
        return phone_calls.typed(incident, actor, call, why, ctx)
    return mark_step(incident, actor, step_id, why if word == "skip" else None, ctx, why if word == "done" else "")


def _over(incident: Incident, step: str) -> bool:
    mark = incident.steps.get(step)
    return mark is not None and mark.state in ("done", "skipped")


def _contacts(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    rows = [contact_row(c, ctx.pack) for c in ctx.pack.pack.contacts]
    return say("contacts", rows=rows, **room_link(incident))


def _timeline(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    told = [(fact, fact_lines.tell(fact, ctx.pack)) for fact in incident.recent]
    rows = [{"at": moment(fact.at), "by": views.who(fact.by), "text": line} for fact, line in told if line]
    return say("timeline", rows=rows[-20:], **room_link(incident))


def _status(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    return panel_answer(incident, ctx)


def _status_without(ctx: Context) -> Handled:
    if not open_cards(ctx.cards):
        return say("all_clear", phases=[view for p in ctx.packs.values() if (view := views.phase(p, ctx.now))])
    return which_incident(ctx, "/incident-status")


def _help(actor: Actor, text: str, ctx: Context) -> Handled:
    rows = [{"usage": f"/incident {u.usage}", "about": u.about} for u in INCIDENT.values()]
    rows += [
        {"usage": "/halt [SCOPE REASON]", "about": "halt trading; shows what will be sent before anything is"},
        {"usage": "/halt PLATFORM SCOPE REASON", "about": "the same outside a room, where there are several platforms"},
        {"usage": "/halt status", "about": "the halts of all incidents, and since when"},
        {"usage": "/halt resume [SCOPE] REASON", "about": "what resuming takes, and ask for its approval"},
        {"usage": "/halt break-glass SCOPE REASON", "about": "halt without the right to; others learn of it at once"},
        {"usage": "/diagnostics [WHAT]", "about": "take readings; nothing is changed"},
        {"usage": "/incident-status", "about": "severity, roles, clocks, protocol"},
    ]
    return say("help", rows=rows)


def _list(actor: Actor, text: str, ctx: Context) -> Handled:
    return say("incident_list", incidents=[card_row(c) for c in open_cards(ctx.cards)])


_WITHOUT: Mapping[str, Callable[[Actor, str, Context], Handled]] = {
    "help": _help,
    "list": _list,
    "declare": on_declare,
}
_WITHIN: Mapping[str, Callable[[Incident, Actor, str, Input, Context], Handled]] = {
    "ack": acknowledge,
    "take": take_command,
    "assign": _assign_typed,
    "severity": _severity,
    "status": _status,
    "update": open_update_form,
    "note": _note,
    "milestone": on_milestone,
    "step": _step,
    "set": on_set,
    "action": on_action,
    "checklist": on_checklist,
    "gate": on_gate,
    "vendor": on_vendor,
    "runbook": on_runbook,
    "contacts": _contacts,
    "timeline": _timeline,
    "resolve": resolving.open_form,
    "postmortem": draft,
}
