"""Details that PagerDuty's webhooks leave out, fetched in the little time there is before the first alert."""

import asyncio
from dataclasses import replace

import structlog

from warroom.domain.inputs import Input, PagerDutyEvent
from warroom.errors import DeliveryError
from warroom.pagerduty.client import Client
from warroom.pagerduty.payload import CONFERENCE

BUDGET = 0.3
"""Seconds."""

log = structlog.get_logger(__name__)


def lacks_details(heard: Input) -> bool:
    """Whether this is a triggered incident whose payload says nothing but its title (a bridge is no detail)."""
    body = heard.body
    if not isinstance(body, PagerDutyEvent) or body.type != "incident.triggered" or body.incident is None:
        return False
    return not (body.incident.details.keys() - {CONFERENCE})


async def enrich(heard: Input, client: Client, budget: float = BUDGET) -> Input:
    """The input with the details of the incident's alerts, or unchanged when they do not come within `budget` seconds.

    Costs a call to PagerDuty: call it only when severity rules look at details. Inputs that do not lack details are
    returned as they are, without a call.
    """
    body = heard.body
    if not lacks_details(heard) or not isinstance(body, PagerDutyEvent) or body.incident is None:
        return heard
    try:
        found = await asyncio.wait_for(client.alert_details(body.incident.id), budget)
    except (TimeoutError, DeliveryError) as error:
        log.warning("pagerduty.not_enriched", pagerduty_id=body.incident.id, reason=str(error) or "too slow")
        return heard
    incident = replace(body.incident, details={**found, **body.incident.details})
    return replace(heard, body=replace(body, incident=incident))
