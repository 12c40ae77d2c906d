"""How much memory the bot takes when nothing happens, and how soon it answers after it is started."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lab import WARROOM, answers, environment, processor_s, sandbox, start_bot
from table import Figure, main, median

TITLE = "Footprint of `warroom serve`"
RUNS = 5
IDLE_S = 3.0


async def _measure() -> list[Figure]:
    subprocess.run([WARROOM, "--help"], check=True, capture_output=True)  # noqa: ASYNC221  writes the .pyc files
    fresh: list[float] = []
    again: list[float] = []
    resident: list[float] = []
    busy: list[float] = []
    async with sandbox() as (url, given):
        for _ in range(RUNS + 1):
            with tempfile.TemporaryDirectory(prefix="warroom-bench-") as name:
                environ = environment(url, given, Path(name))
                fresh.append((await _start(environ, 0.0))[0])
                took, used, memory = await _start(environ, IDLE_S)
                again.append(took)
                busy.append(used)
                resident.append(memory)
    return [
        Figure("idle, resident", median(resident[1:]), "MB", bound=120),
        Figure("start to first 200 on /healthz, new database", median(fresh[1:]), "s", bound=1.5),
        Figure("start to first 200 on /healthz, database there", median(again[1:]), "s", bound=1.5),
        Figure("processor time until then", median(busy[1:]), "s"),
    ]


async def _start(environ: dict[str, str], idle: float) -> tuple[float, float, float]:
    """Starts and stops the bot once: seconds to the first answer, those of processor, MB after `idle` seconds."""
    began = time.monotonic()
    process = await start_bot(environ, subprocess.DEVNULL)
    try:
        took = await answers(f"http://127.0.0.1:{environ['WARROOM_PORT']}") - began
        used = processor_s(process.pid)
        await asyncio.sleep(idle)
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return took, used, resident / 1024
    finally:
        process.terminate()
        await process.wait()


def measure() -> Sequence[Figure]:
    """Five runs after one that is not counted; medians."""
    return asyncio.run(_measure())


if __name__ == "__main__":
    main(TITLE, measure)
