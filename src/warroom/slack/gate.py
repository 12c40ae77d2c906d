"""In front of Slack's endpoint: whatever is not an authentic, fresh, well-formed request of Slack ends here.

Bolt checks the signature too, but answers odd headers and bodies with 500 and a traceback.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warroom.errors import BadRequest, ConfigError

MOST_BYTES = 1024 * 1024
FRESH_S = 300.0
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_OBJECTS = ("view", "event", "container", "message")
_LISTS = ("authorizations", "actions", "response_urls")
_OBJECTS_OR_TEXT = ("team", "enterprise", "user", "channel")
_WITHIN = ("event", "message", "previous_message", "item", "assistant_thread")
"""the parts of a payload in which Bolt looks for people and channels, as in the payload itself"""
_DEEPEST = 5
_TEXTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "event_callback": ("event", ("type",)),
    "view_submission": ("view", ("type", "callback_id")),
    "view_closed": ("view", ("type", "callback_id")),
    "message_action": ("", ("callback_id",)),
    "shortcut": ("", ("callback_id",)),
    "block_suggestion": ("", ("action_id",)),
}
"""the texts that Bolt takes for granted in a payload of a type, and the part they are in"""

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
        _check_payload(read(headers.get("content-type", ""), text))
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


def read(content_type: str, text: str) -> dict[str, Any]:
    """What a body says: a command's fields, or the payload of anything else. Raises BadRequest."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _JSON:
        return _object(text)
    if kind != _FORM:
        raise BadRequest("the content type is neither a form nor JSON", 415)
    if text.startswith("{"):
        raise BadRequest("the body is no form")
    fields = dict(parse_qsl(text, keep_blank_values=True))
    return _object(fields["payload"]) if "payload" in fields else fields


def _object(text: str) -> dict[str, Any]:
    try:
        payload: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the payload is no JSON") from error
    if not isinstance(payload, dict):
        raise BadRequest("the payload is no object")
    return payload


def _check_payload(payload: dict[str, Any]) -> None:
    """The shape every payload of Slack has, so that nothing behind stumbles over it."""
    for name in _OBJECTS:
        if payload.get(name) is not None:
            _need_object(payload, name)
    for name in _LISTS:
        given = payload.get(name, [])
        none = given is None and name == "authorizations"  # there alone Bolt takes it for an empty list
        if not none and not (isinstance(given, list) and all(isinstance(one, dict) for one in given)):
            raise BadRequest(f"{name} is no list of objects")
    for part in (payload, *(payload.get("authorizations") or ())):
        _check_places(part)
    kind = payload.get("type")
    if kind == "block_actions" and "actions" in payload and not payload["actions"]:
        raise BadRequest("actions is empty")
    for action in payload.get("actions") or ():
        _need_text(action, "action_id")
    where, names = _TEXTS.get(kind, ("", ())) if isinstance(kind, str) else ("", ())
    for name in names:
        _need_text(_need_object(payload, where) if where else payload, name)


def _check_places(part: dict[str, Any], depth: int = 0) -> None:
    """Who and where, in this part of a payload and the parts of it."""
    if depth > _DEEPEST:
        raise BadRequest("the payload is nested too deeply")
    for name in _OBJECTS_OR_TEXT:
        if part.get(name) is not None and not isinstance(part[name], dict | str):
            raise BadRequest(f"{name} is neither an object nor text")
    for name in _WITHIN:
        if isinstance(part.get(name), dict):
            _check_places(part[name], depth + 1)


def _need_object(part: dict[str, Any], name: str) -> dict[str, Any]:
    found = part.get(name)
    if not isinstance(found, dict):
        raise BadRequest(f"{name} is no object")
    return found


def _need_text(part: dict[str, Any], name: str) -> None:
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
