"""Buttons: the same acts as the commands, with the incident in the button's value."""

from collections.abc import Callable, Mapping

from warroom.domain import (
    halting,
    on_action,
    on_approval,
    on_checklist,
    on_command,
    on_field,
    on_gate,
    phone_calls,
    proposing,
    protocol,
    resolving,
    resuming,
)
from warroom.domain.decision import Context
from warroom.domain.declaring import form_context
from warroom.domain.effects import Form
from warroom.domain.handling import Handled, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Click, Input
from warroom.domain.people import Actor

Act = Callable[[Incident, Actor, str, Input, Context], Handled]
ACTS: Mapping[str, Act] = {
    "incident.ack": on_command.acknowledge,
    "incident.take": on_command.take_command,
    "incident.update": on_command.open_update_form,
    "incident.resolve": resolving.open_form,
    "postmortem.draft": on_command.draft,
    "fields.open": on_field.open_form,
}


def on_click(incident: Incident | None, click: Click, given: Input, ctx: Context) -> Handled:
    """A button's value is INCIDENT or INCIDENT|MORE; its action is KIND, or KIND:WHICH where several are alike."""
    _, _, more = click.value.partition("|")
    if click.action == "halt.confirm":
        return halting.confirm(incident, click.actor, click.value, ctx)
    if click.action == "halt.glass":
        return halting.confirm(incident, click.actor, click.value, ctx, glass=True)
    if click.action == "incident.declare":
        return _open_declare(incident, ctx)
    if incident is None:
        return wrong("This button's incident is not known here any more.", "/incident list shows the open ones.")
    if click.action in ACTS:
        return ACTS[click.action](incident, click.actor, "", given, ctx)
    match click.action.partition(":")[0]:
        case "checklist.tick":
            return on_checklist.tick(incident, click.actor, more, ctx)
        case "gate.sign":
            return on_gate.sign(incident, click.actor, more, ctx)
        case "gate.override":
            return on_gate.open_override(incident, click.actor, more, ctx)
        case "action.open":
            return on_action.open_form(incident, click.actor, more, given, ctx)
        case "action.confirm":
            return proposing.confirm(incident, click.actor, click.value, ctx)
        case "action.undo":
            return on_action.open_undo(incident, click.actor, more, ctx)
        case "approval.approve":
            return on_approval.approve(incident, click.actor, more, ctx)
        case "approval.reject":
            return on_approval.open_reject(incident, click.actor, more, ctx)
        case "halt.resume":
            return resuming.on_resume(incident, click.actor, "", given, ctx)
        case "halt.open":
            return halting.on_halt(incident, click.actor, "", given, ctx)
        case "diagnostics.run" | "gate.probes":
            return on_command.diagnostics(incident, click.actor, more, given, ctx)
        case "step.done" if (step := protocol.step_named(ctx.pack.pack, more)) and step.call:
            return phone_calls.open_form(incident, "call_done", click.value, ctx)
        case "step.done":
            return on_command.mark_step(incident, click.actor, more, None, ctx)
        case "call.done" | "call.failed":
            return phone_calls.open_form(incident, click.action.replace(".", "_"), click.value, ctx)
        case "step.skip":
            return Handled(answer=Form("step_skip", click.value, {"values": {"reason": ""}}))
    return wrong("This button is from an older version.", "/incident help lists what you can type.")


def _open_declare(incident: Incident | None, ctx: Context) -> Handled:
    """The form that declares an incident; below the report of a routine with its title and pack filled in."""
    if incident is None or not incident.routine:
        return Handled(answer=Form("declare", "", form_context("", None, ctx)))
    context = form_context(incident.title, None, ctx)
    values = {"title": incident.title, "severity": "P1", "pack": incident.pack}
    return Handled(answer=Form("declare", "", context | {"values": values}))
