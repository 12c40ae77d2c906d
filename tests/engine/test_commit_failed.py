"""What became of a call could not be written down: it is written later, and until then nothing goes past it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError
from tests.engine.running import ID, Running, run_sql, running
from tests.engine.toys import Player, ask, soon

from warroom.domain.inputs import Input
from warroom.engine.group import Group
from warroom.engine.ports import Job
from warroom.engine.work import Back, Item, Tuning
from warroom.errors import Refused, StoreError, TryAgain, Uncertain
from warroom.store.transaction import Batch, Transaction

QUICK = Tuning(grace=0.05, retry=0.5)
LANE = [{"key": "a", "lane": "l", "coalesce": "m"}, {"key": "b", "lane": "l"}]


@contextmanager
def full_disk() -> Iterator[list[Batch]]:
    """Nothing is committed; yields what was to be."""
    tried: list[Batch] = []
    write = Transaction.write

    async def full(self: Transaction, batch: Batch) -> set[str]:
        await write(self, batch)
        tried.append(batch)
        raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    with patch.object(Transaction, "write", full):
        yield tried


@pytest.mark.parametrize(
    ("outcome", "looks", "sent", "state", "attempts"),
    [
        (None, [], ["a", "b"], "done", 1),
        (Refused("no"), [], ["a", "b"], "refused", 1),
        (TryAgain("429", after=1.0), [], ["a", "a", "b"], "done", 2),
        (Uncertain("dropped"), [None], ["a", "a", "b"], "done", 2),
        (Uncertain("dropped"), [{"ts": "1"}], ["a", "b"], "done", 1),
        (Uncertain("dropped"), [TryAgain("busy"), {"ts": "1"}], ["a", "b"], "done", 1),
        (Uncertain("dropped"), [Uncertain("nobody knows")], ["a", "b"], "unknown", 1),
    ],
    ids=["done", "refused", "429", "absent", "found", "not looked up", "unknown"],
)
async def test_what_a_failed_commit_should_have_recorded_is_recorded_later_and_its_lane_waits(
    url: str,
    outcome: Exception | None,
    looks: list[Exception | dict[str, str] | None],
    sent: list[str],
    state: str,
    attempts: int,
) -> None:
    gate, left = asyncio.Event(), list(looks)

    async def behave(job: Job) -> Mapping[str, object]:
        if job.effect.key == "a" and player.sent.count("a") == 1:
            await gate.wait()
            if outcome is not None:
                raise outcome
        return {}

    async def look(job: Job) -> Mapping[str, object] | None:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    player = Player(behave=behave, look=look)
    async with running(url, player, tuning=QUICK) as run:
        await run.engine.submit(ask("1", open="x", effects=LANE))
        await player.called.wait()
        with full_disk() as tried:
            gate.set()
            await soon(lambda: bool(tried))
        await run.engine.submit(ask("2", ID, say="in between"))
        for _ in range(3):
            await run.engine.settled()
            run.clock.advance(timedelta(seconds=5))
        await run.engine.settled()
        assert player.sent == sent
        behind = player.jobs[-1].incident
        assert "a" in behind.done or "a" in behind.failed
        assert [job.attempt for job in player.jobs if job.effect.key == "a"][-1] == attempts
        assert left == []
        assert await run.rows("SELECT key, state, attempt FROM effect ORDER BY seq") == [
            ("a", state, attempts),
            ("b", "done", 1),
        ]


@pytest.mark.parametrize("first", [TryAgain("429"), Uncertain("dropped")], ids=["429", "not looked up"])
async def test_while_it_cannot_be_written_that_a_call_came_to_nothing_it_is_not_tried_again(
    url: str, first: Exception
) -> None:
    """Everything else is written, time goes on, and its moment comes."""
    failing, decide_group = True, Group.run
    refused = asyncio.Event()

    async def behave(job: Job) -> Mapping[str, object]:
        if player.sent == ["a"]:
            raise first
        return {}

    async def look(job: Job) -> Mapping[str, object] | None:
        if len(player.looked) == 1:
            raise TryAgain("busy")
        return None

    async def run_group(self: Group, items: Sequence[Item], backs: Sequence[Back], **how: Any) -> None:
        await decide_group(self, items, backs, **how)
        if backs and failing:
            refused.set()
            raise StoreError("database or disk is full")

    player = Player(behave=behave, look=look)
    with patch.object(Group, "run", run_group):
        async with running(url, player, tuning=Tuning(grace=0.05, retry=0.01)) as run:
            await run.engine.submit(ask("1", open="x", effects=LANE))
            await refused.wait()
            looked = len(player.looked)
            for n in range(3):
                run.clock.advance(timedelta(seconds=5))
                await write_down(run, ask(f"n{n}", ID, say="in between"))
            assert (player.sent, len(player.looked)) == (["a"], looked)
            failing = False
            for _ in range(3):
                await run.engine.settled()
                run.clock.advance(timedelta(seconds=5))
            assert player.sent == ["a", "a", "b"]


async def write_down(run: Running, given: Input) -> None:
    """Until it is in a group of its own that is written."""
    while True:
        try:
            await run.engine.submit(given)
        except StoreError:
            continue
        return


async def test_one_that_was_to_give_way_to_a_newer_one_still_does_when_the_commit_failed(url: str) -> None:
    gate = asyncio.Event()

    async def behave(job: Job) -> Mapping[str, object]:
        if job.effect.key == "a":
            await gate.wait()
            raise TryAgain("429")
        return {}

    player = Player(behave=behave)
    async with running(url, player, tuning=QUICK) as run:
        await run.engine.submit(ask("1", open="x", effects=LANE))
        await run.engine.submit(ask("2", ID, effects=[{"key": "c", "lane": "l", "coalesce": "m"}]))
        await player.called.wait()
        with full_disk() as tried:
            gate.set()
            await soon(lambda: bool(tried))
        await run.engine.submit(ask("3", ID, say="in between"))
        await run.engine.settled()
        assert player.sent == ["a", "b", "c"]
        assert (await run.rows("SELECT state FROM effect ORDER BY seq"))[0] == ("dropped",)


async def test_an_effect_that_is_not_as_we_remember_it_is_loaded_again_and_looked_for(url: str) -> None:
    """It is ours, but its attempt is on record already: nothing that we know of does this, and it is not forgotten."""
    gate = asyncio.Event()

    async def slow(job: Job) -> Mapping[str, object]:
        await gate.wait()
        return {}

    player = Player(behave=slow, look=lambda job: asyncio.sleep(0, {"ts": "1"}))
    async with running(url, player, tuning=Tuning(grace=0.05, sweep=60)) as run:
        await run.engine.submit(ask("1", open="x", effects=LANE))
        await player.called.wait()
        await run_sql(url, "UPDATE effect SET state = 'sending' WHERE key = 'b'")
        gate.set()
        await run.engine.settled()
        await run.engine.settled()
        assert (player.sent, player.looked) == (["a"], ["b"])
        assert await run.rows("SELECT DISTINCT state FROM effect") == [("done",)]


async def test_what_keeps_us_from_writing_is_known_until_something_was_written(url: str) -> None:
    async with running(url) as run:
        assert run.engine.trouble is None
        await run_sql(url, "ALTER TABLE fact RENAME TO hidden")
        with pytest.raises(Exception, match="the database could not do it"):
            await run.engine.submit(ask("1", open="x"))
        assert "the database could not do it" in str(run.engine.trouble)
        await run_sql(url, "ALTER TABLE pack RENAME TO packed")
        await run.engine.settled()
        assert "the database could not do it" in str(run.engine.trouble)
        await run_sql(url, "ALTER TABLE packed RENAME TO pack")
        await run_sql(url, "ALTER TABLE hidden RENAME TO fact")
        await run.engine.settled()
        assert run.engine.trouble is None
        assert await run.rows("SELECT * FROM pack") == []


async def test_a_writer_that_has_ended_is_trouble_and_the_rest_still_ends_in_order(url: str) -> None:
    async with running(url) as run:
        (writer,) = (task for task in asyncio.all_tasks() if task.get_name() == "writer")
        writer.cancel()
        await asyncio.wait([writer])
        assert "start warroom again" in str(run.engine.trouble)
