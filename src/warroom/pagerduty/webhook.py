"""PagerDuty's webhooks (v3): who sent them, and what they say."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from warroom import signatures
from warroom.domain.inputs import Input, PagerDutyEvent
from warroom.errors import BadRequest
from warroom.pagerduty import payload
from warroom.pagerduty.payload import Json

LARGEST = 1024 * 1024
"""Bytes; PagerDuty's own are a few thousand."""

LONGEST_ID = 200

_BRIDGE = "incident.conference_bridge.updated"
_INCIDENT_TYPES = frozenset({"incident", "incident_reference"})


def verify(body: bytes, signature_header: str, secrets: Sequence[str]) -> None:
    """Accept `body` only with a v1 signature by one of our secrets (HMAC-SHA256 over the raw body).

    Raises BadRequest: 413 oversized, 403 when no secret is set, 401 without a v1 signature or without a match.
    """
    _check_size(body)
    signatures.verify(
        body,
        signature_header,
        secrets,
        header="X-PagerDuty-Signature",
        variable="PAGERDUTY_WEBHOOK_SECRET",
        whose="PagerDuty webhooks",
    )


def parse(body: bytes, received: datetime) -> Input:
    """The input this webhook is: source "pagerduty", its id the event's, so that a repeat is recognised.

    A type we do not know is an event too; its incident is None when it names none. An event without a time counts
    as of `received` (UTC). Titles, notes and details are data from outside, unescaped.

    Raises BadRequest: 413 oversized, 400 for anything that is not an event.
    """
    event = _event(body)
    kind, ident = payload.text(event.get("event_type")), payload.text(event.get("id"))
    if not kind or not ident:
        raise BadRequest("A PagerDuty event needs the texts event.id and event.event_type.")
    if max(len(kind), len(ident)) > LONGEST_ID:
        raise BadRequest(f"event.id and event.event_type are at most {LONGEST_ID} characters long.")
    data = event.get("data")
    if data is not None and not isinstance(data, dict):
        raise BadRequest("event.data of a PagerDuty event must be an object.")
    try:
        heard = _heard(kind, event, data or {}, received)
    except ValueError as error:
        raise BadRequest(f"PagerDuty event {ident}: {error}.") from error
    return Input(source="pagerduty", source_id=ident, received=received, body=heard)


def _heard(kind: str, event: Json, data: Json, received: datetime) -> PagerDutyEvent:
    return PagerDutyEvent(
        type=kind,
        at=payload.moment(event.get("occurred_at")) or received,
        incident=payload.incident(_about(kind, data)),
        agent=payload.agent(event.get("agent")),
        text=_text(kind, data),
        people=_people(kind, data),
    )


def _people(kind: str, data: Json) -> tuple[str, ...]:
    """Who was asked to respond (a policy, where it stands for its people), else to whom the incident is assigned."""
    if not kind.startswith("incident.responder."):
        return payload.assignees(data)
    return payload.summaries([data.get("user")]) or payload.summaries([data.get("escalation_policy")])


def _about(kind: str, data: Json) -> Json:
    """The object that tells of the incident: under `incident` for notes, updates, responders and bridges, else the
    data. A bridge is put where the incident itself carries one."""
    if isinstance(data.get("incident"), dict):
        about = payload.mapping(data["incident"])
        return {**about, "conference_bridge": _bridge(data)} if kind == _BRIDGE else about
    said = payload.text(data.get("type"))
    plain = said in _INCIDENT_TYPES or (not said and kind.startswith("incident."))
    return data if plain else {}


def _bridge(data: Json) -> Json:
    """An incident's bridge as the incident tells it: its address and the first of its numbers."""
    numbers = [
        number for n in payload.objects(data.get("conference_numbers")) if (number := payload.text(n.get("number")))
    ]
    return {"conference_url": payload.text(data.get("conference_url")), "conference_number": next(iter(numbers), "")}


def _text(kind: str, data: Json) -> str:
    """A note's content, an update's message, what a responder was asked, or how he replied."""
    if kind == "incident.responder.replied" and payload.text(data.get("state")):
        return payload.text(data["state"])
    return payload.text(data.get("content")) or payload.text(data.get("message"))


def _event(body: bytes) -> Json:
    _check_size(body)
    try:
        document = payload.clean(json.loads(body.decode("utf-8"), parse_constant=_no_number))
    except UnicodeDecodeError:
        raise BadRequest("A PagerDuty webhook must be UTF-8.") from None
    except (ValueError, RecursionError):
        raise BadRequest("A PagerDuty webhook must be JSON.") from None
    event = document.get("event") if isinstance(document, dict) else None
    if not isinstance(event, dict):
        raise BadRequest('A PagerDuty webhook (v3) must be an object with an object "event" in it.')
    return event


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _check_size(body: bytes) -> None:
    if len(body) > LARGEST:
        raise BadRequest(f"A PagerDuty webhook is at most {LARGEST // 1024} KiB long.", 413)
