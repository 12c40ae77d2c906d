"""The front door: every request is written down, delayed, refused or cut off here before anything else."""

import asyncio
from collections.abc import Callable

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warroom.sandbox.faults import Fault, Faults
from warroom.sandbox.journal import Journal

OUTCOME = "sandbox.outcome"
"""key in the ASGI scope: the error a handler answered with, if it was not a success"""
HANG_UP = "sandbox.hang_up"
"""key in the ASGI scope: call it to close the TCP connection"""

_SURFACES = (
    ("/slack/api/", "slack"),
    ("/slack/", "slack"),
    ("/pagerduty-events/", "events"),
    ("/pagerduty/", "pagerduty"),
    ("/platform/", "platform"),
    ("/pit/", "pit"),
    ("/status-page/", "status_page"),
    ("/wiki/", "wiki"),
    ("/eafix/", "eafix"),
)


class HangUp(Response):
    """Answers by closing the connection: the caller cannot know whether anything happened."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[OUTCOME] = "connection dropped"
        await hang_up(scope, receive)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection of this request and wait until it is closed."""
    scope[HANG_UP]()
    while (await receive())["type"] != "http.disconnect":
        continue


def surface_of(scope: Scope) -> tuple[str, str] | None:
    """Surface and method of a request: ``slack chat.postMessage``, ``pagerduty PUT /incidents/PABC``."""
    path = scope["path"]
    for prefix, surface in _SURFACES:
        if path.startswith(prefix):
            rest = path.removeprefix(prefix)
            return surface, rest if surface == "slack" else f"{scope['method']} /{rest}"
    return None


class Door:
    """ASGI middleware for the whole sandbox. ``close`` closes the connection of a scope."""

    def __init__(
        self,
        app: ASGIApp,
        journal: Journal,
        faults: Faults,
        close: Callable[[Scope], None],
        latency_s: Callable[[str], float],
    ) -> None:
        self._app = app
        self._journal = journal
        self._faults = faults
        self._close = close
        self._latency_s = latency_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called = surface_of(scope) if scope["type"] == "http" else None
        if called is None:
            await self._app(scope, receive, send)
            return
        scope[OUTCOME] = None
        scope[HANG_UP] = lambda: self._close(scope)
        call = self._journal.begin(*called)
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._answer(called, scope, receive, noted)
        finally:
            error = scope[OUTCOME] or (f"HTTP {status}" if status >= 400 else None)
            self._journal.end(call, error)

    async def _answer(self, called: tuple[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        met = self._faults.take(*called)
        delay = self._latency_s(called[0]) + sum(f.delay_s for f in met if f.kind == "latency")
        if delay:
            await asyncio.sleep(delay)
        fault = next((f for f in met if f.kind != "latency"), None)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind in ("drop_before", "outage"):
            scope[OUTCOME] = fault.kind
            await hang_up(scope, receive)
        elif fault.kind == "drop_after":
            await self._app(scope, receive, _nowhere)
            scope[OUTCOME] = fault.kind
            await hang_up(scope, receive)
        else:
            scope[OUTCOME] = fault.error if fault.kind == "refuse" else fault.kind
            await _refusal(called[0], fault)(scope, receive, send)


async def _nowhere(message: Message) -> None:
    """Takes an answer that nobody will see."""


def _refusal(surface: str, fault: Fault) -> Response:
    """The failure in the words of the service."""
    if fault.kind == "429":
        headers = {"Retry-After": str(fault.retry_after)}
        if surface == "slack":
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers)
        error = {"message": "Rate Limit Exceeded", "code": 2020}
        return JSONResponse({"error": error}, 429, headers | {"ratelimit-reset": str(fault.retry_after)})
    if fault.kind == "500":
        return PlainTextResponse("Internal Server Error", 500)
    if surface == "slack":
        return JSONResponse({"ok": False, "error": fault.error})
    return JSONResponse({"error": {"message": fault.error, "code": 2001, "errors": [fault.error]}}, 400)
