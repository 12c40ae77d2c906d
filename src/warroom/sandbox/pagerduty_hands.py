"""What people do in PagerDuty itself, as /control/pagerduty/<act> takes it: people by key, incidents by id."""

from collections.abc import Callable
from typing import Any

from warroom.sandbox.pagerduty_incident import Incident
from warroom.sandbox.pagerduty_shapes import user_ref
from warroom.sandbox.pagerduty_state import PagerDuty
from warroom.sandbox.people import person

Json = dict[str, Any]


def _incident(pagerduty: PagerDuty, body: Json) -> Incident:
    return pagerduty.find(body["id"])


def _pagerduty_id(key: str) -> str:
    found = person(key).pagerduty_id
    if found is None:
        raise ValueError(f"{key} has no PagerDuty account")
    return found


def _agent(body: Json) -> Json | None:
    return user_ref(_pagerduty_id(body["user"])) if body.get("user") else None


def trigger(pagerduty: PagerDuty, body: Json) -> Incident:
    """``service`` (id or name), ``title``; may have key, urgency, severity, source, details, priority."""
    service = pagerduty.service(body["service"])
    names = ("key", "urgency", "severity", "source", "details", "priority")
    more = {name: body[name] for name in names if name in body}
    return pagerduty.trigger(service, body["title"], **more)


def _ack(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.acknowledge(incident, _pagerduty_id(body["user"]))
    return incident


def _resolve(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.resolve(incident, _agent(body))
    return incident


def _unack(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.unacknowledge(incident)
    return incident


def _reopen(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.reopen(incident, _agent(body))
    return incident


def _escalate(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.escalate(incident, _agent(body), body.get("level"))
    return incident


def _reassign(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.reassign(incident, [_pagerduty_id(key) for key in body["to"]], _agent(body))
    return incident


def _delegate(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.delegate(incident, pagerduty.policy(body["policy"]), _agent(body))
    return incident


def _prioritise(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.prioritise(incident, body["priority"], _agent(body))
    return incident


def _note(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.note(incident, body["content"], _pagerduty_id(body["user"]))
    return incident


def _publish(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.publish_update(incident, body["message"], _pagerduty_id(body["user"]))
    return incident


def _reply(pagerduty: PagerDuty, body: Json) -> Incident:
    incident = _incident(pagerduty, body)
    pagerduty.reply(incident, _pagerduty_id(body["user"]), bool(body.get("accepted", True)))
    return incident


PAGERDUTY_ACTS: dict[str, Callable[[PagerDuty, Json], Incident]] = {
    "trigger": trigger,
    "ack": _ack,
    "unack": _unack,
    "resolve": _resolve,
    "reopen": _reopen,
    "escalate": _escalate,
    "reassign": _reassign,
    "delegate": _delegate,
    "priority": _prioritise,
    "note": _note,
    "status_update": _publish,
    "reply": _reply,
}
