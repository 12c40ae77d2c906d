"""`warroom demo`: the real bot against the sandbox, a scripted incident with people, told as it happens."""

import asyncio
import errno
import fcntl
import json
import logging
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import yaml
from rich.console import Console
from rich.markup import escape

from warroom.app import Warroom, running, shipped
from warroom.errors import ConfigError
from warroom.farewell import next_on_page, next_without_page, summary
from warroom.firm import environment
from warroom.sandbox.clock import StoryClock
from warroom.sandbox.sandbox import Sandbox
from warroom.sandbox.scenario import Report, Scenario
from warroom.sandbox.scenario import play as play_steps
from warroom.sandbox.server import serve
from warroom.serving import listening
from warroom.settings import Settings
from warroom.teller import Teller

LOG_LEVEL = logging.WARNING

MARK = ".warroom-demo"
"""the file by which we know a folder that holds nothing but an earlier demo"""

STARTING_S = 1.5
"""real seconds the bot has to start before the story begins"""

SETTLING_S = 5.0
"""real seconds that what is under way gets at the end of the story"""


@dataclass
class Stage:
    """What a demo runs on: the bot, the sandbox it works against, the page's address, and the story's clock."""

    warroom: Warroom
    sandbox: Sandbox
    url: str
    clock: StoryClock


async def play(scenario: Scenario, *, speed: float, out: Path, port: int, stay: bool, console: Console) -> Report:
    """Plays a scenario into `out` and prints it; with `stay` the page stays up until Ctrl-C.

    Ctrl-C ends it at any moment; in the middle of the story its end is missing in the report. Raises ConfigError for
    a port that is taken and for an `out` that is a file or holds anything but an earlier demo.
    """
    with _interrupts() as interrupted, claim(out):
        began = time.monotonic()
        async with _stage(scenario, out, speed, port) as stage:
            console.print(
                f"[bold]warroom demo[/bold]: {scenario.title}, {speed:g} times as fast as life.", highlight=False
            )
            console.print(f"Watch and take part: {stage.url}   Ctrl-C ends it.\n", style="dim", soft_wrap=True)
            report = await _tell(stage, scenario, console, interrupted)
            leave(stage, out)
            stopped = report is None
            ending = f"Stopped at {stage.clock.now():%H:%M:%S} of the story." if stopped else "The story is told."
            summary(console, stage.sandbox, out, f"{ending} It took {_duration(time.monotonic() - began)}.")
            if report is None:
                return Report(missing=["the end"])
            for missing in report.missing:
                console.print(f"[red]Missing:[/red] {escape(missing)}", highlight=False)
            if stay:
                await _stay(stage, out, console, interrupted)
            else:
                next_without_page(console, out)
    return report


async def _stay(stage: Stage, out: Path, console: Console, interrupted: asyncio.Event) -> None:
    """Leaves the bot to whoever wants to try it, in real time, until Ctrl-C."""
    stage.clock.run(1)
    stage.sandbox.speed = 1
    next_on_page(console, stage.sandbox, stage.url)
    await interrupted.wait()
    leave(stage, out)
    console.print("Stopped. The files hold everything until now.")


def claim(out: Path) -> TextIO:
    """An empty folder to play in, a new one or one whose earlier demo goes; ours until the file returned is closed.

    Raises ConfigError for a file, for a folder with anything else in it, and for one that a demo is being played into.
    """
    advice = "Name another folder with --out."
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()) and not (out / MARK).exists():
            raise ConfigError([f"{out} holds files that are not from a demo, and a demo clears its folder. {advice}"])
        mark = (out / MARK).open("a", encoding="utf-8")
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for old in out.iterdir():
                if old.name != MARK:
                    shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        except OSError:
            mark.close()
            raise
    except BlockingIOError as error:
        raise ConfigError([f"Another demo is being played into {out}. {advice}"]) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError([f"{error.filename} is a file, and the demo needs a folder. {advice}"]) from error
    except OSError as error:
        raise ConfigError([f"{error.filename} cannot be written: {error.strerror}. {advice}"]) from error
    return mark


@contextmanager
def _interrupts() -> Iterator[asyncio.Event]:
    """An event that the first Ctrl-C sets; the second one ends the process as usual."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def let_go() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    def interrupt() -> None:
        stop.set()
        let_go()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, interrupt)
    try:
        yield stop
    finally:
        let_go()


@asynccontextmanager
async def _stage(scenario: Scenario, out: Path, speed: float, port: int) -> AsyncIterator[Stage]:
    """The sandbox on `port` and the bot against it, on one clock: it runs `speed` times as fast as life."""
    clock = StoryClock(scenario.begins - timedelta(seconds=STARTING_S * speed), speed)
    manifest = yaml.safe_load(shipped("manifest.yml").read_text())
    scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
    events = frozenset(manifest["settings"]["event_subscriptions"]["bot_events"])
    sandbox = Sandbox(clock, scopes=scopes, events=events, slack_limits=True, speed=speed)
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(serve(sandbox, port=port))
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise ConfigError([f"Port {port} {why}. Name another one with --port, or none for a free one."]) from error
        given = environment(sandbox, out, packs=scenario.packs)
        warroom = await stack.enter_async_context(running(Settings.load(given), environ=given, clock=clock))
        sandbox.bot_url = await stack.enter_async_context(listening(warroom.web, "127.0.0.1", 0))
        yield Stage(warroom, sandbox, url, clock)


async def _tell(stage: Stage, scenario: Scenario, console: Console, interrupted: asyncio.Event) -> Report | None:
    """Plays the scenario and prints what becomes visible; None when it was interrupted."""
    teller = Teller(console, stage.sandbox.slack)
    with stage.sandbox.subscribe() as seen:
        telling = asyncio.create_task(teller.tell(seen), name="teller")
        story = asyncio.create_task(_story(stage, scenario), name="story")
        stop = asyncio.create_task(interrupted.wait(), name="interrupt")
        try:
            await asyncio.wait({story, stop, telling}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                await telling  # it only ends when it fails
            if not story.done():
                return None
            while not seen.empty:
                await asyncio.sleep(0)
            teller.flush()
            return story.result()
        finally:
            for task in (story, stop, telling):
                task.cancel()
            await asyncio.wait({story, stop, telling})


async def _story(stage: Stage, scenario: Scenario) -> Report:
    """Plays the steps and waits until nothing is under way any more."""
    await asyncio.sleep(stage.clock.real_seconds(scenario.begins))
    report = await play_steps(stage.sandbox, scenario.steps)
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLING_S):
            before = -1
            while before != stage.sandbox.feed.version:
                before = stage.sandbox.feed.version
                await stage.warroom.engine.settled()
                await stage.sandbox.webhooks.settle()
                await stage.sandbox.delivery.settle()
    return report


def _duration(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes} m {left:02} s" if minutes else f"{left} s"


def leave(stage: Stage, out: Path) -> None:
    """Leaves transcript.jsonl in `out`, and postmortem.md and incident.json as far as there is a draft."""
    keep = ("at", "channel", "author", "text", "ts", "thread_ts")
    rows = [{name: said.get(name) for name in keep} for said in stage.sandbox.transcript()]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (out / "transcript.jsonl").write_text(lines, encoding="utf-8")
    drafts = sorted((out / "data").glob("*/postmortem-*.md"), key=os.path.getmtime)
    if drafts:
        shutil.copyfile(drafts[-1], out / "postmortem.md")
        shutil.copyfile(drafts[-1].with_name("incident.json"), out / "incident.json")
