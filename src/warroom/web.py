"""The HTTP face: Slack's and PagerDuty's requests, health, metrics.

PagerDuty is answered 2xx only after its event is on disk and decided; whatever goes wrong before is a 4xx or 5xx with
one log line, so that it delivers again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from warroom.domain.inputs import Input
from warroom.engine.ports import Clock
from warroom.errors import BadRequest, WarroomError
from warroom.pagerduty import webhook

LARGEST = 1024 * 1024
log = structlog.get_logger("warroom.web")


class Health(Protocol):
    """Whether we can do our work."""

    async def ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Ready or not, and what is owed: database, backlog, overdue timers, dead letters."""
        ...

    async def measure(self) -> None:
        """Brings the gauges of what is owed up to date."""
        ...


def create_web(
    *,
    slack: ASGIApp,
    hear: Callable[[Input], Awaitable[object]],
    webhook_secrets: Sequence[str],
    clock: Clock,
    health: Health,
    registry: CollectorRegistry,
    report: Callable[[bytes, str], Awaitable[Response]],
) -> Starlette:
    """The routes. `slack` is the guarded Bolt app, `hear` takes a PagerDuty event and returns once it is on disk;
    `report` answers a violation report, given its body and its signature."""

    async def pagerduty(request: Request) -> Response:
        try:
            body = await _body(request)
            webhook.verify(body, request.headers.get("x-pagerduty-signature", ""), webhook_secrets)
            await hear(webhook.parse(body, clock.now()))
        except BadRequest as error:
            log.warning("pagerduty_request_refused", status=error.status, reason=str(error))
            return JSONResponse({"error": str(error)}, error.status)
        except WarroomError as error:
            log.error("pagerduty_event_not_written", error=type(error).__name__, reason=str(error))
            return JSONResponse({"error": "not written down; deliver it again"}, 503)
        return JSONResponse({"ok": True})

    async def violations(request: Request) -> Response:
        try:
            body = await _body(request)
        except BadRequest as error:
            return JSONResponse({"error": str(error)}, error.status)
        return await report(body, request.headers.get("x-warroom-signature", ""))

    async def healthz(request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(request: Request) -> Response:
        ready, owed = await health.ready()
        return JSONResponse({"ready": ready, **owed}, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        await health.measure()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/slack/events", slack, methods=["POST"]),
            Route("/pagerduty/webhook", pagerduty, methods=["POST"]),
            Route("/violations", violations, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


async def _body(request: Request) -> bytes:
    """The request's body. Raises BadRequest over 1 MiB or when the sender hung up, before more is read."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > LARGEST:
                raise BadRequest("the request is over 1 MiB", 413)
            parts.append(part)
    except ClientDisconnect as error:
        raise BadRequest("the sender hung up") from error
    return b"".join(parts)
