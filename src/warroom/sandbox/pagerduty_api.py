"""PagerDuty's REST API v2."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from warroom.sandbox.pagerduty_fixture import POLICIES, PRIORITIES, SERVICES, USERS, Policy, find_user
from warroom.sandbox.pagerduty_incident import Incident, PagerDutyError, invalid, not_found, rest_json
from warroom.sandbox.pagerduty_shapes import (
    policy_json,
    policy_ref,
    priority_json,
    service_json,
    user_json,
    user_ref,
)
from warroom.sandbox.pagerduty_state import PagerDuty
from warroom.sandbox.pagerduty_webhooks import Webhooks

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Json | tuple[Json, int]]]
PAGE_MOST = 100
STATUSES = ("triggered", "acknowledged", "resolved")
ABILITIES = ("teams", "urgencies", "service_support_hours", "coordinated_responding", "incident_priorities")


def _user_of(request: Request) -> str:
    """The PagerDuty id of the user in the From header; raises PagerDutyError 400."""
    email = request.headers.get("from")
    if not email:
        raise PagerDutyError(400, 1008, "Requester User Not Found", "The From header is required")
    user = find_user(email) if "@" in email else None
    if user is None:
        raise PagerDutyError(400, 1008, "Requester User Not Found")
    return user.id


async def _object(request: Request, name: str) -> Json:
    """``{name: {...}}`` of the body; raises PagerDutyError 400."""
    try:
        body = await request.json()
    except ValueError as exc:
        raise invalid("Request body is not valid JSON") from exc
    inner = body.get(name) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        raise invalid(f"{name.capitalize()} is required")
    return inner


def _time(request: Request, name: str) -> datetime | None:
    """A time of the query, in UTC when it does not say; raises PagerDutyError 400."""
    value = request.query_params.get(name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError as exc:
        raise PagerDutyError(400, 2004, "Invalid 'since' or 'until' Parameter Values") from exc
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise invalid(f"{name} must be true or false")
    return value == "true"


def paged(request: Request, name: str, items: list[Json]) -> Json:
    """Classic pagination: limit ≤ 100, offset, more, and total only when asked for."""
    limit, offset = request.query_params.get("limit", "25"), request.query_params.get("offset", "0")
    if not limit.isdigit() or not offset.isdigit() or int(limit) < 1:
        raise invalid("limit and offset must be numbers")
    size, start = min(int(limit), PAGE_MOST), int(offset)
    more = start + size < len(items)
    total = len(items) if _flag(request, "total") else None
    return {name: items[start : start + size], "limit": size, "offset": start, "more": more, "total": total}


class PagerDutyApi:
    """The routes under /pagerduty."""

    def __init__(self, pagerduty: PagerDuty, webhooks: Webhooks, token: str) -> None:
        self.pagerduty = pagerduty
        self.webhooks = webhooks
        self.token = token

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/incidents", self.incidents),
            ("PUT", "/incidents", self.update_many),
            ("POST", "/incidents", self.create),
            ("GET", "/incidents/{id}", self.incident),
            ("PUT", "/incidents/{id}", self.update),
            ("GET", "/incidents/{id}/notes", self.notes),
            ("POST", "/incidents/{id}/notes", self.add_note),
            ("POST", "/incidents/{id}/responder_requests", self.responder_request),
            ("POST", "/incidents/{id}/status_updates", self.status_update),
            ("GET", "/incidents/{id}/log_entries", self.log_entries),
            ("GET", "/incidents/{id}/alerts", self.alerts),
            ("GET", "/oncalls", self.oncalls),
            ("GET", "/users", self.users),
            ("GET", "/users/me", self.me),
            ("GET", "/users/{id}", self.user),
            ("GET", "/services", self.services),
            ("GET", "/services/{id}", self.service),
            ("GET", "/escalation_policies", self.policies),
            ("GET", "/escalation_policies/{id}", self.policy),
            ("GET", "/priorities", self.priorities),
            ("GET", "/abilities", self.abilities),
            ("GET", "/webhook_subscriptions", self.subscriptions),
            ("POST", "/webhook_subscriptions", self.subscribe),
            ("POST", "/webhook_subscriptions/{id}/ping", self.ping),
        ]
        return [Route(path, self._guarded(handler), methods=[verb]) for verb, path, handler in table]

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if given not in (f"Token token={self.token}", f"Bearer {self.token}"):
                return PlainTextResponse("HTTP Token: Access denied.\n", 401)
            try:
                answer = await handler(request)
            except PagerDutyError as error:
                return JSONResponse(error.as_json(), error.status)
            body, status = answer if isinstance(answer, tuple) else (answer, 200)
            return Response(status_code=status) if status == 204 else JSONResponse(body, status)

        return handle

    def _find(self, request: Request) -> Incident:
        return self.pagerduty.find(request.path_params["id"])

    async def incidents(self, request: Request) -> Json:
        """Filters: statuses[], service_ids[], urgencies[], user_ids[], incident_key, since, until."""
        query = request.query_params
        statuses = query.getlist("statuses[]")
        if not set(statuses) <= set(STATUSES):
            raise PagerDutyError(400, 1003, "Invalid Status Provided")
        since, until = _time(request, "since"), _time(request, "until")
        shown = [
            incident
            for incident in self.pagerduty.incidents.values()
            if (not statuses or incident.status in statuses)
            and _within(query.getlist("service_ids[]"), incident.service.id)
            and _within(query.getlist("urgencies[]"), incident.urgency)
            and (not (users := query.getlist("user_ids[]")) or set(users) & set(incident.assignees))
            and query.get("incident_key") in (None, incident.key)
            and (since is None or incident.created_at >= since)
            and (until is None or incident.created_at < until)
        ]
        if query.get("sort_by", "").endswith(":desc"):
            shown.reverse()
        include = query.getlist("include[]")
        return paged(request, "incidents", [rest_json(incident, include) for incident in shown])

    async def incident(self, request: Request) -> Json:
        return {"incident": rest_json(self._find(request), request.query_params.getlist("include[]"))}

    async def create(self, request: Request) -> tuple[Json, int]:
        user, body = _user_of(request), await _object(request, "incident")
        if body.get("type") != "incident":
            raise invalid("Incident type must be incident")
        service = self.pagerduty.service(str((body.get("service") or {}).get("id")))
        key = body.get("incident_key")
        if key and self.pagerduty.open_with_key(service, key):
            raise invalid("Open incident with matching dedup key already exists on this service")
        details = (body.get("body") or {}).get("details", "")
        incident = self.pagerduty.trigger(
            service,
            str(body.get("title") or ""),
            key=key,
            urgency=_urgency(body),
            priority=(body.get("priority") or {}).get("id"),
            agent=user_ref(user),
            policy=self._policy_of(body),
            body=str(details),
            assignees=[a["assignee"]["id"] for a in body.get("assignments", [])],
            with_alert=False,
        )
        return {"incident": rest_json(incident, [])}, 201

    async def update(self, request: Request) -> Json:
        incident = self._find(request)
        self._change(incident, await _object(request, "incident"), _user_of(request))
        return {"incident": rest_json(incident, [])}

    async def update_many(self, request: Request) -> Json:
        user = _user_of(request)
        body = await request.json()
        wanted = body.get("incidents") if isinstance(body, dict) else None
        if not isinstance(wanted, list) or not wanted:
            raise invalid("Incidents is required")
        found = [(self.pagerduty.find(str(item.get("id"))), item) for item in wanted]
        for incident, item in found:
            self._change(incident, item, user)
        return paged(request, "incidents", [rest_json(incident, []) for incident, _ in found])

    def _policy_of(self, body: Json) -> Policy | None:
        wanted = body.get("escalation_policy")
        return self.pagerduty.policy(str(wanted.get("id"))) if isinstance(wanted, dict) else None

    def _change(self, incident: Incident, body: Json, user: str) -> None:
        """Apply a PUT; raises PagerDutyError."""
        if body.get("type") not in ("incident", "incident_reference"):
            raise invalid("Incident type must be incident_reference")
        pagerduty, agent = self.pagerduty, user_ref(user)
        status = body.get("status")
        if status not in (None, "acknowledged", "resolved"):
            raise PagerDutyError(400, 1003, "Invalid Status Provided")
        if "priority" in body:
            pagerduty.prioritise(incident, (body["priority"] or {}).get("id"), agent)
        if body.get("title"):
            incident.title = str(body["title"])
        if body.get("urgency"):
            incident.urgency = _urgency(body)
        if body.get("assignments"):
            users = [str(a["assignee"]["id"]) for a in body["assignments"]]
            if not all(map(find_user, users)):
                raise invalid("Assignee is not valid")
            pagerduty.reassign(incident, users, agent)
        if body.get("escalation_level"):
            pagerduty.escalate(incident, agent, int(body["escalation_level"]))
        policy = self._policy_of(body)
        if policy is not None:
            pagerduty.delegate(incident, policy, agent)
        if status == "acknowledged":
            pagerduty.acknowledge(incident, user)
        elif status == "resolved":
            pagerduty.resolve(incident, agent)

    async def notes(self, request: Request) -> Json:
        return {"notes": self._find(request).notes}

    async def add_note(self, request: Request) -> tuple[Json, int]:
        body = await _object(request, "note")
        note = self.pagerduty.note(self._find(request), str(body.get("content") or ""), _user_of(request))
        return {"note": note}, 201

    async def responder_request(self, request: Request) -> Json:
        _user_of(request)
        body = await request.json()
        targets = [t.get("responder_request_target") for t in body.get("responder_request_targets") or []]
        requester = str(body.get("requester_id", ""))
        if find_user(requester) is None:
            raise invalid("Requester is required")
        if not body.get("message"):
            raise invalid("Message is required")
        if not targets or not all(isinstance(t, dict) for t in targets):
            raise invalid("Responder request targets is required")
        found = self._find(request)
        done = self.pagerduty.request_responders(found, str(body["message"]), targets, requester)
        return {"responder_request": done}

    async def status_update(self, request: Request) -> Json:
        body = await request.json()
        message = str(body.get("message") or "") if isinstance(body, dict) else ""
        update = self.pagerduty.publish_update(self._find(request), message, _user_of(request))
        return {"status_update": update}

    async def log_entries(self, request: Request) -> Json:
        """The newest first, from ``since`` until before ``until``."""
        since, until = _time(request, "since"), _time(request, "until")
        shown = [
            entry
            for entry in self._find(request).log[::-1]
            if (since is None or datetime.fromisoformat(entry["created_at"]) >= since)
            and (until is None or datetime.fromisoformat(entry["created_at"]) < until)
        ]
        return paged(request, "log_entries", shown)

    async def alerts(self, request: Request) -> Json:
        return paged(request, "alerts", self._find(request).alerts)

    async def oncalls(self, request: Request) -> Json:
        """``earliest`` must be true or false in lower case."""
        earliest, query = _flag(request, "earliest"), request.query_params
        wanted, users = query.getlist("escalation_policy_ids[]"), query.getlist("user_ids[]")
        whole = "users" in query.getlist("include[]")
        rows: list[Json] = [
            {
                "escalation_policy": policy_ref(policy),
                "escalation_level": level,
                "schedule": None,
                "user": _whole(user) if whole else user_ref(user),
                "start": None,
                "end": None,
            }
            for policy in POLICIES
            for level, names in enumerate(policy.levels, 1)
            for user in names
            if _within(wanted, policy.id) and _within(users, user)
        ]
        if earliest:
            rows = list({(r["user"]["id"], r["escalation_policy"]["id"]): r for r in rows[::-1]}.values())[::-1]
        return paged(request, "oncalls", rows)

    async def users(self, request: Request) -> Json:
        query = request.query_params.get("query", "").lower()
        found = [user for user in USERS if query in f"{user.name} {user.email}".lower()]
        return paged(request, "users", [user_json(user) for user in found])

    async def me(self, request: Request) -> Json:
        raise PagerDutyError(400, 2001, "Invalid Input Provided", "Account-level tokens have no current user")

    async def user(self, request: Request) -> Json:
        return {"user": _whole(request.path_params["id"])}

    async def services(self, request: Request) -> Json:
        query = request.query_params.get("query", "").lower()
        return paged(request, "services", [service_json(s) for s in SERVICES if query in s.name])

    async def service(self, request: Request) -> Json:
        return {"service": service_json(self.pagerduty.service(request.path_params["id"]))}

    async def policies(self, request: Request) -> Json:
        return paged(request, "escalation_policies", [policy_json(p) for p in POLICIES])

    async def policy(self, request: Request) -> Json:
        return {"escalation_policy": policy_json(self.pagerduty.policy(request.path_params["id"]))}

    async def priorities(self, request: Request) -> Json:
        return paged(request, "priorities", [priority_json(p) for p in PRIORITIES])

    async def abilities(self, request: Request) -> Json:
        return {"abilities": list(ABILITIES)}

    async def subscriptions(self, request: Request) -> Json:
        return paged(request, "webhook_subscriptions", self.webhooks.subscriptions())

    async def subscribe(self, request: Request) -> tuple[Json, int]:
        body = await _object(request, "webhook_subscription")
        method = body.get("delivery_method") or {}
        if body.get("type") != "webhook_subscription" or method.get("type") != "http_delivery_method":
            raise invalid("Delivery method must be http_delivery_method")
        if not str(method.get("url", "")).startswith("http") or not body.get("events"):
            raise invalid("Url and events are required")
        return {"webhook_subscription": self.webhooks.subscribe(method["url"], body["events"])}, 201

    async def ping(self, request: Request) -> tuple[Json, int]:
        if not self.webhooks.ping(request.path_params["id"]):
            raise not_found()
        return {}, 202


def _whole(user_id: str) -> Json:
    """A user; raises PagerDutyError 404."""
    user = find_user(user_id)
    if user is None:
        raise not_found()
    return user_json(user)


def _within(wanted: list[str], value: str) -> bool:
    return not wanted or value in wanted


def _urgency(body: Json) -> str:
    urgency = str(body.get("urgency") or "high")
    if urgency not in ("high", "low"):
        raise invalid("Urgency must be high or low")
    return urgency
