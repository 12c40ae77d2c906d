"""Halts as they stand: in force until they are read back as lifted. Several incidents may halt one platform: it is one
halt there, and whatever lifts it lifts it for all of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from warroom.domain import approvals
from warroom.domain.decision import Card, StandingHalt
from warroom.domain.incident import Incident, Run
from warroom.domain.people import WARROOM
from warroom.domain.policy import Pack
from warroom.domain.words import listed

UNDER_WAY = "requested"
TRADING = "trading"
"""what a halt stops where its pack does not say"""


def in_force(i: Incident) -> tuple[Run, ...]:
    """Halts that were read back as in force and not read back as lifted since, oldest first."""
    return tuple(r for r in i.halts if r.outcome == "confirmed" and i.lifted(r) is None)


def unsettled(i: Incident) -> tuple[Run, ...]:
    """Halts of which nobody knows yet, or ever knew, whether they are in force."""
    doubtful = (r for r in i.halts if r.mode == "live" and r.outcome in ("unknown", UNDER_WAY))
    return tuple(r for r in doubtful if i.lifted(r) is None)


def standing_halts(i: Incident) -> tuple[StandingHalt, ...]:
    """What other incidents need to know of this one's halts: those in force, and those nobody is sure of."""
    runs = {r.run for r in (*in_force(i), *unsettled(i))}
    return tuple(
        StandingHalt(
            run=r.run,
            scope=str(r.scope),
            state=r.outcome,
            since=r.settled or r.at,
            by=r.by.name,
            asked=_asked(i, r),
            lifting=lifting(i, (str(r.scope),)),
            over=_over(i, r),
        )
        for r in i.halts
        if r.run in runs
    )


def lifting(i: Incident, scopes: Sequence[str]) -> bool:
    """Whether a resumption that lifts halts of these scopes is under way."""
    return any(r.outcome == UNDER_WAY and set(r.lifts) & set(scopes) for r in i.runs)


def _asked(i: Incident, halt: Run) -> datetime | None:
    """Until when a person's request to lift this halt waits; an automatic rule's word is nobody's."""
    waiting = (a for a in approvals.pending(i) if a.by != WARROOM and a.request.mode == "live")
    return max((a.request.expires for a in waiting if halt.scope in a.request.lifts), default=None)


def _over(i: Incident, halt: Run) -> bool:
    """Whether a person resolved the incident since this halt was ordered; what a monitoring system resolves in
    PagerDuty is nobody's word on a halt."""
    if i.is_open:
        return False
    resolved = [m for m in i.history if m.milestone == "resolved"]
    since = max([halt.at, *(m.at for m in resolved if not m.reached)])
    return any(m.reached and m.source == "slack" and m.at > since for m in resolved)


def stopped(pack: Pack, scopes: Iterable[str]) -> str:
    """What the halts of these scopes stop, as a pack says it."""
    wanted = set(scopes)
    stops = dict.fromkeys(a.stops or TRADING for a in pack.actions.values() if a.scope in wanted)
    return listed(stops) or TRADING


def of_others(incident: str, pack: str, cards: Sequence[Card]) -> tuple[tuple[Card, StandingHalt], ...]:
    """The standing halts of the same platform that other incidents ordered, with their incidents."""
    return tuple((c, h) for c in cards if c.pack == pack and c.id != incident for h in c.halts)


def lifting_elsewhere(incident: str, pack: str, scopes: Sequence[str], cards: Sequence[Card]) -> str:
    """The other incident from which the platform's halts of these scopes are being lifted now; "" for none."""
    under_way = (c.id for c, h in of_others(incident, pack, cards) if h.lifting and h.scope in scopes)
    return next(under_way, "")


def needed_by(
    incident: str, pack: str, scopes: Sequence[str], cards: Sequence[Card], now: datetime
) -> tuple[Card, ...]:
    """Other incidents that halted the platform, too, and where nobody asks at `now` (UTC) to resume.

    Who asks there has come through that incident's own gate, and is named with a reason in its record. An incident
    that a person has resolved since needs its halt no more: its gates stood before that.
    """
    found = {
        c.id: c
        for c, h in of_others(incident, pack, cards)
        if h.scope in scopes and not h.over and (h.asked is None or h.asked <= now)
    }
    return tuple(found.values())


def lifted_too(incident: str, pack: str, lifts: Sequence[str], cards: Sequence[Card]) -> str:
    """What resuming does to other incidents, as a sentence; "" when it touches none."""
    touched = [(c.id, h) for c, h in of_others(incident, pack, cards) if h.scope in lifts]
    others = tuple(dict.fromkeys(name for name, _ in touched))
    if not others:
        return ""
    plural = len(others) > 1
    also = f"This also lifts the halt{'s' if plural else ''} of {listed(others)}"
    still = tuple(dict.fromkeys(name for name, h in touched if not h.over))
    if not still:
        return f"{also}, which {'are' if plural else 'is'} resolved."
    return (
        f"{also}: it is sent only while somebody there asks to resume, too, through its own gate "
        f"({', '.join(f'/halt {name} resume REASON' for name in still)})."
    )
