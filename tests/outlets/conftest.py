"""The sandbox's mail server, status page and wiki on loopback, and jobs for our outlets to perform."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from warroom.domain.effects import Effect
from warroom.domain.evolve import fold
from warroom.domain.facts import Fact, IncidentOpened
from warroom.domain.incident import Incident
from warroom.domain.people import PAGERDUTY
from warroom.domain.views import VIEWS
from warroom.engine.ports import Job
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped
from warroom.rendering import Catalog, Message
from warroom.sandbox import Sandbox, serve
from warroom.slack.compose import Composer

START = datetime(2026, 11, 17, 14, 31, tzinfo=UTC)
PACK = loaded_pack(shipped("lav_adaf"), Binding(services=("PSVC1",)))
COMPOSER = Composer(Catalog.load(Path(__file__).parents[2] / "messages"), VIEWS)


@dataclass(frozen=True)
class Found:
    emails: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass
class Book:
    """An address book with one group."""

    found: Found

    async def addresses(self, groups: Sequence[str]) -> Found:
        return self.found


def an_incident(title: str = "Market Sentinel down", **changes: object) -> Incident:
    opened = IncidentOpened(
        id="INC-2026-0042",
        title=title,
        severity="P0",
        severity_reason="",
        pack="lav_adaf",
        pack_hash="h",
        playbook=None,
        service="market-sentinel",
        description="",
        origin="pagerduty",
    )
    incident = fold([Fact(at=START, recorded=START, by=PAGERDUTY, what=opened)])
    assert incident is not None
    return replace(incident, **changes)  # type: ignore[arg-type]


def a_job(
    kind: str,
    key: str = "comm:note:1",
    incident: Incident | None = None,
    text: str = "It is being mended.",
    **more: object,
) -> Job:
    """A job whose message is a note with this text."""
    incident = incident or an_incident()
    context = {"id": incident.id, "text": text, "by": "Ana", "source": "note"}
    data: Mapping[str, object] = {"message": "note", "context": context, **more}
    effect = Effect(key=key, kind=kind, data=data, at=START)
    return Job(id=f"{incident.id}/{key}", effect=effect, incident=incident, pack=PACK, attempt=1, now=START)


def compose(job: Job) -> Message:
    return COMPOSER.message(job)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(lambda: START)
    async with serve(sandbox):
        yield sandbox


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        yield client
