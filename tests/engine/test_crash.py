"""A crash at any point loses nothing and repeats nothing blindly.

A crash is what the disk looks like at that moment: the files are copied away, and a new engine starts on the copy.
"""

import asyncio
import random
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engine.running import ID, running
from tests.engine.toys import RULES, START, Behaviour, Player, ask, decide, for_ever

from warroom.domain.decision import Context, Decision
from warroom.domain.facts import EffectDone
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.engine.clock import ManualClock
from warroom.engine.ports import Job
from warroom.errors import TryAgain, Uncertain


def crash(url: str, folder: Path) -> str:
    """The database as a crash at this moment would leave it."""
    path = Path(url.removeprefix("sqlite:///"))
    for end in ("", "-wal"):
        if path.with_name(path.name + end).exists():
            shutil.copy(path.with_name(path.name + end), folder / f"copy.db{end}")
    return f"sqlite:///{folder}/copy.db"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/warroom.db"


async def die_while_sending(url: str, folder: Path) -> str:
    """The attempt is on disk, the call is under way, and the machine dies."""
    player = Player(behave=for_ever)
    async with running(url, player) as run:
        effects = [{"key": "a", "lane": "room"}, {"key": "b", "lane": "room"}]
        await run.engine.submit(ask("1", open="x", effects=effects))
        await player.called.wait()
        return crash(url, folder)


@pytest.mark.row("S1")
async def test_what_was_being_sent_is_looked_for_and_not_sent_again_when_found(url: str, tmp_path: Path) -> None:
    copy = await die_while_sending(url, tmp_path)
    player = Player(look=lambda job: asyncio.sleep(0, {"ts": "1"}))
    async with running(copy, player) as run:
        await run.engine.settled()
        assert (player.looked, player.sent) == (["a"], ["b"])
        incident = await run.engine.incident(ID)
        assert incident is not None
        assert incident.done["a"] == {"ts": "1"}
        assert await run.store.audit() == []


@pytest.mark.row("S1")
async def test_what_was_being_sent_is_sent_once_when_it_is_surely_absent(url: str, tmp_path: Path) -> None:
    copy = await die_while_sending(url, tmp_path)
    player = Player()
    async with running(copy, player) as run:
        await run.engine.settled()
        assert (player.looked, player.sent) == (["a"], ["a", "b"])
        assert await run.rows("SELECT key, state, attempt FROM effect ORDER BY seq") == [
            ("a", "done", 2),
            ("b", "done", 1),
        ]


@pytest.mark.row("S2")
async def test_what_was_being_sent_is_unknown_when_that_cannot_be_settled(url: str, tmp_path: Path) -> None:
    async def unclear(job: Job) -> Mapping[str, object] | None:
        raise Uncertain("the platform does not say")

    copy = await die_while_sending(url, tmp_path)
    player = Player(look=unclear)
    async with running(copy, player) as run:
        await run.engine.settled()
        assert (player.looked, player.sent) == (["a"], ["b"])
        assert (await run.engine.backlog()).dead[0].state == "unknown"


@pytest.mark.row("S1")
async def test_an_end_while_sending_leaves_it_to_be_looked_for(url: str) -> None:
    player = Player(behave=for_ever)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await player.called.wait()
    again = Player(look=lambda job: asyncio.sleep(0, {"ts": "1"}))
    async with running(url, again) as run:
        await run.engine.settled()
        assert (again.looked, again.sent) == (["a"], [])


async def test_calls_under_way_at_the_end_get_their_grace_and_are_written_down(url: str) -> None:
    async def short(job: Job) -> Mapping[str, object]:
        await asyncio.sleep(0.01)
        return {}

    player = Player(behave=short)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a", "lane": "l"}, {"key": "b", "lane": "l"}]))
        await player.called.wait()
    assert player.sent == ["a"]
    async with running(url, player) as run:
        assert [x.what.key for x in await run.facts() if isinstance(x.what, EffectDone)] == ["a"]
        await run.engine.settled()
        assert player.sent == ["a", "b"]
        assert player.looked == []


@pytest.mark.row("S1")
@pytest.mark.parametrize("seed", range(3))
async def test_crash_after_crash_every_effect_takes_place_exactly_once(url: str, tmp_path: Path, seed: int) -> None:
    """The other side remembers what took effect, as Slack does; calls die before or after it."""
    dice = random.Random(seed)
    world: list[str] = []
    living = 0

    def dying(after: int, me: int) -> Behaviour:
        calls = iter(range(10_000))

        async def call(job: Job) -> Mapping[str, object]:
            dies = next(calls) >= after
            if me == living and (not dies or dice.random() < 0.5):
                world.append(job.effect.key)
            return await for_ever(job) if dies or me != living else {}

        return call

    async def look(job: Job) -> Mapping[str, object] | None:
        return {} if job.effect.key in world else None

    effects = [{"key": f"{lane}{n}", "lane": lane} for n in range(5) for lane in "ab"]
    here = url
    for life in range(12):
        living = life
        player = Player(behave=dying(dice.randrange(4), life), look=look)
        async with running(here, player) as run:
            await run.engine.submit(ask("1", open="x", effects=effects))
            for _ in range(60):
                await asyncio.sleep(0.001)
                if len(player.sent) > len(player.ended):
                    break
            living = -1
            (tmp_path / str(life)).mkdir()
            here = crash(here, tmp_path / str(life))
    living = 12
    async with running(here, Player(behave=dying(10_000, 12), look=look)) as run:
        async with asyncio.timeout(30):
            while (await run.engine.backlog()).waiting:  # what died twice pauses before it is tried again
                await asyncio.sleep(0.02)
        await run.engine.settled()
        assert sorted(world) == sorted(str(effect["key"]) for effect in effects)
        assert [key for key in world if key < "b"] == [f"a{n}" for n in range(5)]
        assert await run.store.audit() == []


@pytest.mark.row("S1")
async def test_a_result_that_could_not_be_decided_is_decided_after_the_next_start(url: str) -> None:
    def fragile(incident: Incident | None, given: Input, ctx: Context) -> Decision:
        if given.source == "effect":
            raise RuntimeError("not yet")
        return decide(incident, given, ctx)

    player = Player()
    async with running(url, player, rules=replace(RULES, decide=fragile)) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}, {"key": "b", "after": ["a"]}]))
        await run.engine.settled()
        assert len((await run.engine.backlog()).failed) == 1
    async with running(url, player) as run:
        await run.engine.settled()
        assert player.sent == ["a", "b"]
        assert player.looked == []
        assert (await run.engine.backlog()).failed == ()


@pytest.mark.row("S1")
async def test_an_effect_that_waited_for_its_time_still_does_after_a_restart(url: str) -> None:
    async def busy_once(job: Job) -> Mapping[str, object]:
        if job.attempt == 1:
            raise TryAgain("later", after=60)
        return {}

    player = Player(behave=busy_once)
    async with running(url, player) as run:
        await run.engine.submit(ask("1", open="x", effects=[{"key": "a"}]))
        await run.engine.settled()
    clock = ManualClock(START + timedelta(seconds=30))
    async with running(url, player, clock=clock) as run:
        await run.engine.settled()
        assert player.sent == ["a"]
        clock.advance(timedelta(seconds=31))
        await run.engine.settled()
        assert player.sent == ["a", "a"]
