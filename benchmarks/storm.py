"""Two hundred incidents declared at once: when everything is done, and who goes first under Slack's limits."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from lab import DELAY_S, Lab, lab, side_by_side
from table import Figure, main, median

TITLE = "A storm of declarations"
DECLARED = 200
MINOR = 20
SPEED = 10.0
"""With limits, time runs this much faster than life: Slack's one post a second in a channel is ten."""

REAL_S = 60.0
UNDER_WAY_S = 0.25
"""Real seconds after which a call that was under way when the last P0 was declared has ended."""

Message = Mapping[str, Any]


async def _unlimited() -> list[Figure]:
    async with lab(bot={"WARROOM_SLACK_LIMITS": "off"}) as it:
        room = await it.channel_id("war-room")
        began = time.monotonic()
        words = [f"declare P{n % 2} Storm {n}: orders rejected" for n in range(DECLARED)]
        took = [t for t, _, _ in await side_by_side(it.command(w, channel=room) for w in words)]
        acknowledged = time.monotonic() - began
        done = await it.all_done(60)
        calls = await it.journal(began)
        ended = max(call.finished for call in calls) - began
        slack = [call for call in calls if call.surface == "slack"]
        return [
            Figure("declarations", DECLARED),
            Figure("commands acknowledged: slowest", max(took), "s", bound=1.0),
            Figure("commands acknowledged: median", median(took), "s"),
            Figure("all acknowledged after", acknowledged, "s"),
            Figure("all effects done after", ended if done else float("inf"), "s", bound=8.0),
            Figure("incidents that lack something", len(await _missing(it)), bound=0),
            Figure("effects given up", len((await it.owed())["dead_letters"]), bound=0),
            Figure("Slack calls", len(slack)),
            Figure("most Slack calls in flight", max(c.in_flight for c in slack)),
            Figure("one call after the other would take", len(slack) * DELAY_S, "s"),
            Figure("processor time of the bot, its start included", it.processor_s(), "s"),
        ]


async def _limited() -> list[Figure]:
    speed = ("--slack-limits", "--speed", str(SPEED))
    async with lab(bot={"WARROOM_CLOCK_SPEED": str(SPEED)}, options=speed) as it:
        room = await it.channel_id("war-room")
        for number in range(MINOR):
            await it.command(f"declare P2 Minor {number}: slow replica", channel=room)
        began = time.monotonic()
        words = [f"declare P{n % 2} Storm {n}: orders rejected" for n in range(DECLARED)]
        took = [t for t, _, _ in await side_by_side(it.command(w, channel=room) for w in words)]
        declared = datetime.fromisoformat((await it.control("snapshot"))["now"])
        while (missing := await _missing(it, rooms_of="")) and time.monotonic() - began < REAL_S:
            await asyncio.sleep(1)
        roomless = len(await _missing(it))
        ended = time.monotonic() - began
        calls = [call for call in await it.journal(began) if call.surface == "slack"]
        messages = await it.control("messages")
        return [
            Figure("with Slack's limits: time runs faster than life", SPEED, "times"),
            Figure("with Slack's limits: slowest command acknowledged", max(took), "s"),
            Figure("with Slack's limits: all announced and in PagerDuty after (real)", ended, "s", bound=REAL_S),
            Figure("with Slack's limits: not announced or not in PagerDuty", len(missing), bound=0),
            Figure("with Slack's limits: rooms still to come then (20 a minute)", roomless),
            Figure("with Slack's limits: effects given up", len((await it.owed())["dead_letters"]), bound=0),
            Figure("P2 messages that went ahead of a P0 announcement", _ahead(messages, declared), bound=0),
            Figure("last P0 announced after (minutes of Slack's time)", _last(messages, declared) / 60, "min"),
            Figure("calls that Slack answered with 429", sum(call.error == "ratelimited" for call in calls)),
        ]


async def _missing(it: Lab, rooms_of: str = "P0 P1") -> list[str]:
    """What is not as it should be: an announcement, one room with a pinned panel, one incident in PagerDuty each."""
    rooms = [c for c in await it.control("channels") if c["name"].startswith("inc-")]
    said = [m["text"] for m in await it.control("messages") if m["channel"] == "war-room"]
    raised = [page["title"] for page in (await it.control("pagerduty"))["incidents"]]
    missing = []
    for number in range(DECLARED):
        mine = [c for c in rooms if f"-storm-{number}-" in c["name"]]
        announced = sum(f"Storm {number}:" in text for text in said)
        paged = sum(f"Storm {number}:" in title for title in raised)
        roomless = f"P{number % 2}" in rooms_of and not (len(mine) == 1 and mine[0]["pins"])
        if roomless or not announced or paged != 1:
            missing.append(f"{number}: {len(mine)} rooms, {announced} announcements, {paged} in PagerDuty")
    return missing


def _announced(messages: Sequence[Message]) -> list[datetime]:
    """When each P0 was announced."""
    first: dict[str, datetime] = {}
    for message in messages:
        if message["channel"] == "war-room" and message["author"] == "warroom":
            for title in (f"Storm {n}:" for n in range(0, DECLARED, 2)):
                if title in message["text"]:
                    first.setdefault(title, datetime.fromisoformat(message["at"]))
    return list(first.values())


def _last(messages: Sequence[Message], declared: datetime) -> float:
    """Seconds from the last declaration to the last announcement of a P0."""
    return (max(_announced(messages)) - declared).total_seconds()


def _ahead(messages: Sequence[Message], declared: datetime) -> int:
    """P2 messages sent after all P0s were declared and posted before the last of them was announced.

    Slack's own lines (a topic set, a message pinned) are not messages of ours.
    """
    begin, end = declared + timedelta(seconds=UNDER_WAY_S * SPEED), max(_announced(messages))
    ours = [m for m in messages if m["metadata"] is not None]
    posts = [m for m in ours if begin < datetime.fromisoformat(m["at"]) < end]
    return sum("-minor-" in m["channel"] or "Minor " in m["text"] for m in posts)


def measure() -> Sequence[Figure]:
    """First without limits, then with them."""
    return [*asyncio.run(_unlimited()), *asyncio.run(_limited())]


if __name__ == "__main__":
    main(TITLE, measure)
