"""Telling people: one message to channels and audiences, by every means the pack names.

What a fact calls for is a `Said`. To audiences inside it goes out at once. For an external audience its text is frozen
into an ApprovalRequested (kind "message"): approvers read exactly what will be sent, and nothing is sent before.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from warroom.domain import facts as f
from warroom.domain import phone_calls, protocol, teams, views
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, moment
from warroom.domain.incident import Approval, Incident
from warroom.domain.outgoing import EDIT, SETUP, Out
from warroom.domain.policy import Communication, Do, Step
from warroom.domain.schedule import do_key
from warroom.domain.telling import Way, inside, outside, turn_of, ways
from warroom.domain.words import listed, reaching

PATIENCE = timedelta(hours=4)
"""How long the text of an external message may wait for approval: later it would tell old news."""

_LANES = {
    "mail.send": "mail",
    "pagerduty.update": "pager",
    "status_page.post": "status_page",
    "wiki.page": "wiki",
}
_MEANS = {
    "slack.post": "Slack",
    "mail.send": "e-mail",
    "pagerduty.update": "a PagerDuty status update",
    "status_page.post": "the public status page",
    "wiki.page": "the wiki",
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message of `messages/` for channels and audiences; `data` has its `context`, or the `view` that makes it."""

    key: str
    message: str
    data: Mapping[str, Any]
    channels: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    about: str = field(default="")


def tell(
    out: Out,
    key: str,
    message: str,
    channels: Iterable[str],
    audiences: Iterable[str],
    data: Mapping[str, Any],
) -> Iterator[Effect]:
    """What goes out at once: to the channels, and to those of the audiences that need no approval. What goes out
    before the room exists is edited once it does."""
    pack = out.pack.pack
    for way in ways(pack, key, channels, inside(pack, audiences)):
        yield _sent(out, way, message, data)
        if way.kind == "slack.post" and way.channel != "room" and not (out.i.room or "room" in out.i.failed):
            yield out.with_room(way.key, {"to": way.channel, "message": message, **data})


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What goes out for a communication that is due, or an update."""
    sent: dict[str, Effect] = {}
    for said in says(out, fact.what):
        for effect in tell(out, said.key, said.message, said.channels, said.audiences, said.data):
            sent.setdefault(effect.key, effect)
    yield from sent.values()
    if isinstance(fact.what, f.UpdateGiven):
        if not any(effect.kind == "slack.post" for effect in sent.values()):
            number = len(out.i.updates)
            data = {"view": "update", "number": number}
            yield out.post(f"update:{number}:room", "room", "status_update", data)
        yield from out.announcements()


def says(out: Out, what: f.What) -> Iterator[Said]:
    """The messages that a fact calls for."""
    match what:
        case f.CommunicationDue():
            yield from _communication(out, what)
        case f.UpdateGiven():
            yield from _update(out, what)
        case f.StepStarted() | f.StepLate():
            step = protocol.step_named(out.pack.pack, what.step)
            if step is not None:
                late = isinstance(what, f.StepLate)
                yield from step_says(out, step, step.if_late if late else step.does, late=late)


def _communication(out: Out, what: f.CommunicationDue) -> Iterator[Said]:
    for communication in protocol.communications(out.i, out.pack):
        if communication.id == what.communication:
            view = "resolution" if communication.at == "resolved" else "announcement"
            yield Said(
                key=f"comm:{communication.id}:{what.turn}",
                message=communication.message,
                channels=(*communication.channels, *_told_before(out, communication)),
                audiences=communication.audiences,
                data={"view": view},
                about=f"now that {reaching(communication.at)}",
            )


def _told_before(out: Out, communication: Communication) -> tuple[str, ...]:
    """The channels that an earlier, graver severity would have told of the end: they heard of the beginning."""
    ends = [c for c in protocol.communications(out.i, out.pack) if c.at == "resolved"]
    if not ends or communication is not ends[0]:
        return ()
    told = {channel for c in ends for channel in c.channels}
    had = dict.fromkeys(severity for _, severity in out.i.severities)
    earlier = [c for s in had for c in out.pack.pack.severities[s].communications if c.at == "resolved"]
    return tuple(dict.fromkeys(channel for c in earlier for channel in c.channels if channel not in told))


def told_so_far(out: Out) -> tuple[str, ...]:
    """The channels that have read what is affected, each once: those of the announcements, and those that
    communications have gone to. Nothing goes to external audiences without an approval."""
    pack = out.pack.pack
    told = dict.fromkeys(pack.severities[severity].announce.channel for severity in out.announced().values())
    for communication in protocol.communications(out.i, out.pack):
        if any(name == communication.id for name, _ in out.i.told):
            audiences = inside(pack, communication.audiences)
            told |= dict.fromkeys(way.channel for way in ways(pack, "", communication.channels, audiences))
    return tuple(channel for channel in told if channel not in ("", "room"))


def told_of_the_end(out: Out) -> tuple[str, ...]:
    """The channels that have read of the newest resolution, each once; those of external audiences are not among
    them, as nothing goes there without an approval."""
    turn = turn_of(out.i, "resolved")
    found: dict[str, None] = {}
    for communication in protocol.communications(out.i, out.pack):
        if communication.at == "resolved" and (communication.id, turn) in out.i.told:
            channels = (*communication.channels, *_told_before(out, communication))
            audiences = inside(out.pack.pack, communication.audiences)
            found |= dict.fromkeys(way.channel for way in ways(out.pack.pack, "", channels, audiences) if way.channel)
    return tuple(found)


def _update(out: Out, what: f.UpdateGiven) -> Iterator[Said]:
    number = len(out.i.updates)
    for cadence in protocol.severity_of(out.i, out.pack).cadences:
        if what.cadence in ("", cadence.id):
            yield Said(
                key=f"update:{number}",
                message=cadence.message,
                channels=cadence.channels,
                audiences=cadence.audiences,
                data={"view": "update", "number": number},
                about=f"update {number}",
            )


def step_context(out: Out, step: Step) -> dict[str, Any]:
    """What the messages about a protocol step show of it."""
    row = next((r for r in views.steps(out.i, out.pack) if r["id"] == step.id), {})
    return {
        "step": step.title,
        "ask": step.ask or _by_hand(out, step),
        "owner": teams.owner(out.pack.pack, step.owner),
        "holder": views.who(out.i.roles.get(step.owner)),
        "due": row.get("due"),
        "name": step.id,
        "halts": protocol.halt_of(out.pack.pack, step) is not None,
        **phone_calls.whom(out, step),
    }


def _by_hand(out: Out, step: Step) -> str:
    """What people do when a step of warroom's own is late and the pack does not say; "" for a step of people."""
    if step.owner != teams.SYSTEM:
        return ""
    pack, asks = out.pack.pack, []
    if "acknowledged" in step.done_on and out.i.reached("acknowledged") is None:
        asks.append("Nobody has acknowledged it.")
    for do in step.does:
        match do.kind:
            case "probes":
                asks.append(f"Take the readings by hand: /diagnostics {do.probes}")
            case "page":
                people = listed(pack.groups.get(group, group) for group in do.groups)
                asks.append(f"Call {people} yourselves; /incident contacts has the numbers.")
            case "tell":
                channels = [pack.channels.get(channel, "the room") for channel in do.channels]
                audiences = [pack.audiences[name].title for name in do.audiences]
                asks.append(f"Tell {listed([*channels, *audiences])} yourselves.")
            case "act":
                action = pack.actions.get(do.action or "")
                typed = f"/halt {action.scope}" if action and action.scope else f"/incident action {do.action}"
                asks.append(f"Order it yourselves: {typed} REASON")
    return " ".join(asks)


def escalated(out: Out, step: Step) -> list[str]:
    """Whom the lateness of a step is escalated to, by title."""
    return [out.pack.pack.groups.get(g, g) for do in step.if_late for g in do.groups]


def step_says(out: Out, step: Step, does: Sequence[Do], *, late: bool) -> Iterator[Said]:
    """The messages of a step that began, or is late."""
    for number, do in enumerate(does):
        if do.kind != "tell":
            continue
        context = views.announcement(out.i, out.pack, out.now, {}) | step_context(out, step)
        context |= {"escalated": escalated(out, step) if late else [], "late": late}
        yield Said(
            key=do_key(f"{'late' if late else 'step'}:{step.id}", number, do.kind),
            message=do.message or "step_late",
            channels=do.channels,
            audiences=do.audiences,
            data={"context": context, "button": f"{out.i.id}|{step.id}"},
            about=step.title,
        )


def _sent(out: Out, way: Way, message: str, data: Mapping[str, Any]) -> Effect:
    if way.kind == "slack.post":
        return out.post(way.key, way.channel, message, data)
    full: dict[str, Any] = {"message": message, **data}
    if way.kind == "mail.send":
        audience = out.pack.pack.audiences[way.audience]
        full |= {"groups": list(way.groups), "audience": audience.title, "hidden": audience.external}
    return out.effect(way.key, way.kind, full, lane=_LANES[way.kind], rank=EDIT)


# messages to external audiences


def to_approve(i: Incident, fact: f.Fact, ctx: Context) -> tuple[f.Fact, ...]:
    """The approvals that a fact, folded into `i` already, calls for. What waits for the same audience since before is
    old news: void."""
    out = Out(i, ctx.pack, ctx.now)
    wanted: dict[str, f.ApprovalRequested] = {}
    for said in says(out, fact.what):
        for audience in outside(ctx.pack.pack, said.audiences):
            request = _request(out, said, audience)
            wanted.setdefault(request.run, request)
    known = {approval.request.run for approval in i.approvals}
    made: list[f.Fact] = []
    for request in wanted.values():
        if request.run not in known:
            made += [*ctx.facts(None, *_voided(i, request, ctx)), *ctx.facts(fact.by, request)]
    return tuple(made)


def _voided(i: Incident, newer: f.ApprovalRequested, ctx: Context) -> Iterator[f.What]:
    for approval in i.approvals:
        asked = approval.request
        same = asked.kind == "message" and asked.parameters.get("audience") == newer.parameters["audience"]
        if same and approval.state == "pending" and approval.at < ctx.now:
            yield f.ApprovalClosed(
                run=asked.run, how="void", why="a newer message to the same audience takes its place"
            )


def _request(out: Out, said: Said, audience: str) -> f.ApprovalRequested:
    about = out.pack.pack.audiences[audience]
    context = dict(said.data.get("context") or {})
    if said.data.get("view"):
        context = views.VIEWS[said.data["view"]](out.i, out.pack, out.now, said.data) | context
    subject = f"{said.key}:{audience}".removeprefix("comm:")
    means = dict.fromkeys(_MEANS[way.kind] for way in ways(out.pack.pack, said.key, (), (audience,)))
    return f.ApprovalRequested(
        run="m" + hashlib.sha256(f"{out.i.id}|{subject}".encode()).hexdigest()[:10],
        kind="message",
        subject=subject,
        title=f"Message to {about.title}",
        reason=said.about,
        need=1,
        approvers=about.approvers,
        expires=out.now + PATIENCE,
        consequence=f"It goes out by {listed(tuple(means))} and cannot be taken back.",
        parameters={"key": said.key, "message": said.message, "audience": audience, "context": context},
    )


def on_approval(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What follows from a request, an approval or the end of a request, where it is about a message."""
    what = fact.what
    if not isinstance(what, f.ApprovalRequested | f.ApprovalGiven | f.ApprovalClosed):
        return
    approval = next(a for a in out.i.approvals if a.request.run == what.run)
    asked = approval.request
    if isinstance(what, f.ApprovalRequested):
        yield out.post(f"approval:{asked.run}", "room", "message_approval", _shown(out, approval))
        wanted = {"groups": list(asked.approvers), "service": ""}
        yield out.effect(f"approvers:{asked.run}", "people.find", wanted, rank=SETUP)
        return
    yield out.effect(
        f"approval.edit:{asked.run}",
        "slack.edit",
        {"of": f"approval:{asked.run}", "message": "message_approval", **_shown(out, approval)},
        lane="room",
        rank=EDIT,
        after=(f"approval:{asked.run}",),
    )
    context = {"what": asked.title, "about": asked.reason, "by": views.who(fact.by)}
    if isinstance(what, f.ApprovalClosed):
        closed = context | {"how": what.how, "why": what.why}
        yield out.say(f"approval:{asked.run}:closed", "message_closed", closed)
    elif approval.state == "approved":
        yield out.say(f"approval:{asked.run}:given", "message_approved", context)
        yield from _approved(out, asked)


def _approved(out: Out, asked: f.ApprovalRequested) -> Iterator[Effect]:
    """The text as it was read and approved, by every means of its audience."""
    told = asked.parameters
    data = {"context": told["context"], "button": out.i.id}
    for way in ways(out.pack.pack, str(told["key"]), (), (str(told["audience"]),)):
        yield _sent(out, way, str(told["message"]), data)


def _shown(out: Out, approval: Approval) -> dict[str, Any]:
    """The request as the room reads it, with the text as it will be sent."""
    asked = approval.request
    context = views.base(out.i, out.pack, out.now) | {
        "what": asked.title,
        "about": asked.reason,
        "state": approval.state,
        "approvers": [out.pack.pack.groups.get(g, g) for g in asked.approvers],
        "consequence": asked.consequence,
        "expires": moment(asked.expires),
    }
    quote = {"message": asked.parameters["message"], "context": asked.parameters["context"]}
    return {"context": context, "button": f"{out.i.id}|{asked.run}", "quote": quote}
