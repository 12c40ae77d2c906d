"""Acting on the platform: sent once, never repeated, and believed only when it is read back."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from warroom.domain.policy import Action, Probe
from warroom.platform.http_probe import trouble
from warroom.platform.readback import Effect, Reading, Sleep, read_back, read_once, told
from warroom.platform.requests import ParametersError, Request, expected, preview
from warroom.platform.surroundings import NoAnswerError, Surroundings
from warroom.platform.words import span

__all__ = ["Order", "ParametersError", "Request", "act", "look_again", "preview"]

Outcome = Literal["confirmed", "failed", "unknown", "dry_run"]
REPLY_LIMIT = 64 * 1024
REPLY_SHOWN = 200
REQUEST_TIMEOUT = 408
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""Errors that come before the first byte leaves."""

BY_READING: dict[Effect, Outcome] = {"in effect": "confirmed", "not in effect": "failed", "unreadable": "unknown"}
"""What an act comes to unless the platform said no or nothing was sent: the last reading alone decides."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """An action somebody authorised, with its values, and the probe that shows whether it took effect."""

    action: Action
    read_back: Probe
    parameters: Mapping[str, object]
    reason: str
    operator: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How sending went. accepted: 2xx. refused: the platform said no. not_sent: there was no connection.
    unclear: it may or may not have reached the platform. `said` continues "…, "."""

    kind: Literal["accepted", "refused", "not_sent", "unclear"]
    said: str


async def act(
    order: Order, mode: Literal["dry_run", "live"], surroundings: Surroundings, sleep: Sleep = asyncio.sleep
) -> dict[str, Any]:
    """Do it once and read it back; `dry_run` reads once and sends nothing.

    Gives outcome (confirmed, failed, unknown or dry_run), detail (what was sent, what came back, what the reading
    says, what to do next), request and readings, all plain JSON. Only cancellation raises.
    """
    try:
        request = preview(order.action, order.parameters, order.reason, order.operator, surroundings)
        probe = expected(order.read_back, order.action, order.parameters)
    except ParametersError as exc:
        return _settled("failed", f"Nothing was sent. {exc} Correct this and order it again.", None, ())
    try:
        bearer, missing = surroundings.bearer(order.action.auth), ""
    except NoAnswerError as exc:
        bearer, missing = {}, str(exc)
    plan = order.action.read_back
    if mode == "dry_run":
        seen = await read_once(plan, probe, surroundings)
        return _settled("dry_run", _dry(request, seen, missing), request, (seen,))
    if missing:
        return _settled("failed", f"Nothing was sent: {missing}, restart warroom, and order it again.", request, ())
    reply = await _send(order, request, bearer, surroundings)
    if reply.kind in ("refused", "not_sent"):
        readings: tuple[Reading, ...] = (await read_once(plan, probe, surroundings),)
        outcome: Outcome = "failed"
    else:
        readings = await read_back(plan, probe, surroundings, sleep)
        outcome = BY_READING[readings[-1].state]
    tried = "could not send" if reply.kind == "not_sent" else "sent once:"
    detail = " ".join(
        [
            f"{order.action.title}: {tried} {request.method} {request.url}, {reply.said}.",
            told(readings, plan),
            _next(outcome, reply, readings[-1].state),
        ]
    ).rstrip()
    return _settled(outcome, detail, request, readings)


async def look_again(order: Order, surroundings: Surroundings, sleep: Sleep = asyncio.sleep) -> dict[str, Any]:
    """After the process stopped somewhere around sending: read back, send nothing.

    The outcome is confirmed when the effect shows, else unknown: "not in effect" proves nothing here, as the
    request may still be on its way.
    """
    request, probe = None, order.read_back
    with suppress(ParametersError):
        request = preview(order.action, order.parameters, order.reason, order.operator, surroundings)
        probe = expected(order.read_back, order.action, order.parameters)
    plan = order.action.read_back
    readings = await read_back(plan, probe, surroundings, sleep)
    stopped = f"{order.action.title}: warroom stopped between sending and reading back, and it was not repeated."
    if readings[-1].state == "in effect":
        return _settled("confirmed", f"{stopped} {told(readings, plan)}", request, readings)
    advice = "Nobody knows whether it was sent. Look at the platform itself before ordering it again."
    return _settled("unknown", f"{stopped} {told(readings, plan)} {advice}", request, readings)


async def _send(order: Order, request: Request, bearer: Mapping[str, str], surroundings: Surroundings) -> Reply:
    """The one place where something is sent; every way it can end is a Reply."""
    begin = time.monotonic()
    status: int | None = None
    body = bytearray()
    limit = order.action.timeout.total_seconds()
    lost = ""
    try:
        async with asyncio.timeout(limit):
            async with surroundings.http.stream(
                request.method,
                surroundings.url(order.action.http or ""),
                headers={**request.headers, **bearer},
                json=request.body,
                timeout=limit,
                follow_redirects=False,
            ) as response:
                status = response.status_code
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > REPLY_LIMIT:
                        break
    except NOT_SENT as exc:
        return Reply(kind="not_sent", said=f"{trouble(exc)} (nothing was sent)")
    except (TimeoutError, httpx.TimeoutException):
        lost = f"no answer came within {span(limit)}"
    except httpx.HTTPError as exc:
        lost = f"no answer came: {trouble(exc)}"
    if status is None:
        return Reply(kind="unclear", said=lost)
    text = surroundings.redactor(order.action.auth).text(body.decode("utf-8", "replace"))
    return _understood(status, span(time.monotonic() - begin), " ".join(text.split()))


def _understood(status: int, took: str, text: str) -> Reply:
    """A status, however the body fared. A redirect is not followed and 408 is a time-out: both are unclear."""
    shown = text if len(text) <= REPLY_SHOWN else text[: REPLY_SHOWN - 1] + "…"
    words = f"HTTP {status} in {took}" + (f" ({shown})" if shown else "")
    if 200 <= status < 300:
        return Reply(kind="accepted", said=f"the platform answered {words}")
    if 400 <= status < 500 and status != REQUEST_TIMEOUT:
        return Reply(kind="refused", said=f"the platform refused it with {words}")
    return Reply(kind="unclear", said=f"the platform answered {words}, which does not say whether it was done")


def _next(outcome: Outcome, reply: Reply, state: Effect) -> str:
    """What to do now; nothing when it is confirmed."""
    if outcome == "confirmed":
        return ""
    if outcome == "unknown":
        return (
            "Whether it took effect is UNKNOWN and it will not be repeated by itself. "
            "Look at the platform itself, and order it again only if it is not in effect."
        )
    if reply.kind in ("refused", "not_sent") and state == "in effect":
        return "The platform shows the effect all the same, but not through this order: find out who did it."
    if reply.kind == "refused":
        return "Mend what the platform complains about and order it again, or do it on the platform itself."
    if reply.kind == "not_sent":
        return "Do it on the platform itself, or order it again when it can be reached."
    late = " It may still take effect late." if reply.kind == "unclear" else ""
    return f"It has NOT taken effect.{late} Look at the platform itself, then order it again if it is still needed."


def _dry(request: Request, reading: Reading, missing: str) -> str:
    live = f"Live it would fail: {missing}." if missing else "Live it would be sent once and read back."
    now = {
        "in effect": "is in effect already",
        "not in effect": "is not in effect",
        "unreadable": "cannot be read",
    }[reading.state]
    return (
        f"DRY RUN: nothing was sent. It would be {request.method} {request.url}. "
        f"Right now it {now} ({reading.summary}). {live}"
    )


def _settled(outcome: Outcome, detail: str, request: Request | None, readings: tuple[Reading, ...]) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "detail": detail,
        "request": request.to_dict() if request else None,
        "readings": [r.to_dict() for r in readings],
    }
