"""The trading platform: its endpoints, its switches, and a halt that can go wrong in every way."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.sandbox.conftest import Watch

from warroom.sandbox import Sandbox

HALT, STATUS = "/platform/executioner/api/emergency/halt-all", "/platform/executioner/api/emergency/status"
RESUME = "/platform/executioner/api/emergency/resume"
TOKEN = {"Authorization": "Bearer sandbox-emergency-token"}
REASON = {"operator": "rita", "reason": "feed is dead", "scope": "all"}


async def halted(http: httpx.AsyncClient) -> bool:
    return bool((await http.get(STATUS)).json()["halted"])


async def test_a_halt_needs_the_token_takes_effect_once_and_can_be_ended(
    http: httpx.AsyncClient, sandbox: Sandbox, watch: Watch
) -> None:
    assert (await http.post(HALT, json=REASON)).status_code == 401
    assert not await halted(http)
    first = await http.post(HALT, json=REASON, headers=TOKEN)
    watch.forward(seconds=5)
    second = await http.post(HALT, json={**REASON, "operator": "ivy"}, headers=TOKEN)
    assert [r.json()["already_halted"] for r in (first, second)] == [False, True]
    status = (await http.get(STATUS)).json()
    assert (status["halted"], status["by"], status["reason"]) == (True, "rita", "feed is dead")
    assert sandbox.platform.count("emergency/halt-all") == 2
    assert (await http.post(RESUME)).status_code == 401
    assert (await http.post(RESUME, headers=TOKEN)).json()["was_halted"] is True
    assert not await halted(http)


@pytest.mark.parametrize(
    ("mode", "outcome", "then"),
    [("fails", 500, False), ("ignored", 200, False), ("drops", None, True), ("unreachable", None, False)],
)
async def test_a_halt_can_go_wrong(
    http: httpx.AsyncClient, sandbox: Sandbox, mode: str, outcome: int | None, then: bool
) -> None:
    sandbox.platform.switch("halt", mode)
    if outcome is None:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(HALT, json=REASON, headers=TOKEN)
    else:
        assert (await http.post(HALT, json=REASON, headers=TOKEN)).status_code == outcome
    assert await halted(http) is then


async def test_the_halt_status_can_be_unreachable(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.platform.switch("halt_status_unreachable", True)
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(STATUS)


async def test_market_sentinel_down_does_not_answer_and_its_regime_ages(
    http: httpx.AsyncClient, sandbox: Sandbox, watch: Watch
) -> None:
    status = "/platform/market-sentinel/api/regime/status"
    assert (await http.get("/platform/market-sentinel/health")).json()["status"] == "healthy"
    watch.forward(minutes=10)
    assert (await http.get(status)).json()["stale"] is False
    await http.post("/control/platform/switch", json={"sentinel_down": True})
    watch.forward(minutes=6)
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get("/platform/market-sentinel/health")
    assert sandbox.platform.regime_age_s() == 360
    assert (await http.get("/platform/risk-warden/health")).status_code == 200
    await http.post("/control/platform/switch", json={"sentinel_down": False})
    assert (await http.get(status)).json()["age_seconds"] == 0
    logs = await http.get("/platform/market-sentinel/api/logs/tail?lines=2")
    assert "heap out of memory" in logs.text


@pytest.mark.parametrize(
    ("switches", "path", "name", "expected"),
    [
        ({"pool_exhausted": True}, "market-sentinel/api/db/pool-status", "exhausted", True),
        ({"venues_down": ["NYSE", "IEX", "ARCA"]}, "executioner/api/venues/health", "connected", 2),
        ({"fill_rate_low": True}, "executioner/api/routing/diagnostics", "fill_rate", 0.82),
        ({"alert_storm": True}, "risk-warden/api/risk/attribution", "var_pct_nav", 2.7),
        ({"kafka_backlog": True}, "kafka/consumer-groups", "max_lag", 14_250),
    ],
)
async def test_a_switch_shows_in_the_probe_it_belongs_to(
    http: httpx.AsyncClient, switches: dict[str, Any], path: str, name: str, expected: Any
) -> None:
    before = (await http.get(f"/platform/{path}")).json()[name]
    await http.post("/control/platform/switch", json=switches)
    assert (await http.get(f"/platform/{path}")).json()[name] == expected
    assert before != expected


async def test_actions_check_what_they_are_given_and_are_counted(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    good: list[tuple[str, dict[str, Any]]] = [
        ("market-sentinel/api/regime/manual", {"regime": "NORMAL_EXPANSION", "duration": "1h"}),
        ("risk-warden/api/emergency/reduce", {"reduction_pct": 0.5, "timeframe": 300}),
        ("executioner/api/routing/mode", {"mode": "CONSERVATIVE", "timeout": 60}),
        ("executioner/api/venues/disable", {"venues": ["NYSE"], "duration": 3600}),
    ]
    for path, body in good:
        assert (await http.post(f"/platform/{path}", json={})).status_code == 400, path
        assert (await http.post(f"/platform/{path}", content=b"{")).status_code == 400, path
        assert (await http.post(f"/platform/{path}", json=body)).status_code == 200, path
    assert len(sandbox.platform.calls) == 4
    assert sandbox.platform.as_json()["venues_disabled"] == ["NYSE"]
    wrong = await http.post("/control/platform/switch", json={"halt": "maybe"})
    assert wrong.status_code == 400
    assert len((await http.get("/platform/risk-warden/api/violations?limit=50")).json()) == 1
    assert len((await http.get("/platform/executioner/api/orders?status=failed&limit=20")).json()) == 1
    assert len((await http.get("/platform/risk-warden/api/positions/risk-ranked")).json()) == 5


async def test_redis_answers_ping_until_it_is_switched_off(url: str, sandbox: Sandbox) -> None:
    async def ping(line: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.redis_port)
        writer.write(line)
        answer = await reader.readline()
        writer.close()
        return answer

    assert await ping(b"PING\r\n") == b"+PONG\r\n"
    assert await ping(b"*1\r\n$4\r\nPING\r\n") == b"+PONG\r\n"
    sandbox.platform.switch("redis_down", True)
    assert await ping(b"PING\r\n") == b""
