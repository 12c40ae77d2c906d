"""Halting trading: preview, confirm, order. Quick to order for who may; never done twice; never shown as more than
what was read back."""

from warroom.domain import facts as f
from warroom.domain import views
from warroom.domain.decision import Context
from warroom.domain.declaring import declare
from warroom.domain.effects import Form, Reply, moment
from warroom.domain.handling import Handled, may, refused, room_link, run_id, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.people import Actor
from warroom.domain.policy import Action
from warroom.domain.routing import halt_title
from warroom.domain.words import nearest

SEPARATOR = "|"


def scopes(ctx: Context) -> dict[str, str]:
    """What can be halted: scope → action id."""
    return {a.scope: name for name, a in ctx.pack.pack.actions.items() if a.scope}


def on_halt(incident: Incident | None, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/halt` opens the form, `/halt SCOPE REASON` shows the preview with its confirm button."""
    known = scopes(ctx)
    if not known:
        return wrong("No pack here can halt anything.", "Use /halt in the incident's room.")
    first = ctx.pack.pack.actions[next(iter(known.values()))]
    if ctx.actions == "off":
        return wrong("Halting is switched off here (WARROOM_ACTIONS=off).", "Halt on the platform itself, now.")
    if not may(actor, first):
        return refused(actor, "/halt", first, ctx, recorded=incident is not None)
    scope, _, reason = text.strip().partition(" ")
    if not scope:
        return Handled(answer=Form("halt", incident.id if incident else "", form_context(incident, ctx)))
    if scope.lower() == "status":
        return status(incident, ctx)
    if scope not in known:
        near = nearest(scope, known) or tuple(known)
        return wrong(f"There is no scope “{scope}”.", *(f"/halt {s} REASON" for s in near))
    if not reason.strip():
        return wrong("A halt needs a reason: it is written down with your name.", f"/halt {scope} REASON")
    return preview(incident, scope, reason.strip(), given, ctx)


def form_context(incident: Incident | None, ctx: Context) -> dict[str, object]:
    """What the halt form shows."""
    actions = ctx.pack.pack.actions
    return {
        "scopes": [{"value": s, "label": actions[a].title} for s, a in scopes(ctx).items()],
        "mode": ctx.actions,
        "consequence": next((actions[a].consequence for a in scopes(ctx).values()), ""),
        "preview": "; ".join(_request(actions[a]) for a in scopes(ctx).values()),
        "in_force": [views.run_line(r) for r in incident.halts] if incident else [],
        "incident": incident.id if incident else "",
    }


def preview(incident: Incident | None, scope: str, reason: str, given: Input, ctx: Context) -> Handled:
    """Exactly what confirming will do, with a button that works once."""
    action = ctx.pack.pack.actions[scopes(ctx)[scope]]
    run = run_id(given, scope, reason)
    value = SEPARATOR.join([incident.id if incident else "", run, ctx.pack.pack.id, scope, reason])
    if len(value) > 1900:
        return wrong("The reason is too long: keep it under 1,500 characters.", f"/halt {scope} REASON")
    in_force = [views.run_line(r) for r in incident.halts if r.outcome == "confirmed"] if incident else []
    return say(
        "halt_preview",
        scope=scope,
        action=action.title,
        reason=reason,
        request=_request(action),
        consequence=action.consequence,
        mode=ctx.actions,
        in_force=in_force,
        incident=incident.id if incident else "",
        title=incident.title if incident else "",
        button=value,
    )


def confirm(incident: Incident | None, actor: Actor, value: str, ctx: Context) -> Handled:
    """The order: facts only; sending and reading back follow from them."""
    parts = value.split(SEPARATOR, 4)
    if len(parts) != 5 or parts[3] not in scopes(ctx):
        return wrong("This preview no longer fits.", "/halt shows a new one.")
    _, run, _, scope, reason = parts
    return order(incident, actor, scope, reason, run, ctx)


def order(incident: Incident | None, actor: Actor, scope: str, reason: str, run: str, ctx: Context) -> Handled:
    """Order the halt named `scope`. Without an incident it opens one: a halt is always somebody's incident."""
    name = scopes(ctx)[scope]
    action = ctx.pack.pack.actions[name]
    if ctx.actions == "off":
        return wrong("Halting is switched off here (WARROOM_ACTIONS=off).", "Halt on the platform itself, now.")
    if not may(actor, action):
        return refused(actor, "/halt", action, ctx, recorded=incident is not None)
    done = next((r for r in incident.runs if r.run == run), None) if incident else None
    if done and incident:
        return say("halt_already", line=views.run_line(done), at=moment(done.at), **room_link(incident))
    opening: tuple[f.Fact, ...] = ()
    if incident is None:
        opening = declare(actor, halt_title(scope), "P0", reason, "a halt was ordered", ctx)
    requested = f.ActionRequested(
        run=run, action=name, scope=scope, reason=reason, mode="live" if ctx.actions == "live" else "dry_run"
    )
    link = room_link(incident) if incident else {"id": ctx.new_id, "room": "", "title": reason}
    answer = Reply("halt_ordered", {"scope": scope, "mode": ctx.actions, **link})
    return Handled((*opening, *ctx.facts(actor.by, requested)), answer)


def status(incident: Incident | None, ctx: Context) -> Handled:
    """Scopes, and the halts in force and since when."""
    runs = incident.halts if incident else ()
    rows = [{"line": views.run_line(r), "at": moment(r.settled or r.at), "by": views.who(r.by)} for r in runs]
    return say("halt_status", scopes=list(scopes(ctx)), rows=rows, mode=ctx.actions)


def _request(action: Action) -> str:
    return f"{action.method} {action.http}"
