"""Asking by running a command of the deployment: an argument list, never a shell."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from warroom.domain.policy import Probe
from warroom.platform.answers import Answer, Captured, Seen
from warroom.platform.surroundings import NoAnswerError, Surroundings

STDOUT, STDERR = 1, 2
REAPING_S = 1.0
"""How long a killed command may take to be gone."""


async def ask(probe: Probe, surroundings: Surroundings, seen: Seen) -> Answer:
    """The command's output; exit code 0 is good. Raises NoAnswerError.

    The command gets no input and an environment of its own, and is killed with everything it started when the
    time is up.
    """
    command = surroundings.tool(probe.command or ())
    loop = asyncio.get_running_loop()
    try:
        transport, output = await loop.subprocess_exec(
            lambda: _Output(loop, seen),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            env=_environment(surroundings.environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as exc:
        raise NoAnswerError(f"{command[0]} cannot be run here: {_reason(exc)}") from exc
    try:
        await asyncio.wait({output.ended})
    finally:
        if not output.ended.done():
            _kill_group(transport.get_pid())
        transport.close()
        await asyncio.wait({output.ended}, timeout=REAPING_S)
    code = transport.get_returncode()
    seen.status = code
    said = f"exit code {code}" if code is None or code >= 0 else f"ended by signal {-code}"
    lines = seen.err.text.strip().splitlines()
    note = lines[-1] if lines else ""
    return Answer(said=said, good=code == 0, text=seen.out.text, note=note, cut=seen.out.cut)


class _Output(asyncio.SubprocessProtocol):
    """Collects what the command writes; what is over the limit is read and dropped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seen: Seen) -> None:
        self.ended: asyncio.Future[None] = loop.create_future()
        self._into: Mapping[int, Captured] = {STDOUT: seen.out, STDERR: seen.err}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._into[fd].add(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The command has ended and closed its output."""
        if not self.ended.done():
            self.ended.set_result(None)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Where programs are found, and English output in UTF-8 and UTC; nothing of ours, no secrets."""
    return {"PATH": environ.get("PATH") or os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _reason(exc: OSError | ValueError) -> str:
    match exc:
        case FileNotFoundError():
            return "it is not installed"
        case PermissionError():
            return "we may not execute it"
        case _:
            return str(exc)
