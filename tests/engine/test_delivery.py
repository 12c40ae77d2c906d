"""Effects go out in order, the urgent first, within limits, and never silently not."""

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

import pytest
from tests.engine.running import ID, Running, rows, run_sql, running
from tests.engine.toys import START, Player, ask, for_ever, soon

from warroom.domain.facts import EffectDone, EffectFailed
from warroom.engine.clock import ManualClock
from warroom.engine.limits import Limits
from warroom.engine.ports import Job
from warroom.engine.work import Patience, Tuning
from warroom.errors import Refused, StoreError, TryAgain, Uncertain


async def results(run: Running) -> dict[str, str]:
    """What became of each effect, by the facts."""
    found: dict[str, str] = {}
    for fact in await run.facts():
        match fact.what:
            case EffectDone(key=key):
                found[key] = "done"
            case EffectFailed(key=key, outcome=outcome, error=error):
                found[key] = f"{outcome}: {error}"
    return found


async def states(run: Running) -> dict[str, str]:
    """What became of each effect, by its row."""
    return dict(await run.rows("SELECT key, state FROM effect"))


@pytest.mark.row("S1")
async def test_the_first_call_comes_after_one_commit_that_has_its_attempt(url: str) -> None:
    seen: list[object] = []

    async def look_at_disk(job: Job) -> Mapping[str, object]:
        seen.extend(await rows(url, "SELECT state, attempt FROM effect"))
        seen.extend(await rows(url, "SELECT state FROM inbox"))
        seen.append(run.engine.metrics.registry.get_sample_value("warroom_commit_seconds_count"))
        return {}

    async with running(url, Player(behave=look_at_disk)) as run:
        await run.engine.submit(ask("1", open="down", effects=[{"key": "announce", "priority": 0}]))
        await run.engine.settled()
        assert seen == [("sending", 1), ("decided",), 1.0]


async def test_a_result_becomes_a_fact_and_state(url: str) -> None:
    player = Player()
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="down", effects=[{"key": "a", "data": {"x": 1}}]))
        await run.engine.settled()
        incident = await run.engine.incident(ID)
        assert incident is not None
        assert incident.done == {"a": {"n": 1}}
        assert await states(run) == {"a": "done"}
        (job,) = player.jobs
        assert (job.effect.data, job.attempt, job.incident.id, job.pack.hash) == ({"x": 1}, 1, ID, "toy")


async def test_an_effect_waits_for_what_it_comes_after_and_sees_its_result(url: str) -> None:
    player = Player()
    async with running(url, player) as run:
        effects = [{"key": "pin", "after": ["room", "post"]}, {"key": "post", "after": ["room"]}, {"key": "room"}]
        await run.engine.submit(ask("1", open="down", effects=effects))
        await run.engine.settled()
        assert player.sent == ["room", "post", "pin"]
        assert set(player.jobs[-1].incident.done) == {"room", "post"}


async def test_the_same_key_is_never_sent_twice(url: str) -> None:
    player = Player()
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="down", effects=[{"key": "a"}, {"key": "a"}]))
        await run.engine.settled()
        await run.engine.submit(ask("2", ID, effects=[{"key": "a"}]))
    async with running(url, player) as run:
        await run.engine.submit(ask("3", ID, effects=[{"key": "a"}, {"key": "b"}]))
        await run.engine.settled()
        assert player.sent == ["a", "b"]


@pytest.mark.parametrize("seed", range(4))
async def test_a_lane_keeps_its_order_whatever_the_calls_take(url: str, seed: int) -> None:
    dice = random.Random(seed)
    attempts: dict[str, int] = {}

    async def slow(job: Job) -> Mapping[str, object]:
        for _ in range(dice.randrange(8)):
            await asyncio.sleep(0)
        attempts[job.id] = attempts.get(job.id, 0) + 1
        if attempts[job.id] == 1 and dice.random() < 0.2:
            raise TryAgain("busy", after=0)
        return {}

    player = Player(behave=slow)
    async with running(url, player) as run:
        for incident in range(3):
            effects = [
                {"key": f"{incident}-{lane}-{n:02}", "lane": lane, "priority": dice.randrange(5)}
                for n in range(8)
                for lane in ("room", "pager")
            ]
            await run.engine.submit(ask(f"open{incident}", open="x", effects=effects))
        await run.engine.settled()
        assert len(player.ended) == 48
        for incident in range(3):
            for lane in ("room", "pager"):
                mine = [key for key in player.ended if key.startswith(f"{incident}-{lane}")]
                assert mine == sorted(mine)


@pytest.mark.row("S3")
async def test_an_urgent_effect_overtakes_what_waits_for_the_same_limit(url: str) -> None:
    clock = ManualClock(START)
    player = Player(limit=lambda job: ("slack:post",))
    limits = Limits({"slack:*": (1, 1)}, clock.seconds)
    async with running(url, player, clock=clock, limits=limits) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": f"low{n}", "priority": 60} for n in range(4)]))
        await run.engine.settled()
        assert player.sent == ["low0"]
        await run.engine.submit(ask("2", open="P0", effects=[{"key": "announce", "priority": 0}]))
        for _ in range(5):
            clock.advance(timedelta(seconds=1))
            await run.engine.settled()
        assert player.sent == ["low0", "announce", "low1", "low2", "low3"]


async def test_a_limit_without_a_token_holds_up_only_those_who_draw_on_it(url: str) -> None:
    clock = ManualClock(START)
    player = Player(limit=lambda job: ("all", f"to:{job.effect.data['to']}"))
    limits = Limits({"to:busy": (1, 0.1)}, clock.seconds)
    async with running(url, player, clock=clock, limits=limits) as run:
        effects = [{"key": f"{to}{n}", "data": {"to": to}} for n in range(3) for to in ("busy", "idle")]
        await run.engine.submit(ask("1", open="x", effects=effects))
        await run.engine.settled()
        assert player.sent == ["busy0", "idle0", "idle1", "idle2"]


@pytest.mark.row("S3")
async def test_no_minor_message_goes_while_a_first_alert_lacks_a_token(url: str) -> None:
    clock = ManualClock(START)
    player = Player(limit=lambda job: ("all", f"to:{job.effect.data['to']}"))
    limits = Limits({"to:war-room": (1, 1)}, clock.seconds)
    alerts = [{"key": f"P0-{n}", "priority": 0, "data": {"to": "war-room"}} for n in range(3)]
    others = [{"key": "P1", "priority": 13, "data": {"to": "room"}}, {"key": "P2", "priority": 33, "data": {"to": "r"}}]
    async with running(url, player, clock=clock, limits=limits) as run:
        await run.engine.submit(ask("1", open="x", effects=[*others, *alerts]))
        await run.engine.settled()
        for _ in range(2):
            clock.advance(timedelta(seconds=1))
            await run.engine.settled()
        assert player.sent == ["P0-0", "P1", "P0-1", "P0-2", "P2"]


@pytest.mark.row("S3")
async def test_too_many_requests_pauses_everybody_on_that_limit_and_nobody_else(url: str) -> None:
    clock = ManualClock(START)
    refused: list[str] = []

    async def strict(job: Job) -> Mapping[str, object]:
        if not refused:
            refused.append(job.effect.key)
            raise TryAgain("ratelimited", after=30)
        return {}

    player = Player(behave=strict, limit=lambda job: ("post", f"post:{job.effect.data['to']}"))
    async with running(url, player, clock=clock) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "first", "data": {"to": "c"}}]))
        await run.engine.settled()
        later = [{"key": "same", "data": {"to": "c"}}, {"key": "other", "data": {"to": "d"}}]
        await run.engine.submit(ask("2", ID, effects=later))
        await run.engine.settled()
        assert player.sent == ["first", "other"]
        clock.advance(timedelta(seconds=29))
        await run.engine.settled()
        assert player.sent == ["first", "other"]
        clock.advance(timedelta(seconds=1.1))
        await run.engine.settled()
        assert player.sent == ["first", "other", "first", "same"]


@pytest.mark.row("S6")
async def test_an_outage_is_outlived_with_longer_and_longer_pauses(url: str) -> None:
    clock = ManualClock(START)
    at: list[float] = []

    async def away(job: Job) -> Mapping[str, object]:
        at.append((job.now - START).total_seconds())
        if job.now - START < timedelta(minutes=30):
            raise TryAgain("connection refused")
        return {}

    async with running(url, Player(behave=away), clock=clock) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        for _ in range(240):
            await run.engine.settled()
            clock.advance(timedelta(seconds=10 if at[-1] > 10 else 0.5))
        assert await results(run) == {"a": "done"}
        assert at[:6] == [0, 0.5, 1.5, 3.5, 7.5, 15.5]
        assert len(at) < 50


async def test_patience_ends_and_people_are_told(url: str) -> None:
    clock = ManualClock(START)

    async def away(job: Job) -> Mapping[str, object]:
        raise TryAgain("connection refused", after=1)

    tuning = Tuning(grace=0.05, patience=lambda effect: Patience(attempts=3))
    async with running(url, Player(behave=away), clock=clock, tuning=tuning) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        for _ in range(4):
            await run.engine.settled()
            clock.advance(timedelta(seconds=2))
        assert await results(run) == {"a": "refused: given up after 3 attempts: connection refused"}
        dead = (await run.engine.backlog()).dead
        assert [(letter.incident, letter.key, letter.state) for letter in dead] == [(ID, "a", "refused")]


async def test_what_depends_on_a_refused_effect_is_refused_with_the_reason(url: str) -> None:
    async def strict(job: Job) -> Mapping[str, object]:
        if job.effect.key == "room":
            raise Refused("missing_scope")
        return {}

    player = Player(behave=strict)
    async with running(url, player) as run:
        effects = [
            {"key": "room", "lane": "room"},
            {"key": "post", "lane": "room", "after": ["room"]},
            {"key": "pin", "after": ["post"]},
            {"key": "note", "lane": "room"},
        ]
        await run.engine.submit(ask("1", open="x", effects=effects))
        await run.engine.settled()
        found = await results(run)
        assert found["room"] == "refused: missing_scope"
        assert found["post"] == "refused: not tried, because toy (room) was refused: missing_scope"
        assert found["pin"].startswith("refused: not tried, because toy (post) was refused")
        assert found["note"] == "done"
        assert player.sent == ["room", "note"]
        await run.engine.submit(ask("2", ID, effects=[{"key": "late", "after": ["room"]}]))
        await run.engine.settled()
        assert (await results(run))["late"].startswith("refused: not tried")


async def test_of_waiting_effects_with_one_mark_only_the_newest_is_sent(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    player = Player(behave=slow)
    async with running(url, player) as run:
        first = [{"key": f"panel{n}", "lane": "room", "coalesce": "panel"} for n in range(3)]
        await run.engine.submit(ask("1", open="x", effects=first))
        await player.called.wait()
        for n in (3, 4):
            effect = {"key": f"panel{n}", "lane": "room", "coalesce": "panel"}
            await run.engine.submit(ask(str(n), ID, effects=[effect]))
        gate.set()
        await run.engine.settled()
        assert player.sent == ["panel2", "panel4"]
        assert await states(run) == {
            "panel0": "dropped",
            "panel1": "dropped",
            "panel2": "done",
            "panel3": "dropped",
            "panel4": "done",
        }


async def test_an_edit_that_has_to_be_tried_again_gives_way_to_a_newer_one(url: str) -> None:
    gate = asyncio.Event()

    async def busy_once(job: Job) -> Mapping[str, object]:
        if job.effect.key == "old":
            await gate.wait()
            raise TryAgain("busy", after=0)
        return {}

    player = Player(behave=busy_once)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "old", "lane": "room", "coalesce": "panel"}]))
        await player.called.wait()
        await run.engine.submit(ask("2", ID, effects=[{"key": "new", "lane": "room", "coalesce": "panel"}]))
        gate.set()
        await run.engine.settled()
        assert player.sent == ["old", "new"]
        assert await states(run) == {"old": "dropped", "new": "done"}


async def test_an_effect_that_others_wait_for_is_not_replaced(url: str) -> None:
    clock = ManualClock(START)
    player = Player(limit=lambda job: ("x",))
    async with running(url, player, clock=clock, limits=Limits({"x": (1, 1)}, clock.seconds)) as run:
        effects = [{"key": "a"}, {"key": "b", "coalesce": "m"}, {"key": "c", "after": ["b"]}]
        await run.engine.submit(ask("1", open="x", effects=effects))
        await run.engine.submit(ask("2", ID, effects=[{"key": "d", "coalesce": "m"}]))
        for _ in range(5):
            await run.engine.settled()
            clock.advance(timedelta(seconds=1))
        assert sorted(player.sent) == ["a", "b", "c", "d"]


async def test_what_comes_too_late_is_not_sent_and_said(url: str) -> None:
    clock = ManualClock(START)
    player = Player(limit=lambda job: ("x",))
    async with running(url, player, clock=clock, limits=Limits({"x": (1, 0.01)}, clock.seconds)) as run:
        effects = [{"key": "a"}, {"key": "b", "expires": 60}, {"key": "c", "after": ["never"], "expires": 60}]
        await run.engine.submit(ask("1", open="x", effects=effects))
        await run.engine.settled()
        clock.advance(timedelta(seconds=60))
        await run.engine.settled()
        clock.advance(timedelta(seconds=600))
        await run.engine.settled()
        assert player.sent == ["a"]
        found = await results(run)
        assert found["b"] == found["c"] == "refused: too late: it had to be done by 2026-03-02 14:31:00 UTC"


@pytest.mark.row("S1")
@pytest.mark.parametrize("trouble", [Uncertain("connection dropped"), RuntimeError("a mistake"), TimeoutError()])
async def test_an_uncertain_effect_that_is_found_is_not_sent_again(url: str, trouble: Exception) -> None:
    async def drops(job: Job) -> Mapping[str, object]:
        raise trouble

    async def there(job: Job) -> Mapping[str, object]:
        return {"ts": "1"}

    player = Player(behave=drops, look=there)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await run.engine.settled()
        incident = await run.engine.incident(ID)
        assert incident is not None
        assert incident.done == {"a": {"ts": "1"}}
        assert (player.sent, player.looked) == (["a"], ["a"])


@pytest.mark.row("S1")
async def test_an_uncertain_effect_that_is_surely_absent_is_sent_again(url: str) -> None:
    async def drops_once(job: Job) -> Mapping[str, object]:
        if job.attempt == 1:
            raise Uncertain("connection dropped")
        return {"attempt": job.attempt}

    player = Player(behave=drops_once)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await run.engine.settled()
        assert (player.sent, player.looked) == (["a", "a"], ["a"])
        assert await run.rows("SELECT state, attempt FROM effect") == [("done", 2)]
        assert player.jobs[0].id == player.jobs[1].id


@pytest.mark.row("S2")
async def test_an_uncertain_effect_that_cannot_be_settled_is_unknown_and_never_repeated(url: str) -> None:
    async def drops(job: Job) -> Mapping[str, object]:
        raise Uncertain("connection dropped")

    async def unclear(job: Job) -> Mapping[str, object] | None:
        raise Uncertain("the platform does not say")

    player = Player(behave=drops, look=unclear)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "halt"}, {"key": "b", "after": ["halt"]}]))
        await run.engine.settled()
        found = await results(run)
        assert found["halt"] == "unknown: the platform does not say"
        assert found["b"].startswith("refused: not tried, because toy (halt) was unknown")
        assert player.sent == ["halt"]


async def test_when_it_cannot_be_looked_up_now_it_is_looked_up_later_before_anything_is_sent(url: str) -> None:
    clock = ManualClock(START)

    async def drops_once(job: Job) -> Mapping[str, object]:
        if job.attempt == 1:
            raise Uncertain("connection dropped")
        return {}

    async def away(job: Job) -> Mapping[str, object] | None:
        if job.now < START + timedelta(seconds=10):
            raise TryAgain("connection refused")
        return None

    player = Player(behave=drops_once, look=away)
    async with running(url, player, clock=clock) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        for _ in range(30):
            await run.engine.settled()
            assert player.sent == ["a"] or clock.now() >= START + timedelta(seconds=10)
            clock.advance(timedelta(seconds=1))
        assert player.sent == ["a", "a"]
        assert len(player.looked) > 3
        assert await results(run) == {"a": "done"}


async def test_a_call_that_takes_too_long_is_uncertain(url: str) -> None:
    player = Player(behave=for_ever, look=lambda job: asyncio.sleep(0, {"found": True}))
    async with running(url, player, tuning=Tuning(timeout=0.05, grace=0.05)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await run.engine.settled()
        assert await results(run) == {"a": "done"}


async def test_an_effect_that_nothing_performs_is_refused(url: str) -> None:
    async with running(url) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a", "kind": "fax.send"}]))
        await run.engine.settled()
        assert await results(run) == {"a": "refused: nothing in this deployment performs fax.send"}


async def test_a_performer_that_cannot_name_its_limits_loses_only_its_effect(url: str) -> None:
    def limit(job: Job) -> tuple[str, ...]:
        return (str(job.effect.data["to"]),)

    async with running(url, Player(limit=limit)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}, {"key": "b", "data": {"to": "c"}}]))
        await run.engine.settled()
        assert await results(run) == {"a": "refused: it could not be prepared: KeyError: 'to'", "b": "done"}


async def test_no_more_calls_than_the_cap_are_under_way_but_an_urgent_one_always_is(url: str) -> None:
    player = Player(behave=for_ever)
    async with running(url, player, tuning=Tuning(cap=3, grace=0.05)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": f"{n}"} for n in range(6)]))
        await run.engine.submit(ask("2", ID, effects=[{"key": "urgent", "priority": 0}]))
        await soon(lambda: "urgent" in player.sent)
        assert player.sent == ["0", "1", "2", "urgent"]


async def test_while_people_wait_for_an_answer_only_first_alerts_start(url: str) -> None:
    player = Player()
    async with running(url, player, tuning=Tuning(group=1)) as run:
        effects = [{"key": "room", "priority": 1}, {"key": "alert", "priority": 0}]
        first = asyncio.create_task(run.engine.submit(ask("1", open="x", effects=effects)))
        others = [asyncio.create_task(run.engine.submit(ask(f"{n}", open=f"{n}"))) for n in range(2, 8)]
        await asyncio.gather(first, *others[:-1])
        assert player.sent == ["alert"]
        await run.engine.settled()
        assert player.sent == ["alert", "room"]


async def test_the_backlog_tells_what_is_owed(url: str) -> None:
    clock = ManualClock(START)
    player = Player(limit=lambda job: ("x",))
    async with running(url, player, clock=clock, limits=Limits({"x": (1, 0.01)}, clock.seconds)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": f"{n}"} for n in range(4)]))
        await run.engine.settled()
        backlog = await run.engine.backlog()
        assert (backlog.waiting, backlog.oldest, backlog.overdue) == ({"toy": 3}, START, 0)
        assert run.engine.metrics.registry.get_sample_value("warroom_effects_waiting") == 3


async def test_a_mistake_in_handling_a_call_leaves_the_effect_unknown_and_not_without_an_end(url: str) -> None:
    def broken(effect: object) -> Patience:
        raise RuntimeError("a mistake")

    async def away(job: Job) -> Mapping[str, object]:
        raise TryAgain("connection refused")

    async with running(url, Player(behave=away), tuning=Tuning(grace=0.05, patience=broken)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await run.engine.settled()
        assert await results(run) == {"a": "unknown: RuntimeError: a mistake"}


@pytest.mark.row("S1")
async def test_a_call_under_way_while_the_database_was_away_is_neither_repeated_nor_looked_for(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    player = Player(behave=slow)
    async with running(url, player, tuning=Tuning(grace=0.05, retry=0.1)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await player.called.wait()
        await run_sql(url, "ALTER TABLE inbox RENAME TO hidden")
        with pytest.raises(StoreError):
            await run.engine.submit(ask("2", ID, say="lost"))
        await run_sql(url, "ALTER TABLE hidden RENAME TO inbox")
        await run.engine.submit(ask("2", ID, say="kept"))
        gate.set()
        await run.engine.settled()
        assert (player.sent, player.looked) == (["a"], [])
        assert await results(run) == {"a": "done"}


@pytest.mark.row("S1")
async def test_a_result_that_cannot_be_written_now_is_written_when_the_database_is_back(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    player = Player(behave=slow)
    async with running(url, player, tuning=Tuning(grace=0.05, retry=0.1)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await player.called.wait()
        await run_sql(url, "ALTER TABLE inbox RENAME TO hidden")
        gate.set()
        await soon(lambda: "a" in player.ended)
        await asyncio.sleep(0.05)
        await run_sql(url, "ALTER TABLE hidden RENAME TO inbox")
        await run.engine.settled()
        assert (player.sent, player.looked) == (["a"], [])
        assert await results(run) == {"a": "done"}


async def test_people_do_not_wait_behind_a_pile_of_results(url: str) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    player = Player(behave=slow)
    async with running(url, player, tuning=Tuning(group=4, grace=0.05)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": f"{n}"} for n in range(40)]))
        await soon(lambda: len(player.sent) == 40)
        gate.set()
        await soon(lambda: len(player.ended) == 40)
        await run.engine.submit(ask("2", ID, say="hurry"))
        incident = await run.engine.incident(ID)
        assert incident is not None
        assert len(incident.done) <= 8
        await run.engine.settled()
        assert len(await results(run)) == 40
