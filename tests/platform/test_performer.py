"""The performer, as the engine calls it."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.platform.support import NOON, TOKEN, Says, Service, StoryClock, surroundings

from warroom.domain.decision import NO_PACK
from warroom.domain.effects import Effect
from warroom.domain.evolve import evolve
from warroom.domain.facts import Fact, IncidentOpened
from warroom.domain.people import By
from warroom.domain.policy import Action, Expect, Probe, ReadBack
from warroom.engine.ports import Job, Performer
from warroom.errors import Refused
from warroom.platform.evidence import check, seal
from warroom.platform.performer import PlatformPerformer

HALT = Action(
    title="Halt all trading",
    http="exec/api/halt",
    danger="contain",
    who=("halt_operators",),
    scope="all",
    auth="EMERGENCY_TOKEN",
    read_back=ReadBack(probe="halted"),
)
PROBES = {
    "health": Probe(title="Health", http="exec/health"),
    "halted": Probe(title="Halted", http="exec/api/status", expect=(Expect(value="halted", equals=True),)),
}
ORDER = {"run": "r1", "action": "halt-all", "parameters": {}, "reason": "breach", "operator": "Ana", "mode": "live"}


def a_job(kind: str, data: Mapping[str, object], attempt: int = 1) -> Job:
    pack = replace(NO_PACK, pack=replace(NO_PACK.pack, id="lav_adaf", probes=PROBES, actions={"halt-all": HALT}))
    opened = IncidentOpened(
        id="INC-2026-0042",
        title="Market Sentinel down",
        severity="P0",
        severity_reason="",
        pack="lav_adaf",
        pack_hash="",
        playbook=None,
        service=None,
        description="",
        origin="slack",
    )
    incident = evolve(None, Fact(at=NOON, recorded=NOON, by=By("slack:U1", "Ana"), what=opened))
    effect = Effect(key="act:r1", kind=kind, data=data, at=NOON)
    return Job(id="e1", effect=effect, incident=incident, pack=pack, attempt=attempt, now=NOON)


@pytest.fixture
def platform(service: Service) -> Service:
    """A platform that can be halted."""
    halted: list[bool] = []

    def halt() -> Says:
        halted.append(True)
        return Says({"status": "accepted"})

    service.answers |= {
        "/health": Says("fine"),
        "/api/halt": halt,
        "/api/status": lambda: Says({"halted": bool(halted)}),
    }
    return service


def a_performer(platform: Service, http: httpx.AsyncClient, **given: Any) -> PlatformPerformer:
    clock = StoryClock()
    here = surroundings(http, clock, urls={"exec": platform.url}, environ={"EMERGENCY_TOKEN": TOKEN})
    options: dict[str, Any] = {"allow_live": True, "sleep": clock.sleep, **given}
    return PlatformPerformer({"lav_adaf": here}, **options)


async def test_it_is_a_performer_without_rate_limits(platform: Service, http: httpx.AsyncClient) -> None:
    performer: Performer = a_performer(platform, http)
    assert performer.kinds == {"platform.probes", "platform.watch", "platform.act"}
    assert performer.buckets(a_job("platform.act", ORDER)) == ()


async def test_probes_report_in_the_order_asked_for(platform: Service, http: httpx.AsyncClient) -> None:
    data = {"run": "r1", "probes": ["halted", "helth", "health"], "title": "Health"}
    done = await a_performer(platform, http).perform(a_job("platform.probes", data))
    results: Any = done["results"]
    assert [(r["probe"], r["state"]) for r in results] == [("halted", "failed"), ("helth", "error"), ("health", "ok")]
    assert results[1]["summary"] == "this pack has no probe helth. Did you mean health?"


async def test_a_run_of_probes_is_sealed_as_evidence(
    platform: Service, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    performer = a_performer(platform, http, evidence=tmp_path)
    data = {"run": "r1", "probes": ["health"], "title": "Evidence", "seal": True}
    done = await performer.perform(a_job("platform.probes", data))
    path = tmp_path / "INC-2026-0042" / "r1.zip"
    assert done["archive"] == str(path)
    sealed = path.read_bytes()
    assert (check(sealed), seal(sealed)) == ([], done["seal"])
    assert len(str(done["seal"])) == len(hashlib.sha256().hexdigest())


async def test_probes_that_may_have_run_are_run_again(platform: Service, http: httpx.AsyncClient) -> None:
    job = a_job("platform.probes", {"run": "r1", "probes": ["health"], "title": ""}, attempt=2)
    assert await a_performer(platform, http).find(job) is None


async def test_a_live_act_is_done_once_and_confirmed(platform: Service, http: httpx.AsyncClient) -> None:
    done = await a_performer(platform, http).perform(a_job("platform.act", ORDER))
    assert (done["run"], done["outcome"], len(platform.sent("/api/halt"))) == ("r1", "confirmed", 1)
    assert set(done) == {"run", "outcome", "detail", "request", "readings"}


async def test_live_acts_need_the_second_lock_open(platform: Service, http: httpx.AsyncClient) -> None:
    with pytest.raises(Refused, match="Set WARROOM_ACTIONS=live"):
        await a_performer(platform, http, allow_live=False).perform(a_job("platform.act", ORDER))
    assert platform.asked == []


async def test_a_dry_run_needs_no_lock_and_sends_nothing(platform: Service, http: httpx.AsyncClient) -> None:
    performer = a_performer(platform, http, allow_live=False)
    job = a_job("platform.act", ORDER | {"mode": "dry_run"})
    for done in (await performer.perform(job), await performer.find(job)):
        assert done is not None
        assert done["outcome"] == "dry_run"
    assert platform.sent("/api/halt") == []


async def test_an_act_that_may_have_been_sent_is_looked_at_and_never_sent_again(
    platform: Service, http: httpx.AsyncClient
) -> None:
    performer = a_performer(platform, http)
    lost = await performer.find(a_job("platform.act", ORDER))
    assert lost is not None
    assert (lost["run"], lost["outcome"], platform.sent("/api/halt")) == ("r1", "unknown", [])
    again = await performer.perform(a_job("platform.act", ORDER, attempt=2))
    assert (again["outcome"], platform.sent("/api/halt")) == ("unknown", [])
    await performer.perform(a_job("platform.act", ORDER))
    found = await performer.find(a_job("platform.act", ORDER))
    assert found is not None
    assert (found["outcome"], len(platform.sent("/api/halt"))) == ("confirmed", 1)


async def test_an_act_that_can_no_longer_be_looked_at_is_unknown(platform: Service, http: httpx.AsyncClient) -> None:
    gone = await PlatformPerformer({}, allow_live=True).find(a_job("platform.act", ORDER))
    assert gone is not None
    assert (gone["outcome"], gone["readings"]) == ("unknown", [])
    assert "Pack lav_adaf is not set up here" in str(gone["detail"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"action": "halt-al"}, "There is no action halt-al in pack lav_adaf. Did you mean halt-all?"),
        ({"mode": "off"}, "Nothing was sent: the mode of an action is dry_run or live, not 'off'."),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(
    change: dict[str, object], sentence: str, platform: Service, http: httpx.AsyncClient
) -> None:
    with pytest.raises(Refused) as caught:
        await a_performer(platform, http).perform(a_job("platform.act", ORDER | change))
    assert str(caught.value) == sentence
    assert platform.asked == []


async def test_a_watch_gets_the_one_reading_without_the_raw_answer(platform: Service, http: httpx.AsyncClient) -> None:
    performer = a_performer(platform, http)
    read = dict(await performer.perform(a_job("platform.watch", {"watch": "w", "probe": "health"})))
    assert (read["probe"], read["state"]) == ("health", "ok")
    assert "raw" not in read
    missing = await performer.perform(a_job("platform.watch", {"watch": "w", "probe": "helth"}))
    assert missing["state"] == "error"
    assert await performer.find(a_job("platform.watch", {"watch": "w", "probe": "health"})) is None
