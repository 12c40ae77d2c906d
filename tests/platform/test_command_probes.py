"""Probes that run a command."""

import asyncio
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.platform.support import surroundings

from warroom.domain.policy import Expect, Probe
from warroom.platform.probes import ProbeResult, run_probe


async def run(http: httpx.AsyncClient, code: str, *words: str, **given: Any) -> ProbeResult:
    """A tool named `py` that runs Python code with further words of the probe's command."""
    environ = given.pop("environ", {"PATH": os.environ["PATH"]})
    here = surroundings(http, tools={"py": (sys.executable, "-S", "-c", code)}, environ=environ)
    return await run_probe("cmd", Probe(title="Command", command=("py", *words), **given), here)


async def gone(*pids: int) -> bool:
    """Whether the processes end within a second (a zombie has ended)."""
    for _ in range(100):
        stats = [Path(f"/proc/{pid}/stat") for pid in pids]
        if all(not s.exists() or s.read_text().rpartition(")")[2].split()[0] == "Z" for s in stats):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_the_output_is_the_answer(http: httpx.AsyncClient) -> None:
    result = await run(http, "print('market-sentinel Up 3 days')", expect=(Expect(contains="market-sentinel"),))
    assert (result.state, result.status, result.raw) == ("ok", 0, "market-sentinel Up 3 days\n")
    assert result.summary.startswith("exit code 0 in ")


async def test_words_reach_the_program_as_they_are_and_no_shell_reads_them(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    words = ("$(touch x)", f"; touch {tmp_path}/x", "`id`", "*", "a b")
    result = await run(http, "import sys; print(sys.argv[1:])", *words)
    assert result.raw.strip() == str(list(words))
    assert os.listdir(tmp_path) == []


async def test_a_command_that_is_no_tool_of_the_deployment_is_not_run(http: httpx.AsyncClient) -> None:
    result = await run_probe("cmd", Probe(title="T", command=("ls", "/")), surroundings(http))
    assert (result.state, result.raw) == ("error", "")
    assert result.summary == "ls is not set up here: add it under tools: in warroom.yaml"


async def test_a_program_that_is_not_installed_is_an_error(http: httpx.AsyncClient) -> None:
    here = surroundings(http, tools={"docker": ("/nowhere/docker",)})
    result = await run_probe("cmd", Probe(title="T", command=("docker", "ps")), here)
    assert (result.state, result.summary) == ("error", "/nowhere/docker cannot be run here: it is not installed")


async def test_a_bad_exit_code_says_why(http: httpx.AsyncClient) -> None:
    result = await run(http, "import sys; print('half'); print('no daemon', file=sys.stderr); sys.exit(3)")
    assert (result.state, result.status) == ("failed", 3)
    assert result.summary.startswith("exit code 3 in ")
    assert result.summary.endswith(": no daemon")
    assert result.raw == "half\n--- standard error ---\nno daemon\n"


async def test_the_command_sees_none_of_our_environment(http: httpx.AsyncClient) -> None:
    environ = {"PATH": os.environ["PATH"], "EMERGENCY_TOKEN": "hidden-from-it", "SLACK_BOT_TOKEN": "xoxb-hidden"}
    result = await run(http, "import os; print(*sorted(os.environ))", environ=environ)
    assert result.raw.split() == ["LC_ALL", "PATH", "TZ"]


async def test_the_command_gets_no_input(http: httpx.AsyncClient) -> None:
    assert (await run(http, "import sys; print(repr(sys.stdin.read()))")).raw == "''\n"


async def test_a_hanging_command_is_killed_with_everything_it_started(http: httpx.AsyncClient) -> None:
    code = "import os, sys, time\nos.fork()\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
    begin = time.monotonic()
    result = await run(http, code, timeout=timedelta(seconds=1))
    assert (result.state, result.summary) == ("error", "no answer within 1 s")
    assert time.monotonic() - begin < 4
    pids = [int(pid) for pid in result.raw.split()]
    assert len(pids) == 2
    assert await gone(*pids)


async def test_a_child_that_outlives_its_parent_is_killed_at_the_time_limit(http: httpx.AsyncClient) -> None:
    code = "import os, time\nif os.fork() == 0:\n  print(os.getpid(), flush=True); time.sleep(60)"
    result = await run(http, code, timeout=timedelta(seconds=1))
    assert result.state == "error"
    assert await gone(int(result.raw))


async def test_a_child_that_left_the_group_cannot_keep_us_waiting(http: httpx.AsyncClient) -> None:
    code = "import os, time\nif os.fork() == 0:\n  os.setsid(); print(os.getpid(), flush=True); time.sleep(5)"
    result = await run(http, code, timeout=timedelta(seconds=1))
    os.kill(int(result.raw), 9)
    assert result.elapsed_s < 4


async def test_cancelling_the_probe_kills_the_command(http: httpx.AsyncClient, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.create_task(run(http, code))
    for _ in range(500):
        if mark.exists() and mark.read_text():
            break
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert await gone(int(mark.read_text()))


async def test_endless_output_is_capped_and_does_not_block_the_command(http: httpx.AsyncClient) -> None:
    result = await run(http, "print('x' * 3_000_000)")
    assert (result.state, result.status) == ("ok", 0)
    assert len(result.raw.encode()) <= 64 * 1024
    assert result.raw.endswith("[cut: the beginning of more than 1,048,576 bytes]")


async def test_json_output_can_be_looked_into(http: httpx.AsyncClient) -> None:
    result = await run(http, """print('{"lag": 1240}')""", expect=(Expect(value="lag", under=1000),))
    assert (result.state, result.summary) == ("failed", "lag 1,240 is over 1,000")


async def test_plain_output_can_be_compared_as_a_whole(http: httpx.AsyncClient) -> None:
    assert (await run(http, "print(12)", expect=(Expect(under=10),))).summary == "the answer 12 is over 10"
