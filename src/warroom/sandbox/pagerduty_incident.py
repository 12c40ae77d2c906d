"""An incident of PagerDuty, its JSON in the REST API and in webhooks, and the errors about it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from warroom.sandbox.pagerduty_fixture import Policy, Priority, Service
from warroom.sandbox.pagerduty_shapes import API, WEB, policy_ref, priority_json, reference, service_ref, user_ref

Json = dict[str, Any]


class PagerDutyError(Exception):
    """An error answer of the REST API."""

    def __init__(self, status: int, code: int, message: str, *errors: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def as_json(self) -> Json:
        error: Json = {"message": self.message, "code": self.code}
        return {"error": {**error, "errors": list(self.errors)} if self.errors else error}


def invalid(*errors: str) -> PagerDutyError:
    return PagerDutyError(400, 2001, "Invalid Input Provided", *errors)


def not_found() -> PagerDutyError:
    return PagerDutyError(404, 2100, "Not Found")


@dataclass
class Incident:
    """One incident."""

    id: str
    number: int
    title: str
    key: str
    service: Service
    policy: Policy
    created_at: datetime
    urgency: str
    status: str = "triggered"
    level: int = 1
    priority: Priority | None = None
    assignees: list[str] = field(default_factory=list)
    acknowledgers: list[tuple[str, datetime]] = field(default_factory=list)
    status_changed_at: datetime | None = None
    status_changed_by: Json | None = None
    updated_at: datetime | None = None
    resolved_at: datetime | None = None
    body: str = ""
    bridge: str = ""
    alerts: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)
    responder_requests: list[Json] = field(default_factory=list)
    log: list[Json] = field(default_factory=list)

    @property
    def responders(self) -> list[Json]:
        """Everybody who was asked to come, in the order they were asked."""
        return [
            responder
            for request in self.responder_requests
            for wrapped in request["responder_request_targets"]
            for responder in wrapped["responder_request_target"]["incidents_responders"]
        ]


def stamp(at: datetime) -> str:
    """PagerDuty's time format."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def ref(incident: Incident) -> Json:
    summary = f"[#{incident.number}] {incident.title}"
    return reference("incident", incident.id, summary, "incidents")


def webhook_json(incident: Incident) -> Json:
    """The ``data`` of a webhook v3 about an incident."""
    priority = priority_json(incident.priority) if incident.priority else None
    names = ("id", "type", "summary", "self", "html_url")
    return {
        "id": incident.id,
        "type": "incident",
        "self": f"{API}/incidents/{incident.id}",
        "html_url": f"{WEB}/incidents/{incident.id}",
        "number": incident.number,
        "status": incident.status,
        "incident_key": incident.key,
        "created_at": stamp(incident.created_at),
        "title": incident.title,
        "service": service_ref(incident.service),
        "assignees": [user_ref(user) for user in incident.assignees],
        "escalation_policy": policy_ref(incident.policy),
        "teams": [],
        "priority": {**{n: priority[n] for n in names}, "type": "priority_reference"} if priority else None,
        "urgency": incident.urgency,
        "conference_bridge": {"conference_url": incident.bridge, "conference_number": None}
        if incident.bridge
        else None,
        "resolve_reason": None,
        "incident_type": {"name": "incident_default"},
    }


def _assigned_at(incident: Incident) -> str:
    """When the incident came to its present assignees."""
    ways = ("trigger_log_entry", "escalate_log_entry", "assign_log_entry", "reopen_log_entry", "delegate_log_entry")
    moments = (str(entry["created_at"]) for entry in reversed(incident.log) if entry["type"] in ways)
    return next(moments, stamp(incident.created_at))


def rest_json(incident: Incident, include: list[str]) -> Json:
    """An incident as the REST API gives it."""
    trigger = incident.log[0]
    base = ref(incident)
    acknowledged = [{"at": stamp(at), "acknowledger": user_ref(u)} for u, at in incident.acknowledgers]
    changed_at = stamp(incident.status_changed_at or incident.created_at)
    updated_at = stamp(incident.updated_at or incident.created_at)
    open_alerts = sum(alert["status"] == "triggered" for alert in incident.alerts)
    shown = {
        **base,
        "type": "incident",
        "incident_number": incident.number,
        "title": incident.title,
        "description": incident.title,
        "created_at": stamp(incident.created_at),
        "updated_at": updated_at,
        "status": incident.status,
        "incident_key": incident.key,
        "service": service_ref(incident.service),
        "assignments": [{"at": _assigned_at(incident), "assignee": user_ref(u)} for u in incident.assignees],
        "assigned_via": "escalation_policy",
        "last_status_change_at": changed_at,
        "last_status_change_by": incident.status_changed_by,
        "resolved_at": stamp(incident.resolved_at) if incident.resolved_at else None,
        "first_trigger_log_entry": {"id": trigger["id"], "type": "trigger_log_entry_reference"},
        "alert_counts": {
            "all": len(incident.alerts),
            "triggered": open_alerts,
            "resolved": len(incident.alerts) - open_alerts,
        },
        "is_mergeable": True,
        "escalation_policy": policy_ref(incident.policy),
        "teams": [],
        "pending_actions": [],
        "acknowledgements": acknowledged,
        "alert_grouping": None,
        "priority": priority_json(incident.priority) if incident.priority else None,
        "urgency": incident.urgency,
        "responder_requests": incident.responder_requests,
        "incidents_responders": incident.responders,
        "subscriber_requests": [],
        "incident_type": {"name": "incident_default"},
    }
    if "body" in include:
        shown["body"] = {"type": "incident_body", "details": incident.body}
    if "notes" in include:
        shown["notes"] = incident.notes
    return {**shown, "self": f"{API}/incidents/{incident.id}", "html_url": f"{WEB}/incidents/{incident.id}"}
