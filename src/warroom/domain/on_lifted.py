"""A halt that another incident lifted: several incidents may halt one platform, and resuming it lifts all their halts.

The incident that resumed tells the others; each writes it down, says so in its room and shows its halt no longer.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from warroom.domain import approvals, halts, views
from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.effects import Effect
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident, Run
from warroom.domain.inputs import LiftedElsewhere
from warroom.domain.outgoing import FIRST, SETUP, Out
from warroom.domain.people import By

KIND = "incident.lifted"


def tell(i: Incident, run: Run, outcome: str, ctx: Context) -> tuple[Effect, ...]:
    """A message to every other incident whose halts this run has lifted, or may have: confirmed or unknown now. What
    is still on its way there is read back there, later than this."""
    if run.mode != "live" or outcome not in ("confirmed", "unknown"):
        return ()
    others = halts.of_others(i.id, ctx.pack.pack.id, ctx.cards)
    touched: dict[str, list[str]] = {}
    for card, halt in others:
        if halt.scope in run.lifts and halt.state != halts.UNDER_WAY:
            touched.setdefault(card.id, []).append(halt.scope)
    asked = approvals.named(i, run.run)
    news = {
        "run": run.run,
        "outcome": outcome,
        "reason": run.reason,
        "at": ctx.now.isoformat(),
        "by": _plain(run.by),
        "approved_by": [_plain(by) for by in asked.given] if asked else [],
    }
    out = Out(i, ctx.pack, ctx.now)
    return tuple(
        out.effect(f"lifted:{run.run}:{id_}", KIND, {"incident": id_, "scopes": sorted({*scopes}), **news}, rank=FIRST)
        for id_, scopes in touched.items()
    )


def heard(by_incident: str, data: Mapping[str, Any]) -> LiftedElsewhere:
    """The input that the effect of `tell` is to the incident it names."""
    outcome: Literal["confirmed", "unknown"] = "confirmed" if data["outcome"] == "confirmed" else "unknown"
    return LiftedElsewhere(
        incident=data["incident"],
        by_incident=by_incident,
        run=data["run"],
        scopes=tuple(data["scopes"]),
        outcome=outcome,
        reason=data["reason"],
        at=datetime.fromisoformat(data["at"]),
        by=By(**data["by"]),
        approved_by=tuple(By(**by) for by in data["approved_by"]),
    )


def on_lifted(incident: Incident | None, body: LiftedElsewhere, ctx: Context) -> Handled:
    """The fact of it, at the moment it was read back."""
    if incident is None:
        return Handled()
    lifted = f.HaltLifted(
        incident=body.by_incident,
        run=body.run,
        scopes=body.scopes,
        outcome=body.outcome,
        reason=body.reason,
        approved_by=body.approved_by,
    )
    return Handled(ctx.facts(body.by, lifted, at=body.at))


def react(out: Out, fact: f.Fact, what: f.HaltLifted) -> Iterator[Effect]:
    """The room, those who read that this incident halted trading, and PagerDuty learn of it."""
    told = {
        "other": what.incident,
        "scopes": list(what.scopes),
        "outcome": what.outcome,
        "by": views.who(fact.by),
        "approved_by": [views.who(by) for by in what.approved_by],
        "reason": what.reason,
        "is_open": out.i.is_open,
        "stops": halts.stopped(out.pack.pack, what.scopes),
    }
    key = f"lifted:{what.run}"
    yield out.say(key, "halt_lifted", told)
    announce = out.pack.pack.severities[out.i.severity].announce.channel
    full = views.base(out.i, out.pack, out.now) | told
    yield out.post(f"{key}:announce", announce, "halt_lifted", {"context": full}, rank=SETUP)
    yield out.note(f"{key}:note", f"The halt was lifted from {what.incident} by {fact.by.name}: {what.outcome}.")
    yield from out.announcements()


def _plain(by: By) -> dict[str, str]:
    return {"id": by.id, "name": by.name}
