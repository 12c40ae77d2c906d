"""An order as it is proposed to people: shown word for word, confirmed once, never sent as anything else."""

import json
from typing import Any

from warroom.domain import approvals, ordering, views
from warroom.domain.decision import Context
from warroom.domain.effects import FieldErrors, Form, Reply, moment
from warroom.domain.handling import Handled, may, refused, room_link, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.ordering import Order
from warroom.domain.people import Actor
from warroom.domain.policy import Action
from warroom.domain.words import listed, spell

SEPARATOR = "|"
LONGEST = 1900
"""characters that a button can carry, with a margin"""


def preview(incident: Incident, order: Order, actor: Actor, ctx: Context, note: str = "") -> Handled:
    """Exactly what will be sent, who must approve, and a button that works once; without one while the gate is
    closed."""
    problem = problem_of(incident, order, actor, ctx)
    closed = bool(ordering.standing(incident, order.action, ctx))
    if problem and not closed:
        return wrong(problem, "Nothing was sent.")
    button = "" if closed else carried(incident, order, actor, ctx)
    shown = {**terms(incident, order, actor, ctx), "note": note, "closed": closed, "button": button}
    return Handled(answer=Reply("action_preview", shown))


def page(incident: Incident, order: Order, actor: Actor, ctx: Context, note: str = "") -> Handled:
    """The same as the second page of a form, whose button orders."""
    problem = problem_of(incident, order, actor, ctx)
    if problem:
        return Handled(answer=FieldErrors({"reason": problem}))
    shown = {**terms(incident, order, actor, ctx), "note": note}
    return Handled(answer=Form("action_confirm", carried(incident, order, actor, ctx), shown))


def confirm(incident: Incident, actor: Actor, value: str, ctx: Context, *, modal: bool = False) -> Handled:
    """The button, or the second page sent in (`modal`): orders what was shown, or asks for its approval."""
    order, seen = order_in(value, ctx)
    if order is None:
        return wrong("This preview no longer fits.", "/incident action shows a new one.")
    stopped = barred(incident, actor, order.action, ctx)
    if stopped:
        return stopped
    if ordering.known(incident, order.run):
        return already(incident, order.run)
    show = page if modal else preview
    if ordering.digest(incident, order, actor.by, ctx) != seen:
        return show(incident, order, actor, ctx, "What would be sent has changed since you looked. Look again.")
    if problem_of(incident, order, actor, ctx):
        return show(incident, order, actor, ctx)
    placed = ordering.place(incident, order, actor.by, ctx)
    return Handled(ctx.facts(actor.by, *placed), Reply("done", {"text": _done(order, ctx), **room_link(incident)}))


def already(incident: Incident, run: str) -> Handled:
    """The same order pressed again."""
    done = next((r for r in incident.runs if r.run == run), None)
    asked = approvals.named(incident, run)
    if done is None and asked is not None:
        text = f"“{asked.request.title}” was asked for already, and is {asked.state}"
        return say("already", text=text, at=moment(asked.at), **room_link(incident))
    text = f"it was ordered already, and nothing was sent again: {views.run_line(done)}" if done else ""
    return say("already", text=text, at=moment(done.at) if done else None, **room_link(incident))


def barred(incident: Incident, actor: Actor, name: str, ctx: Context) -> Handled | None:
    """Why this person cannot order this now; None when they can."""
    action = ctx.pack.pack.actions.get(name)
    if action is None or action.scope:
        return wrong("There is no such action here any more.", "/incident action lists what there is.")
    if ctx.actions == "off":
        return wrong(
            "Actions are switched off here (WARROOM_ACTIONS=off).",
            f"Do it on the platform itself: {action.title}. Then /incident note TEXT writes it down.",
        )
    if not may(actor, action):
        return refused(actor, f"“{action.title}”", action, ctx, recorded=True)
    return None


def problem_of(incident: Incident, order: Order, actor: Actor, ctx: Context) -> str:
    """Why it cannot be sent as it is; "" when it can."""
    unknown = ordering.request(incident, order, actor.by, ctx).unknown
    if unknown:
        return f"{{{unknown[0]}}} is not known yet: /incident set {unknown[0]} VALUE."
    closed = ordering.standing(incident, order.action, ctx)
    if closed:
        gate = ordering.action_of(order, ctx).gate
        return f"Not yet. {'; '.join(f'{s.title}: {s.why}' for s in closed)}. /incident gate {gate} shows it."
    if len(carried(incident, order, actor, ctx)) > LONGEST:
        return "The reason and the values are too long together: keep them under 1,200 characters."
    return ""


def terms(incident: Incident, order: Order, actor: Actor, ctx: Context) -> dict[str, Any]:
    """Everything that people are shown of an order before it is one."""
    action = ordering.action_of(order, ctx)
    gate = views.gate(incident, ctx.pack, ctx.now, {"gate": action.gate}) if action.gate else None
    return {
        **about(action, order.action, ctx),
        "lines": list(ordering.request(incident, order, actor.by, ctx).lines),
        "reason": order.reason,
        "lifts": list(order.lifts),
        "consequence": ordering.consequence(incident, order, ctx),
        "gate": gate,
        **room_link(incident),
    }


def about(action: Action, name: str, ctx: Context) -> dict[str, Any]:
    """What people are told of an action before its values are known."""
    pack = ctx.pack.pack
    undo = pack.actions.get(action.undo or "")
    need = approvals.needed(pack, name)
    return {
        "action": action.title,
        "name": name,
        "danger": action.danger,
        "consequence": action.consequence,
        "mode": ctx.actions,
        "who": group_titles(action.who, ctx),
        "need": need,
        "approvers": group_titles(approvals.approvers(pack, name), ctx) if need else [],
        "expires": action.expires.total_seconds(),
        "lasts": action.lasts.total_seconds() if action.lasts else 0,
        "undo": undo.title if undo else "",
    }


def group_titles(names: tuple[str, ...], ctx: Context) -> list[str]:
    """Groups as people call them."""
    return [ctx.pack.pack.groups.get(g, g) for g in names]


def carried(incident: Incident, order: Order, actor: Actor, ctx: Context) -> str:
    """What the button carries: all that was shown, and the digest of what would be sent."""
    shown = json.dumps([dict(order.values), order.reason, list(order.lifts)], ensure_ascii=False)
    seen = ordering.digest(incident, order, actor.by, ctx)
    return SEPARATOR.join([incident.id, order.run, order.action, seen, shown])


def order_in(value: str, ctx: Context) -> tuple[Order | None, str]:
    """The order and the digest in a button's value; None when it is not one of ours or its action is gone."""
    parts = value.split(SEPARATOR, 4)
    if len(parts) != 5 or parts[2] not in ctx.pack.pack.actions:
        return None, ""
    try:
        values, reason, lifts = json.loads(parts[4])
    except ValueError:
        return None, ""
    return Order(action=parts[2], reason=reason, run=parts[1], values=values, lifts=tuple(lifts)), parts[3]


def _done(order: Order, ctx: Context) -> str:
    action = ordering.action_of(order, ctx)
    dry = "DRY RUN, nothing will be sent. " if ordering.mode(ctx) == "dry_run" else ""
    need = approvals.needed(ctx.pack.pack, order.action)
    if not need:
        return f"{dry}“{action.title}” is ordered, not confirmed yet; the result follows in the room"
    others = "one other person" if need == 1 else f"{need} other people"
    groups = listed(group_titles(approvals.approvers(ctx.pack.pack, order.action), ctx))
    within = spell(action.expires)
    before = "" if dry else "; nothing is sent before"
    return f"{dry}“{action.title}” waits for {others} ({groups}) to approve within {within}{before}"
