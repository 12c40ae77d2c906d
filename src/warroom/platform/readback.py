"""Reading back: looking at the platform until it shows an action's effect, or the time for that is over."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Literal

from warroom.domain.policy import Probe, ReadBack
from warroom.platform.probes import run_probe
from warroom.platform.results import ProbeResult
from warroom.platform.surroundings import Surroundings
from warroom.platform.words import span

Sleep = Callable[[float], Awaitable[None]]
Effect = Literal["in effect", "not in effect", "unreadable"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the platform said at `at` (ISO, UTC) about whether the action has taken effect."""

    at: str
    state: Effect
    summary: str
    value: object

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


async def read_once(plan: ReadBack, probe: Probe, surroundings: Surroundings) -> Reading:
    """One look."""
    result = await run_probe(plan.probe, probe, surroundings)
    summary = result.summary
    if result.state == "ok" and not result.judged:
        summary = f"{summary}, but the probe {plan.probe} expects nothing, so it proves nothing"
    return Reading(at=result.started, state=_effect(result), summary=summary, value=result.value)


async def read_back(
    plan: ReadBack, probe: Probe, surroundings: Surroundings, sleep: Sleep = asyncio.sleep
) -> tuple[Reading, ...]:
    """Looks at once and then every `plan.every` until the effect shows or `plan.within` is over; at least one."""
    clock = surroundings.clock
    begin = clock.now()
    readings: list[Reading] = []
    for turn in range(1, ceil(plan.within / plan.every) + 2):
        readings.append(await read_once(plan, probe, surroundings))
        due = begin + turn * plan.every
        if readings[-1].state == "in effect" or max(due, clock.now()) > begin + plan.within:
            break
        await sleep(min(clock.real_seconds(due), plan.every.total_seconds()))
    return tuple(readings)


def told(readings: Sequence[Reading], plan: ReadBack) -> str:
    """The readings as one sentence."""
    last = readings[-1]
    times = "once" if len(readings) == 1 else f"{len(readings)} times, every {span(plan.every.total_seconds())}"
    verdict = {
        "in effect": "it is in effect",
        "not in effect": "it is not in effect",
        "unreadable": "this could not be read",
    }[last.state]
    return f"Read back {times}: {verdict} ({last.summary})."


def _effect(result: ProbeResult) -> Effect:
    """Only a value that was really compared says anything about the effect; a bad status or a missing field is
    no statement."""
    if not result.judged:
        return "unreadable"
    return "in effect" if result.state == "ok" else "not in effect"
