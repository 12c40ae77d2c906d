"""Running a command of the deployment: an argument list, never a shell."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from warroom.platform.answers import Captured, Seen
from warroom.platform.surroundings import NoAnswerError

STDOUT, STDERR = 1, 2
REAPING_S = 1.0
"""How long a killed command may take to be gone."""


async def run(command: tuple[str, ...], environ: Mapping[str, str], seen: Seen) -> int | None:
    """The exit code (negative: ended by a signal); what it wrote is in `seen`. Raises NoAnswerError when it cannot be
    started at all.

    The command gets no input and an environment of its own, and is killed with everything it started when the caller
    gives up.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, output = await loop.subprocess_exec(
            lambda: _Output(loop, seen),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            env=_environment(environ),
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
    seen.status = transport.get_returncode()
    return seen.status


def said(code: int | None) -> str:
    """How it ended, in words."""
    return f"exit code {code}" if code is None or code >= 0 else f"ended by signal {-code}"


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
