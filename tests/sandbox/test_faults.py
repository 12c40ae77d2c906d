"""Failures to order, and the journal that counts calls."""

import asyncio
from collections.abc import Callable

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from warroom.sandbox import Sandbox

Ids = Callable[[str], str]


def texts(sandbox: Sandbox) -> list[str]:
    return [m["text"] for m in sandbox.transcript()]


async def test_a_connection_can_drop_before_and_after_the_effect(
    slack: AsyncWebClient, sandbox: Sandbox, channel: Ids
) -> None:
    sandbox.faults.add("slack", "chat.postMessage", "drop_before")
    sandbox.faults.add("slack", "chat.postMessage", "drop_after")
    for text in ("lost", "unsure"):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await slack.chat_postMessage(channel=channel("war-room"), text=text)
    await slack.chat_postMessage(channel=channel("war-room"), text="fine")
    assert texts(sandbox) == ["unsure", "fine"]
    calls = sandbox.journal.of("slack", "chat.postMessage")
    assert [(c.ok, c.error) for c in calls] == [(False, "drop_before"), (False, "drop_after"), (True, None)]


async def test_a_method_can_be_limited_broken_or_refused_a_number_of_times(
    slack: AsyncWebClient, sandbox: Sandbox, channel: Ids
) -> None:
    sandbox.faults.add("slack", "chat.*", "429", retry_after=7)
    sandbox.faults.add("slack", "chat.*", "refuse", error="not_in_channel")
    with pytest.raises(SlackApiError) as caught:
        await slack.chat_postMessage(channel=channel("war-room"), text="x")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await slack.chat_postMessage(channel=channel("war-room"), text="x")
    assert (await slack.chat_postMessage(channel=channel("war-room"), text="x"))["ok"]


async def test_an_outage_lasts_until_it_is_cleared(slack: AsyncWebClient, sandbox: Sandbox) -> None:
    sandbox.faults.add("slack", kind="outage")
    for _ in range(3):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await slack.auth_test()
    sandbox.faults.clear("slack")
    assert (await slack.auth_test())["ok"]


async def test_the_journal_counts_calls_in_flight(slack: AsyncWebClient, sandbox: Sandbox) -> None:
    sandbox.latency_s = 0.05
    await asyncio.gather(*(slack.auth_test() for _ in range(4)))
    calls = sandbox.journal.of("slack")
    assert max(c.in_flight for c in calls) == 4
    assert all(c.finished is not None and c.finished - c.started >= 0.05 for c in calls)


@pytest.mark.parametrize("wrong", [{"surface": "mars"}, {"kind": "flood"}])
def test_an_unknown_fault_is_refused(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="there are"):
        sandbox.faults.add(**{"surface": "slack", **wrong})  # type: ignore[arg-type]


async def test_every_surface_can_fail(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    token = {"Authorization": "Token token=sandbox-pagerduty-token"}
    sandbox.faults.add("pagerduty", "GET /incidents*", "429", retry_after=3)
    limited = await http.get("/pagerduty/incidents", headers=token)
    assert (limited.status_code, limited.json()["error"]["code"]) == (429, 2020)
    sandbox.faults.add("events", kind="500")
    assert (await http.post("/pagerduty-events/v2/enqueue", json={})).status_code == 500
    fault = {"surface": "platform", "method": "GET /risk-warden/*", "kind": "latency", "delay_s": 0.05}
    assert (await http.post("/control/faults", json=fault)).status_code == 200
    await http.get("/platform/risk-warden/health")
    call = sandbox.journal.of("platform")[0]
    assert call.finished is not None
    assert call.finished - call.started >= 0.05
    assert (await http.post("/control/faults/clear", json={})).json() == {"left": 0}
    journal = (await http.get("/control/journal")).json()
    assert [c["surface"] for c in journal] == ["pagerduty", "events", "platform"]
