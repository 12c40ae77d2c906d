"""A public status page with Statuspage's API, under /status-page."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warroom.sandbox.feed import Feed
from warroom.sandbox.ids import Ids

Json = dict[str, Any]
STATUSES = ("investigating", "identified", "monitoring", "resolved")
COMPONENT_STATES = ("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance")


class StatusPage:
    """The page's incidents, oldest first; each keeps its updates, oldest first."""

    def __init__(self, now: Callable[[], datetime], feed: Feed) -> None:
        self._now = now
        self._feed = feed
        self._ids = Ids()
        self.page = "sandboxpage"
        self.key = "sandbox-statuspage-key"
        self.components = {"signals": "operational", "orders": "operational"}
        self.incidents: list[Json] = []

    def as_json(self) -> Json:
        return {"incidents": self.incidents, "components": self.components}

    def routes(self) -> list[Route]:
        path = "/v1/pages/{page}/incidents"
        return [
            Route(path, self._guarded(self._list), methods=["GET"]),
            Route(path, self._guarded(self._create), methods=["POST"]),
            Route(path + "/{id}", self._guarded(self._update), methods=["PATCH"]),
        ]

    def _guarded(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            if request.headers.get("authorization") != f"OAuth {self.key}":
                return JSONResponse({"error": "Could not authenticate"}, 401)
            if request.path_params["page"] != self.page:
                return JSONResponse({"error": "Not found"}, 404)
            return await handler(request)

        return handle

    async def _list(self, request: Request) -> Response:
        limit = int(request.query_params.get("limit", "100"))
        return JSONResponse(self.incidents[::-1][:limit])

    async def _create(self, request: Request) -> Response:
        body = await _incident(request)
        if not body.get("name"):
            return JSONResponse({"error": ["Name can't be blank"]}, 422)
        made: Json = {
            "id": self._ids.next("sp"),
            "name": body["name"],
            "status": "investigating",
            "metadata": {},
            "incident_updates": [],
            "created_at": self._now().isoformat(),
        }
        made["shortlink"] = f"https://stspg.example/{made['id']}"
        if (wrong := self._apply(made, body)) is not None:
            return wrong
        self.incidents.append(made)
        return JSONResponse(made, 201)

    async def _update(self, request: Request) -> Response:
        found = next((i for i in self.incidents if i["id"] == request.path_params["id"]), None)
        if found is None:
            return JSONResponse({"error": "Not found"}, 404)
        return self._apply(found, await _incident(request)) or JSONResponse(found)

    def _apply(self, incident: Json, body: Json) -> Response | None:
        """Changes the incident; the refusal when something in `body` is not possible."""
        status = body.get("status", incident["status"])
        states = body.get("components") or {}
        if status not in STATUSES:
            return JSONResponse({"error": ["Status is not included in the list"]}, 422)
        if not set(states) <= set(self.components) or not set(states.values()) <= set(COMPONENT_STATES):
            return JSONResponse({"error": ["Components are not valid"]}, 422)
        self.components |= states
        incident["status"] = status
        incident["metadata"] = {**incident["metadata"], **(body.get("metadata") or {})}
        update = {"status": status, "body": str(body.get("body") or ""), "created_at": self._now().isoformat()}
        incident["incident_updates"].append(update)
        self._feed.publish("status_page", at=update["created_at"], name=incident["name"], text=update["body"])
        return None


async def _incident(request: Request) -> Json:
    body = await request.json()
    inner = body.get("incident") if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {}
