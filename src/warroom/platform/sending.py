"""Sending an act, once: over HTTP, as a command, as a statement, as a line of a record. Every way it can end is a
Reply; nothing here raises but cancellation."""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import httpx
from sqlalchemy.engine import CursorResult

from warroom.domain.policy import Action
from warroom.domain.slots import fill
from warroom.platform import commands
from warroom.platform.answers import Seen
from warroom.platform.http_probe import trouble
from warroom.platform.requests import Order, Request, address, arguments
from warroom.platform.sql import bound, engine_of, is_refusal, meaning, safe_url, server_limit
from warroom.platform.surroundings import NoAnswerError, Surroundings
from warroom.platform.words import span

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


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How sending went. accepted: the platform said yes. refused: it said no. not_sent: it never got there.
    unclear: it may or may not have taken effect. `said` continues "…, "."""

    kind: Literal["accepted", "refused", "not_sent", "unclear"]
    said: str


async def send(
    order: Order, request: Request, known: Mapping[str, object], bearer: Mapping[str, str], surroundings: Surroundings
) -> Reply:
    """Send it, over after `action.timeout` (real time) at the latest."""
    if order.action.command is not None:
        return await _run(order.action, known, surroundings)
    if order.action.sql is not None:
        return await _change(order.action, known, surroundings)
    if order.action.record is not None:
        return _append(order, known, surroundings)
    return await _request(order.action, request, known, bearer, surroundings)


async def _request(
    action: Action,
    request: Request,
    known: Mapping[str, object],
    bearer: Mapping[str, str],
    surroundings: Surroundings,
) -> Reply:
    begin = time.monotonic()
    status: int | None = None
    body = bytearray()
    limit = action.timeout.total_seconds()
    lost = ""
    try:
        async with asyncio.timeout(limit):
            async with surroundings.http.stream(
                request.method,
                address(action, known, surroundings),
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
    text = surroundings.redactor(action.auth).text(body.decode("utf-8", "replace"))
    return _understood(status, span(time.monotonic() - begin), " ".join(text.split()))


def _understood(status: int, took: str, text: str) -> Reply:
    """A status, however the body fared. A redirect is not followed and 408 is a time-out: both are unclear."""
    words = f"HTTP {status} in {took}{_shown(text)}"
    if 200 <= status < 300:
        return Reply(kind="accepted", said=f"the platform answered {words}")
    if 400 <= status < 500 and status != REQUEST_TIMEOUT:
        return Reply(kind="refused", said=f"the platform refused it with {words}")
    return Reply(kind="unclear", said=f"the platform answered {words}, which does not say whether it was done")


async def _run(action: Action, known: Mapping[str, object], surroundings: Surroundings) -> Reply:
    """A command that fails may have done a part of its work: only 0 is a yes, and nothing but not starting is a no."""
    seen, limit = Seen(), action.timeout.total_seconds()
    begin = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            code = await commands.run(arguments(action.command or (), known, surroundings), surroundings.environ, seen)
    except NoAnswerError as exc:
        return Reply(kind="not_sent", said=f"{exc} (nothing was run)")
    except TimeoutError:
        return Reply(kind="unclear", said=f"it did not end within {span(limit)} and was stopped")
    text = " ".join(surroundings.redactor(action.auth).text(seen.text).split())
    words = f"{commands.said(code)} in {span(time.monotonic() - begin)}{_shown(text)}"
    if code == 0:
        return Reply(kind="accepted", said=f"it ended with {words}")
    return Reply(kind="unclear", said=f"it ended with {words}, which does not say how much of it was done")


async def _change(action: Action, known: Mapping[str, object], surroundings: Surroundings) -> Reply:
    """One statement in one transaction: refused is not done; what is lost at the commit is unclear."""
    limit = action.timeout.total_seconds()
    committing = False
    try:
        url = safe_url(surroundings.database(action.database), write=True)
        engine = engine_of(url, limit, write=True)
    except NoAnswerError as exc:
        return Reply(kind="not_sent", said=f"{exc} (nothing was changed)")
    try:
        async with asyncio.timeout(limit), engine.connect() as connection:
            if url.get_backend_name() == "postgresql":
                await connection.execute(server_limit(limit))
            done = cast(CursorResult[Any], await connection.execute(bound(action.sql or "", known)))
            committing = True
            await connection.commit()
    except Exception as exc:
        if not is_refusal(exc):  # a time-out is an OSError
            raise
        why = meaning(exc)
        said = f"no answer came within {span(limit)}" if isinstance(why, TimeoutError) else str(why)
        if committing:
            return Reply(kind="unclear", said=f"{said}, in the middle of the commit")
        return Reply(kind="refused", said=f"{said} (nothing was changed)")
    finally:
        await engine.dispose()
    return Reply(kind="accepted", said=f"the database changed {done.rowcount} row{'s' if done.rowcount != 1 else ''}")


def record_file(action: Action, surroundings: Surroundings) -> Path:
    """The file of a record, below the data folder. Raises NoAnswerError for one outside of it."""
    base = surroundings.data.resolve()
    path = (base / (action.record or "")).resolve()
    if not path.is_relative_to(base) or path == base:
        raise NoAnswerError("the record's file lies outside of the data folder: set `record` right in the pack")
    return path


def _append(order: Order, known: Mapping[str, object], surroundings: Surroundings) -> Reply:
    body = cast(dict[str, object], fill(order.action.body, known))
    line = {"at": surroundings.clock.now().isoformat(), "incident": order.incident, "run": order.run, **body}
    try:
        path = record_file(order.action, surroundings)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except NoAnswerError as exc:
        return Reply(kind="not_sent", said=f"{exc} (nothing was written)")
    except OSError as exc:
        return Reply(kind="unclear", said=f"the file could not be written: {exc.strerror}")
    return Reply(kind="accepted", said="the line is written")


def recorded(order: Order, surroundings: Surroundings) -> bool:
    """Whether the record's file holds the line of this order. Raises NoAnswerError, OSError."""
    path = record_file(order.action, surroundings)
    if not path.exists():
        return False
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # somebody else's line, or one cut off by a crash: not ours
        if isinstance(line, dict) and line.get("run") == order.run and line.get("incident") == order.incident:
            return True
    return False


def _shown(text: str) -> str:
    shown = text if len(text) <= REPLY_SHOWN else text[: REPLY_SHOWN - 1] + "…"
    return f" ({shown})" if shown else ""
