"""The laboratory: the sandbox and the bot, each a process of its own on loopback, and what was seen of them.

Times are those of `time.monotonic()`, which all processes of one machine share.
"""

import asyncio
import hashlib
import hmac
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import yaml

from warroom.firm import deployment

DELAY_S = 0.080
"""Added to each Slack call, as in the measurements of other bots."""

WARROOM = Path(sys.executable).with_name("warroom")
OURS = ("SLACK_", "PAGERDUTY_", "WARROOM_")
"""how the settings of a bot begin"""

MANIFEST = Path(__file__).parents[1] / "manifest.yml"
Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call in the sandbox's journal."""

    surface: str
    method: str
    started: float
    in_flight: int
    finished: float
    ok: bool
    error: str | None


class Lab:
    """A sandbox, a bot, and a client for both."""

    def __init__(self, http: aiohttp.ClientSession, sandbox: str, environ: Mapping[str, str], folder: Path) -> None:
        self.http = http
        self.sandbox = sandbox
        self.environ = environ
        self.folder = folder
        self.bot = f"http://127.0.0.1:{environ['WARROOM_PORT']}"
        self.process: asyncio.subprocess.Process | None = None
        self._numbers = count(1)

    async def control(self, act: str, body: Json | None = None) -> Any:
        """Ask the sandbox to do something (with a body) or to show something. Raises RuntimeError when it cannot."""
        url = f"{self.sandbox}/control/{act}"
        ask = self.http.get(url) if body is None else self.http.post(url, json=body)
        async with ask as answer:
            said = await answer.json()
            if answer.status != 200:
                raise RuntimeError(f"{act}: {said}")
            return said

    async def journal(self, since: float = 0.0) -> list[Call]:
        """The calls that began after `since` and are finished."""
        calls = [Call(**call) for call in await self.control("journal") if call["finished"] is not None]
        return [call for call in calls if call.started >= since]

    async def round_trip(self) -> float:
        """Seconds that one Slack call takes from here."""
        headers = {"Authorization": f"Bearer {self.environ['SLACK_BOT_TOKEN']}"}
        began = time.monotonic()
        async with self.http.post(f"{self.environ['SLACK_API_URL']}auth.test", headers=headers) as answer:
            await answer.read()
        return time.monotonic() - began

    async def command(self, text: str, *, channel: str, user: str = "U0SANDBX01") -> tuple[float, str, str]:
        """`/incident text` as Slack sends it: seconds until acknowledged, the trigger id, what came back.

        Raises RuntimeError when the bot does not answer 200.
        """
        trigger = f"bench.{next(self._numbers)}"
        fields = {
            "command": "/incident",
            "text": text,
            "user_id": user,
            "user_name": "ana",
            "channel_id": channel,
            "channel_name": "war-room",
            "team_id": "T0SANDBX01",
            "team_domain": "sandbox-trading",
            "api_app_id": "A0WARROOM1",
            "trigger_id": trigger,
            "response_url": f"{self.sandbox}/slack/response/none",
        }
        body = urlencode(fields).encode()
        stamp = str(int(time.time()))
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self.environ["SLACK_SIGNING_SECRET"].encode(), base, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }
        began = time.monotonic()
        async with self.http.post(f"{self.bot}/slack/events", data=body, headers=headers) as answer:
            said = await answer.text()
        took = time.monotonic() - began
        if answer.status != 200:
            raise RuntimeError(f"/incident {text}: {answer.status} {said}")
        return took, trigger, said

    async def channel_id(self, name: str) -> str:
        """The id of a channel."""
        return next(str(c["id"]) for c in await self.control("channels") if c["name"] == name)

    async def owed(self) -> Json:
        """What /readyz says."""
        async with self.http.get(f"{self.bot}/readyz") as answer:
            return dict(await answer.json())

    async def all_done(self, within: float, pause: float = 0.5) -> bool:
        """Waits until nothing is owed, twice in a row; False when that takes longer than `within` seconds."""
        quiet = 0
        end = time.monotonic() + within
        while time.monotonic() < end:
            owed = await self.owed()
            quiet = quiet + 1 if not owed.get("waiting") else 0
            if quiet == 2:
                return True
            await asyncio.sleep(pause)
        return False

    def processor_s(self) -> float:
        """Processor seconds that the bot has used."""
        return processor_s(self.process.pid) if self.process is not None else 0.0

    async def kill(self) -> None:
        """SIGKILL to the bot."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()


@asynccontextmanager
async def sandbox(*options: str) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
    """The sandbox in a process of its own; yields its address and the settings a bot needs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "warroom.sandbox", *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        yield told["url"], told["settings"]
    finally:
        await _stop(process)


@asynccontextmanager
async def lab(
    *,
    delay_s: float = DELAY_S,
    bot: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    packs: Sequence[str] = ("lav_adaf",),
) -> AsyncIterator[Lab]:
    """A sandbox whose Slack is `delay_s` slower, and a bot of these packs with `bot` in its environment, ready."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)  # the servers let go after 5 s
    subscribed = ",".join(yaml.safe_load(MANIFEST.read_text())["settings"]["event_subscriptions"]["bot_events"])
    fixed = ("--latency", str(delay_s), "--events", subscribed)
    async with sandbox(*fixed, *options) as (url, given), aiohttp.ClientSession(connector=connector) as http:
        with tempfile.TemporaryDirectory(prefix="warroom-bench-") as name:
            folder = Path(name)
            made = Lab(http, url, environment(url, given, folder, packs) | dict(bot or {}), folder)
            await made.control("bot", {"url": made.bot})
            log = (folder / "bot.log").open("wb")
            made.process = await start_bot(made.environ, log.fileno())
            try:
                await answers(made.bot)
                await _warm(made)
                yield made
            finally:
                await _stop(made.process)
                log.close()
                _tell_errors(folder / "bot.log")


async def start_bot(environ: Mapping[str, str], log: int) -> asyncio.subprocess.Process:
    """`warroom serve` with this environment."""
    return await asyncio.create_subprocess_exec(str(WARROOM), "serve", env=dict(environ), stdout=log, stderr=log)


def environment(
    url: str, given: Mapping[str, str], folder: Path, packs: Sequence[str] = ("lav_adaf",)
) -> dict[str, str]:
    """The environment of a bot against the sandbox at `url`, with its files in `folder`."""
    config = folder / "warroom.yaml"
    config.write_text(yaml.safe_dump(dict(deployment(url, int(given["REDIS_PORT"]), packs))))
    return {
        **{name: value for name, value in given.items() if name.startswith(OURS)},
        "EMERGENCY_TOKEN": given["EMERGENCY_TOKEN"],
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'warroom.db'}",
        "WARROOM_CONFIG": str(config),
        "WARROOM_DATA": str(folder / "data"),
        "WARROOM_PORT": str(free_port()),
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "HOME": str(folder),
    }


def processor_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def answers(bot: str, within: float = 60.0) -> float:
    """Waits for the first 200 of /healthz; returns the monotonic time at which it came. Raises TimeoutError."""
    host, port = bot.removeprefix("http://").split(":")
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n")
            line = await reader.readline()
            writer.close()
            if line.split()[1:2] == [b"200"]:
                return time.monotonic()
        except OSError:
            pass
        await asyncio.sleep(0.005)
    raise TimeoutError(f"{bot} did not answer within {within:.0f} s")


async def _warm(made: Lab) -> None:
    """Waits until the bot has learnt channels and people, as it has when it has run for a minute."""
    quiet = 0
    seen = -1
    while quiet < 3:
        calls = len(await made.control("journal"))
        quiet = quiet + 1 if calls == seen and calls else 0
        seen = calls
        await asyncio.sleep(0.25)
    await made.control("journal/clear", {})


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


def _tell_errors(log: Path) -> None:
    """Prints what the bot complained about, to stderr."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if '"error"' in line or "Traceback" in line]
    for line in lines[:5]:
        print(f"bot: {line[:300]}", file=sys.stderr)


async def side_by_side(jobs: Iterable[Awaitable[Any]]) -> list[Any]:
    """All at once."""
    return list(await asyncio.gather(*jobs))


def run(bench: Callable[[], Awaitable[Any]]) -> Any:
    """Runs an asynchronous benchmark."""
    return asyncio.run(bench())  # type: ignore[arg-type]


def now() -> str:
    """The machine's date, for titles of alerts."""
    return datetime.now(UTC).strftime("%H:%M:%S.%f")
