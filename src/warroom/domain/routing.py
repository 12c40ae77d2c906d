"""Where an input belongs: which incident, which pack."""

from collections.abc import Mapping, Sequence

from warroom.domain import inputs, storms
from warroom.domain.commands import Typed, meant, names, take_apart
from warroom.domain.decision import Card, LoadedPack, Route
from warroom.domain.policy import SeverityId

RANK: Mapping[SeverityId, int] = {"P0": 0, "P1": 1, "P2": 2, "P3": 3}


def route(body: inputs.Body, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> Route:
    """The incident an input is about, if any, and the pack that speaks for it ("" when none does)."""
    match body:
        case inputs.TimerDue() | inputs.TakenUp() | inputs.EffectResult() | inputs.LiftedElsewhere():
            return _existing(body.incident, cards)
        case inputs.PagerDutyEvent():
            return _pagerduty(body, cards, packs)
        case inputs.Detection():
            joins = storms.of_detection(body, cards, packs[body.pack])
            return Route(incident=joins.id if joins else None, pack=body.pack)
        case inputs.RoutineDue():
            return Route(pack=body.pack)
        case inputs.Submission():
            about, *more = body.about.split("|")
            if body.form == "halt" and not about and more and more[0] in packs:
                return Route(pack=more[0])
            return _existing(about, cards) if about else Route(pack=_declared_pack(body.values, packs))
        case inputs.Click():
            return _click(body, cards, packs)
        case inputs.Pinned():
            return _in_channel(body.channel, cards) or Route()
        case inputs.Command():
            return _command(body, cards, packs)


def open_cards(cards: Sequence[Card]) -> tuple[Card, ...]:
    """Open incidents, the most severe and then the newest first."""
    found = [c for c in cards if c.is_open]
    return tuple(sorted(found, key=lambda c: (RANK[c.severity], -c.opened.timestamp())))


def _pagerduty(event: inputs.PagerDutyEvent, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> Route:
    if event.incident is None:
        return Route()
    known = next((c for c in cards if c.pagerduty_id == event.incident.id), None)
    known = known or next((c for c in cards if event.incident.key and c.id == event.incident.key), None)
    known = known or next((c for c in cards if event.incident.id in c.joined.split()), None)
    if known:
        return Route(incident=known.id, pack=known.pack)
    service = {event.incident.service_id, event.incident.service_name} - {None}
    pack = next((name for name, p in packs.items() if service & set(p.services)), "")
    joins = storms.relative(event, cards, packs[pack]) if pack else None
    return Route(incident=joins.id if joins else None, pack=pack)


def typed_in(command: inputs.Command, cards: Sequence[Card]) -> Typed:
    """A command taken apart. Outside the incidents' rooms a number before a text names the open incident that has it:
    `update 1` is about the first, `note 3 venues are back` about none as long as there is no third."""
    plain = take_apart(command.name, command.text)
    if plain.named or _in_channel(command.channel, cards):
        return plain
    numbered = take_apart(command.name, command.text, by_number=True)
    return numbered if any(names(numbered.named, c.id) for c in open_cards(cards)) else plain


def _command(command: inputs.Command, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> Route:
    typed = typed_in(command, cards)
    only = next(iter(packs)) if len(packs) == 1 else ""
    if command.name == "/incident" and typed.word in ("declare", "list", "help"):
        return Route(pack=only)
    if typed.named:
        found = meant(typed.named, [c.id for c in cards])
        return Route(incident=found, pack=next(c.pack for c in cards if c.id == found)) if found else Route(pack=only)
    here = _in_channel(command.channel, cards)
    if here:
        return here
    if command.name == "/halt":
        return _halt(typed.rest, cards, packs)
    running = open_cards(cards)
    reading = command.name == "/incident-status" or typed.word in ("status", "timeline", "contacts")
    if reading and len(running) == 1:
        return Route(incident=running[0].id, pack=running[0].pack)
    return Route(pack=only)


def platforms(packs: Mapping[str, LoadedPack]) -> tuple[str, ...]:
    """The packs that can halt something."""
    return tuple(name for name, p in packs.items() if any(a.scope for a in p.pack.actions.values()))


def platform_named(text: str, packs: Mapping[str, LoadedPack]) -> str:
    """The pack that can halt something and that the first word of `text` names, in any case; "" when none."""
    word = next(iter(text.split()), "").lower()
    return next((name for name in platforms(packs) if name.lower() == word), "")


def _halt(text: str, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> Route:
    """A halt typed outside a room: of the platform that is named, or of the only one that can be halted. Where there
    are several it is never guessed, whatever incident is open."""
    able = platforms(packs)
    pack = platform_named(text, packs) or (able[0] if len(able) == 1 else "")
    if not pack:
        return Route(pack=next(iter(packs)) if len(packs) == 1 else "")
    found = next((c for c in open_cards(cards) if c.pack == pack), None)
    return Route(incident=found.id if found else None, pack=pack)


def _click(click: inputs.Click, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> Route:
    """A button names its incident first. A halt previewed while none was open names its pack instead: pressing it
    opens an incident, and pressing it again finds the one that it halted in, though that is over."""
    incident, *more = click.value.split("|")
    if incident or click.action not in ("halt.confirm", "halt.glass") or len(more) < 3 or more[1] not in packs:
        return _existing(incident, cards)
    run, pack, scope = more[:3]
    running = [c for c in open_cards(cards) if c.pack == pack]
    ordered = next((c for c in cards if run in c.ordered.split()), None)
    found = ordered or next((c for c in running if c.title == halt_title(scope)), next(iter(running), None))
    return Route(incident=found.id if found else None, pack=pack)


def halt_title(scope: str) -> str:
    """The title of an incident that a halt opens."""
    return f"Trading halt ({scope})"


def _in_channel(channel: str, cards: Sequence[Card]) -> Route | None:
    here = next((c for c in reversed(cards) if c.room == channel), None)
    return Route(incident=here.id, pack=here.pack) if here else None


def _existing(incident: str, cards: Sequence[Card]) -> Route:
    known = next((c for c in cards if c.id == incident), None)
    return Route(incident=known.id, pack=known.pack) if known else Route()


def _declared_pack(values: Mapping[str, str], packs: Mapping[str, LoadedPack]) -> str:
    """The platform that was chosen in the form, or the only one there is: another one is never guessed."""
    chosen = values.get("pack", "")
    only = next(iter(packs)) if len(packs) == 1 else ""
    return chosen if chosen in packs else only
