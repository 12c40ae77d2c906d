"""What a handler gives back, and a few sentences all handlers share."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from warroom.domain import facts as f
from warroom.domain import views
from warroom.domain.decision import Card, Context, LoadedPack
from warroom.domain.effects import Answer, Effect, Reply
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.people import Actor
from warroom.domain.policy import Action, Contact
from warroom.domain.routing import open_cards


@dataclass(frozen=True)
class Handled:
    """Facts to record, what to tell whoever asked, and effects that no fact stands for (rare)."""

    facts: tuple[f.Fact, ...] = ()
    answer: Answer | None = None
    effects: tuple[Effect, ...] = ()


def say(message: str, **context: Any) -> Handled:
    """Only an answer."""
    return Handled(answer=Reply(message, context))


def wrong(text: str, *hints: str) -> Handled:
    """A mistake: a sentence, and what to type instead."""
    return say("mistake", text=text, hints=list(hints))


def which_incident(ctx: Context, usage: str, rest: str = "") -> Handled:
    """The command needs an incident and none is implied: list the open ones with what to type; `rest` is what was
    typed after the command, which is not lost."""
    cards = open_cards(ctx.cards)
    if not cards:
        return wrong("No incident is open.", "/incident declare P0 TITLE opens one.")
    return say("which_incident", usage=usage, rest=rest, incidents=[card_row(c) for c in cards])


def card_row(card: Card) -> Mapping[str, Any]:
    """An incident as one row of a list."""
    return {
        "id": card.id,
        "title": card.title,
        "severity": card.severity,
        "status": card.status,
        "room": card.room or "",
        "commander": card.commander or "",
        "opened": {"utc": card.opened.isoformat()},
    }


def run_id(given: Input, *more: str) -> str:
    """A short id for something ordered, the same whenever the same input is looked at."""
    return hashlib.sha256("|".join([given.source, given.source_id, *more]).encode()).hexdigest()[:10]


def may(actor: Actor, action: Action) -> bool:
    """Whether the person is in one of the groups the pack allows to do this."""
    return bool(actor.groups & set(action.who))


def refused(actor: Actor, what: str, action: Action, ctx: Context, *, recorded: bool, hint: str = "") -> Handled:
    """A stranger to the action's groups: a sentence, a fact, no act. `recorded`: the fact is in an incident's
    timeline."""
    return not_in(actor, what, action.who, ctx, recorded=recorded, hint=hint)


def not_in(
    actor: Actor,
    what: str,
    groups: Iterable[str],
    ctx: Context,
    *,
    recorded: bool,
    hint: str = "",
    first: str | None = None,
) -> Handled:
    """Somebody in none of the groups that may do `what`: a sentence with whom to ask, a fact, no act. `hint`: what they
    can do; `first`: the Slack id of whom to ask before the groups."""
    known = ctx.pack.pack.groups
    wanted = list(groups)
    names = [known.get(g, g) for g in wanted]
    why = "not in " + " or ".join(names)
    if not actor.verified:
        why = "could not be looked up in Slack just now, and is not listed by Slack id in " + " or ".join(names)
    fact = f.Denied(what=what, why=f"{actor.name} is {why}" if actor.verified else f"{actor.name} {why}")
    told = {
        "what": what,
        "groups": names,
        "verified": actor.verified,
        "recorded": recorded,
        "hint": hint,
        "ask": [first] if first else [],
        "ask_groups": wanted,
        "contacts": [contact_row(c, ctx.pack) for c in ctx.pack.pack.contacts if c.group in wanted],
    }
    return Handled(ctx.facts(actor.by, fact), Reply("denied", told))


def contact_row(contact: Contact, pack: LoadedPack) -> Mapping[str, Any]:
    """How a contact is reached, as one row of a list."""
    return {
        "title": contact.title,
        "level": contact.level,
        "channel": pack.pack.channels.get(contact.channel or "", contact.channel or ""),
        "phone": pack.contacts.get(contact.phone or "", ""),
        "note": contact.note,
    }


def room_link(incident: Incident) -> Mapping[str, Any]:
    """The id and room of an incident, for answers."""
    return {"id": incident.id, "room": incident.room or "", "title": incident.title}


def panel_answer(incident: Incident, ctx: Context) -> Handled:
    """The live panel as a private answer."""
    return Handled(answer=Reply("incident_status", views.panel(incident, ctx.pack, ctx.now)))
