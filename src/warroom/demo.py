"""`warroom demo`: the real bot against the sandbox, a scripted incident with people, told as it happens."""

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from warroom.app import Warroom, running
from warroom.sandbox import market_sentinel_down, tools
from warroom.sandbox.feed import Seen, Subscription
from warroom.sandbox.pagerduty_fixture import SERVICES
from warroom.sandbox.sandbox import Sandbox
from warroom.sandbox.scenario import Report, Step
from warroom.sandbox.scenario import play as play_steps
from warroom.sandbox.server import serve
from warroom.serving import listening
from warroom.settings import Settings

STORY_BEGINS = datetime(2026, 11, 17, 14, 31, tzinfo=UTC)  # a Tuesday, 9:31 in New York
LOG_LEVEL = logging.WARNING
SCENARIOS: Mapping[str, Sequence[Step]] = {"market-sentinel-down": market_sentinel_down.STEPS}


def deployment(url: str, redis_port: int) -> Mapping[str, Any]:
    """A warroom.yaml for the sandbox firm at `url`."""
    platform = f"{url}/platform"
    stand_in = [sys.executable, "-I", tools.__file__, platform]
    return {
        "packs": {
            "lav_adaf": {
                "services": [service.id for service in SERVICES],
                "urls": {
                    "market_sentinel": f"{platform}/market-sentinel",
                    "risk_warden": f"{platform}/risk-warden",
                    "executioner": f"{platform}/executioner",
                    "redis": f"127.0.0.1:{redis_port}",
                    "kafka": f"127.0.0.1:{redis_port}",
                },
                "contacts": {
                    "senior_engineers_phones": "+1-202-555-0102",
                    "risk_manager_phone": "+1-202-555-0105",
                },
                "tools": {name: [*stand_in, name] for name in tools.TOOLS},
            }
        },
        "groups": {
            "risk_managers": ["rita@sandbox.example"],
            "cto": ["clara@sandbox.example"],
            "executives": ["S0SANDBX06"],
            "senior_engineers": ["S0SANDBX02"],
            "architects": ["lukas@sandbox.example"],
            "compliance": ["omar@sandbox.example"],
            "halt_operators": ["rita@sandbox.example", "U0SANDBX10"],
            "commanders": ["S0SANDBX03"],
        },
    }


def environment(sandbox: Sandbox, folder: Path, *, actions: str = "live") -> dict[str, str]:
    """The environment of a bot that lives in `folder` and works against `sandbox`; writes its warroom.yaml."""
    config = folder / "warroom.yaml"
    config.write_text(yaml.safe_dump(dict(deployment(sandbox.url, sandbox.redis_port)), sort_keys=False))
    given = sandbox.settings()
    sender = given.pop("PAGERDUTY_FROM")
    return given | {
        "PAGERDUTY_FROM_EMAIL": sender,
        "PAGERDUTY_WEBHOOK_SECRET": given.pop("PAGERDUTY_WEBHOOK_SECRETS"),
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'warroom.db'}",
        "WARROOM_CONFIG": str(config),
        "WARROOM_DATA": str(folder / "data"),
        "WARROOM_ACTIONS": actions,
    }


async def play(scenario: str, *, speed: float, out: Path, port: int, stay: bool, console: Console) -> Report:
    """Plays a scenario into `out` and prints it; with `stay` the page stays up until Ctrl-C."""
    out.mkdir(parents=True, exist_ok=True)
    for old in ("warroom.db", "warroom.db-wal", "warroom.db-shm"):
        (out / old).unlink(missing_ok=True)
    began = datetime.now(UTC)
    clock = _clock(began, speed)
    sandbox = Sandbox(clock, scopes=None, slack_limits=True, speed=speed)
    async with serve(sandbox, port=port) as url:
        given = environment(sandbox, out)
        given["WARROOM_CLOCK_SPEED"] = str(speed)
        given["WARROOM_CLOCK_ANCHOR"] = f"{began.isoformat()}={STORY_BEGINS.isoformat()}"
        settings = Settings.load(given)
        async with running(settings, environ=given) as warroom, listening(warroom.web, "127.0.0.1", 0) as bot:
            sandbox.bot_url = bot
            _welcome(console, url, speed, out)
            with sandbox.subscribe() as seen:
                teller = asyncio.create_task(_tell(seen, sandbox, console))
                report = await play_steps(sandbox, SCENARIOS[scenario])
                await warroom.engine.settled()
                await asyncio.sleep(0.2)
                teller.cancel()
            await _leave(warroom, sandbox, out)
            _farewell(console, report, out, url if stay else "")
            if stay:
                await _until_interrupted()
    return report


def _clock(began: datetime, speed: float) -> Callable[[], datetime]:
    def now() -> datetime:
        return STORY_BEGINS + (datetime.now(UTC) - began) * speed

    return now


def _welcome(console: Console, url: str, speed: float, out: Path) -> None:
    console.print(f"[bold]warroom demo[/bold]: a P0 at 9:31 in New York, {speed:g} times as fast as life.")
    console.print(f"Watch and take part: {url}   Files: {escape(str(out))}\n", style="dim")


async def _tell(seen: Subscription, sandbox: Sandbox, console: Console) -> None:
    async for thing in seen:
        line(thing, console)


def line(thing: Seen, console: Console) -> None:
    """Prints one visible thing: when, where, who, what."""
    match thing["kind"]:
        case "message" | "ephemeral":
            where = f"#{thing['channel']}" + (" (in a thread)" if thing.get("thread_ts") else "")
            if thing.get("ephemeral_to"):
                where += f" (only {thing['ephemeral_to']} sees this)"
            _head(console, thing["at"], where, thing["author"])
            console.print(Padding(Text(thing["text"]), (0, 0, 1, 4)))
        case "command":
            console.print(Text(f"          {thing['author']} types in #{thing['channel']}: {thing['text']}", "yellow"))
        case "page":
            console.print(Text(f"          PagerDuty calls {thing['to']} ({thing['by']}): {thing['why']}", "magenta"))
        case "halt":
            console.print(Text(f"          The platform: {thing['text']}", "red"))


def _head(console: Console, at: str, where: str, author: str) -> None:
    time = datetime.fromisoformat(at).strftime("%H:%M:%S")
    console.print(Text.assemble((time, "dim"), "  ", (where, "cyan"), "  ", (author, "bold")))


async def _leave(warroom: Warroom, sandbox: Sandbox, out: Path) -> None:
    """Leaves transcript.jsonl, postmortem.md and incident.json in `out`."""
    keep = ("at", "channel", "author", "text", "ts", "thread_ts")
    rows = [json.dumps({k: m.get(k) for k in keep}, ensure_ascii=False) for m in sandbox.transcript()]
    (out / "transcript.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for card in warroom.engine.cards()[-1:]:
        drafts = sorted((out / "data" / card.id).glob("postmortem-*.md"), key=os.path.getmtime)
        if drafts:
            shutil.copyfile(drafts[-1], out / "postmortem.md")
            shutil.copyfile(out / "data" / card.id / "incident.json", out / "incident.json")


def _farewell(console: Console, report: Report, out: Path, url: str) -> None:
    for missing in report.missing:
        console.print(f"[red]Missing:[/red] {escape(missing)}")
    console.print(f"\nThe post-mortem draft is in [bold]{escape(str(out / 'postmortem.md'))}[/bold].")
    if url:
        console.print(f"The bot is still running: take part at {url}, or press Ctrl-C.")


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    await stop.wait()
