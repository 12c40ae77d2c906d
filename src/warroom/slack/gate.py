"""In front of Slack's endpoint: whatever is not an authentic, fresh, well-formed request of Slack ends here.

Bolt checks the signature too, but answers odd headers and bodies with 500 and a traceback.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warroom.errors import BadRequest, ConfigError

MOST_BYTES = 1024 * 1024
FRESH_S = 300.0
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_OBJECTS = ("user", "channel", "view", "event", "container", "message")
_LISTS = ("authorizations", "actions")
_OBJECTS_OR_TEXT = ("team", "enterprise", "user", "channel")

log = structlog.get_logger("warroom.slack")


class Gate:
    """ASGI middleware for Slack's request URL. `now` gives real seconds since 1970, not the story's.

    413 over 1 MiB; 400 for bodies that are not UTF-8 or malformed; 401 for a timestamp that is missing, odd or over
    five minutes off, and for a missing or wrong signature; 405, 415. Each with one log line and nothing stored.
    Raises ConfigError at once when there is no secret.
    """

    def __init__(self, app: ASGIApp, signing_secret: str, now: Callable[[], float] = time.time) -> None:
        if not signing_secret:
            raise ConfigError(["SLACK_SIGNING_SECRET is empty: copy it from the app's page, Basic Information."])
        self._app = app
        self._secret = signing_secret.encode()
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._checked(scope, receive)
        except BadRequest as error:
            log.warning("slack_request_refused", status=error.status, reason=str(error))
            await PlainTextResponse(str(error), error.status)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _checked(self, scope: Scope, receive: Receive) -> bytes:
        headers = Headers(scope=scope)
        if scope["method"] != "POST":
            raise BadRequest("only POST", 405)
        body = await _read(headers, receive)
        text = _utf8(body)
        self._check_time(headers)
        self._check_signature(headers, body)
        _check_form(headers.get("content-type", ""), text)
        return body

    def _check_time(self, headers: Headers) -> None:
        stamp = headers.get("x-slack-request-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise BadRequest("no timestamp, or none that is a number", 401)
        if abs(self._now() - int(stamp)) > FRESH_S:
            raise BadRequest("the timestamp is more than five minutes off", 401)

    def _check_signature(self, headers: Headers, body: bytes) -> None:
        given = headers.get("x-slack-signature", "")
        if not given:
            raise BadRequest("no signature", 401)
        base = b"v0:" + headers["x-slack-request-timestamp"].encode() + b":" + body
        wanted = "v0=" + hmac.new(self._secret, base, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogateescape")):
            raise BadRequest("the signature is wrong", 401)


async def _read(headers: Headers, receive: Receive) -> bytes:
    announced = headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise BadRequest("more than 1 MiB", 413)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("the sender hung up")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MOST_BYTES:
            raise BadRequest("more than 1 MiB", 413)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("the body is not UTF-8") from error


def _check_form(content_type: str, text: str) -> None:
    """The shape every payload of Slack has, so that nothing behind stumbles over it."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _JSON:
        _check_payload(text)
        return
    if kind != _FORM:
        raise BadRequest("the content type is neither a form nor JSON", 415)
    if text.startswith("{"):
        raise BadRequest("the body is no form")
    payload = parse_qs(text, keep_blank_values=True).get("payload")
    if payload:
        _check_payload(payload[-1])


def _check_payload(text: str) -> None:
    try:
        payload: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the payload is no JSON") from error
    if not isinstance(payload, dict):
        raise BadRequest("the payload is no object")
    for name in _OBJECTS + _OBJECTS_OR_TEXT:
        value = payload.get(name)
        text_is_fine = name in _OBJECTS_OR_TEXT and isinstance(value, str)
        if value is not None and not isinstance(value, dict) and not text_is_fine:
            raise BadRequest(f"{name} is no object")
    for name in _LISTS:
        given = payload.get(name)
        if given is not None and not (isinstance(given, list) and all(isinstance(one, dict) for one in given)):
            raise BadRequest(f"{name} is no list of objects")
    for action in payload.get("actions") or ():
        _need_text(action, "action_id")
    if payload.get("view") is not None:
        _need_text(payload["view"], "type")


def _need_text(part: dict[str, Any], name: str) -> None:
    """Bolt takes it for granted, and stumbles where it is missing."""
    if not isinstance(part.get(name), str):
        raise BadRequest(f"{name} is no text")


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, then what really comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
