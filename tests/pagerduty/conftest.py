"""A PagerDuty on loopback, our client of it, and jobs to perform."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, time, timedelta

import aiohttp
import pytest
from tests.pagerduty import loopback
from tests.pagerduty.loopback import ROUTING_KEY, START, TOKEN

from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Effect
from warroom.domain.evolve import fold
from warroom.domain.facts import Fact, IncidentOpened, PagerDutyLinked, What
from warroom.domain.incident import Incident
from warroom.domain.market import Sessions
from warroom.domain.people import PAGERDUTY, Actor
from warroom.domain.policy import Calendar, Pack
from warroom.engine.ports import Job
from warroom.pagerduty.client import Client
from warroom.pagerduty.events import Events
from warroom.pagerduty.performer import PagerDutyPerformer
from warroom.pagerduty.rest import Rest

TIMEOUT = 0.3
ACTORS = {
    "U1": Actor("U1", "Ana", "ana@firm.example", "PANA"),
    "U2": Actor("U2", "Raj", "raj@firm.example"),
    "U3": Actor("U3", "Tom", "tom@firm.example"),
    "U4": Actor("U4", "Nobody"),
}
GROUPS = {"risk": ("U1", "U2", "U3", "U4"), "desk": ("U3",), "risk_alone": ("U1",)}

PACK = Pack(
    id="lav_adaf",
    title="LAV",
    version="1",
    source="",
    services=(),
    urls={},
    channels={},
    groups={},
    roles={},
    calendar=Calendar(timezone="UTC", open=time(9), close=time(17)),
    severities={},
    severity_rules=(),
    priorities={"P1": "P0", "P2": "P1"},
    urgencies={},
    playbooks={},
    probes={},
    probe_groups={},
    actions={},
)
LOADED = LoadedPack(pack=PACK, hash="h", sessions=Sessions(timezone="UTC", open=time(9), close=time(17)))

OPENED = IncidentOpened(
    id="INC-2026-0042",
    title="Market Sentinel down",
    severity="P0",
    severity_reason="",
    pack="lav_adaf",
    pack_hash="h",
    playbook=None,
    service=None,
    description="",
    origin="pagerduty",
)
LINKED = PagerDutyLinked(pagerduty_id="PINC1", url=None, service_id="PSVC")


def an_incident(*then: What, at: datetime = START, step: float = 0) -> Incident:
    """An incident opened at START, to which these things happened from `at` on, `step` seconds apart."""
    facts = [Fact(at=START, recorded=START, by=PAGERDUTY, what=OPENED)]
    for number, what in enumerate(then):
        when = at + timedelta(seconds=number * step)
        facts.append(Fact(at=when, recorded=when, by=PAGERDUTY, what=what))
    incident = fold(facts)
    assert incident is not None
    return incident


class People:
    """A directory of four people, two of whom have no PagerDuty account."""

    async def actor(self, slack_id: str, name: str) -> Actor:
        return ACTORS.get(slack_id, Actor(slack_id, name))

    async def members(self, groups: tuple[str, ...]) -> tuple[Actor, ...]:
        return tuple(ACTORS[m] for g in groups for m in GROUPS[g])


def a_job(kind: str, data: Mapping[str, object], *, linked: bool = True, at: datetime = START) -> Job:
    incident = an_incident(LINKED) if linked else an_incident()
    effect = Effect(key="k", kind=f"pagerduty.{kind}", data=data, at=at)
    return Job(id="j", effect=effect, incident=incident, pack=LOADED, attempt=1, now=at + timedelta(seconds=1))


@pytest.fixture
async def pagerduty() -> AsyncIterator[loopback.PagerDuty]:
    async with loopback.serve() as server:
        yield server


@pytest.fixture
def seconds() -> list[float]:
    """What the client's monotonic clock shows: change it to let time pass."""
    return [0.0]


@pytest.fixture
async def client(pagerduty: loopback.PagerDuty, seconds: list[float]) -> AsyncIterator[Client]:
    rest = Rest(TOKEN, pagerduty.url, timeout=TIMEOUT)
    client = Client(rest, "bot@firm.example", monotonic=lambda: seconds[0])
    yield client
    await client.close()


@pytest.fixture
async def performer(pagerduty: loopback.PagerDuty, client: Client) -> AsyncIterator[PagerDutyPerformer]:
    async with aiohttp.ClientSession() as session:
        events = Events(session, ROUTING_KEY, f"{pagerduty.url}/events", timeout=TIMEOUT)
        yield PagerDutyPerformer(client, People(), events)
