"""Resolving: the form with what its gates ask for, and what follows when it is sent in."""

from collections.abc import Mapping

from warroom.domain import facts as f
from warroom.domain import gates, halts, on_gate, rights, views
from warroom.domain.decision import Context
from warroom.domain.effects import FieldErrors, Form, Reply
from warroom.domain.handling import Handled, room_link
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, Submission
from warroom.domain.people import Actor

OVERRIDE = "override"
"""the field with the reason for resolving although a gate is closed"""


def open_form(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """The resolve form; what was done so far is filled in, what it cost is not known before somebody says so. After
    resolving it still takes the root cause."""
    refusal = rights.not_over(incident, actor, ctx)
    if refusal:
        return refusal
    said = incident.resolution
    values = {
        "summary": said.summary if said else "",
        "root_cause": said.root_cause if said else "",
        "actions_taken": said.actions_taken if said else "\n".join(views.taken(incident)),
        "impact": said.impact if said else "",
    }
    return Handled(answer=_form(incident, values, ctx))


def resolve(incident: Incident, form: Submission, ctx: Context) -> Handled:
    """The facts of the form: resolved when no gate is closed, or when one is overridden by who may."""
    if not incident.is_open:
        # told after the fact: the draft that was made without it is made again
        asked = f.DraftAsked(number=incident.drafts + 1, reason=f"{form.actor.name} told the cause")
        text = "Written down; a new post-mortem draft follows"
        facts = ctx.facts(form.actor.by, _said(form), asked)
        return Handled(facts, Reply("done", {"text": text, **room_link(incident)}))
    standing = gates.closed_to_resolving(incident, ctx.pack, ctx.now)
    stranger = rights.not_over(incident, form.actor, ctx)
    refusal = stranger or (_refusal(incident, form, standing, ctx) if standing else None)
    if refusal:
        return refusal
    reason = form.values.get(OVERRIDE, "").strip()
    passed = [
        f.GateOverridden(gate=name, unmet=tuple(s.title for s in states), reason=reason)
        for name, states in standing.items()
    ]
    facts = ctx.facts(
        form.actor.by,
        *passed,
        _said(form),
        f.StatusChanged(status="resolved"),
        f.MilestoneReached(milestone="resolved", source="slack"),
    )
    text = "Resolved; the notice and the post-mortem draft follow"
    return Handled(facts, Reply("done", {"text": text, **room_link(incident)}))


def _refusal(
    incident: Incident, form: Submission, standing: Mapping[str, tuple[gates.State, ...]], ctx: Context
) -> Handled | None:
    """Why this form does not resolve the incident while these criteria are unmet; None when it overrides them."""
    if OVERRIDE not in form.values:  # the gate came to apply while the form was open: show it, with what was typed
        return Handled(answer=_form(incident, form.values, ctx))
    if not form.values[OVERRIDE].strip():
        return Handled(answer=on_gate.asked_for(tuple(s for states in standing.values() for s in states), OVERRIDE))
    if gates.may_override(incident, ctx.pack, form.actor):
        return None
    refused = on_gate.may_not_override(form.actor, ctx.pack.pack.gates[next(iter(standing))].title, ctx)
    who = ctx.pack.pack.groups.get(gates.COMMANDERS, "somebody Slack knows")
    text = f"Only the incident commander or {who} may override: ask one of them, or do what is not met yet."
    return Handled(refused.facts, FieldErrors({OVERRIDE: text}))


def _form(incident: Incident, values: Mapping[str, str], ctx: Context) -> Form:
    asked = gates.before_resolving(incident, ctx.pack) if incident.is_open else ()
    states = [s for name in asked for s in gates.states(incident, ctx.pack, name, ctx.now)]
    context = {
        "values": dict(values),
        "in_force": [views.run_line(r) for r in halts.in_force(incident)],
        "criteria": [on_gate.line(s) for s in states],
        "closed": bool(gates.unmet(states)),
    }
    return Form("resolve", incident.id, context)


def _said(form: Submission) -> f.Resolved:
    return f.Resolved(
        summary=form.values["summary"].strip(),
        root_cause=form.values.get("root_cause", "").strip(),
        actions_taken=form.values.get("actions_taken", "").strip(),
        impact=form.values.get("impact", "").strip(),
    )
