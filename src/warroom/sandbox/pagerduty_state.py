"""Incidents of PagerDuty and everything that can happen to one. Every change is announced by a webhook."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from typing import Any

from warroom.sandbox.feed import Feed
from warroom.sandbox.ids import Ids
from warroom.sandbox.pagerduty_fixture import POLICIES, PRIORITIES, SERVICES, Policy, Priority, Service, find_user
from warroom.sandbox.pagerduty_incident import Incident, PagerDutyError, invalid, not_found, ref, stamp, webhook_json
from warroom.sandbox.pagerduty_shapes import API, policy_ref, reference, service_ref, user_ref

Json = dict[str, Any]
Send = Callable[[str, Json, Json | None, Json | None], None]
"""event type, data, agent, client → queue a webhook"""


class PagerDuty:
    """The account. ``send`` queues a webhook; agents are references, None for an integration."""

    def __init__(self, now: Callable[[], datetime], feed: Feed, send: Send) -> None:
        self.now = now
        self.feed = feed
        self.base_url = ""
        self.incidents: dict[str, Incident] = {}
        self.pages: list[Json] = []
        self.routing_keys = {s.routing_key: s for s in SERVICES}
        self._send = send
        self._ids = Ids()
        self._numbers = count(1001)

    def find(self, incident_id: str) -> Incident:
        """By id or number; raises PagerDutyError 404."""
        for incident in self.incidents.values():
            if incident_id in (incident.id, str(incident.number)):
                return incident
        raise not_found()

    def service(self, service_id: str) -> Service:
        """By id or name; raises PagerDutyError 404."""
        for service in SERVICES:
            if service_id in (service.id, service.name):
                return service
        raise not_found()

    def policy(self, policy_id: str) -> Policy:
        for policy in POLICIES:
            if policy.id == policy_id:
                return policy
        raise not_found()

    def open_with_key(self, service: Service, key: str) -> Incident | None:
        """The unresolved incident with this incident key."""
        for incident in self.incidents.values():
            if incident.service is service and incident.key == key and incident.status != "resolved":
                return incident
        return None

    def trigger(
        self,
        service: Service,
        title: str,
        *,
        key: str | None = None,
        urgency: str = "high",
        details: Json | None = None,
        severity: str = "critical",
        source: str = "monitoring",
        priority: str | None = None,
        agent: Json | None = None,
        client: Json | None = None,
        policy: Policy | None = None,
        body: str = "",
        bridge: str = "",
        assignees: Iterable[str] = (),
        with_alert: bool = True,
    ) -> Incident:
        """Open an incident, or add the alert to the open one with this key."""
        if not title:
            raise invalid("Title cannot be empty")
        key = key or self._ids.next("K").lower()
        incident = self.open_with_key(service, key)
        is_new = incident is None
        if incident is None:
            used = policy or self.policy(service.policy)
            incident = Incident(
                self._ids.next("Q"), next(self._numbers), title[:1024], key, service, used, self.now(), urgency
            )
            incident.body, incident.bridge = body, bridge
            incident.assignees = list(assignees) or list(used.levels[0])
            incident.priority = self._priority(priority) if priority else None
            incident.status_changed_at, incident.status_changed_by = self.now(), agent or service_ref(service)
            self.incidents[incident.id] = incident
        if with_alert:
            incident.alerts.append(self._alert(incident, title, severity, source, details or {}))
        if is_new:
            self._announce(incident, "triggered", agent or service_ref(service), client)
            self.page(incident, incident.assignees, "triggered")
        return incident

    def _alert(self, incident: Incident, title: str, severity: str, source: str, details: Json) -> Json:
        alert_id = self._ids.next("A")
        alert = reference("alert", alert_id, title, f"incidents/{incident.id}/alerts", "alerts")
        contexts: list[Json] = []
        return {
            **alert,
            "type": "alert",
            "created_at": stamp(self.now()),
            "status": "triggered",
            "alert_key": incident.key,
            "severity": severity,
            "suppressed": False,
            "service": service_ref(incident.service),
            "incident": ref(incident),
            "body": {
                "type": "alert_body",
                "contexts": contexts,
                "details": details,
                "cef_details": {"severity": severity, "source_origin": source, "details": details},
            },
            "integration": None,
        }

    def acknowledge(self, incident: Incident, user: str) -> None:
        """By a PagerDuty user id; a resolved one is open again. Again by the same: nothing."""
        agent = user_ref(user)
        if incident.status == "resolved":
            self._open_again(incident, agent)
        if any(who == user for who, _ in incident.acknowledgers):
            return
        incident.acknowledgers.append((user, self.now()))
        self._become(incident, "acknowledged", agent)
        self._announce(incident, "acknowledged", agent)

    def unacknowledge(self, incident: Incident) -> None:
        """The acknowledgement has timed out: it is triggered again and pages again."""
        self._not_resolved(incident)
        self._become(incident, "triggered", None)
        self._announce(incident, "unacknowledged", None)
        self.page(incident, incident.assignees, "unacknowledged")

    def resolve(self, incident: Incident, agent: Json | None) -> None:
        """Raises PagerDutyError when it already is."""
        self._not_resolved(incident)
        incident.assignees, incident.resolved_at = [], self.now()
        self._become(incident, "resolved", agent)
        for alert in incident.alerts:
            alert["status"] = "resolved"
        self._announce(incident, "resolved", agent)

    def reopen(self, incident: Incident, agent: Json | None = None) -> None:
        if incident.status != "resolved":
            raise invalid("Incident is not resolved")
        self._open_again(incident, agent)
        self.page(incident, incident.assignees, "reopened")

    def _open_again(self, incident: Incident, agent: Json | None) -> None:
        incident.assignees, incident.resolved_at = list(incident.policy.levels[0]), None
        self._become(incident, "triggered", agent)
        self._announce(incident, "reopened", agent)

    def escalate(self, incident: Incident, agent: Json | None = None, level: int | None = None) -> None:
        """To the next level or this one; the acknowledgements end and the level is paged."""
        self._not_resolved(incident)
        wanted = incident.level + 1 if level is None else level
        if not 1 <= wanted <= len(incident.policy.levels):
            raise invalid("Escalation level is not valid")
        incident.level = wanted
        incident.assignees = list(incident.policy.levels[wanted - 1])
        self._become(incident, "triggered", agent)
        self._announce(incident, "escalated", agent)
        self.page(incident, incident.assignees, f"escalated to level {wanted}")

    def reassign(self, incident: Incident, users: list[str], agent: Json | None = None) -> None:
        self._not_resolved(incident)
        incident.assignees = users
        self._become(incident, "triggered", agent)
        self._announce(incident, "reassigned", agent)
        self.page(incident, users, "reassigned")

    def delegate(self, incident: Incident, policy: Policy, agent: Json | None = None) -> None:
        """Hand it to another escalation policy."""
        self._not_resolved(incident)
        incident.policy, incident.level = policy, 1
        incident.assignees = list(policy.levels[0])
        self._become(incident, "triggered", agent)
        self._announce(incident, "delegated", agent)
        self.page(incident, incident.assignees, f"delegated to {policy.name}")

    def prioritise(self, incident: Incident, priority_id: str | None, agent: Json | None = None) -> None:
        wanted = self._priority(priority_id) if priority_id else None
        if wanted is incident.priority:
            return
        incident.priority = wanted
        self._announce(incident, "priority_updated", agent)

    def note(self, incident: Incident, content: str, user: str) -> Json:
        if not content:
            raise invalid("Content cannot be empty")
        note = {"id": self._ids.next("N"), "content": content, "created_at": stamp(self.now())}
        shown = {**note, "user": user_ref(user), "channel": {"summary": "The PagerDuty website or APIs"}}
        incident.notes.append(shown)
        data = {"incident": ref(incident), "id": note["id"], "content": content, "trimmed": False}
        self._record(incident, "annotated", user_ref(user), {**data, "type": "incident_note"})
        return shown

    def publish_update(self, incident: Incident, message: str, user: str) -> Json:
        if not message:
            raise invalid("Message cannot be empty")
        update = {"id": self._ids.next("U"), "message": message, "created_at": stamp(self.now())}
        incident.updates.append({**update, "sender": user_ref(user)})
        data = {"incident": ref(incident), "id": update["id"], "message": message, "trimmed": False}
        data["type"] = "incident_status_update"
        self._record(incident, "status_update_published", user_ref(user), data)
        return incident.updates[-1]

    def request_responders(self, incident: Incident, message: str, targets: list[Json], requester: str) -> Json:
        """Page users, or everybody on the first level of escalation policies; the request as REST gives it."""
        self._not_resolved(incident)
        asked = [self._target(target) for target in targets]
        request: Json = {
            "incident": ref(incident),
            "requester": user_ref(requester),
            "requested_at": stamp(self.now()),
            "message": message,
        }
        wrapped: list[Json] = []
        for target, users in asked:
            responders = [
                {**request, "user": user_ref(user), "state": "pending", "updated_at": request["requested_at"]}
                for user in users
            ]
            wrapped.append({"responder_request_target": {**target, "incidents_responders": responders}})
        request["responder_request_targets"] = wrapped
        incident.responder_requests.append(request)
        for target, users in asked:
            policy = policy_ref(self.policy(target["id"])) if target["type"] == "escalation_policy" else None
            for user in users:
                data = _responder(incident, user, message, "pending") | {"escalation_policy": policy}
                self._record(incident, "responder.added", user_ref(requester), data)
        self.page(incident, [user for _, users in asked for user in users], f"asked to respond: {message}")
        return request

    def _target(self, target: Json) -> tuple[Json, tuple[str, ...]]:
        """A target of a responder request as it is kept, and the users it pages."""
        kind, wanted = str(target.get("type", "")).removesuffix("_reference"), str(target.get("id"))
        if kind == "escalation_policy":
            policy = self.policy(wanted)
            return {"type": kind, "id": policy.id, "summary": policy.name}, policy.levels[0]
        user = find_user(wanted) if kind == "user" else None
        if user is None:
            raise invalid("Responder request target is not valid")
        return {"type": kind, "id": user.id, "summary": user.name}, (user.id,)

    def reply(self, incident: Incident, user: str, accepted: bool = True) -> None:
        """A person answers a responder request."""
        for responder in incident.responders:
            if responder["user"]["id"] == user and responder["state"] == "pending":
                responder |= {"state": "accepted" if accepted else "declined", "updated_at": stamp(self.now())}
                data = _responder(incident, user, responder["message"], responder["state"])
                self._record(incident, "responder.replied", user_ref(user), data)
                return
        raise invalid("No pending responder request for this user")

    def page(self, incident: Incident, users: Iterable[str], why: str) -> None:
        """PagerDuty calls people."""
        for user in map(user_ref, users):
            page = {
                "at": self.now().isoformat(),
                "to": user["summary"],
                "user_id": user["id"],
                "incident": incident.id,
                "title": incident.title,
                "why": why,
                "by": "push, SMS and phone call" if incident.urgency == "high" else "e-mail",
            }
            self.pages.append(page)
            self.feed.publish("page", **page)

    def _priority(self, wanted: str) -> Priority:
        for priority in PRIORITIES:
            if wanted in (priority.id, priority.name):
                return priority
        raise invalid("Priority not found")

    def _not_resolved(self, incident: Incident) -> None:
        if incident.status == "resolved":
            raise PagerDutyError(400, 2001, "Invalid Input Provided", "Incident Already Resolved")

    def _become(self, incident: Incident, status: str, agent: Json | None) -> None:
        """Sets the status. Acknowledgements last as long as the incident is acknowledged."""
        if status != "acknowledged":
            incident.acknowledgers.clear()
        if status != incident.status:
            incident.status, incident.status_changed_at, incident.status_changed_by = status, self.now(), agent

    def _announce(self, incident: Incident, what: str, agent: Json | None, client: Json | None = None) -> None:
        self._record(incident, what, agent, webhook_json(incident), client)

    def _record(
        self, incident: Incident, what: str, agent: Json | None, data: Json, client: Json | None = None
    ) -> None:
        """Write the log entry and queue the webhook."""
        incident.updated_at = self.now()
        entry_id = self._ids.next("R")
        kind = _LOG_TYPES.get(what, what)
        incident.log.append(
            {
                "id": entry_id,
                "type": f"{kind}_log_entry",
                "summary": f"{kind.replace('_', ' ')} by {(agent or {}).get('summary', 'PagerDuty')}",
                "self": f"{API}/log_entries/{entry_id}",
                "html_url": None,
                "created_at": stamp(self.now()),
                "agent": agent,
                "channel": {"type": "api"},
                "incident": ref(incident),
                "service": service_ref(incident.service),
                "teams": [],
                "contexts": [],
            }
        )
        self.feed.publish("pagerduty", event=f"incident.{what}", incident=incident.id, title=incident.title)
        self._send(f"incident.{what}", data, agent, client)


def _responder(incident: Incident, user: str, message: str, state: str) -> Json:
    """The ``data`` of a webhook about a responder."""
    about = {"incident": ref(incident), "user": user_ref(user), "escalation_policy": None}
    return {**about, "message": message, "state": state, "type": "incident_responder"}


_LOG_TYPES = {
    "triggered": "trigger",
    "acknowledged": "acknowledge",
    "unacknowledged": "unacknowledge",
    "resolved": "resolve",
    "escalated": "escalate",
    "reassigned": "assign",
    "delegated": "delegate",
    "priority_updated": "priority_change",
    "reopened": "reopen",
    "annotated": "annotate",
    "status_update_published": "status_update",
    "responder.added": "responder_request",
    "responder.replied": "responder_accept",
}
