"""How PagerDuty's news comes in: straight to the rules, or after a look at the alert's details where they matter."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from warroom.domain.decide import route
from warroom.domain.decision import Card, LoadedPack, Route
from warroom.domain.inputs import Input, PagerDutyEvent
from warroom.domain.on_pagerduty import severity_without_details
from warroom.engine.engine import Engine
from warroom.engine.work import Receipt
from warroom.pagerduty.client import Client
from warroom.pagerduty.enrich import enrich, lacks_details

log = structlog.get_logger("warroom")

OVER = "pagerduty-over"
"""The source under which the end of an incident that we do not know is written down, by its PagerDuty id."""


def hearing(
    engine: Engine, client: Client, packs: Mapping[str, LoadedPack], heard: Callable[[str, str], Awaitable[bool]]
) -> Callable[[Input], Awaitable[Receipt]]:
    """Takes PagerDuty's events. Details are asked for where the payload has none and they could raise the severity.

    `heard` says whether an input of this source and id was written down before: an incident whose end overtook its
    beginning is not opened any more.
    """

    async def hear(given: Input) -> Receipt:
        where = route(given, engine.cards(), packs)
        if _details_matter(given, where, engine.cards(), packs):
            given = await enrich(given, client)
        event = given.body
        if isinstance(event, PagerDutyEvent) and event.incident is not None and not (where.incident or where.pack):
            log.warning("pagerduty_event_of_no_pack", type=event.type, service=event.incident.service_id)
        return await engine.submit(await _in_order(given, engine.cards(), heard))

    return hear


async def _in_order(given: Input, cards: Sequence[Card], heard: Callable[[str, str], Awaitable[bool]]) -> Input:
    """The end of an incident that we do not know under its PagerDuty id; a beginning that comes after such an end says
    that it is over."""
    event = given.body
    if not isinstance(event, PagerDutyEvent) or event.incident is None:
        return given
    if event.type not in ("incident.triggered", "incident.resolved") or any(_heard_of(event, card) for card in cards):
        return given
    if event.type == "incident.resolved":
        return replace(given, source=OVER, source_id=event.incident.id)
    if not await heard(OVER, event.incident.id):
        return given
    return replace(given, body=replace(event, incident=replace(event.incident, status="resolved")))


def _details_matter(given: Input, where: Route, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> bool:
    """Not for an incident we know or that joins a P0, nor for one that is a P0 without them: its first alert waits for
    nobody."""
    event = given.body
    if not isinstance(event, PagerDutyEvent) or event.incident is None or not lacks_details(given):
        return False
    joins = next((card for card in cards if card.id == where.incident), None)
    if where.pack not in packs or (joins is not None and (joins.severity == "P0" or _heard_of(event, joins))):
        return False
    rules = packs[where.pack].pack.severity_rules
    if not any(when.field.startswith("details.") for rule in rules for when in (*rule.all, *rule.any)):
        return False
    return severity_without_details(event, event.incident, packs[where.pack]) != "P0"


def _heard_of(event: PagerDutyEvent, card: Card) -> bool:
    about = event.incident
    return about is not None and (about.key == card.id or about.id in (card.pagerduty_id, *card.joined.split()))
