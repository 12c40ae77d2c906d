"""Events API v2: alerts of monitoring systems become incidents."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warroom.sandbox.ids import Ids
from warroom.sandbox.pagerduty_shapes import service_ref
from warroom.sandbox.pagerduty_state import PagerDuty

Json = dict[str, Any]
SEVERITIES = ("critical", "error", "warning", "info")
ACTIONS = ("trigger", "acknowledge", "resolve")
DEDUP_MOST = 255
SUMMARY_MOST = 1024


def _mistakes(body: Any, known_keys: set[str]) -> list[str]:
    """What is wrong with an event, in PagerDuty's manner."""
    if not isinstance(body, dict):
        return ["Event object is malformed"]
    errors = []
    if body.get("routing_key") not in known_keys:
        errors.append("'routing_key' is invalid or blank")
    action = body.get("event_action")
    if action not in ACTIONS:
        errors.append("'event_action' is missing or not valid")
    dedup = body.get("dedup_key")
    if dedup is not None and (not isinstance(dedup, str) or len(dedup) > DEDUP_MOST):
        errors.append("'dedup_key' must be a string of at most 255 characters")
    if action in ("acknowledge", "resolve") and not dedup:
        errors.append("'dedup_key' is missing or blank")
    payload = body.get("payload")
    if action == "trigger":
        if not isinstance(payload, dict):
            return [*errors, "'payload' is missing or blank"]
        for name in ("summary", "source", "severity"):
            if not payload.get(name):
                errors.append(f"'payload.{name}' is missing or blank")
        if payload.get("severity") not in (None, *SEVERITIES):
            errors.append("'payload.severity' is invalid (must be one of critical, error, warning, info)")
    return errors


class PagerDutyEvents:
    """POST /v2/enqueue."""

    def __init__(self, pagerduty: PagerDuty) -> None:
        self.pagerduty = pagerduty
        self._ids = Ids()

    def routes(self) -> list[Route]:
        return [Route("/v2/enqueue", self.enqueue, methods=["POST"])]

    async def enqueue(self, request: Request) -> Response:
        """202 with the dedup_key, or 400 with what is wrong."""
        try:
            body = await request.json()
        except ValueError:
            body = None
        errors = _mistakes(body, set(self.pagerduty.routing_keys))
        if errors:
            return JSONResponse(
                {"status": "invalid event", "message": "Event object is invalid", "errors": errors}, 400
            )
        key = body.get("dedup_key") or self._ids.next("srv01.").lower()
        self._apply(body, key)
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    def _apply(self, body: Json, key: str) -> None:
        pagerduty, service = self.pagerduty, self.pagerduty.routing_keys[body["routing_key"]]
        if body["event_action"] == "trigger":
            payload = body["payload"]
            severity = payload["severity"]
            details = payload.get("custom_details")
            client = {"name": body["client"]} if body.get("client") else None
            pagerduty.trigger(
                service,
                str(payload["summary"])[:SUMMARY_MOST],
                key=key,
                urgency="high" if severity in ("critical", "error") else "low",
                severity=severity,
                source=str(payload["source"]),
                details=details if isinstance(details, dict) else {"details": details} if details else {},
                client=client,
            )
            return
        incident = pagerduty.open_with_key(service, key)
        if incident is None:
            return
        if body["event_action"] == "resolve":
            pagerduty.resolve(incident, service_ref(service))
        elif incident.status == "triggered":
            pagerduty.acknowledge(incident, incident.assignees[0])
