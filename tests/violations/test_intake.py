"""Reports on both databases: written once whatever is repeated, weighed once whatever ends in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from tests.store.databases import postgresql, sqlite

from warroom.domain.inputs import Detection, Input
from warroom.domain.procedures import Level
from warroom.domain.violation import Violation
from warroom.engine.clock import ManualClock
from warroom.errors import StoreError
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped
from warroom.store.store import Store
from warroom.store.violations import Reported, ViolationStore
from warroom.violations.intake import Intake, Taken

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
PACKS = {"pit": loaded_pack(shipped("pit"), Binding())}


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield await sqlite(folder / "warroom.db")
        return
    async with postgresql() as url:
        yield url


@dataclass
class Heard:
    """Takes detections as the engine does; `down` refuses them."""

    found: list[Detection] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    down: bool = False

    async def submit(self, given: Input) -> None:
        if self.down:
            raise StoreError("away")
        assert isinstance(given.body, Detection)
        self.found.append(given.body)
        self.ids.append(given.source_id)


def reported(ident: str, second: float = 0, level: Level = "high", feature: str = "alpha") -> Reported:
    at = NOON + timedelta(seconds=second)
    violation = Violation(id=ident, type="contract_violation", level=level, service="s", feature=feature, at=at)
    return Reported("pit", violation, NOON)


@asynccontextmanager
async def an_intake(url: str, heard: Heard) -> AsyncIterator[tuple[Intake, ViolationStore]]:
    store = await Store.open(url)
    try:
        kept = ViolationStore(store)
        clock, registry = ManualClock(NOON), CollectorRegistry()
        async with Intake(kept, packs=PACKS, submit=heard.submit, clock=clock, registry=registry) as intake:
            yield intake, kept
    finally:
        await store.close()


def levels(heard: Heard) -> list[tuple[str, object]]:
    return [(d.rule, d.details["breaker"]) for d in heard.found]


async def test_a_violation_is_kept_once_within_a_report_and_across_reports(url: str) -> None:
    async with an_intake(url, Heard()) as (intake, _):
        assert await intake.take([reported("a"), reported("b"), reported("a")]) == Taken(2, 1)
        assert await intake.take([reported("a"), reported("c")]) == Taken(1, 1)
        await intake.settled()


async def test_reports_that_come_at_once_are_all_kept(url: str) -> None:
    async with an_intake(url, Heard()) as (intake, kept):
        many = [[reported(f"{n}-{m}", level="low", second=-n) for m in range(10)] for n in range(30)]
        taken = await asyncio.gather(*(intake.take(report) for report in many))
        assert sum(t.accepted for t in taken) == 300
        await intake.settled()
        assert await kept.between("pit", None, NOON - timedelta(hours=1), NOON) == 300


@pytest.mark.row("P3")
async def test_a_report_out_of_order_fills_the_window_that_it_belongs_to(url: str) -> None:
    heard = Heard()
    async with an_intake(url, heard) as (intake, _):
        for ident, second in (("a", -3000), ("b", -2700), ("c", -100)):
            await intake.take([reported(ident, second)])
            await intake.settled()
        assert ("high", "tripped") not in levels(heard)
        await intake.take([reported("late", -2800)])
        await intake.settled()
        assert levels(heard)[-1] == ("high", "tripped")


async def test_what_was_not_weighed_when_the_process_ended_is_weighed_at_the_next_start_and_once(url: str) -> None:
    heard = Heard(down=True)
    async with an_intake(url, heard) as (intake, _):
        await intake.take([reported("a", level="critical")])
    assert heard.found == []
    heard.down = False
    for _ in range(2):
        async with an_intake(url, heard) as (intake, _):
            await intake.settled()
    assert heard.ids == ["pit:critical:a"]


@pytest.mark.row("P3")
async def test_a_window_is_found_among_many_violations_of_the_table(url: str) -> None:
    heard = Heard()
    async with an_intake(url, heard) as (intake, _):
        await intake.take([reported(f"old-{n}", -400 * n, level="medium") for n in range(1, 400)])
        await intake.settled()
        assert ("medium", "tripped") not in levels(heard)
        await intake.take([reported(f"new-{n}", n, level="medium") for n in range(8)])
        await intake.settled()
        assert ("medium", "tripped") in levels(heard)
        assert next(d for d in heard.found if d.details["breaker"]).details["count"] == 10
