"""The shipped pack's probes and actions against the sandbox's trading platform."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.platform.support import NOON, StoryClock, surroundings

from warroom.packs.loader import shipped
from warroom.platform.actions import Order, act, look_again
from warroom.platform.probes import ProbeResult, run_all
from warroom.platform.surroundings import Surroundings
from warroom.sandbox import Sandbox, serve, tools

PACK = shipped("lav_adaf")
ENVIRON = {"EMERGENCY_TOKEN": "sandbox-emergency-token"}
DIAGNOSES = {
    "sentinel_down": ["sentinel-health"],
    "pool_exhausted": ["sentinel-db-pool"],
    "alert_storm": ["warden-alerts"],
    "fill_rate_low": ["executioner-routing"],
    "redis_down": ["redis-ping"],
}


@dataclass
class Played:
    sandbox: Sandbox
    here: Surroundings
    clock: StoryClock

    async def read(self, *names: str) -> dict[str, ProbeResult]:
        results = await run_all({name: PACK.probes[name] for name in names}, self.here)
        return {r.probe: r for r in results}

    def order(self, name: str, **parameters: object) -> Order:
        action = PACK.actions[name]
        probe = PACK.probes[action.read_back.probe]
        return Order(action=action, read_back=probe, parameters=parameters, reason="drill", operator="Ana")

    async def act(self, name: str, **parameters: object) -> dict[str, Any]:
        return await act(self.order(name, **parameters), "live", self.here, self.clock.sleep)


@pytest.fixture
async def played(http: httpx.AsyncClient) -> AsyncIterator[Played]:
    sandbox, clock = Sandbox(lambda: NOON), StoryClock()
    async with serve(sandbox) as url:
        services = ("market-sentinel", "risk-warden", "executioner")
        urls = {name.replace("-", "_"): f"{url}/platform/{name}" for name in services}
        urls |= {"redis": f"127.0.0.1:{sandbox.redis_port}"}
        program = (sys.executable, "-I", tools.__file__, f"{url}/platform")
        stand_ins = {name: (*program, name) for name in tools.TOOLS}
        yield Played(sandbox, surroundings(http, clock, urls=urls, tools=stand_ins, environ=ENVIRON), clock)


async def test_a_healthy_platform_passes_every_health_probe(played: Played) -> None:
    results = await played.read(*PACK.probe_groups["health"])
    assert {name: r.state for name, r in results.items()} == dict.fromkeys(PACK.probe_groups["health"], "ok")


@pytest.mark.parametrize("trouble", DIAGNOSES)
async def test_a_trouble_shows_in_its_probes(trouble: str, played: Played) -> None:
    names = DIAGNOSES[trouble]
    assert {r.state for r in (await played.read(*names)).values()} == {"ok"}
    played.sandbox.platform.switch(trouble, True)
    assert not {r.state for r in (await played.read(*names)).values()} & {"ok"}


@pytest.mark.parametrize(
    ("mode", "outcome", "calls"),
    [
        ("works", "confirmed", 1),
        ("drops", "confirmed", 1),
        ("fails", "failed", 1),
        ("ignored", "failed", 1),
        ("unreachable", "failed", 0),
    ],
)
async def test_a_halt_is_called_once_and_told_as_it_is(mode: str, outcome: str, calls: int, played: Played) -> None:
    played.sandbox.platform.switch("halt", mode)
    settled = await played.act("halt-all")
    assert (settled["outcome"], played.sandbox.platform.count("emergency/halt-all")) == (outcome, calls)
    assert (played.sandbox.platform.halt is not None) is (outcome == "confirmed")


@pytest.mark.parametrize("mode", ["works", "drops", "fails", "ignored"])
async def test_a_halt_that_cannot_be_read_back_is_unknown(mode: str, played: Played) -> None:
    played.sandbox.platform.switch("halt", mode)
    played.sandbox.platform.switch("halt_status_unreachable", True)
    settled = await played.act("halt-all")
    assert (settled["outcome"], played.sandbox.platform.count("emergency/halt-all")) == ("unknown", 1)


async def test_a_halt_given_before_a_crash_is_found_and_not_repeated(played: Played) -> None:
    await played.act("halt-all")
    settled = await look_again(played.order("halt-all"), played.here, played.clock.sleep)
    assert (settled["outcome"], played.sandbox.platform.count("emergency/halt-all")) == ("confirmed", 1)


@pytest.mark.parametrize("name", sorted(PACK.actions))
async def test_every_action_of_the_pack_is_confirmed_by_its_read_back(name: str, played: Played) -> None:
    action = PACK.actions[name]
    undone = next((other for other, a in PACK.actions.items() if a.undo == name), None)
    if undone:
        assert (await played.act(undone))["outcome"] == "confirmed"
    parameters = {"venue": "ARCA"} if "venue" in action.parameters else {}
    settled = await played.act(name, **parameters)
    assert settled["outcome"] == "confirmed", settled["detail"]
