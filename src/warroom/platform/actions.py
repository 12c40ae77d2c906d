"""Acting on the platform: sent once, never repeated, and believed only when it is read back."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

from warroom.platform.readback import Effect, Reading, Sleep, read_back, read_once, told
from warroom.platform.requests import Order, ParametersError, Request, expected, preview, values_of
from warroom.platform.sending import Reply, recorded, send
from warroom.platform.surroundings import NoAnswerError, Surroundings

__all__ = ["Order", "ParametersError", "Request", "act", "look_again", "preview"]

Outcome = Literal["confirmed", "failed", "unknown", "dry_run"]

BY_READING: dict[Effect, Outcome] = {"in effect": "confirmed", "not in effect": "failed", "unreadable": "unknown"}
"""What an act comes to unless the platform said no or nothing was sent: the last reading alone decides."""


async def act(
    order: Order, mode: Literal["dry_run", "live"], surroundings: Surroundings, sleep: Sleep = asyncio.sleep
) -> dict[str, Any]:
    """Do it once and read it back; `dry_run` reads once and sends nothing.

    Gives outcome (confirmed, failed, unknown or dry_run), detail (what was sent, what came back, what the reading
    says, what to do next), request and readings, all plain JSON. Only cancellation raises.
    """
    try:
        request, known = preview(order, surroundings), values_of(order)
    except ParametersError as exc:
        return _settled("failed", f"Nothing was sent. {exc} Correct this and order it again.", None, ())
    try:
        bearer, missing = surroundings.bearer(order.action.auth), ""
    except NoAnswerError as exc:
        bearer, missing = {}, str(exc)
    look = _Look(order, known, surroundings, sleep)
    if mode == "dry_run":
        seen = await look.once()
        return _settled("dry_run", _dry(request, seen, missing), request, (seen,))
    if missing:
        return _settled("failed", f"Nothing was sent: {missing}, restart warroom, and order it again.", request, ())
    reply = await send(order, request, known, bearer, surroundings)
    if reply.kind in ("refused", "not_sent"):
        readings: tuple[Reading, ...] = (await look.once(),)
        outcome: Outcome = "failed"
    else:
        readings = await look.until()
        outcome = BY_READING[readings[-1].state]
    tried = "could not send" if reply.kind == "not_sent" else "sent once:"
    detail = " ".join(
        [
            f"{order.action.title}: {tried} {request.method} {request.url}, {reply.said}.",
            told(readings, order.action.read_back),
            _next(outcome, reply, readings[-1].state),
        ]
    ).rstrip()
    return _settled(outcome, detail, request, readings)


async def look_again(order: Order, surroundings: Surroundings, sleep: Sleep = asyncio.sleep) -> dict[str, Any]:
    """After the process stopped somewhere around sending: read back, send nothing.

    The outcome is confirmed when the effect shows, else unknown: "not in effect" proves nothing here, as the
    request may still be on its way.
    """
    request, known = None, {}
    with suppress(ParametersError):
        known = values_of(order)
        request = preview(order, surroundings)
    readings = await _Look(order, known, surroundings, sleep).until()
    plan = order.action.read_back
    stopped = f"{order.action.title}: warroom stopped between sending and reading back, and it was not repeated."
    if readings[-1].state == "in effect":
        return _settled("confirmed", f"{stopped} {told(readings, plan)}", request, readings)
    advice = "Nobody knows whether it was sent. Look at the platform itself before ordering it again."
    return _settled("unknown", f"{stopped} {told(readings, plan)} {advice}", request, readings)


class _Look:
    """Reads an order's effect back: through its probe, or, for a record, in its file."""

    def __init__(self, order: Order, known: Mapping[str, object], surroundings: Surroundings, sleep: Sleep) -> None:
        self._order, self._sleep = order, sleep
        self._here = surroundings.knowing({**order.fields, **known})
        self._plan = order.action.read_back
        self._probe = expected(order.read_back, known) if order.read_back else None

    async def once(self) -> Reading:
        """One look."""
        if self._probe is None:
            return _in_the_file(self._order, self._here)
        return await read_once(self._plan, self._probe, self._here)

    async def until(self) -> tuple[Reading, ...]:
        """Looks until the effect shows or the time for that is over."""
        if self._probe is None:
            return (_in_the_file(self._order, self._here),)
        return await read_back(self._plan, self._probe, self._here, self._sleep)


def _in_the_file(order: Order, surroundings: Surroundings) -> Reading:
    now = surroundings.clock.now().isoformat()
    try:
        there = recorded(order, surroundings)
    except (NoAnswerError, OSError) as exc:
        return Reading(at=now, state="unreadable", summary=str(exc), value=None)
    summary = f"the line {'is' if there else 'is not'} in {order.action.record}"
    return Reading(at=now, state="in effect" if there else "not in effect", summary=summary, value=there)


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
