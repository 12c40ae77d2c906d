"""What is not an authentic, fresh, well-formed request of Slack ends at the gate."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.slack.support import ANA, SECRET, Desk

from warroom.errors import ConfigError
from warroom.sandbox.signing import slack_headers
from warroom.slack.gate import MOST_BYTES, Gate

NOW = 1_760_000_000
FORM = "application/x-www-form-urlencoded"
BODY = urlencode({"command": "/incident", "text": "help", "token": "top-secret-word"}).encode()


class Behind:
    """What stands behind the gate, and what it was given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])
        await PlainTextResponse("in")(scope, receive, send)


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
async def gate(behind: Behind) -> AsyncIterator[httpx.AsyncClient]:
    app: ASGIApp = Gate(behind, SECRET, lambda: float(NOW))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        yield client


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def signed(body: bytes, at: int = NOW, kind: str = FORM, secret: str = SECRET) -> dict[str, str]:
    return slack_headers(secret, body, at) | {"Content-Type": kind}


def payload(value: str) -> bytes:
    return urlencode({"payload": value}).encode()


async def test_an_authentic_request_passes_unchanged(
    gate: httpx.AsyncClient, behind: Behind, logged: list[Any]
) -> None:
    for at in (NOW, NOW - 299, NOW + 299):
        assert (await gate.post("/slack/events", content=BODY, headers=signed(BODY, at))).text == "in"
    assert behind.bodies == [BODY] * 3
    assert logged == []


ODD = b"token=top-secret-word&x=\xff\xfe"
LARGE = b"token=top-secret-word&x=" + b"x" * MOST_BYTES
CASES = {
    "forged": (BODY, signed(BODY, secret="guess"), 401),
    "tampered": (BODY + b"&x=1", signed(BODY), 401),
    "stale": (BODY, signed(BODY, NOW - 301), 401),
    "from the future": (BODY, signed(BODY, NOW + 301), 401),
    "no headers": (BODY, {"Content-Type": FORM}, 401),
    "no signature": (BODY, {"Content-Type": FORM, "X-Slack-Request-Timestamp": str(NOW)}, 401),
    "empty signature": (BODY, signed(BODY) | {"X-Slack-Signature": ""}, 401),
    "odd signature": (BODY, signed(BODY) | {"X-Slack-Signature": "v0=é".encode("latin-1").decode("latin-1")}, 401),
    "another version": (BODY, signed(BODY) | {"X-Slack-Signature": "v1=" + "0" * 64}, 401),
    "odd timestamp": (BODY, signed(BODY) | {"X-Slack-Request-Timestamp": "soon"}, 401),
    "huge timestamp": (BODY, signed(BODY) | {"X-Slack-Request-Timestamp": "9" * 400}, 401),
    "negative timestamp": (BODY, signed(BODY) | {"X-Slack-Request-Timestamp": f"-{NOW}"}, 401),
    "not UTF-8": (ODD, signed(ODD), 400),
    "oversized": (LARGE, signed(LARGE), 413),
    "another content type": (BODY, signed(BODY, kind="text/plain"), 415),
    "no JSON": (b"{top-secret-word", signed(b"{top-secret-word", kind="application/json"), 400),
    "JSON as a form": (b'{"a":1}', signed(b'{"a":1}'), 400),
    "a list": (b"[]", signed(b"[]", kind="application/json"), 400),
    "a payload that is no JSON": (payload("{"), signed(payload("{")), 400),
    "a payload that is no object": (payload("7"), signed(payload("7")), 400),
    "a user that is a list": (payload('{"user":[1]}'), signed(payload('{"user":[1]}')), 400),
    "a team that is a number": (payload('{"team":1}'), signed(payload('{"team":1}')), 400),
    "odd authorizations": (payload('{"authorizations":[1]}'), signed(payload('{"authorizations":[1]}')), 400),
    "bottomless JSON": (b"[" * 200_000, signed(b"[" * 200_000, kind="application/json"), 400),
}


@pytest.mark.parametrize("case", CASES)
async def test_anything_else_is_turned_away_with_one_line_and_no_secret(
    gate: httpx.AsyncClient, behind: Behind, logged: list[Any], case: str
) -> None:
    body, headers, status = CASES[case]
    raw = {k: v.encode("latin-1") for k, v in headers.items()}
    answer = await gate.post("/slack/events", content=body, headers=raw)
    assert answer.status_code == status
    assert behind.bodies == []
    (line,) = logged
    assert line["event"] == "slack_request_refused"
    for secret in (SECRET, "top-secret-word", headers.get("X-Slack-Signature") or SECRET):
        assert secret not in str(line)
        assert secret not in answer.text


async def test_a_body_that_grows_beyond_the_limit_is_cut_off(gate: httpx.AsyncClient, behind: Behind) -> None:
    async def flood() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    answer = await gate.post("/slack/events", content=flood(), headers=signed(b""))
    assert answer.status_code == 413


async def test_only_post_is_let_in(gate: httpx.AsyncClient) -> None:
    assert (await gate.get("/slack/events")).status_code == 405


def test_no_secret_is_found_out_at_start() -> None:
    with pytest.raises(ConfigError, match="SLACK_SIGNING_SECRET"):
        Gate(Behind(), "")


async def test_the_served_bot_refuses_the_same_way(bot: str, http: httpx.AsyncClient, desk: Desk) -> None:
    stale = int(time.time()) - 400
    assert (await http.post(bot, content=BODY, headers=signed(BODY, stale))).status_code == 401
    assert (await http.post(bot, content=BODY, headers=signed(BODY, secret="x"))).status_code == 401
    assert desk.inputs == []


MODAL = {"type": "modal", "callback_id": "halt", "id": "V1"}
PINNED = {
    "type": "reaction_added",
    "user": ANA,
    "reaction": "pushpin",
    "item": {"type": "message", "channel": "C1", "ts": "1.2"},
}


def _deep(levels: int) -> dict[str, Any]:
    return {"event": _deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    "body",
    [
        {"type": "block_actions", "user": {"id": ANA}, "trigger_id": "1"},
        {"type": "block_actions", "user": {"id": ANA}, "actions": [{"action_id": "x", "block_id": "b"}]},
        {"type": "block_actions", "actions": [{"action_id": "x", "block_id": "b"}], "trigger_id": "1"},
        {"type": "view_submission", "user": {"id": ANA}, "view": {"type": "modal", "callback_id": "x"}},
        {"type": "message_action", "callback_id": "add_to_timeline", "user": {"id": ANA}, "trigger_id": "1"},
        {"type": "block_actions", "user": {"id": ANA}, "actions": "x", "trigger_id": "1"},
        {"type": "block_actions", "user": {"id": ANA}, "actions": ["x"], "trigger_id": "1"},
        {"type": "block_actions", "user": {"id": ANA}, "actions": [{"block_id": "b"}], "trigger_id": "1"},
        {"type": "view_submission", "user": {"id": ANA}, "view": {"callback_id": "halt", "id": "V1"}},
        *({"type": "block_actions", "user": {"id": ANA}, "actions": odd, "trigger_id": "1"} for odd in (None, [])),
        *(
            {"type": "view_submission", "user": {"id": ANA}, "view": odd}
            for odd in (None, "x", MODAL | {"callback_id": 7})
        ),
        {"type": "view_closed", "user": {"id": ANA}, "view": MODAL | {"callback_id": []}},
        {"type": "view_submission", "user": {"id": ANA}, "view": MODAL, "response_urls": None},
        *({"type": "message_action", "callback_id": odd, "user": {"id": ANA}} for odd in (0, True, [], {})),
        {"type": "shortcut", "callback_id": 1.5, "user": {"id": ANA}},
        {"type": "block_suggestion", "action_id": 1.5, "user": {"id": ANA}},
        *({"type": "event_callback", "event": odd} for odd in (None, "x", {}, PINNED | {"type": 7})),
        *({"type": "event_callback", "event": PINNED | {"user": odd}} for odd in (0, True, [])),
        {"type": "event_callback", "event": PINNED | {"item": {"type": "message", "channel": 1.5, "ts": "1.2"}}},
        {"type": "event_callback", "event": PINNED, "authorizations": [{"team": 1}]},
        {"type": "event_callback", "event": {"type": "message", "message": {"user": 7}}},
        {"type": "event_callback", "event": {"type": "x", **_deep(100)}},
        {"type": [], "user": {"id": ANA}},
    ],
)
async def test_an_authentic_payload_with_parts_missing_or_odd_is_4xx_and_one_line(
    bot: str, http: httpx.AsyncClient, desk: Desk, logged: list[Any], body: dict[str, Any]
) -> None:
    content = payload(json.dumps(body))
    answer = await http.post(bot, content=content, headers=signed(content, int(time.time())))
    assert 400 <= answer.status_code < 500
    assert [line["event"] for line in logged] == ["slack_request_refused"]
    assert desk.inputs == []
