"""From a wish to an order: what holds it back, what exactly would be sent, and the facts that order or ask for it.

People and automatic rules come through here alike, so no action is sent past its gate or its approvers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from warroom.domain import approvals, gates, halts
from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.incident import Approval, Incident
from warroom.domain.people import WARROOM, By
from warroom.domain.policy import Action
from warroom.domain.sending import Sending, sending


@dataclass(frozen=True, kw_only=True)
class Order:
    """An action somebody wants, with its checked values. `run` names it for ever; `lifts` are halts it takes back."""

    action: str
    reason: str
    run: str
    values: Mapping[str, object] = field(default_factory=dict)
    lifts: tuple[str, ...] = ()


def mode(ctx: Context) -> Literal["dry_run", "live"]:
    """How an order is carried out now; nothing may be ordered while actions are off."""
    return "live" if ctx.actions == "live" else "dry_run"


def action_of(order: Order, ctx: Context) -> Action:
    """The pack's action."""
    return ctx.pack.pack.actions[order.action]


def request(i: Incident, order: Order, by: By, ctx: Context) -> Sending:
    """What would be sent if it were ordered by this person now."""
    action = action_of(order, ctx)
    return sending(
        action,
        order.values,
        fields=i.fields,
        reason=order.reason,
        operator=by.name,
        incident=i.id,
        tools=ctx.pack.pack.tools,
    )


def digest(i: Incident, order: Order, by: By, ctx: Context) -> str:
    """Stands for everything that was shown: the request, whether it is a rehearsal, and which halts it lifts."""
    return request(i, order, by, ctx).digest(order.action, mode(ctx), *order.lifts)


def consequence(i: Incident, order: Order, ctx: Context) -> str:
    """What it does, also to the halts of other incidents on the same platform."""
    more = halts.lifted_too(i.id, ctx.pack.pack.id, order.lifts, ctx.cards)
    return " ".join(filter(None, (action_of(order, ctx).consequence, more)))


def standing(i: Incident, name: str, ctx: Context) -> tuple[gates.State, ...]:
    """The criteria that keep the action's gate closed; none when it is open or there is none."""
    gate = ctx.pack.pack.actions[name].gate
    return gates.unmet(gates.states(i, ctx.pack, gate, ctx.now)) if gate else ()


def known(i: Incident, run: str) -> bool:
    """Whether this run was ordered or asked for already."""
    return any(r.run == run for r in i.runs) or approvals.named(i, run) is not None


def place(i: Incident, order: Order, by: By, ctx: Context) -> tuple[f.What, ...]:
    """Orders it, or asks for approval where others must approve; an older request for the same act is void then."""
    need = (approvals.needed_of_a_rule if by == WARROOM else approvals.needed)(ctx.pack.pack, order.action)
    if not need:
        return (_requested(order, ctx),)
    action = action_of(order, ctx)
    void = tuple(
        f.ApprovalClosed(run=a.request.run, how="void", why="a newer request takes its place", title=a.request.title)
        for a in approvals.pending(i)
        if a.request.kind == "action" and a.request.subject == order.action and a.by.id == by.id
    )
    asked = f.ApprovalRequested(
        run=order.run,
        kind="action",
        subject=order.action,
        title=action.title,
        reason=order.reason,
        need=need,
        approvers=approvals.approvers(ctx.pack.pack, order.action),
        expires=ctx.now + action.expires,
        scope=action.scope,
        consequence=consequence(i, order, ctx),
        text="\n".join(request(i, order, by, ctx).lines),
        parameters=order.values,
        digest=digest(i, order, by, ctx),
        lifts=order.lifts,
        mode=mode(ctx),
    )
    return (*void, asked)


def approved(i: Incident, approval: Approval, ctx: Context) -> f.ActionRequested | None:
    """The order that an approved request amounts to; None when it is no longer what was approved."""
    asked = approval.request
    order = Order(action=asked.subject, reason=asked.reason, run=asked.run, values=asked.parameters, lifts=asked.lifts)
    same = asked.subject in ctx.pack.pack.actions and digest(i, order, approval.by, ctx) == asked.digest
    return _requested(order, ctx) if same else None


def _requested(order: Order, ctx: Context) -> f.ActionRequested:
    return f.ActionRequested(
        run=order.run,
        action=order.action,
        scope=action_of(order, ctx).scope,
        reason=order.reason,
        mode=mode(ctx),
        parameters=order.values,
        lifts=order.lifts,
        title=action_of(order, ctx).title,
    )
