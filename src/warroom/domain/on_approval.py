"""Approving and rejecting, by people; what a step orders by itself; what is told of both."""

from collections.abc import Iterator

from warroom.domain import approvals, halts, on_telling, ordering, parameters, views
from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, Form, Reply, moment
from warroom.domain.handling import Handled, not_in, room_link, wrong
from warroom.domain.incident import Approval, Incident
from warroom.domain.ordering import Order
from warroom.domain.outgoing import EDIT, FIRST, SETUP, Out
from warroom.domain.people import WARROOM, Actor
from warroom.domain.policy import Do
from warroom.domain.slots import fill, slots
from warroom.domain.teams import ON_CALL
from warroom.domain.words import clock, listed


def approve(incident: Incident, actor: Actor, run: str, ctx: Context) -> Handled:
    """The approve button: counts once a person, never for the requester; the last one needed sends it."""
    approval, over = _open(incident, run, ctx)
    if approval is None:
        return over
    asked = approval.request
    if approval.by.id == actor.by.id:
        denied = f.Denied(what=f"approving “{asked.title}”", why=f"{actor.name} asked for it")
        text = f"You asked for “{asked.title}”, so somebody else must approve it."
        return Handled(ctx.facts(actor.by, denied), wrong(text, "Your request goes on waiting.").answer)
    if not actor.groups & set(asked.approvers):
        return not_in(actor, f"Approving “{asked.title}”", asked.approvers, ctx, recorded=True)
    if actor.by.id in {by.id for by in approval.given}:
        left = asked.need - len(approval.given)
        return wrong(f"You have approved “{asked.title}” already; {left} more must, other than you.")
    given = f.ApprovalGiven(run=run, title=asked.title)
    if len(approval.given) + 1 < asked.need:
        left = asked.need - len(approval.given) - 1
        said = f"{dry_run(asked)}You approved “{asked.title}”; {left} more must"
        return Handled(ctx.facts(actor.by, given), _said(incident, said))
    if asked.kind == "message":
        return Handled(ctx.facts(actor.by, given), _said(incident, f"You approved “{asked.title}”"))
    return _send(incident, approval, actor, ctx)


def _send(incident: Incident, approval: Approval, actor: Actor, ctx: Context) -> Handled:
    """The last approval: it is sent, unless it is no longer what was shown, its gate has closed meanwhile, or another
    incident needs the halt that it lifts."""
    asked = approval.request
    if ctx.actions == "off":
        return wrong(
            "Actions are switched off here (WARROOM_ACTIONS=off).", "Nothing was sent; the request goes on waiting."
        )
    order = ordering.approved(incident, approval, ctx)
    if order is None:
        why = "what would be sent is no longer what was shown"
        void = f.ApprovalClosed(run=asked.run, how="void", why=why, title=asked.title)
        text = f"“{asked.title}” was not sent: {why}. The request is void."
        return Handled(
            ctx.facts(actor.by, void), wrong(text, "Have it ordered again, and look at what is shown then.").answer
        )
    closed = ordering.standing(incident, asked.subject, ctx)
    if closed:
        lines = [f"{s.title}: {s.why}" for s in closed]
        return wrong("Not sent and not approved yet: its gate has closed.", *lines, "Then press Approve again.")
    stopped = _still_needed(incident, asked, ctx) if order.mode == "live" else None
    if stopped:
        return stopped
    facts = ctx.facts(actor.by, f.ApprovalGiven(run=asked.run, title=asked.title)) + ctx.facts(approval.by, order)
    then = "its rehearsal begins now" if asked.mode == "dry_run" else "it goes out now"
    said = f"{dry_run(asked)}You approved “{asked.title}”; {then}, the result follows in the room"
    return Handled(facts, _said(incident, said))


def _still_needed(incident: Incident, asked: f.ApprovalRequested, ctx: Context) -> Handled | None:
    """Why the halts that this lifts cannot be lifted just now; None when they can."""
    about = (incident.id, ctx.pack.pack.id, asked.lifts, ctx.cards)
    under_way = incident.id if halts.lifting(incident, asked.lifts) else halts.lifting_elsewhere(*about)
    if under_way:
        said = f"Not sent and not approved yet: trading is being resumed from {under_way} right now."
        return wrong(said, "The result follows in the room. If it fails, press Approve again.")
    others = halts.needed_by(*about, ctx.now)
    if not others:
        return None
    ask = [f"/halt {c.id} resume REASON asks there, through its own gate ({c.title})" for c in others]
    over = [f"An incident that is over needs no halt: /incident resolve {c.id}" for c in others if c.is_open]
    said = f"Not sent and not approved yet: {listed(c.id for c in others)} halted trading, too, and nobody there asks"
    return wrong(f"{said} to resume.", *ask, *over[:1], "Then press Approve again.")


def open_reject(incident: Incident, actor: Actor, run: str, ctx: Context) -> Handled:
    """The reject button: a form that asks for the reason, for approvers and for whoever asked."""
    approval, over = _open(incident, run, ctx)
    if approval is None:
        return over
    stopped = _may_not_reject(approval, actor, ctx)
    if stopped:
        return stopped
    context = {"title": approval.request.title, "asked_by": approval.by.name, "values": {"reason": ""}}
    return Handled(answer=Form("approval_reject", f"{incident.id}|{run}", context))


def reject(incident: Incident, actor: Actor, run: str, reason: str, ctx: Context) -> Handled:
    """The form sent in."""
    approval, over = _open(incident, run, ctx)
    if approval is None:
        return over
    stopped = _may_not_reject(approval, actor, ctx)
    if stopped:
        return stopped
    closed = f.ApprovalClosed(run=run, how="rejected", why=reason, title=approval.request.title)
    said = f"{dry_run(approval.request)}“{approval.request.title}” is rejected; nothing was sent"
    return Handled(ctx.facts(actor.by, closed), _said(incident, said))


def _may_not_reject(approval: Approval, actor: Actor, ctx: Context) -> Handled | None:
    if approval.by.id == actor.by.id or actor.groups & set(approval.request.approvers):
        return None
    return not_in(actor, f"Rejecting “{approval.request.title}”", approval.request.approvers, ctx, recorded=True)


def _open(incident: Incident, run: str, ctx: Context) -> tuple[Approval | None, Handled]:
    """The request while it waits, or why it does not any more."""
    approval = approvals.named(incident, run)
    if approval is None:
        return None, wrong("This request is not known here any more.", "/incident action shows what can be ordered.")
    if approval.state == "pending" and ctx.now < approval.request.expires:
        return approval, Handled()
    state = "expired" if approval.state == "pending" else approval.state
    text = {
        "approved": "was approved already; it is sent once",
        "rejected": "was rejected; nothing was sent",
        "expired": "has expired; nothing was sent",
        "void": "is void; nothing was sent",
    }[state]
    why = f" ({approval.why})" if approval.why else ""
    hint = "" if state == "approved" else "Ask for it again if it is still needed: /incident action"
    return None, wrong(f"“{approval.request.title}” {text}{why}.", *filter(None, [hint]))


def dry_run(asked: f.ApprovalRequested) -> str:
    """What goes before a sentence about this request; "" when approving it really sends something."""
    return "DRY RUN, nothing is sent. " if asked.mode == "dry_run" else ""


def _said(incident: Incident, text: str) -> Reply:
    return Reply("done", {"text": text, **room_link(incident)})


def automatic(i: Incident, do: Do, run: str, title: str, ctx: Context) -> tuple[f.What, ...]:
    """The order that a step's `act` amounts to, or why there is none. The same run is never ordered twice."""
    name = do.action or ""
    action = ctx.pack.pack.actions.get(name)
    if action is None or ordering.known(i, run):
        return ()
    given = {key: fill(value, i.fields) for key, value in do.parameters.items()}
    open_slots = sorted(slots(given))
    checked, errors = parameters.check(action.parameters, given, i.fields)
    order = Order(
        action=name,
        reason=f"automatic rule: {title}",
        run=run,
        values=checked,
        lifts=approvals.undoes(ctx.pack.pack, name),
    )
    why = ""
    if ctx.actions == "off":
        why = "actions are switched off here (WARROOM_ACTIONS=off)"
    elif open_slots:
        why = f"{open_slots[0]} is not known: /incident set {open_slots[0]} VALUE"
    elif errors:
        why = " ".join(errors.values())
    elif unknown := ordering.request(i, order, WARROOM, ctx).unknown:
        why = f"{unknown[0]} is not known: /incident set {unknown[0]} VALUE"
    elif closed := ordering.standing(i, name, ctx):
        why = "its gate is closed: " + "; ".join(f"{s.title}: {s.why}" for s in closed)
    if why:
        return (f.ActionHeld(run=run, action=name, why=why, off=ctx.actions == "off"),)
    return ordering.place(i, order, WARROOM, ctx)


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What people are told of requests and of what becomes of them; those for messages have a text of their own."""
    what = fact.what
    if isinstance(what, f.ApprovalRequested | f.ApprovalGiven | f.ApprovalClosed):
        approval = approvals.named(out.i, what.run)
        if approval and approval.request.kind == "message":
            yield from on_telling.on_approval(out, fact)
            return
    match what:
        case f.ApprovalRequested():
            yield from _requested(out, fact, what)
        case f.ApprovalGiven():
            yield _edit(out, what.run)
        case f.ApprovalClosed():
            yield _edit(out, what.run)
            shown = views.approval(out.i, out.pack, out.now, {"run": what.run})
            yield out.say(f"approval:{what.run}:closed", "approval_closed", shown)
        case f.EffectDone(key=key, kind="people.find") if key.startswith("approvers:"):
            yield from _called(out, key.removeprefix("approvers:"), what)


def _requested(out: Out, fact: f.Fact, what: f.ApprovalRequested) -> Iterator[Effect]:
    """The request in the room; its approvers are looked up, invited and mentioned, and paged where it is extreme: for
    a rehearsal nobody is woken."""
    data = {"message": "approval_request", "view": "approval", "run": what.run}
    post = {"to": "room", **data}
    key, button = f"approval:{what.run}", f"{out.i.id}|{what.run}"
    yield out.effect(key, "slack.post", {**post, "button": button}, lane="room", rank=FIRST, after=("room",))
    service = out.i.pagerduty_service or "" if ON_CALL in what.approvers else ""
    find = {"groups": list(what.approvers), "service": service}
    yield out.effect(f"approvers:{what.run}", "people.find", find, rank=SETUP)
    action = out.pack.pack.actions.get(what.subject)
    if action and action.danger == "extreme" and what.mode == "live":
        until = clock(what.expires, out.now)
        text = (
            f"{out.i.id}: {fact.by.name} asks to approve “{what.title}” until {until}: {what.reason}. See the war room."
        )
        asks = {"id": fact.by.id, "name": fact.by.name}
        page = {"groups": list(what.approvers), "message": text, "but": asks}
        yield out.effect(f"approval:{what.run}:page", "pagerduty.page", page, lane="pager", rank=SETUP)


def _edit(out: Out, run: str) -> Effect:
    """The request's message as it stands now, in place."""
    data = {"of": f"approval:{run}", "message": "approval_request", "view": "approval", "run": run}
    return out.effect(
        f"approval.edit:{run}:{out.i.count}",
        "slack.edit",
        {**data, "button": f"{out.i.id}|{run}"},
        lane="room",
        rank=EDIT,
        after=(f"approval:{run}",),
        coalesce=f"approval:{run}",
    )


def _called(out: Out, run: str, what: f.EffectDone) -> Iterator[Effect]:
    """Mentions those who can approve, in the thread of the request, while it waits; or says that there is nobody."""
    approval = approvals.named(out.i, run)
    found = what.result.get("people")
    people = [str(p["slack_id"]) for p in found if p.get("slack_id")] if isinstance(found, list | tuple) else []
    asked = [p for p in people if approval and p != approval.by.slack_id]
    if approval and approval.state == "pending":
        context = views.base(out.i, out.pack, out.now) | {
            "people": asked,
            "what": approval.request.title,
            "by": views.who(approval.by),
            "approvers": [out.pack.pack.groups.get(g, g) for g in approval.request.approvers],
            "mode": approval.request.mode,
            "expires": moment(approval.request.expires),
        }
        data = {"to": "room", "message": "approval_call", "context": context, "thread": f"approval:{run}"}
        after = ("room", f"approval:{run}")
        yield out.effect(f"approval:{run}:call", "slack.post", data, lane="room", rank=SETUP, after=after)
