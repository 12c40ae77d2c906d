"""What nobody honest sends: refused with one line in the log, nothing kept, nothing done."""

import json
import logging
import time
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs
from tests.acceptance.world import World

from warroom.sandbox.signing import pagerduty_signature, slack_headers

FORM = "application/x-www-form-urlencoded"
COMMAND = {
    "command": "/incident",
    "text": "declare P0 Forged",
    "user_id": "U0SANDBX01",
    "user_name": "ana",
    "channel_id": "C00000001",
    "team_id": "T0SANDBX01",
    "trigger_id": "1.2.forged",
    "response_url": "http://127.0.0.1:1/x",
}
PING = {"event": {"id": "01EBAD", "event_type": "pagey.ping", "resource_type": "pagey", "data": {}}}


def as_slack(world: World, body: bytes, *, secret: str = "", at: float = 0.0, kind: str = FORM) -> Mapping[str, str]:
    secret = secret or world.environ["SLACK_SIGNING_SECRET"]
    return {"Content-Type": kind, **slack_headers(secret, body, int(at or time.time()))}


def as_pagerduty(world: World, body: bytes, *, secret: str = "") -> Mapping[str, str]:
    signature = pagerduty_signature((secret or world.environ["PAGERDUTY_WEBHOOK_SECRET"],), body)
    return {"Content-Type": "application/json", "X-PagerDuty-Signature": signature}


def slack_requests(world: World) -> dict[str, tuple[bytes, Mapping[str, str], int]]:
    """What → body, headers, and the status it deserves."""
    good = urlencode(COMMAND).encode()
    broken, latin = b"payload=%7Bnot json", "text=Zürich".encode("latin-1")
    no_object, no_user = b"payload=%5B1%2C2%5D", urlencode({"command": "/incident", "text": "list"}).encode()
    large = b"x=" + b"y" * (1024 * 1024)
    stale, odd = time.time() - 3600, dict(as_slack(world, good)) | {"X-Slack-Request-Timestamp": "now"}
    action = urlencode({"payload": json.dumps({"type": "block_actions", "user": {"id": "U0SANDBX01"}})}).encode()
    return {
        "forged": (good, as_slack(world, good, secret="guessed-secret"), 401),
        "unsigned": (good, {"Content-Type": FORM}, 401),
        "stale": (good, as_slack(world, good, at=stale), 401),
        "odd time": (good, odd, 401),
        "oversized": (large, as_slack(world, large), 413),
        "not UTF-8": (latin, as_slack(world, latin), 400),
        "malformed": (broken, as_slack(world, broken), 400),
        "no object": (no_object, as_slack(world, no_object), 400),
        "nobody": (no_user, as_slack(world, no_user), 400),
        "no action": (action, as_slack(world, action), 404),
        "of another kind": (good, as_slack(world, good, kind="text/xml"), 415),
    }


def pagerduty_requests(world: World) -> dict[str, tuple[bytes, Mapping[str, str], int]]:
    """The same for the webhook."""
    good, broken, latin = json.dumps(PING).encode(), b'{"event": ', b'{"event": "\xfc"}'
    listed, empty = b"[1, 2]", b'{"event": {"id": 7}}'
    large = b'{"event": "' + b"y" * (1024 * 1024) + b'"}'
    return {
        "forged": (good, as_pagerduty(world, good, secret="guessed-secret"), 401),
        "unsigned": (good, {"Content-Type": "application/json"}, 401),
        "oversized": (large, as_pagerduty(world, large), 413),
        "not UTF-8": (latin, as_pagerduty(world, latin), 400),
        "malformed": (broken, as_pagerduty(world, broken), 400),
        "no object": (listed, as_pagerduty(world, listed), 400),
        "no event": (empty, as_pagerduty(world, empty), 400),
    }


@pytest.mark.parametrize("path", ["/slack/events", "/pagerduty/webhook"])
async def test_what_is_not_authentic_or_not_well_formed_is_refused_and_leaves_no_trace(
    world: World, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    cases = slack_requests(world) if path == "/slack/events" else pagerduty_requests(world)
    before = world.stored()
    for what, (body, headers, status) in cases.items():
        caplog.clear()
        with capture_logs() as logged, caplog.at_level(logging.INFO, logger="warroom"):
            answer = await world.sends(path, body, headers)
        assert answer.status_code == status, (what, answer.text)
        assert len(logged) == 1, (what, logged)
        assert logged[0]["status"] == status
        lines = json.dumps(logged, default=str) + caplog.text
        assert "Traceback" not in lines, what
        for secret in (*world.sandbox.secrets.values(), world.environ["PAGERDUTY_WEBHOOK_SECRET"], "guessed-secret"):
            assert secret not in lines, what
        assert "Forged" not in lines, what
    assert world.stored() == before
    assert world.rooms == []
    assert (await world.asks("/readyz")).status_code == 200


async def test_other_methods_and_paths_are_refused(world: World) -> None:
    assert (await world.asks("/slack/events")).status_code == 405
    assert (await world.asks("/pagerduty/webhook")).status_code == 405
    assert (await world.asks("/nothing")).status_code == 404


@pytest.mark.row("S1")
async def test_an_authentic_event_of_a_type_we_do_not_know_is_taken_and_written_down(world: World) -> None:
    event = {
        "id": "01EUNKNOWN",
        "event_type": "incident.teleported",
        "resource_type": "incident",
        "occurred_at": "2026-11-17T14:31:00.000Z",
        "data": {"surprise": [1, 2, 3]},
    }
    body = json.dumps({"event": event}).encode()
    for _ in range(2):
        assert (await world.sends("/pagerduty/webhook", body, as_pagerduty(world, body))).status_code == 200
    assert world.rows("SELECT source_id, state FROM inbox WHERE body LIKE '%teleported%'") == [
        ("01EUNKNOWN", "decided")
    ]
    assert world.stored()["incident"] == 0


async def test_pagerduty_s_test_event_is_taken(world: World) -> None:
    assert world.sandbox.webhooks.ping("PWHSUB1")
    await world.settles()
    assert world.sandbox.webhooks.events[-1].statuses == [200]


async def test_either_secret_is_good_while_it_is_rotated(world: World) -> None:
    world.sandbox.webhooks.secrets = ("new-secret", world.environ["PAGERDUTY_WEBHOOK_SECRET"])
    await world.alert()
    assert world.sandbox.webhooks.events[0].statuses == [200]


async def test_an_alert_on_a_service_of_no_pack_is_kept_and_opens_nothing(world: World) -> None:
    body = {
        "event": {
            "id": "01ESTRAY",
            "event_type": "incident.triggered",
            "resource_type": "incident",
            "occurred_at": "2026-11-17T14:31:00.000Z",
            "agent": None,
            "client": None,
            "data": {
                "id": "QSTRAY",
                "type": "incident",
                "title": "Somebody else's",
                "status": "triggered",
                "service": {"id": "PELSEWHERE", "summary": "elsewhere", "type": "service_reference"},
            },
        }
    }
    text = json.dumps(body).encode()
    assert (await world.sends("/pagerduty/webhook", text, as_pagerduty(world, text))).status_code == 200
    assert world.stored()["incident"] <= 1  # the row of what is about no incident
    assert world.rooms == []
    assert "belongs to no pack" in world.rows("SELECT body FROM fact WHERE incident_id = 'system'")[0][0]
