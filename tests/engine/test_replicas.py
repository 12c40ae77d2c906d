"""Several processes on one PostgreSQL share the work."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from tests.engine.running import ID, rows, run_sql, running
from tests.engine.toys import START, Player, ask
from tests.store.databases import postgresql

from warroom.engine.clock import ManualClock
from warroom.engine.ports import Job
from warroom.engine.work import Tuning

QUICK = Tuning(grace=0.05, sweep=0.05)
"""They look often; the lease stays long, or a process that the machine holds up would rightly lose its effects."""


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with postgresql() as url:
        yield url


async def until(url: str, query: str, expected: object) -> None:
    """Waits until the database says so; fails after half a minute."""
    found: object = None
    try:
        async with asyncio.timeout(30):
            while (found := await rows(url, query)) != expected:
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"{query}: {found}")


@pytest.mark.row("S10")
async def test_each_timer_fires_once_and_each_effect_is_sent_once(url: str) -> None:
    clock, player = ManualClock(START), Player()
    async with running(url, player, clock=clock) as one, running(url, player, clock=clock) as two:
        await asyncio.gather(
            *(
                run.engine.submit(ask(f"{n}", open="x", timers={f"t{m}": m for m in range(1, 4)}))
                for n, run in enumerate((one, two) * 10)
            )
        )
        for _ in range(4):
            clock.advance(timedelta(seconds=1))
            await asyncio.gather(one.engine.settled(), two.engine.settled())
        await until(url, "SELECT state, count(*) FROM effect GROUP BY state", [("done", 60)])
        await asyncio.gather(one.engine.settled(), two.engine.settled())
        assert len(player.sent) == 60
        assert await rows(url, "SELECT count(*) FROM fact WHERE body LIKE '%fired%'") == [(60,)]
        assert await one.store.audit() == []
        assert one.engine.cards() == two.engine.cards()


@pytest.mark.row("S10")
async def test_a_repeat_sent_to_the_other_process_is_answered_as_the_first_time(url: str) -> None:
    async with running(url) as one, running(url) as two:
        first, second = await asyncio.gather(
            one.engine.submit(ask("1", open="x")), two.engine.submit(ask("1", open="x"))
        )
        assert {first.duplicate, second.duplicate} == {True, False}
        assert first.answer == second.answer
        assert len(await rows(url, "SELECT * FROM incident")) == 1


@pytest.mark.row("S10")
async def test_both_processes_decide_on_the_same_incident_without_losing_a_fact(url: str) -> None:
    async with running(url) as one, running(url) as two:
        await one.engine.submit(ask("0", open="x"))
        await asyncio.gather(
            *(run.engine.submit(ask(f"n{n}", ID, say=str(n))) for n, run in enumerate((one, two) * 15))
        )
        assert sorted(await one.notes()) == sorted(f"note {n}" for n in range(30))
        await two.engine.settled()
        assert await two.engine.incident(ID) == await one.engine.incident(ID) or len(await two.facts()) == 31
        assert await two.store.audit() == []


@pytest.mark.row("S10")
async def test_an_effect_goes_to_the_process_that_works_on_its_lane(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    first, second = Player(behave=slow), Player()
    async with running(url, first, tuning=QUICK) as one, running(url, second, tuning=QUICK) as two:
        await one.engine.submit(ask("1", open="x", effects=[{"key": "a", "lane": "room"}]))
        await two.engine.submit(ask("2", ID, effects=[{"key": "b", "lane": "room"}, {"key": "c", "lane": "pager"}]))
        await two.engine.settled()
        assert second.sent == ["c"]
        gate.set()
        await until(url, "SELECT key FROM effect WHERE state = 'done' ORDER BY key", [("a",), ("b",), ("c",)])
        assert (first.sent, second.sent) == (["a", "b"], ["c"])


@pytest.mark.row("S10")
async def test_what_another_process_handed_over_keeps_its_place_in_the_lane(url: str) -> None:
    """Nobody sweeps meanwhile: the process that works on the lane sees what was handed to it before it goes on."""
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    seldom = Tuning(grace=0.05, sweep=60)
    first, second = Player(behave=slow), Player()
    async with running(url, first, tuning=seldom) as one, running(url, second, tuning=seldom) as two:
        await one.engine.submit(ask("0", open="x", effects=[{"key": "0", "lane": "room"}]))
        for n in range(1, 6):
            await (two, one)[n % 2 == 0].engine.submit(ask(f"{n}", ID, effects=[{"key": f"{n}", "lane": "room"}]))
        gate.set()
        await until(url, "SELECT DISTINCT state FROM effect", [("done",)])
        assert (first.sent, second.sent) == (["0", "1", "2", "3", "4", "5"], [])


@pytest.mark.row("S10")
async def test_what_an_effect_waits_for_may_be_done_by_the_other_process(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    first, second = Player(behave=slow), Player()
    async with running(url, first, tuning=QUICK) as one, running(url, second, tuning=QUICK) as two:
        await one.engine.submit(ask("1", open="x", effects=[{"key": "room"}]))
        await two.engine.submit(ask("2", ID, effects=[{"key": "post", "after": ["room"]}]))
        gate.set()
        await until(url, "SELECT count(*) FROM effect WHERE state = 'done'", [(2,)])
        assert (first.sent, second.sent) == (["room"], ["post"])


@pytest.mark.row("S10")
async def test_the_effects_of_a_dead_process_are_taken_over_and_looked_for_first(url: str) -> None:
    """The dead one had one effect on its way and one waiting; its lease ends."""
    async with running(url, Player(limit=lambda job: ("x",))) as dead:
        await dead.engine.submit(ask("1", open="x", effects=[{"key": "a", "lane": "l"}, {"key": "b", "lane": "l"}]))
        await dead.engine.settled()
    await run_sql(url, "UPDATE effect SET owner = 'ghost', state = CASE key WHEN 'a' THEN 'sending' ELSE 'waiting' END")
    await run_sql(url, "INSERT INTO replica VALUES ('ghost', now() + interval '1 hour')")
    player = Player(look=lambda job: asyncio.sleep(0, {"ts": "1"}))
    async with running(url, player, tuning=QUICK) as run:
        await run.engine.settled()
        assert player.looked == []
        await run_sql(url, "UPDATE replica SET lease_until = now() WHERE id = 'ghost'")
        await until(url, "SELECT DISTINCT state FROM effect", [("done",)])
        assert (player.looked, player.sent) == (["a"], ["b"])


@pytest.mark.row("S10")
async def test_a_result_that_comes_after_the_lease_was_lost_is_left_to_the_new_owner(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {"by": "the old one"}

    player = Player(behave=slow)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await player.called.wait()
        await run_sql(url, "INSERT INTO replica VALUES ('heir', now() + interval '1 hour')")
        await run_sql(url, "UPDATE effect SET owner = 'heir'")
        gate.set()
        await run.engine.settled()
        assert await rows(url, "SELECT state, owner FROM effect") == [("sending", "heir")]
        assert len(await run.facts()) == 1


@pytest.mark.row("S10")
async def test_an_effect_that_somebody_else_took_is_not_sent_even_before_we_know(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    player = Player(behave=slow)
    async with running(url, player, tuning=Tuning(grace=0.05, sweep=60)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a", "lane": "l"}, {"key": "b", "lane": "l"}]))
        await player.called.wait()
        await run_sql(url, "INSERT INTO replica VALUES ('heir', now() + interval '1 hour')")
        await run_sql(url, "UPDATE effect SET owner = 'heir' WHERE key = 'b'")
        gate.set()
        await until(url, "SELECT state FROM effect ORDER BY key", [("done",), ("waiting",)])
        await run.engine.settled()
        assert player.sent == ["a"]


@pytest.mark.row("S10")
async def test_a_process_that_ends_in_order_gives_its_effects_up_at_once(url: str) -> None:
    clock = ManualClock(START)
    async with running(url, Player(limit=lambda job: ("never",)), clock=clock) as one:
        await one.engine.submit(ask("1", open="x", effects=[{"key": "a", "after": ["b"]}]))
    assert await rows(url, "SELECT id FROM replica") == []
    player = Player()
    async with running(url, player, clock=clock) as two:
        await two.engine.submit(ask("2", ID, effects=[{"key": "b"}]))
        await two.engine.settled()
        assert player.sent == ["b", "a"]
