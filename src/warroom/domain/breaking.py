"""Breaking the glass: a halt by somebody without the right to it. Others learn of it at once."""

from collections.abc import Iterator
from typing import Any

from warroom.domain import facts as f
from warroom.domain import views
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, moment
from warroom.domain.outgoing import FIRST, SETUP, Out
from warroom.domain.people import Actor


def terms(ctx: Context) -> dict[str, Any]:
    """What people are told before they break it."""
    glass = ctx.pack.pack.break_glass
    if glass is None:
        return {"notified": [], "paged": [], "within": 0}
    pack = ctx.pack.pack
    return {
        "notified": [pack.channels.get(c, c) for c in glass.notify],
        "paged": [pack.groups.get(g, g) for g in glass.page],
        "within": glass.within.total_seconds(),
    }


def broken(run: str, reason: str, actor: Actor, ctx: Context) -> tuple[f.What, ...]:
    """The facts that go before such a halt: who broke it, and the review that is owed."""
    glass = ctx.pack.pack.break_glass
    if glass is None:
        return ()
    did = "halted trading" if ctx.actions == "live" else "rehearsed a halt (DRY RUN)"
    owed = f.FollowUpAdded(
        title=glass.follow_up,
        why=f"{actor.name} {did} without the right to: {reason}",
        due=ctx.now + glass.within,
    )
    return (f.GlassBroken(run=run, reason=reason), owed)


def react(out: Out, fact: f.Fact, what: f.GlassBroken) -> Iterator[Effect]:
    """The room, the channels and the people of the pack learn of it at once."""
    glass = out.pack.pack.break_glass
    announce = out.pack.pack.severities[out.i.severity].announce.channel
    paged = glass.page if glass else ()
    mode = next((r.mode for r in out.i.runs if r.run == what.run), "live")
    context = {
        "by": views.who(fact.by),
        "reason": what.reason,
        "paged": [out.pack.pack.groups.get(g, g) for g in paged],
        "at": moment(fact.at),
        "mode": mode,
    }
    told = views.base(out.i, out.pack, out.now) | context
    for channel in dict.fromkeys(("room", announce, *(glass.notify if glass else ()))):
        key = f"glass:{what.run}:{channel}"
        yield out.post(key, channel, "glass_broken", {"context": told}, rank=FIRST)
    did = "ordered a halt" if mode == "live" else "rehearsed a halt (DRY RUN, nothing was sent)"
    text = f"{out.i.id}: {fact.by.name} broke the glass and {did}: {what.reason}. Please join the war room."
    if paged:
        data = {"groups": list(paged), "message": text}
        yield out.effect(f"glass:{what.run}:page", "pagerduty.page", data, lane="pager", rank=SETUP)
        invite = {"people": [], "groups": list(paged)}
        yield out.effect(f"glass:{what.run}:invite", "slack.invite", invite, rank=SETUP, after=("room",))
    yield out.note(f"glass:{what.run}:note", text)
