"""PagerDuty: the REST API through pdpyras, the Events API, and webhooks as the bot gets them."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from tests.sandbox.conftest import Bot, Watch, pdpyras

from warroom.sandbox import Sandbox, people

KEY = "R0SENTINEL0000000000000000000001"
ALERT = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "sentinel-down",
    "payload": {
        "summary": "Market Sentinel stopped",
        "source": "probe",
        "severity": "critical",
        "custom_details": {"service": "market-sentinel"},
    },
}


@pytest.fixture
def session(url: str) -> pdpyras.APISession:
    """A pdpyras session as the bot uses it."""
    session = pdpyras.APISession("sandbox-pagerduty-token", default_from="ana@sandbox.example")
    session.url = f"{url}/pagerduty"
    session.max_network_attempts = 0
    session.trust_env = False
    return session


async def ask(call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    return await asyncio.to_thread(call, *args, **more)


def incident_id(sandbox: Sandbox) -> str:
    return next(iter(sandbox.pagerduty.incidents))


async def test_an_alert_becomes_an_incident_that_pages_the_person_on_call(
    http: httpx.AsyncClient, sandbox: Sandbox, session: pdpyras.APISession
) -> None:
    answer = await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    assert (answer.status_code, answer.json()["dedup_key"]) == (202, "sentinel-down")
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    incidents = await ask(session.list_all, "incidents", params={"statuses[]": ["triggered"]})
    assert [i["title"] for i in incidents] == ["Market Sentinel stopped"]
    assert incidents[0]["assignments"][0]["assignee"]["summary"] == "Ana Souza"
    alerts = await ask(session.list_all, f"incidents/{incidents[0]['id']}/alerts")
    assert [a["body"]["details"] for a in alerts] == [{"service": "market-sentinel"}] * 2
    assert [(p["to"], p["why"]) for p in sandbox.pagerduty.pages] == [("Ana Souza", "triggered")]
    resolve = {"routing_key": KEY, "event_action": "resolve", "dedup_key": "sentinel-down"}
    assert (await http.post("/pagerduty-events/v2/enqueue", json=resolve)).status_code == 202
    assert await ask(session.list_all, "incidents", params={"statuses[]": ["triggered"]}) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"routing_key": "R404"},
        {"event_action": "shout"},
        {"payload": {"summary": "x", "source": "y", "severity": "fatal"}},
        {"payload": {"summary": "", "source": "y", "severity": "info"}},
        {"event_action": "resolve", "dedup_key": None},
    ],
)
async def test_an_invalid_alert_is_refused(http: httpx.AsyncClient, sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    answer = await http.post("/pagerduty-events/v2/enqueue", json={**ALERT, **wrong})
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert sandbox.pagerduty.incidents == {}


async def test_every_change_through_the_rest_api_is_kept_and_announced(
    bot: Bot, sandbox: Sandbox, session: pdpyras.APISession
) -> None:
    service = {"id": "PSVCSEN", "type": "service_reference"}
    made = await ask(session.rpost, "incidents", json={"type": "incident", "title": "Down", "service": service})
    at = f"incidents/{made['id']}"
    reference = {"type": "incident_reference"}
    await ask(session.rput, at, json={**reference, "status": "acknowledged"})
    priority = {"id": "PPRIOP0", "type": "priority_reference"}
    await ask(session.rput, at, json={**reference, "priority": priority})
    await ask(session.rpost, f"{at}/notes", json={"content": "looking"})
    target = {"responder_request_target": {"id": "PUSRRIT", "type": "user_reference"}}
    request = {"requester_id": "PUSRANA", "message": "please help", "responder_request_targets": [target]}
    await ask(session.jpost, f"{at}/responder_requests", json=request)
    await ask(session.jpost, f"{at}/status_updates", json={"message": "we know"})
    await ask(session.rput, at, json={**reference, "escalation_level": 2})
    raj = {"assignee": {"id": "PUSRRAJ", "type": "user_reference"}}
    await ask(session.rput, at, json={**reference, "assignments": [raj]})
    await ask(session.rput, at, json={**reference, "status": "resolved"})
    await sandbox.webhooks.settle()
    assert sorted(w["event_type"] for w in bot.webhooks) == sorted(
        f"incident.{what}"
        for what in (
            "triggered",
            "acknowledged",
            "priority_updated",
            "annotated",
            "responder.added",
            "status_update_published",
            "escalated",
            "reassigned",
            "resolved",
        )
    )
    by_type = {w["event_type"]: w for w in bot.webhooks}
    assert by_type["incident.acknowledged"]["agent"]["id"] == "PUSRANA"
    assert by_type["incident.priority_updated"]["data"]["priority"]["summary"] == "P0"
    assert by_type["incident.annotated"]["data"]["incident"]["id"] == made["id"]
    assert by_type["incident.responder.added"]["data"]["user"]["summary"] == "Rita Okafor"
    paged = [p["to"] for p in sandbox.pagerduty.pages]
    assert paged == ["Ana Souza", "Rita Okafor", "Raj Patel", "Mei Tanaka", "Raj Patel"]
    entries = await ask(session.list_all, f"{at}/log_entries")
    assert entries[0]["type"] == "resolve_log_entry"
    with pytest.raises(pdpyras.PDClientError) as caught:
        await ask(session.rput, at, json={**reference, "status": "resolved"})
    assert caught.value.response.json()["error"]["errors"] == ["Incident Already Resolved"]


async def test_a_responder_request_is_read_back_with_whom_it_woke_and_what_they_said(
    bot: Bot, http: httpx.AsyncClient, sandbox: Sandbox, session: pdpyras.APISession
) -> None:
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    at = f"incidents/{incident_id(sandbox)}"
    targets = [
        {"responder_request_target": {"id": "PUSRLUK", "type": "user_reference"}},
        {"responder_request_target": {"id": "PEPRISK", "type": "escalation_policy_reference"}},
    ]
    body = {"requester_id": "PUSRBOT", "message": "please help", "responder_request_targets": targets}
    answered = (await ask(session.jpost, f"{at}/responder_requests", json=body))["responder_request"]
    await http.post("/control/pagerduty/reply", json={"id": incident_id(sandbox), "user": "rita"})
    incident = await ask(session.rget, at, params={"include[]": ["acknowledgers"]})
    (request,) = incident["responder_requests"]
    assert (request["requester"]["summary"], request["message"]) == ("warroom", "please help")
    assert request["requested_at"] == answered["requested_at"] == "2026-10-19T13:31:00Z"
    asked = [t["responder_request_target"] for t in request["responder_request_targets"]]
    assert [(t["type"], t["id"]) for t in asked] == [("user", "PUSRLUK"), ("escalation_policy", "PEPRISK")]
    states = [(r["user"]["summary"], r["state"]) for t in asked for r in t["incidents_responders"]]
    assert states == [("Lukas Weber", "pending"), ("Rita Okafor", "accepted")]
    assert [(r["user"]["summary"], r["state"]) for r in incident["incidents_responders"]] == states
    await sandbox.webhooks.settle()
    added = [w["data"] for w in bot.webhooks if w["event_type"] == "incident.responder.added"]
    assert [(d["user"]["summary"], (d["escalation_policy"] or {}).get("id")) for d in added] == [
        ("Lukas Weber", None),
        ("Rita Okafor", "PEPRISK"),
    ]


async def test_acknowledging_a_resolved_incident_opens_it_again(
    bot: Bot, http: httpx.AsyncClient, sandbox: Sandbox, session: pdpyras.APISession
) -> None:
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    at, reference = f"incidents/{incident_id(sandbox)}", {"type": "incident_reference"}
    await ask(session.rput, at, json={**reference, "status": "resolved"})
    incident = await ask(session.rput, at, json={**reference, "status": "acknowledged"})
    assert (incident["status"], incident["resolved_at"]) == ("acknowledged", None)
    await sandbox.webhooks.settle()
    assert sorted(w["event_type"].removeprefix("incident.") for w in bot.webhooks) == [
        "acknowledged",
        "reopened",
        "resolved",
        "triggered",
    ]


async def test_the_time_of_the_last_status_change_moves_with_the_status_only(
    bot: Bot, http: httpx.AsyncClient, sandbox: Sandbox, watch: Watch, session: pdpyras.APISession
) -> None:
    reference = {"type": "incident_reference"}

    async def put(**change: Any) -> tuple[str, str, str]:
        watch.forward(minutes=1)
        shown = await ask(session.rput, at, json={**reference, **change})
        return shown["status"], shown["last_status_change_at"][11:16], shown["updated_at"][11:16]

    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    at = f"incidents/{incident_id(sandbox)}"
    assert await put(escalation_level=2) == ("triggered", "13:31", "13:32")
    assert await put(status="acknowledged") == ("acknowledged", "13:33", "13:33")
    assert await put(priority={"id": "PPRIOP0", "type": "priority_reference"}) == ("acknowledged", "13:33", "13:34")
    assert await put(escalation_level=3) == ("triggered", "13:35", "13:35")
    assert (await ask(session.rget, at))["acknowledgements"] == []
    await sandbox.webhooks.settle()
    escalated = [w["data"]["status"] for w in bot.webhooks if w["event_type"] == "incident.escalated"]
    assert escalated == ["triggered", "triggered"]


async def test_log_entries_are_read_from_and_until_a_time(
    http: httpx.AsyncClient, sandbox: Sandbox, watch: Watch, session: pdpyras.APISession
) -> None:
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    at = f"incidents/{incident_id(sandbox)}"
    for minute in range(3):
        watch.forward(minutes=1)
        await ask(session.rpost, f"{at}/notes", json={"content": f"note {minute}"})

    async def times(**query: str) -> list[str]:
        return [e["created_at"][14:16] for e in await ask(session.list_all, f"{at}/log_entries", params=query)]

    assert await times() == ["34", "33", "32", "31"]
    assert await times(since="2026-10-19T13:33:00Z") == ["34", "33"]
    assert await times(since="2026-10-19T13:32:00", until="2026-10-19T09:34:00-04:00") == ["33", "32"]
    token = {"Authorization": "Token token=sandbox-pagerduty-token"}
    assert (await http.get(f"/pagerduty/{at}/log_entries?since=yesterday", headers=token)).status_code == 400


async def test_the_bot_has_an_account_of_its_own_that_is_on_call_for_nothing(
    sandbox: Sandbox, session: pdpyras.APISession
) -> None:
    sender = sandbox.settings()["PAGERDUTY_FROM_EMAIL"]
    user = await ask(session.find, "users", sender, attribute="email")
    assert (user["name"], [m["type"] for m in user["contact_methods"]]) == ("warroom", ["email_contact_method"])
    assert await ask(session.list_all, "oncalls", params={"user_ids[]": [user["id"]]}) == []
    assert "warroom@sandbox.example" not in {p.email for p in people.PEOPLE}


async def test_a_write_needs_a_known_sender_and_every_call_a_token(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    at, token = f"/pagerduty/incidents/{incident_id(sandbox)}", {"Authorization": "Token token=sandbox-pagerduty-token"}
    body = {"incident": {"type": "incident_reference", "status": "acknowledged"}}
    assert (await http.put(at, json=body)).status_code == 401
    assert (await http.put(at, json=body, headers=token)).json()["error"]["code"] == 1008
    stranger = {**token, "From": "nobody@sandbox.example"}
    assert (await http.put(at, json=body, headers=stranger)).status_code == 400
    assert (await http.get("/pagerduty/incidents/Q404", headers=token)).json()["error"]["code"] == 2100


async def test_who_is_on_call_is_read_per_policy_and_capital_true_is_refused(
    http: httpx.AsyncClient, session: pdpyras.APISession
) -> None:
    params: dict[str, Any] = {"escalation_policy_ids[]": ["PEPTECH"], "earliest": "true"}
    rows = await ask(session.list_all, "oncalls", params=params)
    assert [(r["escalation_level"], r["user"]["summary"]) for r in rows] == [
        (1, "Ana Souza"),
        (2, "Raj Patel"),
        (2, "Mei Tanaka"),
        (3, "Lukas Weber"),
    ]
    token = {"Authorization": "Token token=sandbox-pagerduty-token"}
    assert (await http.get("/pagerduty/oncalls?earliest=True", headers=token)).status_code == 400
    found = await ask(session.find, "users", "rita@sandbox.example", attribute="email")
    assert found["id"] == "PUSRRIT"
    assert [p["name"] for p in await ask(session.list_all, "priorities")] == ["P0", "P1", "P2", "P3"]


async def test_lists_are_paged(http: httpx.AsyncClient, session: pdpyras.APISession) -> None:
    for number in range(30):
        await http.post("/pagerduty-events/v2/enqueue", json={**ALERT, "dedup_key": f"k{number}"})
    token = {"Authorization": "Token token=sandbox-pagerduty-token"}
    page = (await http.get("/pagerduty/incidents?limit=10&offset=20", headers=token)).json()
    assert (len(page["incidents"]), page["more"]) == (10, False)
    assert len(await ask(session.list_all, "incidents")) == 30


async def test_a_webhook_is_signed_with_every_active_secret(
    bot: Bot, sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    sandbox.webhooks.secrets = ("old", "new")
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    await sandbox.webhooks.settle()
    headers = bot.webhook_headers[0]
    expected = ["v1=" + hmac.new(s, bot.bodies[0], hashlib.sha256).hexdigest() for s in (b"old", b"new")]
    assert headers["x-pagerduty-signature"].split(",") == expected
    assert headers["x-webhook-id"] == bot.webhooks[0]["id"]
    assert headers["x-webhook-subscription"] == "PWHSUB1"


async def test_a_webhook_that_is_not_taken_comes_again(bot: Bot, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    bot.answer = lambda sent: Response("", 200 if len(bot.webhooks) > 2 else 500)
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    await sandbox.webhooks.settle()
    assert [w["event_type"] for w in bot.webhooks] == ["incident.triggered"] * 3
    assert len({w["id"] for w in bot.webhooks}) == 1


async def test_webhooks_can_be_held_disordered_doubled_and_lost(
    bot: Bot, sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    sandbox.webhooks.hold()
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    await http.post("/control/pagerduty/ack", json={"id": incident_id(sandbox), "user": "ana"})
    assert bot.webhooks == []
    sandbox.webhooks.release("reversed", copies=2)
    await sandbox.webhooks.settle()
    assert [w["event_type"].removeprefix("incident.") for w in bot.webhooks] == [
        "acknowledged",
        "acknowledged",
        "triggered",
        "triggered",
    ]
    sandbox.webhooks.drop_next = 1
    await http.post("/control/pagerduty/resolve", json={"id": incident_id(sandbox), "user": "ana"})
    await sandbox.webhooks.settle()
    assert len(bot.webhooks) == 4
    sandbox.webhooks.redeliver(sandbox.webhooks.events[-1].id)
    await sandbox.webhooks.settle()
    assert bot.webhooks[-1]["event_type"] == "incident.resolved"


async def test_a_webhook_whose_answer_is_lost_comes_twice(bot: Bot, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    sandbox.faults.add("webhook", "incident.*", "drop_after")
    await http.post("/pagerduty-events/v2/enqueue", json=ALERT)
    await sandbox.webhooks.settle()
    assert len(bot.webhooks) == 2
    assert sandbox.webhooks.events[0].statuses == ["answer lost", 200]


async def test_a_subscription_can_be_pinged(bot: Bot, sandbox: Sandbox, session: pdpyras.APISession) -> None:
    listed = await ask(session.list_all, "webhook_subscriptions")
    assert [s["id"] for s in listed] == ["PWHSUB1"]
    assert (await ask(session.post, "webhook_subscriptions/PWHSUB1/ping")).status_code == 202
    await sandbox.webhooks.settle()
    assert bot.webhooks[0]["event_type"] == "pagey.ping"
    assert bot.webhooks[0]["data"]["message"] == "Hello from your friend Pagey!"


async def test_the_control_api_plays_the_people_in_pagerduty(
    bot: Bot, sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    body = {"service": "lav-adaf-risk-warden", "title": "Storm", "details": {"alerts": 31}, "priority": "P1"}
    made = (await http.post("/control/pagerduty/trigger", json=body)).json()
    one = {"id": made["id"], "user": "ana"}
    for act, more in (
        ("ack", {}),
        ("unack", {}),
        ("escalate", {}),
        ("reassign", {"to": ["raj"]}),
        ("delegate", {"policy": "PEPRISK"}),
        ("priority", {"priority": "P0"}),
        ("note", {"content": "hello"}),
        ("status_update", {"message": "we know"}),
        ("resolve", {}),
        ("reopen", {}),
    ):
        assert (await http.post(f"/control/pagerduty/{act}", json={**one, **more})).status_code == 200, act
    state = (await http.get("/control/pagerduty")).json()
    assert state["incidents"][0]["status"] == "triggered"
    assert state["incidents"][0]["notes"][0]["content"] == "hello"
    assert (await http.post("/control/pagerduty/ack", json={"id": "Q404", "user": "ana"})).status_code == 400
