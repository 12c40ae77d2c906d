"""kill -9 at every point of the story: after a new start people see all of it, once, as if nothing had been."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Scope
from tests.acceptance.world import DOWN, OPEN, SENTINEL

from warroom.firm import environment
from warroom.sandbox import Answer, NotOnScreenError, Sandbox, serve
from warroom.sandbox.clock import StoryClock
from warroom.sandbox.journal import Call, Journal
from warroom.sandbox.people import BOT_USER_ID, person
from warroom.sandbox.slack_forms import interactive
from warroom.sandbox.slack_state import Channel
from warroom.store.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.row("S1")]

PATIENCE = 40.0
SOURCE = Path(__file__).parents[2] / "src"
HALT = "POST /executioner/api/emergency/halt-all"
SERVE = [sys.executable, "-c", "from warroom.cli import main; main()", "serve"]
_DURATION = re.compile(r"(?:-?\b\d+(?:\.\d+)? (?:ms|s|m|h|d)\b ?)+|\bunder # s\b")
_RUN = re.compile(r"\b[0-9a-f]{10}\b")
_DIGITS = re.compile(r"\d+(?: bytes| KB)?")
_RULER = re.compile(r"-{2,}")
_HOW = re.compile(r"Halt all trading: (?:sent once|warroom stopped).*")


@dataclass(frozen=True)
class Point:
    """Where the bot is killed: at the nth call like this after `stage` began. `happened`: the call took effect."""

    what: str
    stage: str
    surface: str
    method: str
    nth: int = 1
    happened: bool = True


POINTS = (
    Point("the alert was announced, nobody heard the answer", "alert", "slack", "chat.postMessage"),
    Point("the announcement was on its way", "alert", "slack", "chat.postMessage", happened=False),
    Point("the room was made", "alert", "slack", "conversations.create"),
    Point("between the room and its panel", "alert", "slack", "chat.postMessage", nth=2, happened=False),
    Point("people were being invited", "alert", "slack", "conversations.invite", happened=False),
    Point("PagerDuty was asked to call people", "alert", "pagerduty", "POST /incidents/*/responder_requests"),
    Point("the acknowledgement reached PagerDuty", "take", "pagerduty", "PUT /incidents/*"),
    Point("during an upload", "diagnose", "slack", "files.completeUploadExternal", happened=False),
    Point("a file was shared", "diagnose", "slack", "files.completeUploadExternal"),
    Point("a halt was sent", "halt", "platform", HALT),
    Point("one channel had the update, the other not", "update", "slack", "chat.postMessage", nth=2, happened=False),
    Point("it was being resolved in PagerDuty", "resolve", "pagerduty", "PUT /incidents/*"),
    Point("the draft was being shared", "resolve", "slack", "files.completeUploadExternal"),
)


class Trap(Journal):
    """A journal that strikes, once, when the call comes that it waits for."""

    def __init__(self) -> None:
        super().__init__()
        self.point: Point | None = None
        self.stage = ""
        self.strike: Callable[[Point], None] = lambda point: None
        self._left = 0

    def enter(self, stage: str) -> None:
        """The story has come to this stage."""
        self.stage = stage
        self._left = self.point.nth if self.point else 0

    def begin(self, surface: str, method: str) -> Call:
        """As Journal.begin; strikes before anything happens with the call."""
        call = super().begin(surface, method)
        point = self.point
        if point and (self.stage, surface) == (point.stage, point.surface) and fnmatchcase(method, point.method):
            self._left -= 1
            if self._left == 0:
                self.point = None
                self.strike(point)
        return call


class Bot:
    """`warroom serve` as a process of its own; `kills` counts."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self.environ = dict(os.environ) | dict(environ) | {"PYTHONPATH": str(SOURCE)}
        self.url = f"http://127.0.0.1:{environ['WARROOM_PORT']}"
        self.up = asyncio.Event()
        self.kills = 0
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._again: asyncio.Task[None] | None = None

    async def starts(self) -> None:
        """Returns when it answers."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*SERVE, env=self.environ, stderr=log, stdout=log)
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False, verify=False) as http:
            while True:
                assert self._process.returncode is None, self._log.read_text()
                with suppress(httpx.HTTPError):
                    if (await http.get(self.url + "/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.05)
        self.up.set()

    def dies(self) -> None:
        """kill -9, and a new start as soon as it is dead."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self.kills += 1
        self.up.clear()
        self._again = asyncio.create_task(self._restarts())

    async def _restarts(self) -> None:
        assert self._process is not None
        await self._process.wait()
        await self.starts()

    async def idle(self) -> None:
        """Returns when it owes nothing."""
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False, verify=False) as http:
            while (await http.get(self.url + "/readyz")).json()["waiting"]:
                await asyncio.sleep(0.05)

    async def stops(self) -> None:
        """Ends it in good order."""
        if self._again is not None:
            await self._again
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


@dataclass
class Play:
    """The story, told by people who try again when Slack says that something went wrong."""

    sandbox: Sandbox
    trap: Trap
    bot: Bot

    async def story(self) -> None:
        """An alert, command, diagnostics, a halt, an update, the end."""
        pagerduty = self.sandbox.pagerduty
        self.trap.enter("alert")
        incident = pagerduty.trigger(pagerduty.service(SENTINEL), DOWN)
        await self.until(self.opened)
        self.trap.enter("take")
        await self.act(
            lambda: self.click("raj", "incident.take"),
            lambda: self.has("is Incident commander") and incident.status == "acknowledged",
        )
        self.trap.enter("diagnose")
        await self.act(
            lambda: self.sandbox.command("ana", self.room.id, "/diagnostics", "health"),
            lambda: self.has("Diagnostics: health") and self.files() == 1,
        )
        self.trap.enter("halt")
        await self.act(
            lambda: self.sandbox.command("rita", self.room.id, "/halt", "all Signals are stale"),
            lambda: self.whispered("rita", "Confirm: Halt all trading"),
        )
        await self.act(
            lambda: self.click("rita", "halt.confirm"),
            lambda: self.has("Ordered by") and self.has("Ordered by", "war-room"),
        )
        self.trap.enter("update")
        await self.act(
            lambda: self.sandbox.command("raj", self.room.id, "/incident", "update Rolling back to 4.11"),
            lambda: self.has("P0 update") and self.has("P0 update", "war-room"),
        )
        self.trap.enter("resolve")
        await self.act(self.resolve, lambda: incident.status == "resolved" and self.has("post-mortem draft of"))
        await self.until(lambda: all(self.has("RESOLVED", c) for c in ("war-room", "risk-alerts")))
        await self.bot.up.wait()
        await self.bot.idle()

    async def act(self, do: Callable[[], Awaitable[Answer]], seen: Callable[[], Any]) -> None:
        """Does it, again when it failed and nothing came of it, until `seen`."""
        worked = False
        while not worked:
            with suppress(NotOnScreenError):
                worked = (await do()).ok
            await self.bot.up.wait()
            with suppress(TimeoutError):
                await self.until(seen, PATIENCE if worked else 4.0)
                return
        raise TimeoutError("nothing came of it")

    async def until(self, seen: Callable[[], Any], patience: float = PATIENCE) -> None:
        """Returns when `seen`. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            while not seen():
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self.sandbox.feed.changed()

    async def click(self, who: str, action: str) -> Answer:
        """Presses the newest button of this kind."""
        me = person(who).slack_id
        slack = self.sandbox.slack
        shown = [m for c in slack.channels.values() if me in c.members for m in c.messages.values()]
        shown += [m for m in slack.ephemerals if m.ephemeral_to == me]
        offers = [m for m in shown if any(e.get("action_id") == action for _, e in interactive(m.blocks))]
        if not offers:
            raise NotOnScreenError(action)
        newest = max(offers, key=lambda m: m.order)
        return await self.sandbox.click(who, newest.channel, newest.ts, action)

    async def resolve(self) -> Answer:
        """Opens the form unless it is open, and sends it."""
        forms = [v for v in self.sandbox.slack.surfaces.open_of(person("raj").slack_id) if "submit" in v.content]
        if not forms:
            await self.sandbox.command("raj", self.room.id, "/incident", "resolve")
        values = {"summary": "It runs again", "root_cause": "A leak", "actions_taken": "Rolled back"}
        return await self.sandbox.submit("raj", None, values)

    @property
    def room(self) -> Channel:
        """The incident's channel."""
        rooms = [c for c in self.sandbox.slack.channels.values() if c.creator == BOT_USER_ID and not c.im_with]
        assert len(rooms) == 1, [c.name for c in rooms]
        return rooms[0]

    def opened(self) -> bool:
        """Everything that an alert brings is there."""
        if not any(c.creator == BOT_USER_ID for c in self.sandbox.slack.channels.values()):
            return False
        linked = any(f"War room: #{self.room.name}" in text for text in self.said("war-room"))
        pinned = any(m.pinned for m in self.room.messages.values())
        full = len(self.room.members) == 7 and len(self.room.bookmarks) == 1
        return linked and pinned and full and self.has("Playbook") and self.has("PagerDuty is calling")

    def said(self, where: str) -> list[str]:
        """What the bot said in a channel."""
        channel = self.room if where == "room" else self.sandbox.slack.find(where)
        own = [m for m in channel.messages.values() if m.by_bot and m.subtype in (None, "file_comment")]
        return [self.sandbox.slack.readable(m) or ", ".join(f["title"] for f in m.files) for m in own]

    def has(self, words: str, where: str = "room") -> bool:
        """Whether the bot said this."""
        return any(words in text for text in self.said(where))

    def files(self) -> int:
        """How many files the room has."""
        return sum(len(m.files) for m in self.room.messages.values())

    def whispered(self, who: str, words: str) -> bool:
        """Whether the bot told this to one person alone."""
        own = [m for m in self.sandbox.slack.ephemerals if m.ephemeral_to == person(who).slack_id]
        return any(words in self.sandbox.slack.readable(m) for m in own)

    def seen(self) -> Mapping[str, list[str]]:
        """The conversation as people see it in the end, and whom PagerDuty called, without times and durations."""
        channels = ("war-room", "room", "risk-alerts", "executive-emergency", "lav-adaf-engineering")
        shown = {where: [timeless(text) for text in self.said(where)] for where in channels}
        shown["called"] = [timeless(f"{p['to']}: {p['why']}") for p in self.sandbox.pagerduty.pages]
        shown["topic"] = [self.room.topic["value"]]
        (incident,) = self.sandbox.pagerduty.incidents.values()
        shown["notes"] = sorted(timeless(note["content"]) for note in incident.notes)
        shown["bookmarks"] = [str(b["title"]) for b in self.room.bookmarks]
        return shown


def timeless(text: str) -> str:
    """A text without what differs from run to run: durations, figures, widths, how a halt was found confirmed."""
    text = _RULER.sub("-", _HOW.sub("HOW", text))
    text = _DURATION.sub("DURATION ", _RUN.sub("RUN", text))
    return " ".join(_DIGITS.sub("#", text).split())


@asynccontextmanager
async def a_play(folder: Path) -> AsyncIterator[Play]:
    """The sandbox here and the bot in its own process, both at 9:31 in New York."""
    began = datetime.now(UTC)
    sandbox = Sandbox(StoryClock(OPEN), speed=20)
    trap = Trap()
    sandbox.journal = sandbox.delivery._journal = sandbox.webhooks._journal = trap
    sandbox.app._journal = trap  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with serve(sandbox):
        environ = environment(sandbox, folder) | {
            "WARROOM_CLOCK_ANCHOR": f"{began.isoformat()}={OPEN.isoformat()}",
            "WARROOM_SLACK_LIMITS": "off",
            "WARROOM_PORT": str(port),
        }
        bot = Bot(environ, folder / "log")
        sandbox.bot_url = bot.url

        hang_up, armed = sandbox._close, asyncio.Event()

        def strike(point: Point) -> None:
            """Nobody hears the answer to this call: the bot is dead before the connection is closed."""
            kind = "drop_after" if point.happened else "drop_before"
            sandbox.faults.add(point.surface, point.method, kind)  # type: ignore[arg-type]
            armed.set()

        def close(scope: Scope) -> None:
            if armed.is_set():
                armed.clear()
                bot.dies()
            hang_up(scope)

        trap.strike, sandbox._close = strike, close
        await bot.starts()
        try:
            yield Play(sandbox, trap, bot)
        finally:
            await bot.stops()


_undisturbed: dict[str, Mapping[str, list[str]]] = {}


async def undisturbed(folder: Path) -> Mapping[str, list[str]]:
    """What people see when nothing goes wrong; played once."""
    if not _undisturbed:
        (folder / "undisturbed").mkdir()
        async with a_play(folder / "undisturbed") as play:
            await play.story()
            _undisturbed["seen"] = play.seen()
    return _undisturbed["seen"]


async def audited(folder: Path) -> bool:
    """Whether the chain of facts holds."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'warroom.db'}", writer=False)
    try:
        return await store.audit() == []
    finally:
        await store.close()


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.what)
async def test_killed_and_started_again_the_conversation_is_complete_and_without_repeats(
    folder: Path, point: Point
) -> None:
    wanted = await undisturbed(folder)
    async with a_play(folder) as play:
        play.trap.point = point
        await play.story()
        assert play.bot.kills == 1
        seen = play.seen()
        assert play.sandbox.platform.count("emergency/halt-all") == 1
    for where, texts in wanted.items():
        assert seen[where] == texts, where
    assert await audited(folder)


async def test_killed_after_pagerduty_was_answered_and_before_slack_heard_of_it(folder: Path) -> None:
    wanted = await undisturbed(folder)
    async with a_play(folder) as play:
        outage = play.sandbox.faults.add("slack", "*", "outage")
        story = asyncio.create_task(play.story())
        await play.until(lambda: any(200 in e.statuses for e in play.sandbox.webhooks.events))
        play.bot.dies()
        play.sandbox.faults.clear(rule_id=outage.id)
        await story
        assert play.seen() == wanted
    assert await audited(folder)


async def test_killed_while_a_halt_was_on_its_way_it_is_not_repeated_and_said_to_be_unknown(folder: Path) -> None:
    async with a_play(folder) as play:
        play.trap.point = Point("a halt was on its way", "halt", "platform", HALT, happened=False)
        await play.story()
        assert play.bot.kills == 1
        assert play.sandbox.platform.count("emergency/halt-all") == 0
        assert len(play.trap.of("platform", HALT)) == 1
        for where in ("room", "war-room"):
            assert play.has("Halt all trading: UNKNOWN. Nobody can say whether it took effect.", where)
            assert not play.has("CONFIRMED", where)
    assert await audited(folder)
