"""From PagerDuty's webhook to the announcement and the open room, in Slack round trips of the same run."""

import asyncio
import time
from collections.abc import Sequence

from lab import Call, Lab, lab
from table import Figure, main, median, percentile

TITLE = "One P0 alert after the other"
ALERTS = 30
OPEN = ("conversations.create", "conversations.invite")
OPEN_POSTS = 3  # announcement, panel, playbook


async def _measure() -> list[Figure]:
    trips: list[float] = []
    alerts: list[list[Call]] = []
    async with lab(bot={"WARROOM_SLACK_LIMITS": "off"}) as it:
        for number in range(ALERTS + 2):
            trips.append(await it.round_trip())
            alerts.append(await _alert(it, number))
    trip = median(trips[2:])
    counted = alerts[2:]
    first = [_finished(calls, "chat.postMessage", 1) / trip for calls in counted]
    opened = [_open(calls) / trip for calls in counted]
    slack = [[call for call in calls if call.surface == "slack"] for calls in counted]
    return [
        Figure("one Slack round trip", trip * 1000, "ms"),
        Figure("webhook to announcement, median", median(first), "round trips", bound=1.2),
        Figure("webhook to announcement, slowest tenth from", percentile(first, 0.9), "round trips"),
        Figure("webhook to room with panel, playbook, invitations, median", median(opened), "round trips", bound=4),
        Figure("Slack calls an alert, median", median([len(calls) for calls in slack])),
        Figure("calls one after the other (serial depth), median", median([_depth(calls) for calls in slack])),
        Figure("most calls in flight, median", median([max(c.in_flight for c in calls) for calls in slack])),
    ]


async def _alert(it: Lab, number: int) -> list[Call]:
    """One alert: the calls from its webhook on, until the bot owes nothing."""
    await it.control("journal/clear", {})
    title = f"Market Sentinel down: positions corrupt {number}"
    raised = await it.control("pagerduty/trigger", {"service": "PSVCSEN", "title": title, "key": f"alert-{number}"})
    await asyncio.sleep(0.5)
    if not await it.all_done(20, pause=0.1):
        raise RuntimeError(f"the bot still owes something: {await it.owed()}")
    calls = await it.journal()
    refused = [f"{c.method}: {c.error}" for c in calls if not c.ok]
    if refused:
        raise RuntimeError(f"alert {number}: {refused}")
    await it.control("pagerduty/resolve", {"id": raised["id"]})  # or the next alert would join it
    await it.all_done(20, pause=0.1)
    return calls


def _sent(calls: Sequence[Call]) -> float:
    return min(call.started for call in calls if call.surface == "webhook")


def _finished(calls: Sequence[Call], method: str, number: int) -> float:
    """Seconds from the webhook until the `number`th call of a method was finished."""
    return sorted(call.finished for call in calls if call.method == method)[number - 1] - _sent(calls)


def _open(calls: Sequence[Call]) -> float:
    """Seconds from the webhook until the room has panel and playbook and everybody is invited."""
    return max(*(_finished(calls, method, 1) for method in OPEN), _finished(calls, "chat.postMessage", OPEN_POSTS))


def _depth(calls: Sequence[Call]) -> int:
    """The longest chain of calls of which each began after the one before was finished."""
    depth: list[tuple[float, int]] = []
    for call in sorted(calls, key=lambda c: c.started):
        before = max((d for finished, d in depth if finished <= call.started), default=0)
        depth.append((call.finished, before + 1))
    return max((d for _, d in depth), default=0)


def measure() -> Sequence[Figure]:
    """Thirty alerts after two that are not counted."""
    began = time.monotonic()
    figures = asyncio.run(_measure())
    return [*figures, Figure("the whole run", time.monotonic() - began, "s")]


if __name__ == "__main__":
    main(TITLE, measure)
