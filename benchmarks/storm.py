"""Two hundred incidents declared at once: when everything is done, and who goes first under Slack's limits."""

import asyncio
import time
from collections.abc import Sequence

from lab import DELAY_S, Lab, lab, side_by_side
from table import Figure, main, median

TITLE = "A storm"
DECLARED = 200
SPEED = 60.0
"""With limits, time runs this much faster than life: Slack's 20 rooms a minute are 20 a second."""
MINOR = 40
REAL_S = 60.0


async def _unlimited() -> list[Figure]:
    async with lab(bot={"WARROOM_SLACK_LIMITS": "off"}) as it:
        room = await it.channel_id("war-room")
        began = time.monotonic()
        words = [f"declare P{n % 2} Storm {n}: security breach" for n in range(DECLARED)]
        took = [t for t, _, _ in await side_by_side(it.command(w, channel=room) for w in words)]
        acknowledged = time.monotonic() - began
        done = await it.all_done(60)
        calls = await it.journal(began)
        ended = max(call.finished for call in calls) - began
        lost = DECLARED - await _complete(it)
        slack = [call for call in calls if call.surface == "slack"]
        return [
            Figure("declarations", DECLARED),
            Figure("commands acknowledged: slowest", max(took), "s", bound=1.0),
            Figure("commands acknowledged: median", median(took), "s"),
            Figure("all acknowledged after", acknowledged, "s"),
            Figure("all effects done after", ended if done else float("inf"), "s", bound=8.0),
            Figure("incidents without announcement, room, panel or PagerDuty", lost, bound=0),
            Figure("Slack calls", len(slack)),
            Figure("calls refused by Slack or PagerDuty", sum(not c.ok for c in calls)),
            Figure("most Slack calls in flight", max(c.in_flight for c in slack)),
            Figure("one call after the other would take", len(slack) * DELAY_S, "s"),
        ]


async def _complete(it: Lab) -> int:
    """How many incidents have an announcement, a room with a pinned panel, and one incident in PagerDuty."""
    channels = await it.control("channels")
    rooms = [c for c in channels if c["name"].startswith("inc-")]
    messages = await it.control("messages")
    said = [m["text"] for m in messages if m["channel"] == "war-room"]
    pages = (await it.control("pagerduty"))["incidents"]
    whole = 0
    for number in range(DECLARED):
        mine = [c for c in rooms if f"storm-{number}-" in c["name"]]
        announced = sum(f"Storm {number}:" in text for text in said)
        raised = sum(f"Storm {number}:" in page["title"] for page in pages)
        whole += (len(mine), announced, raised) == (1, 1, 1) and bool(mine[0]["pins"])
    return whole


def measure() -> Sequence[Figure]:
    return asyncio.run(_unlimited())


if __name__ == "__main__":
    main(TITLE, measure)
