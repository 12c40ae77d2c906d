"""Actions beside the halt, asked for by people: listed, checked, asked for by form, taken back."""

import re
from collections.abc import Mapping
from typing import Any

from warroom.domain import approvals, halting, parameters, proposing, protocol, resuming
from warroom.domain.commands import did_you_mean
from warroom.domain.decision import Context
from warroom.domain.effects import FieldErrors, Form
from warroom.domain.handling import Handled, room_link, run_id, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, Submission
from warroom.domain.ordering import Order
from warroom.domain.people import Actor
from warroom.domain.policy import Action, Parameter

GIVEN = re.compile(r"""\s*([A-Za-z_][\w-]*)=(?:"([^"]*)"|“([^”]*)”|(\S*))""")
VALUE = "value_"
"""what the form's fields for parameters begin with"""


def on_action(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident action [NAME [name=value …] [REASON]]`: which there are, the form, or the preview."""
    name, _, rest = text.strip().partition(" ")
    known = ctx.pack.pack.actions
    if not known:
        return wrong("This pack has no actions.", "Act on the platform itself; /incident note TEXT writes it down.")
    if not name:
        return say("action_list", rows=_rows(incident, ctx), mode=ctx.actions, **room_link(incident))
    if name not in known:
        near = did_you_mean(name, tuple(known))[:5]
        usages = [f"/incident action {n} {rest.strip() or 'REASON'}" for n in near]
        return wrong(f"There is no action “{name}”.", *usages, "/incident action lists all of them.")
    if known[name].scope:
        return halting.on_halt(incident, actor, f"{known[name].scope} {rest}", given, ctx)
    if approvals.undoes(ctx.pack.pack, name):
        return resuming.on_resume(incident, actor, rest, given, ctx)
    return proposing.barred(incident, actor, name, ctx) or _typed(incident, actor, name, rest, given, ctx)


def _typed(incident: Incident, actor: Actor, name: str, rest: str, given: Input, ctx: Context) -> Handled:
    action = ctx.pack.pack.actions[name]
    values, reason = take_values(rest)
    checked, errors = parameters.check(action.parameters, values, incident.fields)
    omitted = [n for n in errors if n in action.parameters and not values.get(n, "").strip()]
    mistakes = [said for n, said in errors.items() if n not in omitted]
    if mistakes:
        typed = f"You typed: /incident action {name} {rest.strip()}"
        return wrong(" ".join(mistakes), typed, f"How it goes: /incident action {usage(name, action)}")
    if omitted or not reason:
        return Handled(answer=form(incident, name, values, reason, ctx))
    return proposing.preview(
        incident, Order(action=name, reason=reason, run=run_id(given, name), values=checked), actor, ctx
    )


def take_values(text: str) -> tuple[dict[str, str], str]:
    """The name=value pairs that `text` begins with, and the rest of it: the reason."""
    values: dict[str, str] = {}
    at = 0
    while found := GIVEN.match(text, at):
        values[found[1]] = next((part for part in found.groups()[1:] if part is not None), "")
        at = found.end()
    return values, text[at:].strip()


def usage(name: str, action: Action) -> str:
    """How to type it: what is needed by name, what has a default in brackets."""
    asked = []
    for key, parameter in action.parameters.items():
        word = f"{key}={'|'.join(parameter.choices) or key.upper()}"
        asked.append(word if parameter.default is None else f"[{word}]")
    return " ".join([name, *asked, "REASON"])


def form(incident: Incident, name: str, values: Mapping[str, str], reason: str, ctx: Context, note: str = "") -> Form:
    """The form that asks for an action's parameters and its reason; what was typed stands in it."""
    action = ctx.pack.pack.actions[name]
    inputs = [_input(key, p, values.get(key, ""), incident) for key, p in action.parameters.items()]
    about = proposing.about(action, name, ctx)
    context = {**about, "note": note, "parameters": inputs, "values": {"reason": reason}}
    return Form("action", proposing.SEPARATOR.join([incident.id, name]), context)


def open_form(incident: Incident, actor: Actor, name: str, given: Input, ctx: Context) -> Handled:
    """The button of an action: its form, for those who may."""
    action = ctx.pack.pack.actions.get(name)
    if action and action.scope:
        return halting.on_halt(incident, actor, "", given, ctx)
    if action and approvals.undoes(ctx.pack.pack, name):
        return resuming.open_form(incident, actor, ctx)
    stopped = proposing.barred(incident, actor, name, ctx)
    return stopped or Handled(answer=form(incident, name, {}, "", ctx))


def open_undo(incident: Incident, actor: Actor, run: str, ctx: Context) -> Handled:
    """The button that takes an action back: the form of its undo action."""
    done = next((r for r in incident.runs if r.run == run), None)
    action = ctx.pack.pack.actions.get(done.action) if done else None
    if done is None or action is None or action.undo is None:
        return wrong("There is nothing to take back with this button.", "/incident action lists what there is.")
    if action.scope:
        return resuming.open_form(incident, actor, ctx, action.scope)
    stopped = proposing.barred(incident, actor, action.undo, ctx)
    if stopped:
        return stopped
    undo = ctx.pack.pack.actions[action.undo]
    values = {k: str(v) for k, v in done.parameters.items() if k in undo.parameters}
    return Handled(answer=form(incident, action.undo, values, "", ctx, f"It takes back: {action.title}"))


def sent_in(incident: Incident, sent: Submission, given: Input, ctx: Context) -> Handled:
    """The form sent in: mistakes by field, or the second page that shows exactly what will be sent."""
    name = sent.about.partition(proposing.SEPARATOR)[2]
    stopped = proposing.barred(incident, sent.actor, name, ctx)
    if stopped:
        return stopped
    values = {k.removeprefix(VALUE): v for k, v in sent.values.items() if k.startswith(VALUE)}
    checked, errors = parameters.check(ctx.pack.pack.actions[name].parameters, values, incident.fields)
    if errors:
        return Handled(answer=FieldErrors({f"{VALUE}{n}": said for n, said in errors.items()}))
    order = Order(action=name, reason=sent.values["reason"].strip(), run=run_id(given, name), values=checked)
    return proposing.page(incident, order, sent.actor, ctx)


def _input(key: str, parameter: Parameter, typed: str, incident: Incident) -> dict[str, Any]:
    """One input of the form, its default filled in as far as it is known."""
    values, errors = parameters.check({key: parameter}, {}, incident.fields)
    hint = parameters.hint(parameter)
    return {
        "name": f"{VALUE}{key}",
        "label": parameter.title,
        "hint": f"{hint[:1].upper()}{hint[1:]}.",
        "choices": list(parameter.choices),
        "value": typed or ("" if errors else str(values[key])),
    }


def _rows(incident: Incident, ctx: Context) -> list[dict[str, Any]]:
    """Those of the playbook first, in its order."""
    book = protocol.playbook_of(incident, ctx.pack)
    matched = [r.action for r in book.resolution if r.action] if book else []
    rows = []
    for name in dict.fromkeys([*matched, *ctx.pack.pack.actions]):
        action = ctx.pack.pack.actions[name]
        typed = f"/halt {action.scope} REASON" if action.scope else f"/incident action {usage(name, action)}"
        if approvals.undoes(ctx.pack.pack, name):
            typed = "/halt resume REASON"
        rows.append({**proposing.about(action, name, ctx), "usage": typed, "matched": name in matched})
    return rows
