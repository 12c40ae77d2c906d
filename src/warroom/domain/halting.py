"""Halting trading: preview, confirm, order. Quick to order for who may; never done twice; never shown as more than
what was read back."""

from warroom.domain import breaking, halts, resuming, views
from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.declaring import declare
from warroom.domain.effects import Form, Reply, moment
from warroom.domain.handling import Handled, may, refused, room_link, run_id, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.people import Actor
from warroom.domain.policy import Action
from warroom.domain.routing import halt_title
from warroom.domain.sending import sending
from warroom.domain.words import nearest

SEPARATOR = "|"
BREAK_GLASS = "break-glass"


def scopes(ctx: Context) -> dict[str, str]:
    """What can be halted: scope → action id."""
    return {a.scope: name for name, a in ctx.pack.pack.actions.items() if a.scope}


def on_halt(incident: Incident | None, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/halt` opens the form, `/halt SCOPE REASON` shows the preview with its confirm button; `status`, `resume` and
    `break-glass` are its other words."""
    word, _, rest = text.strip().partition(" ")
    if word.lower() == "status":
        return status(incident, ctx)
    known = scopes(ctx)
    if not known:
        return wrong("No pack here can halt anything.", "Use /halt in the incident's room.")
    if word.lower() == "resume" and word not in known:
        return resuming.on_resume(incident, actor, rest, given, ctx)
    first = ctx.pack.pack.actions[next(iter(known.values()))]
    if ctx.actions == "off":
        return wrong("Halting is switched off here (WARROOM_ACTIONS=off).", "Halt on the platform itself, now.")
    glass = word.lower() == BREAK_GLASS and not may(actor, first) and ctx.pack.pack.break_glass is not None
    if word.lower() == BREAK_GLASS:
        word, _, rest = rest.strip().partition(" ")
    if not may(actor, first) and not glass:
        return stranger(incident, actor, first, ctx)
    if not word and not glass:
        return Handled(answer=Form("halt", incident.id if incident else "", form_context(incident, ctx)))
    usage = f"/halt {BREAK_GLASS} " if glass else "/halt "
    if word not in known:
        near = nearest(word, known)
        reason = rest.strip() if near else f"{word} {rest}".strip()
        return wrong(f"There is no scope “{word}”.", *(f"{usage}{s} {reason or 'REASON'}" for s in near or known))
    if not rest.strip():
        return wrong("A halt needs a reason: it is written down with your name.", f"{usage}{word} REASON")
    return preview(incident, actor, word, rest.strip(), given, ctx, glass=glass)


def stranger(incident: Incident | None, actor: Actor, action: Action, ctx: Context) -> Handled:
    """Somebody who may not halt: refused, and told how it goes in an emergency where the pack has a way."""
    hint = ""
    if ctx.pack.pack.break_glass is not None:
        scope = next(iter(scopes(ctx)))
        hint = (
            "If nobody who may can be reached and it cannot wait: "
            f"/halt {BREAK_GLASS} {scope} REASON halts all the same. Others learn of it at once, with your name."
        )
    return refused(actor, "/halt", action, ctx, recorded=incident is not None, hint=hint)


def form_context(incident: Incident | None, ctx: Context) -> dict[str, object]:
    """What the halt form shows."""
    actions = ctx.pack.pack.actions
    return {
        "scopes": [{"value": s, "label": actions[a].title} for s, a in scopes(ctx).items()],
        "mode": ctx.actions,
        "consequence": next((actions[a].consequence for a in scopes(ctx).values()), ""),
        "preview": "\n".join(line for a in scopes(ctx).values() for line in _template(actions[a])),
        "in_force": views.halt_lines(incident) if incident else [],
        "incident": incident.id if incident else "",
    }


def preview(
    incident: Incident | None, actor: Actor, scope: str, reason: str, given: Input, ctx: Context, *, glass: bool = False
) -> Handled:
    """Exactly what confirming will do, with a button that works once. `glass`: by somebody without the right to."""
    action = ctx.pack.pack.actions[scopes(ctx)[scope]]
    run = run_id(given, scope, reason)
    value = SEPARATOR.join([incident.id if incident else "", run, ctx.pack.pack.id, scope, reason])
    if len(value) > 1900:
        return wrong("The reason is too long: keep it under 1,500 characters.", f"/halt {scope} REASON")
    shown = {
        "scope": scope,
        "action": action.title,
        "reason": reason,
        "request": _request(action, reason, actor, incident),
        "consequence": action.consequence,
        "mode": ctx.actions,
        "in_force": [views.run_line(r) for r in halts.in_force(incident)] if incident else [],
        "incident": incident.id if incident else "",
        "title": incident.title if incident else "",
        "button": value,
    }
    if glass:
        return say("glass_preview", **shown, **breaking.terms(ctx))
    return say("halt_preview", **shown)


def confirm(incident: Incident | None, actor: Actor, value: str, ctx: Context, *, glass: bool = False) -> Handled:
    """The order: facts only; sending and reading back follow from them."""
    parts = value.split(SEPARATOR, 4)
    if len(parts) != 5 or parts[3] not in scopes(ctx):
        return wrong("This preview no longer fits.", "/halt shows a new one.")
    _, run, _, scope, reason = parts
    return order(incident, actor, scope, reason, run, ctx, glass=glass)


def order(
    incident: Incident | None, actor: Actor, scope: str, reason: str, run: str, ctx: Context, *, glass: bool = False
) -> Handled:
    """Order the halt named `scope`. Without an incident it opens one: a halt is always somebody's incident.

    `glass`: whoever has no right to it breaks the glass, which others learn of at once.
    """
    name = scopes(ctx)[scope]
    action = ctx.pack.pack.actions[name]
    if ctx.actions == "off":
        return wrong("Halting is switched off here (WARROOM_ACTIONS=off).", "Halt on the platform itself, now.")
    broken = glass and not may(actor, action)
    if not may(actor, action) and not (broken and ctx.pack.pack.break_glass):
        return stranger(incident, actor, action, ctx)
    done = next((r for r in incident.runs if r.run == run), None) if incident else None
    if done and incident:
        return say("halt_already", line=views.run_line(done), at=moment(done.at), **room_link(incident))
    opening: tuple[f.Fact, ...] = ()
    if incident is None:
        opening = declare(actor, halt_title(scope), "P0", reason, "a halt was ordered", ctx)
    requested = f.ActionRequested(
        run=run,
        action=name,
        scope=scope,
        reason=reason,
        mode="live" if ctx.actions == "live" else "dry_run",
        title=action.title,
    )
    how = breaking.broken(run, reason, actor, ctx) if broken else ()
    link = room_link(incident) if incident else {"id": ctx.new_id, "room": "", "title": reason}
    answer = Reply("halt_ordered", {"scope": scope, "mode": ctx.actions, **link})
    return Handled((*opening, *ctx.facts(actor.by, requested, *how)), answer)


def status(incident: Incident | None, ctx: Context) -> Handled:
    """What can be halted, and the halts of all incidents that are or may be in force, and since when; of this
    incident also those that came to nothing or were lifted."""
    rows = [
        {"line": f"Trading halt ({h.scope}): {_STATES[h.state]}", "at": moment(h.since), "by": h.by, "id": c.id}
        for c in ctx.cards
        for h in (c.halts if incident is None or c.id != incident.id else ())
    ]
    here = views.halt_rows(incident) if incident else []
    return say("halt_status", scopes=list(scopes(ctx)), rows=[*here, *rows], mode=ctx.actions)


_STATES = {
    "confirmed": "CONFIRMED by reading back",
    "unknown": "UNKNOWN, check by hand",
    "requested": "ordered, not confirmed yet",
}


def _request(action: Action, reason: str, actor: Actor, incident: Incident | None) -> list[str]:
    """What is sent; an incident that is opened for it has no id yet."""
    of, known = (incident.id, incident.fields) if incident else ("{incident}", {})
    return list(sending(action, {}, fields=known, reason=reason, operator=actor.name, incident=of).lines)


def _template(action: Action) -> tuple[str, ...]:
    """What is sent, before the reason is known."""
    given = {"reason": "{reason}", "operator": "{operator}", "incident": "{incident}"}
    return sending(action, {}, fields={}, **given).lines
