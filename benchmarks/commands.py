"""Slash commands at 100 a second, whether or not the bot keeps up: when they are acknowledged, and what is on disk.

The bot is killed the moment the last acknowledgement is in; every command that was acknowledged has to be in the
database then.
"""

import asyncio
import sqlite3
import time
from collections.abc import Sequence

from lab import Lab, lab
from table import Figure, main, median, percentile

TITLE = "Slash commands, 100 a second"
A_SECOND = 100
SECONDS = 10
ROOMS = 10
WORDS = ("note The replica is back", "status", "timeline", "contacts", "list", "note Lag is falling", "help", "ackk")
"""What people type, in turn: facts with posts that follow, readings, and a slip."""


async def _measure() -> list[Figure]:
    async with lab(bot={"WARROOM_SLACK_LIMITS": "off"}) as it:
        rooms = await _rooms(it)
        for number in range(A_SECOND):  # not counted
            await it.command(WORDS[number % len(WORDS)], channel=rooms[number % ROOMS])
        begin = time.monotonic() + 0.1
        tasks = []
        for number in range(A_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, begin + number / A_SECOND - time.monotonic()))
            due = begin + number / A_SECOND
            word, room = WORDS[number % len(WORDS)], rooms[number % ROOMS]
            tasks.append(asyncio.create_task(_timed(it, word, room, due)))
        done = await asyncio.gather(*tasks)
        await it.kill()
        written = _written(it)
    took = [seconds for seconds, _ in done]
    lost = sum(trigger not in written for _, trigger in done)
    return [
        Figure("commands", len(done)),
        Figure("acknowledged: median", median(took) * 1000, "ms"),
        Figure("acknowledged: 99 of 100 within", percentile(took, 0.99) * 1000, "ms", bound=100),
        Figure("acknowledged: slowest", max(took) * 1000, "ms"),
        Figure("acknowledged and not on disk after SIGKILL", lost, bound=0),
    ]


async def _rooms(it: Lab) -> list[str]:
    """Opens incidents, so that commands have something to be about; the ids of their rooms."""
    where = await it.channel_id("war-room")
    for number in range(ROOMS):
        await it.command(f"declare P2 Slow replica {number}", channel=where)
    await it.all_done(30)
    return [str(c["id"]) for c in await it.control("channels") if c["name"].startswith("inc-")]


async def _timed(it: Lab, words: str, room: str, due: float) -> tuple[float, str]:
    """Seconds from when the command was due until it was acknowledged, and its trigger id."""
    _, trigger, _ = await it.command(words, channel=room)
    return time.monotonic() - due, trigger


def _written(it: Lab) -> set[str]:
    """Trigger ids of the commands in the database."""
    file = it.environ["DATABASE_URL"].partition(":///")[2]
    with sqlite3.connect(f"file:{file}", uri=True) as database:
        rows = database.execute("SELECT source_id FROM inbox WHERE source = 'slack'").fetchall()
    return {str(source_id).removeprefix("cmd:") for (source_id,) in rows}


def measure() -> Sequence[Figure]:
    """A thousand commands over ten incidents."""
    return asyncio.run(_measure())


if __name__ == "__main__":
    main(TITLE, measure)
