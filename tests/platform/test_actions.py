"""Acting: sent once, read back, and every fault in between."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.platform.support import NOON, TOKEN, Says, Service, StoryClock, surroundings

from warroom.domain.policy import Action, Expect, Parameter, Probe, ReadBack
from warroom.platform.actions import Order, act, look_again

HALT, STATUS = "/api/halt", "/api/status"
PROBE = Probe(title="Halted", http="exec/api/status", expect=(Expect(value="halted", equals=True),))


@dataclass
class Exchange:
    """A platform whose halt shows after `after` readings, if it takes effect at all."""

    service: Service
    clock: StoryClock = field(default_factory=StoryClock)
    halted: bool = False
    readings: int = 0

    def takes_orders(self, says: Says, *, effective: bool = True, after: int = 0) -> None:
        def halt() -> Says:
            self.halted = effective
            return says

        def status() -> Says:
            self.readings += 1
            return Says({"halted": self.halted and self.readings > after})

        self.service.answers |= {HALT: halt, STATUS: status}

    def reads(self, says: Says | Callable[[], Says]) -> None:
        self.service.answers[STATUS] = says

    @property
    def sent(self) -> int:
        return len(self.service.sent(HALT))

    async def do(
        self, http: httpx.AsyncClient, mode: Any = "live", environ: dict[str, str] | None = None, **given: Any
    ) -> dict[str, Any]:
        order, here = self.order(http, environ, **given)
        return await act(order, mode, here, self.clock.sleep)

    async def look_again(self, http: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
        order, here = self.order(http, None, **given)
        return await look_again(order, here, self.clock.sleep)

    def order(self, http: httpx.AsyncClient, environ: dict[str, str] | None, **given: Any) -> tuple[Order, Any]:
        environ = {"EMERGENCY_TOKEN": TOKEN} if environ is None else environ
        here = surroundings(http, self.clock, urls={"exec": self.service.url}, environ=environ)
        action = Action(
            title="Halt all trading",
            http=given.pop("address", "exec/api/halt"),
            danger="contain",
            who=("halt_operators",),
            scope="all",
            auth="EMERGENCY_TOKEN",
            body={"reason": "{reason}", "operator": "{operator}"},
            read_back=given.pop("plan", ReadBack(probe="halted")),
            timeout=timedelta(seconds=0.2),
            parameters=given.pop("wanted", {}),
        )
        probe = given.pop("probe", PROBE)
        parameters = given.pop("parameters", {})
        return Order(action=action, read_back=probe, parameters=parameters, reason="breach", operator="Ana"), here


@pytest.fixture
def exchange(service: Service) -> Exchange:
    return Exchange(service)


def states(settled: dict[str, Any]) -> list[str]:
    return [r["state"] for r in settled["readings"]]


async def test_an_act_that_shows_is_confirmed(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says({"status": "accepted"}))
    settled = await exchange.do(http)
    assert (settled["outcome"], exchange.sent, states(settled)) == ("confirmed", 1, ["in effect"])
    assert settled["detail"].startswith(
        f"Halt all trading: sent once: POST {exchange.service.url}/api/halt, the platform answered HTTP 200 in "
    )
    assert "Read back once: it is in effect (halted true, HTTP 200 in" in settled["detail"]
    (asked,) = exchange.service.sent(HALT)
    assert (asked.method, asked.headers["authorization"]) == ("POST", f"Bearer {TOKEN}")
    shown = {name.lower() for name in settled["request"]["headers"]}
    assert set(asked.headers) - shown <= {"host", "user-agent", "accept-encoding", "content-length"}
    assert json.loads(asked.body) == {"reason": "breach", "operator": "Ana"} == settled["request"]["body"]


async def test_reading_back_goes_on_until_the_effect_shows(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"), after=3)
    settled = await exchange.do(http)
    assert settled["outcome"] == "confirmed"
    assert states(settled) == ["not in effect"] * 3 + ["in effect"]
    moments = [(NOON + timedelta(seconds=n)).isoformat() for n in range(4)]
    assert [r["at"] for r in settled["readings"]] == moments


async def test_reading_back_keeps_to_its_plan_and_ends_with_it(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"), effective=False)
    plan = ReadBack(probe="halted", within=timedelta(seconds=10), every=timedelta(seconds=4))
    settled = await exchange.do(http, plan=plan)
    assert exchange.clock.slept == [4, 4]
    assert settled["outcome"] == "failed"
    assert "Read back 3 times, every 4 s: it is not in effect (halted is false, expected true)." in settled["detail"]
    assert "It has NOT taken effect." in settled["detail"]


async def test_the_last_moment_still_counts(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"), after=10)
    assert (await exchange.do(http))["outcome"] == "confirmed"
    assert exchange.clock.time == NOON + timedelta(seconds=10)


FAULTS = {
    "timeout": (Says(how="hang"), "no answer came within 200 ms"),
    "dropped": (Says(how="drop"), "no answer came: the connection was dropped"),
    "500": (Says({"error": "gateway"}, 500), "the platform answered HTTP 500 in"),
    "502": (Says(b"\xff\xfe", 502), "the platform answered HTTP 502 in"),
    "redirect": (Says("", 302, headers={"location": "/api/halt"}), "the platform answered HTTP 302 in"),
    "408": (Says("", 408), "the platform answered HTTP 408 in"),
    "200": (Says("ok"), "the platform answered HTTP 200 in"),
    "half a body": (Says("x", headers={"content-length": "9"}), "the platform answered HTTP 200 in"),
}
UNREADABLE = {
    "dropped": Says(how="drop"),
    "503": Says({"halted": False}, 503),
    "no JSON": Says("<html>"),
    "no such field": Says({"status": "fine"}),
    "null": Says({"halted": None}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_after_a_fault_the_reading_decides_confirmed(
    fault: str, exchange: Exchange, http: httpx.AsyncClient
) -> None:
    says, words = FAULTS[fault]
    exchange.takes_orders(says)
    settled = await exchange.do(http)
    assert (settled["outcome"], exchange.sent) == ("confirmed", 1)
    assert words in settled["detail"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_after_a_fault_the_reading_decides_failed(
    fault: str, exchange: Exchange, http: httpx.AsyncClient
) -> None:
    says, words = FAULTS[fault]
    exchange.takes_orders(says, effective=False)
    settled = await exchange.do(http)
    assert (settled["outcome"], exchange.sent, len(settled["readings"])) == ("failed", 1, 11)
    assert words in settled["detail"]
    assert "Look at the platform itself, then order it again if it is still needed." in settled["detail"]
    assert ("It may still take effect late." in settled["detail"]) is (fault not in ("200", "half a body"))


@pytest.mark.parametrize("reading", UNREADABLE)
@pytest.mark.parametrize("fault", ["timeout", "500", "200"])
async def test_what_cannot_be_read_back_is_unknown(
    fault: str, reading: str, exchange: Exchange, http: httpx.AsyncClient
) -> None:
    exchange.takes_orders(FAULTS[fault][0])
    exchange.reads(UNREADABLE[reading])
    settled = await exchange.do(http)
    assert (settled["outcome"], exchange.sent) == ("unknown", 1)
    assert set(states(settled)) == {"unreadable"}
    assert "UNKNOWN" in settled["detail"]
    assert "Look at the platform itself" in settled["detail"]


async def test_readings_that_stop_coming_leave_it_unknown(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"))
    turns = iter([Says({"halted": False}), Says({"halted": False})])
    exchange.reads(lambda: next(turns, Says(how="drop")))
    settled = await exchange.do(http)
    assert (settled["outcome"], states(settled)[0], states(settled)[-1]) == ("unknown", "not in effect", "unreadable")


async def test_a_probe_that_expects_nothing_confirms_nothing(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"))
    settled = await exchange.do(http, probe=Probe(title="Status", http="exec/api/status"))
    assert settled["outcome"] == "unknown"
    assert "expects nothing, so it proves nothing" in settled["detail"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429])
async def test_a_no_of_the_platform_is_failed(status: int, exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says({"error": "not you"}, status), effective=False)
    settled = await exchange.do(http)
    assert (settled["outcome"], exchange.sent, states(settled)) == ("failed", 1, ["not in effect"])
    assert f"the platform refused it with HTTP {status} in" in settled["detail"]
    assert "not you" in settled["detail"]


async def test_a_no_although_it_is_in_effect_says_both(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("halted already", 409))
    settled = await exchange.do(http)
    assert settled["outcome"] == "failed"
    assert "The platform shows the effect all the same, but not through this order" in settled["detail"]


async def test_without_a_connection_nothing_was_sent(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.service.url = "http://127.0.0.1:1"
    settled = await exchange.do(http)
    assert (settled["outcome"], states(settled)) == ("failed", ["unreadable"])
    assert "could not send POST http://127.0.0.1:1/api/halt" in settled["detail"]
    assert "(nothing was sent)" in settled["detail"]


async def test_a_missing_token_is_named_and_nothing_is_sent(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"))
    settled = await exchange.do(http, environ={"OTHER_TOKEN": "hunter22"})
    assert (settled["outcome"], exchange.service.asked) == ("failed", [])
    assert settled["detail"].startswith("Nothing was sent: EMERGENCY_TOKEN is not set")


async def test_wrong_values_are_told_and_nothing_is_sent(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"))
    settled = await exchange.do(http, parameters={"scop": "all"})
    assert (settled["outcome"], exchange.service.asked) == ("failed", [])
    assert settled["detail"].startswith("Nothing was sent. There is no parameter scop here.")


async def test_the_token_shows_nowhere(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says({"you": f"Bearer {TOKEN}", "again": TOKEN}))
    exchange.reads(Says({"halted": f"by {TOKEN}"}))
    settled = await exchange.do(http)
    assert TOKEN not in json.dumps(settled)
    assert settled["request"]["headers"]["Authorization"] == "Bearer ***"


async def test_the_value_ordered_is_the_value_read_back(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"))
    exchange.reads(Says({"regime": "CRISIS"}))
    probe = Probe(title="Regime", http="exec/api/status", expect=(Expect(value="regime", equals="{regime}"),))
    given: dict[str, Any] = {"probe": probe, "wanted": {"regime": Parameter(title="Regime")}}
    assert (await exchange.do(http, parameters={"regime": "CRISIS"}, **given))["outcome"] == "confirmed"
    assert (await exchange.do(http, parameters={"regime": "STRESS"}, **given))["outcome"] == "failed"


async def test_a_dry_run_sends_nothing_and_reads_once(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"))
    settled = await exchange.do(http, mode="dry_run")
    assert (settled["outcome"], exchange.sent, len(exchange.service.asked)) == ("dry_run", 0, 1)
    assert settled["detail"].startswith("DRY RUN: nothing was sent. It would be POST ")
    assert "Right now it is not in effect (halted is false, expected true)." in settled["detail"]
    assert settled["request"]["body"] == {"reason": "breach", "operator": "Ana"}
    assert states(settled) == ["not in effect"]


async def test_a_dry_run_tells_what_would_be_missing(exchange: Exchange, http: httpx.AsyncClient) -> None:
    exchange.takes_orders(Says("ok"))
    settled = await exchange.do(http, mode="dry_run", environ={})
    assert settled["outcome"] == "dry_run"
    assert "Live it would fail: EMERGENCY_TOKEN is not set" in settled["detail"]


@pytest.mark.parametrize(
    ("reads", "outcome"),
    [(Says({"halted": True}), "confirmed"), (Says({"halted": False}), "unknown"), (Says(how="drop"), "unknown")],
)
async def test_looking_again_after_a_stop_sends_nothing(
    reads: Says, outcome: str, exchange: Exchange, http: httpx.AsyncClient
) -> None:
    exchange.takes_orders(Says("ok"))
    exchange.reads(reads)
    settled = await exchange.look_again(http)
    assert (settled["outcome"], exchange.sent) == (outcome, 0)
    assert "warroom stopped between sending and reading back, and it was not repeated" in settled["detail"]


async def test_a_dropped_connection_is_never_sent_again_by_the_client(
    exchange: Exchange, http: httpx.AsyncClient
) -> None:
    exchange.service.answers |= {STATUS: Says({"halted": False}), HALT: Says(how="drop")}
    await http.get(exchange.service.url + STATUS)
    await exchange.do(http)
    assert exchange.sent == 1


async def test_no_connection_is_kept_on_which_an_order_could_get_lost(
    exchange: Exchange, http: httpx.AsyncClient
) -> None:
    exchange.takes_orders(Says("ok"))
    await exchange.do(http)
    # on a slow machine the answer may come too late and the reading back be repeated
    assert {(a.path, a.headers["connection"]) for a in exchange.service.asked} == {(HALT, "close"), (STATUS, "close")}
