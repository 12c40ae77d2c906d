"""A person opens an incident."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import get_args

from warroom.domain import facts as f
from warroom.domain.decision import Card, Context, LoadedPack
from warroom.domain.effects import Form, Reply
from warroom.domain.handling import Handled, wrong
from warroom.domain.people import Actor
from warroom.domain.policy import SeverityId
from warroom.domain.routing import RANK
from warroom.domain.severity import Alert, classify, match_playbook
from warroom.domain.words import spell

SEVERITIES: tuple[SeverityId, ...] = get_args(SeverityId)
SAME_WITHIN = timedelta(minutes=15)
"""for so long a declaration with the title of an open incident is taken for the same news, told twice"""
_WORDS: Mapping[SeverityId, str] = {"P0": "(the gravest)", "P1": "", "P2": "", "P3": "(the least grave)"}
_LIKE_A_SEVERITY = re.compile(r"p\d+:?", re.IGNORECASE)


def on_declare(actor: Actor, text: str, ctx: Context) -> Handled:
    """`declare` opens the form; `declare [P0] TITLE` opens the incident at once."""
    first, _, rest = text.partition(" ")
    severity = next((s for s in SEVERITIES if s == first.upper()), None)
    if severity is None and _LIKE_A_SEVERITY.fullmatch(first):
        return wrong(f"“{first}” is no severity.", *(f"/incident declare {s} TITLE" for s in SEVERITIES))
    title = (rest if severity else text).strip()
    if not title or not ctx.pack.pack.id:
        return Handled(answer=Form("declare", "", form_context(title, severity, ctx)))
    if len(title) > 200:
        return wrong("The title is too long: at most 200 characters.", "Put the rest into /incident note TEXT.")
    if known := same(title, ctx):
        again = f"/incident declare {severity} TITLE" if severity else "/incident declare TITLE"
        graver = severity is not None and RANK[severity] < RANK[known.severity]
        raises = [f"Graver than that? /incident severity {known.id} {severity} WHY"] if graver else []
        return wrong(said_before(known, ctx), *raises, f"Another one? Say in its title what is different: {again}")
    return opened(actor, title, severity, "", ctx)


def same(title: str, ctx: Context) -> Card | None:
    """The open incident of this platform with the same title, opened a few minutes ago; None when there is none."""
    wanted = _plain(title)
    since = ctx.now - SAME_WITHIN
    alike = (c for c in ctx.cards if c.is_open and c.pack == ctx.pack.pack.id and _plain(c.title) == wanted)
    return next((c for c in alike if c.opened >= since), None)


def said_before(known: Card, ctx: Context) -> str:
    """That an incident with this title is open already, and where people work on it."""
    where = f"Work on it in #{known.room_name}" if known.room_name else "Its room opens now"
    return (
        f"{known.id} with this title was opened {spell(ctx.now - known.opened)} ago, as {known.severity}. {where}; "
        "nothing new was opened and nobody was called again."
    )


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()


def form_context(title: str, severity: SeverityId | None, ctx: Context) -> dict[str, object]:
    """What the declare form shows."""
    packs = [{"value": name, "label": p.pack.title} for name, p in ctx.packs.items()]
    rows = [{"value": s, "label": _label(s, tuple(ctx.packs.values()))} for s in SEVERITIES]
    values = {"title": title, "severity": severity or "P1"}
    return {"packs": packs, "severities": rows, "values": values}


def _label(severity: SeverityId, packs: tuple[LoadedPack, ...]) -> str:
    """A severity as the form names it: in the words of the packs, where all of them use the same."""
    titles = {p.pack.severities[severity].title for p in packs}
    return f"{severity} {titles.pop()}" if len(titles) == 1 else f"{severity} {_WORDS[severity]}".strip()


def opened(actor: Actor, title: str, severity: SeverityId | None, description: str, ctx: Context) -> Handled:
    """Facts and answer of a declared incident; without a severity the pack's rules decide."""
    reason = f"declared by {actor.name}"
    if severity is None:
        alert = Alert(
            title=title, description=description, market="open" if ctx.pack.sessions.is_open(ctx.now) else "closed"
        )
        severity, why = classify(ctx.pack.pack, alert)
        reason = f"{why}; declared by {actor.name}"
    facts = declare(actor, title, severity, description, reason, ctx)
    return Handled(facts, Reply("declared", {"id": ctx.new_id, "title": title, "severity": severity}))


def declare(
    actor: Actor, title: str, severity: SeverityId, description: str, reason: str, ctx: Context
) -> tuple[f.Fact, ...]:
    """The facts of an incident that a person opens."""
    market = ctx.pack.sessions.is_open(ctx.now)
    alert = Alert(title=title, description=description, market="open" if market else "closed")
    what = f.IncidentOpened(
        id=ctx.new_id,
        title=" ".join(title.split()),
        severity=severity,
        severity_reason=reason,
        pack=ctx.pack.pack.id,
        pack_hash=ctx.pack.hash,
        playbook=match_playbook(ctx.pack.pack, alert),
        service=None,
        description=description,
        origin="slack",
        market_open=market,
    )
    detected = f.MilestoneReached(milestone="detected", source="slack")
    declared = f.MilestoneReached(milestone="declared", source="slack")
    return ctx.facts(actor.by, what, detected, declared)
