"""Forms sent in: checked field by field, never losing what was typed."""

from warroom.domain import (
    halting,
    on_action,
    on_approval,
    on_command,
    on_field,
    on_gate,
    phone_calls,
    proposing,
    resolving,
    resuming,
)
from warroom.domain.decision import Context
from warroom.domain.declaring import SEVERITIES, opened, said_before, same
from warroom.domain.effects import FieldErrors
from warroom.domain.handling import Handled, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, Submission


def on_form(incident: Incident | None, form: Submission, given: Input, ctx: Context) -> Handled:
    """The facts of a form, or a sentence for each field that needs mending."""
    missing = {
        name: text for name, text in REQUIRED.get(form.form, {}).items() if not form.values.get(name, "").strip()
    }
    if missing:
        return Handled(answer=FieldErrors(missing))
    if form.form == "declare":
        return _declare(form, ctx)
    if form.form == "halt":
        return halting.sent_in(incident, form, given, ctx)
    if incident is None:
        return wrong("This form's incident is not known here any more.", "/incident list shows the open ones.")
    match form.form:
        case "update" if not incident.is_open:
            late = f"{incident.id} was resolved meanwhile. /incident note TEXT still adds to its timeline."
            return Handled(answer=FieldErrors({"summary": late}))
        case "update":
            return on_command.give_update(incident, form.actor, form.values, ctx)
        case "resolve":
            return resolving.resolve(incident, form, ctx)
        case "fields":
            return on_field.on_sent(incident, form, ctx)
        case "action":
            return on_action.sent_in(incident, form, given, ctx)
        case "action_confirm":
            return proposing.confirm(incident, form.actor, form.about, ctx, modal=True)
        case "halt_resume":
            return resuming.sent_in(incident, form, given, ctx)
        case "approval_reject":
            run = form.about.partition("|")[2]
            return on_approval.reject(incident, form.actor, run, form.values["reason"].strip(), ctx)
        case "gate_override":
            return on_gate.override(incident, form, ctx)
        case "call_done":
            return phone_calls.on_done(incident, form.actor, form.about.partition("|")[2], form.values, ctx)
        case "call_failed":
            return phone_calls.on_failed(incident, form.actor, form.about.partition("|")[2], form.values, ctx)
        case "step_skip":
            step = form.about.partition("|")[2]
            return on_command.mark_step(incident, form.actor, step, form.values["reason"].strip(), ctx)
    return wrong("This form is from an older version.", "/incident help lists what you can type.")


REQUIRED = {
    "declare": {"title": "Say in a few words what is wrong."},
    "update": {"summary": "Say what is known now: people are waiting for it."},
    "resolve": {"summary": "Say in a sentence how it ended."},
    "halt": {"scope": "Choose what to halt.", "reason": "Say why: it is written down with your name."},
    "action": {"reason": "Say why: it is written down with your name, and shown to those who approve."},
    "halt_resume": {"reason": "Say why trading can resume: it is shown to those who approve."},
    "approval_reject": {"reason": "Say why: whoever asked must know what to do instead."},
    "gate_override": {"reason": "Say why: it is told in the room and to everybody who follows the incident."},
    "call_done": {"person": "Say whom you spoke to."},
    "call_failed": {"note": "Say what happened: no answer, engaged, a message left."},
    "step_skip": {"reason": "Say why it is skipped: the post-mortem will ask."},
}


def _declare(form: Submission, ctx: Context) -> Handled:
    title, description = form.values["title"].strip(), form.values.get("description", "").strip()
    severity = next((s for s in SEVERITIES if s == form.values.get("severity")), None)
    if not ctx.pack.pack.id:
        if ctx.packs:
            return Handled(answer=FieldErrors({"pack": "Choose the platform: its people are paged."}))
        return Handled(answer=FieldErrors({"title": "No pack is configured: add one to warroom.yaml."}))
    if known := same(title, ctx):
        said = f"{said_before(known, ctx)} Another one? Say in the title what is different."
        return Handled(answer=FieldErrors({"title": said}))
    return opened(form.actor, title, severity, description, ctx)
