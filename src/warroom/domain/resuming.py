"""Taking a halt back: harder than halting. Its gate must be open, others must approve, and only what was read back
counts as resumed."""

from collections.abc import Sequence

from warroom.domain import approvals, halts, parameters, proposing, views
from warroom.domain.decision import Context
from warroom.domain.effects import Form
from warroom.domain.handling import Handled, run_id, wrong
from warroom.domain.incident import Incident, Run
from warroom.domain.inputs import Input, Submission
from warroom.domain.ordering import Order
from warroom.domain.people import Actor
from warroom.domain.words import listed


def liftable(i: Incident, ctx: Context) -> tuple[Run, ...]:
    """Halts that are or may be in force, oldest first; in a rehearsal also those that were rehearsed."""
    outcomes = ("confirmed", "unknown") if ctx.actions == "live" else ("confirmed", "unknown", "dry_run")
    return tuple(r for r in i.halts if r.outcome in outcomes and i.lifted(r) is None)


def on_resume(incident: Incident | None, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/halt resume [SCOPE] REASON`: the gate, and what would be sent once others have approved."""
    if incident is None or not liftable(incident, ctx):
        return _elsewhere(incident, ctx)
    first, _, rest = text.strip().partition(" ")
    known = {a.scope for a in ctx.pack.pack.actions.values() if a.scope}
    scope, reason = (first, rest.strip()) if first in known else ("", text.strip())
    order, refusal = _order(incident, scope, reason, run_id(given, "resume"), ctx)
    if order is None:
        return refusal
    stopped = proposing.barred(incident, actor, order.action, ctx)
    if stopped:
        return stopped
    if not reason:
        return open_form(incident, actor, ctx, scope)
    return proposing.preview(incident, order, actor, ctx)


def open_form(incident: Incident, actor: Actor, ctx: Context, scope: str = "") -> Handled:
    """The form that asks for the reason, and for the scope where there is a choice; it shows the gate as it is now."""
    order, refusal = _order(incident, scope, "", "", ctx)
    runs = liftable(incident, ctx)
    if order is None and len(runs) < 2:
        return refusal
    name = order.action if order else ctx.pack.pack.actions[runs[0].action].undo or ""
    stopped = proposing.barred(incident, actor, name, ctx)
    if stopped:
        return stopped
    gate = ctx.pack.pack.actions[name].gate
    criteria = views.gate(incident, ctx.pack, ctx.now, {"gate": gate})["criteria"] if gate else []
    context = {
        **proposing.about(ctx.pack.pack.actions[name], name, ctx),
        "in_force": [views.run_line(r) for r in runs],
        "criteria": [_line(c) for c in criteria],
        "scopes": list(dict.fromkeys(str(r.scope) for r in runs)),
        "values": {"scope": scope or str(runs[0].scope), "reason": ""},
    }
    return Handled(answer=Form("halt_resume", incident.id, context))


def sent_in(incident: Incident, sent: Submission, given: Input, ctx: Context) -> Handled:
    """The form sent in: what is missing, or the page that shows exactly what will be sent."""
    scope, reason = sent.values.get("scope", ""), sent.values["reason"].strip()
    order, refusal = _order(incident, scope, reason, run_id(given, "resume"), ctx)
    if order is None:
        return refusal
    return proposing.barred(incident, sent.actor, order.action, ctx) or proposing.page(incident, order, sent.actor, ctx)


def _order(i: Incident, scope: str, reason: str, run: str, ctx: Context) -> tuple[Order | None, Handled]:
    """The order that lifts what is in force (of `scope`, if given), or why there is none."""
    actions = ctx.pack.pack.actions
    runs = [r for r in liftable(i, ctx) if scope in ("", r.scope)]
    if not runs:
        lines = [views.run_line(r) for r in liftable(i, ctx)]
        return None, wrong(f"No halt of scope “{scope}” is in force in {i.id}.", *lines, "/halt resume REASON")
    names = {actions[r.action].undo if r.action in actions else None for r in runs}
    if None in names:
        return None, wrong(
            "This pack has no action that takes this halt back.",
            "Resume on the platform itself, with the consent of those who may give it.",
            "/incident note TEXT writes down who resumed, and when.",
        )
    scopes = {r.scope for r in runs}
    one_by_one = len(scopes) > 1 and any("scope" in actions[str(name)].parameters for name in names)
    if len(names) > 1 or one_by_one:
        usages = [f"/halt resume {r.scope} REASON" for r in runs]
        return None, wrong("Several halts are in force: say which one to take back.", *dict.fromkeys(usages))
    name = str(names.pop())
    lifts = _lifts(i, name, runs, ctx)
    given = {"scope": lifts[0]} if "scope" in actions[name].parameters else {}
    values, errors = parameters.check(actions[name].parameters, given, i.fields)
    if errors:
        return None, wrong(" ".join(errors.values()), "Nothing was sent.", "/incident set FIELD VALUE")
    return Order(action=name, reason=reason, run=run, values=values, lifts=lifts), Handled()


def _lifts(i: Incident, name: str, runs: Sequence[Run], ctx: Context) -> tuple[str, ...]:
    """The scopes of halts, of this incident and of others, that this action takes back on the platform: the one it is
    given, else all whose undoing it is."""
    asked = tuple(dict.fromkeys(str(r.scope) for r in runs))
    if "scope" in ctx.pack.pack.actions[name].parameters:
        return asked
    halted = {*asked, *(str(r.scope) for r in liftable(i, ctx))}
    halted |= {h.scope for _, h in halts.of_others(i.id, ctx.pack.pack.id, ctx.cards)}
    return tuple(scope for scope in approvals.undoes(ctx.pack.pack, name) if scope in halted)


def _elsewhere(incident: Incident | None, ctx: Context) -> Handled:
    """No halt to take back here: where there is one."""
    if incident and any(r.outcome == halts.UNDER_WAY for r in incident.halts):
        return wrong(f"A halt of {incident.id} is ordered and not read back yet.", "Wait for its result in the room.")
    named = [c for c in ctx.cards if any(h.state != "requested" for h in c.halts)]
    if not named:
        here = f" in {incident.id}" if incident else ""
        return wrong(f"No halt is in force{here}.", "/halt status lists every halt that is known here.")
    usages = [f"/halt {c.id} resume REASON lifts {listed(h.scope for h in c.halts)} ({c.title})" for c in named]
    return wrong("No halt of this incident is in force, but there are others.", *usages)


def _line(criterion: dict[str, object]) -> str:
    sign = "✓" if criterion["met"] else "!" if criterion["waived"] else "✗"
    return f"{sign} {criterion['text']}: {criterion['waived'] or criterion['why']}"
