"""PagerDuty's JSON, read with care: fields may be absent, null, of another shape, or hold anything at all.

Webhooks and the REST API describe an incident alike, with a few other names; both are read here.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from warroom.domain.inputs import PagerDutyIncident
from warroom.domain.people import PAGERDUTY, By

Json = Mapping[str, Any]

DEEPEST = 20
"""Values nested deeper than this are cut off: no rule looks there, and storing them must not fail."""

FIRST_YEAR, LAST_YEAR = 2000, 2100

CONFERENCE = "conference_bridge"
"""The key under which an incident's bridge ({"url", "number"}) stands among its details."""

# fields of the common event format of the Events API v2, under the names a sender gave them
_CEF = {
    "severity": "severity",
    "source_origin": "source",
    "source_component": "component",
    "service_group": "group",
    "event_class": "class",
}


def clean(value: object, depth: int = 0) -> Any:
    """The same JSON value with what no database can hold replaced: NUL, lone surrogates, infinities, abysses."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {clean(str(k)): clean(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [clean(v, depth + 1) for v in value]
    return value


def mapping(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> tuple[Json, ...]:
    """The JSON objects in a list; anything else is left out."""
    return tuple(v for v in value if isinstance(v, Mapping)) if isinstance(value, list) else ()


def text(value: object) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def words(value: str) -> str:
    """The text as PagerDuty may have kept it, to compare with: white space does not count."""
    return " ".join(value.split())


def moment(value: object) -> datetime | None:
    """A time as aware UTC; None for null or nothing, UTC where no offset is given.

    Raises ValueError for garbage, and for years in which nothing can have happened: reckoning with them must not fail.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("a time must be ISO 8601 text")
    try:
        at = datetime.fromisoformat(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{value[:40]!r} is no ISO 8601 time") from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"{value[:40]!r} is not in the years {FIRST_YEAR} to {LAST_YEAR}; send the time it happened")
    return at


def readable_moment(value: object) -> datetime | None:
    """As `moment`, but None where that raises."""
    try:
        return moment(value)
    except ValueError:
        return None


def agent(value: object) -> By:
    """Who did it; PagerDuty itself when the payload names nobody."""
    who = mapping(value)
    ident = text(who.get("id"))
    return By(f"pagerduty:{ident}", text(who.get("summary")) or ident) if ident else PAGERDUTY


def summaries(value: object) -> tuple[str, ...]:
    """The names in a list of references."""
    return tuple(name for v in objects(value) if (name := text(v.get("summary"))))


def assignees(data: Json) -> tuple[str, ...]:
    """Names of whom the incident is assigned to."""
    return summaries(data.get("assignees")) or summaries([a.get("assignee") for a in objects(data.get("assignments"))])


def incident(data: Json) -> PagerDutyIncident | None:
    """The incident that this object describes or refers to; None without an id. Raises ValueError for bad times."""
    ident = text(data.get("id"))
    if not ident:
        return None
    number = data.get("number", data.get("incident_number"))
    service = mapping(data.get("service"))
    return PagerDutyIncident(
        id=ident,
        title=text(data.get("title")) or text(data.get("summary")),
        number=number if isinstance(number, int) and not isinstance(number, bool) else None,
        url=text(data.get("html_url")) or None,
        status=text(data.get("status")) or None,
        urgency=text(data.get("urgency")) or None,
        priority=priority(data),
        service_id=text(service.get("id")) or None,
        service_name=text(service.get("summary")) or None,
        key=text(data.get("incident_key")) or None,
        created_at=moment(data.get("created_at")),
        assignees=assignees(data),
        details=details(data),
    )


def priority(data: Json) -> str | None:
    """The name of the incident's priority, e.g. "P1"."""
    found = mapping(data.get("priority"))
    return text(found.get("summary")) or text(found.get("name")) or None


def details(data: Json) -> dict[str, Any]:
    """What the sender of the alert said beyond its title, from wherever the payload carries it, and the bridge."""
    found: dict[str, Any] = {}
    for alert in (data, *objects(data.get("alerts"))):
        for key, value in alert_details(alert).items():
            found.setdefault(key, value)
    bridge = mapping(data.get("conference_bridge"))
    line = {"url": bridge.get("conference_url"), "number": bridge.get("conference_number")}
    if said := {k: v for k, v in line.items() if v}:
        found[CONFERENCE] = said
    return found


def alert_details(alert: Json) -> dict[str, Any]:
    """An alert's custom details; severity, source, component, group and class fill in where they are not among them."""
    body = mapping(alert.get("body"))
    cef = mapping(body.get("cef_details"))
    found: dict[str, Any] = {}
    for part in (
        alert.get("custom_details"),
        body.get("custom_details"),
        body.get("details"),
        cef.get("details"),
    ):
        for key, value in mapping(part).items():
            found.setdefault(key, value)
    if isinstance(body.get("details"), str) and body["details"]:
        found.setdefault("details", body["details"])
    for theirs, ours in _CEF.items():
        if cef.get(theirs):
            found.setdefault(ours, cef[theirs])
    if alert.get("severity"):
        found.setdefault("severity", alert["severity"])
    return found


def status_changed(data: Json) -> datetime | None:
    """When the incident got its present status, as the REST API tells it (UTC)."""
    specific = data.get("resolved_at") if data.get("status") == "resolved" else None
    return (
        readable_moment(data.get("last_status_change_at"))
        or readable_moment(specific)
        or readable_moment(data.get("updated_at"))
    )
