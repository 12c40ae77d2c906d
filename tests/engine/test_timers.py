"""Timers fire once, in the order they are due, however late."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from tests.engine.running import ID, running
from tests.engine.toys import RULES, START, Player, ask, decide, shelf

from warroom.domain.decision import Context, Decision
from warroom.domain.evolve import evolve
from warroom.domain.facts import Fact, NoteAdded
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, TimerDue
from warroom.domain.people import WARROOM
from warroom.engine.clock import ManualClock, ScaledClock, SystemClock
from warroom.engine.engine import Engine
from warroom.engine.limits import Unlimited
from warroom.engine.timers import Waker
from warroom.engine.work import Rules
from warroom.store.store import Store


async def fired(run: object) -> list[str]:
    return [note.removeprefix("fired ") for note in await run.notes() if note.startswith("fired")]  # type: ignore[attr-defined]


async def test_a_timer_fires_when_it_is_due_and_not_before(url: str) -> None:
    clock = ManualClock(START)
    player = Player()
    async with running(url, player, clock=clock) as run:
        await run.engine.submit(ask("1", open="x", timers={"ack": 300, "warn": 240}))
        clock.advance(timedelta(seconds=239))
        await run.engine.settled()
        assert await fired(run) == []
        clock.advance(timedelta(seconds=1))
        await run.engine.settled()
        assert await fired(run) == ["warn"]
        clock.advance(timedelta(seconds=60))
        await run.engine.settled()
        assert await fired(run) == ["warn", "ack"]
        assert len(player.sent) == 2
        assert await run.rows("SELECT * FROM timer") == []


async def test_a_timer_that_is_moved_fires_at_its_new_time_only(url: str) -> None:
    clock = ManualClock(START)
    async with running(url, clock=clock) as run:
        await run.engine.submit(ask("1", open="x", timers={"update": 60}))
        await asyncio.gather(
            run.engine.submit(ask("2", ID, timers={"update": 90})),
            run.engine.submit(ask("3", ID, timers={"update": 120, "other": 500})),
        )
        assert await run.rows("SELECT key FROM timer ORDER BY key") == [("other",), ("update",)]
        clock.advance(timedelta(seconds=100))
        await run.engine.settled()
        assert await fired(run) == []
        clock.advance(timedelta(seconds=20))
        await run.engine.settled()
        assert await fired(run) == ["update"]


async def test_after_an_outage_everything_overdue_fires_in_due_order_and_late(url: str) -> None:
    async with running(url) as run:
        await run.engine.submit(ask("1", open="x", timers={f"t{n:03}": 1000 - n for n in range(150)}))
    async with running(url, clock=ManualClock(START + timedelta(hours=2))) as run:
        await run.engine.settled()
        assert await fired(run) == [f"t{n:03}" for n in range(149, -1, -1)]
        assert {x.recorded for x in (await run.facts())[-1:]} == {START + timedelta(hours=2)}
        assert (await run.engine.backlog()).overdue == 0


async def test_a_timer_that_a_late_one_sets_in_the_past_fires_in_its_place(url: str) -> None:
    """A step at 10 asks for another at 20; it comes before the one at 30, although all are late."""

    def chained(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        decision = decide(incident, given, ctx)
        if isinstance(given.body, TimerDue) and given.body.key == "first":
            assert decision.incident is not None
            due = START + timedelta(seconds=20)
            what = NoteAdded(text=f"second {due.isoformat()}", kind="set")
            fact = Fact(at=ctx.now, recorded=ctx.now, by=WARROOM, what=what)
            return replace(
                decision,
                incident=evolve(decision.incident, fact),
                facts=(*decision.facts, fact),
                timers={**decision.timers, "second": due},
            )
        return decision

    async with running(url) as run:
        await run.engine.submit(ask("1", open="x", timers={"first": 10, "third": 30}))
    async with running(url, rules=Rules(RULES.route, chained), clock=ManualClock(START + timedelta(hours=1))) as run:
        await run.engine.settled()
        assert await fired(run) == ["first", "second", "third"]


async def test_what_a_person_did_before_a_timer_was_due_counts_before_it(url: str) -> None:
    clock = ManualClock(START)
    async with running(url, clock=clock) as run:
        await run.engine.submit(ask("1", open="x", timers={"ack": 300}))
        clicked = ask("2", ID, say="acknowledged", received=START + timedelta(seconds=299))
        task = asyncio.create_task(run.engine.submit(clicked))
        await asyncio.sleep(0)
        clock.advance(timedelta(seconds=300))
        await task
        await run.engine.settled()
        assert [n for n in await run.notes() if not n.startswith("set")] == ["note acknowledged", "fired ack"]


async def test_a_timer_that_was_due_before_a_person_acted_counts_before_it(url: str) -> None:
    async with running(url) as run:
        await run.engine.submit(ask("1", open="x", timers={"ack": 300}))
        clicked = ask("2", ID, say="acknowledged", received=START + timedelta(seconds=301))
        task = asyncio.create_task(run.engine.submit(clicked))
        await asyncio.sleep(0)
        run.clock.advance(timedelta(seconds=301))
        await task
        await run.engine.settled()
        assert [n for n in await run.notes() if not n.startswith("set")] == ["fired ack", "note acknowledged"]


async def test_a_timer_the_rules_keep_asking_for_fires_once(url: str) -> None:
    def stubborn(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        return replace(decide(incident, given, ctx), timers={"t": START + timedelta(seconds=5)})

    clock = ManualClock(START)
    async with running(url, rules=Rules(RULES.route, stubborn), clock=clock) as run:
        await run.engine.submit(ask("1", open="x"))
        clock.advance(timedelta(seconds=6))
        await run.engine.settled()
        await run.engine.submit(ask("2", ID, say="again"))
        await run.engine.settled()
        assert await fired(run) == ["t"]


async def test_a_timer_whose_decision_fails_is_tried_again_later_and_holds_up_no_other(url: str) -> None:
    broken = True

    def fragile(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        if broken and isinstance(given.body, TimerDue) and given.body.key == "bad":
            raise RuntimeError("not yet")
        return decide(incident, given, ctx)

    clock = ManualClock(START)
    async with running(url, rules=Rules(RULES.route, fragile), clock=clock) as run:
        await run.engine.submit(ask("1", open="x", timers={"bad": 10, "good": 20}))
        clock.advance(timedelta(seconds=20))
        await run.engine.settled()
        assert await fired(run) == ["good"]
        backlog = await run.engine.backlog()
        assert (backlog.overdue, len(backlog.failed)) == (1, 1)
        broken = False
        clock.advance(timedelta(seconds=31))
        await run.engine.settled()
        assert await fired(run) == ["good", "bad"]


async def test_a_timer_whose_decision_fails_is_left_alone_for_the_holdoff(url: str) -> None:
    tries = 0

    def broken(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        nonlocal tries
        if isinstance(given.body, TimerDue):
            tries += 1
            raise RuntimeError("not yet")
        return decide(incident, given, ctx)

    async with running(url, rules=Rules(RULES.route, broken)) as run:
        await run.engine.submit(ask("1", open="x", timers={"bad": 10}))
        found = []
        for seconds in (10, 1, 28, 2):
            run.clock.advance(timedelta(seconds=seconds))
            await run.engine.submit(ask(f"after {seconds}", ID, say="somebody types"))
            await run.engine.settled()
            found.append(tries)
        assert found == [1, 1, 1, 2]


async def test_on_a_running_clock_a_timer_fires_by_itself(url: str) -> None:
    anchor = datetime.now(UTC)
    clock = ScaledClock(50, anchor, START)
    store = await Store.open(url)
    player = Player()
    async with Engine(
        store,
        rules=RULES,
        shelf=shelf(),
        performers=[player],
        clock=clock,
        limits=Unlimited(clock.seconds),
    ) as engine:
        await engine.submit(ask("1", open="x", timers={"t": (clock.now() - START).total_seconds() + 10}))
        await asyncio.wait_for(player.called.wait(), 30)
        late = player.jobs[0].incident.notes[-1].at - START
        assert late < timedelta(minutes=10)
    await store.close()


async def test_a_sweep_catches_what_a_wake_up_missed() -> None:
    swept = asyncio.Event()
    waker = Waker(SystemClock(), swept.set, sweep=0.02)
    waker.start()
    await asyncio.wait_for(swept.wait(), 30)
    waker.stop()


class WallClock(SystemClock):
    """The machine's time, set back and forth by hand: the scheduler sees it too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = timedelta()
        clock = self

        class Machine(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + clock._ahead

        monkeypatch.setattr("apscheduler.schedulers.base.datetime", Machine)
        monkeypatch.setattr("warroom.engine.timers.datetime", Machine)

    def now(self) -> datetime:
        return super().now() + self._ahead

    def put(self, by: timedelta) -> None:
        """Sets the date; negative is back."""
        self._ahead += by


async def test_when_the_machines_date_is_set_back_the_sweep_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, swept = WallClock(monkeypatch), asyncio.Event()
    waker = Waker(clock, swept.set, sweep=0.02)
    waker.start()
    for _ in range(3):
        await asyncio.wait_for(swept.wait(), 5)
        clock.put(timedelta(hours=-1))
        swept.clear()
    await asyncio.wait_for(swept.wait(), 5)
    waker.stop()


async def test_when_the_machines_date_is_set_back_the_next_sweep_sets_the_wake_up_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The incidents' clock runs on evenly, and its moment comes at its time: not an hour later, not at a sweep."""
    wall, clock = WallClock(monkeypatch), ScaledClock(1, START, START)
    woken: list[str] = []
    waker = Waker(clock, lambda: woken.append(current_name()), sweep=0.05)
    waker.start()
    waker.at(clock.now() + timedelta(seconds=0.3))
    wall.put(timedelta(hours=-1))
    async with asyncio.timeout(10):
        while set(woken) <= {"sweep"}:
            await asyncio.sleep(0.01)
    waker.stop()


def current_name() -> str:
    """Who runs: the sweep, or a job of the scheduler."""
    task = asyncio.current_task()
    return task.get_name() if task else ""
