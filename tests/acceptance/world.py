"""The whole product over HTTP: the sandbox firm, the real bot with a database of its own, and a clock in our hand."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.store.databases import sqlite

from warroom.app import Warroom, running
from warroom.domain.policy import Pack
from warroom.engine.clock import ManualClock
from warroom.firm import environment
from warroom.packs.loader import loaded_pack
from warroom.sandbox import Answer, NotOnScreenError, Sandbox, serve
from warroom.sandbox.feed import Seen, Subscription
from warroom.sandbox.pagerduty_incident import Incident
from warroom.sandbox.people import BOT_USER_ID, person
from warroom.sandbox.pit_reporter import report, violation
from warroom.sandbox.server import embedded
from warroom.sandbox.slack_forms import interactive
from warroom.sandbox.slack_state import Channel, Message
from warroom.settings import Settings

OPEN = datetime(2026, 11, 17, 14, 31, tzinfo=UTC)  # a Tuesday, 9:31 in New York
CLOSED = datetime(2026, 11, 17, 23, 0, tzinfo=UTC)  # the same day, 18:00 in New York
SENTINEL = "lav-adaf-market-sentinel"
DOWN = "Market Sentinel down: no regime updates"
Rewrite = Callable[[Pack], Pack]
PATIENCE = 30.0
"""real seconds after which a world that does not come to rest is a failure"""


class World:
    """What a test sees and does. Times of the story are m:ss after `began`.

    `seen` is everything that became visible, as it was then: messages, edits, private answers, calls.
    """

    def __init__(
        self, sandbox: Sandbox, clock: ManualClock, folder: Path, environ: Mapping[str, str], rewrite: Rewrite | None
    ) -> None:
        self._rewrite = rewrite
        self.sandbox = sandbox
        self.clock = clock
        self.folder = folder
        self.environ = environ
        self.began = clock.now()
        self.seen: list[Seen] = []
        self._known = set(sandbox.slack.channels)
        self._bot = AsyncExitStack()
        self._running: Warroom | None = None

    # the bot

    @property
    def bot(self) -> Warroom:
        """The running bot."""
        assert self._running is not None, "the bot is down"
        return self._running

    @property
    def url(self) -> str:
        """Where the bot listens."""
        return self.sandbox.bot_url

    async def starts(self) -> None:
        """The bot starts, learns who is who, and catches up."""
        settings = Settings.load(self.environ)
        if self._rewrite is not None:
            settings = _rewritten(settings, self._rewrite)
        self._running = await self._bot.enter_async_context(
            running(settings, environ=self.environ, clock=self.clock, sleep=self._sleep, tended=False)
        )
        self.sandbox.bot_url, _ = await self._bot.enter_async_context(embedded(self._running.web))
        await self._running.upkeep.warm()
        await self._running.upkeep.reconcile()
        await self.settles()

    async def stops(self) -> None:
        """The bot ends in good order; what Slack and PagerDuty send now reaches nobody."""
        self.sandbox.bot_url = ""
        self._running = None
        await self._bot.aclose()

    async def restarts(self, **down: float) -> None:
        """The bot is away for a while (timedelta arguments) and comes back."""
        await self.stops()
        self.clock.advance(timedelta(**down))
        await self.starts()

    async def reconciles(self) -> None:
        """The round that PagerDuty is asked in every few minutes."""
        await self.bot.upkeep.reconcile()
        await self.settles()

    # time

    async def passes(self, **span: float) -> None:
        """Time goes by (timedelta arguments), stopping at every moment the bot waits for."""
        await self._until(self.clock.now() + timedelta(**span))

    async def at(self, moment: str) -> None:
        """Time goes by until m:ss after the story began."""
        minutes, seconds = moment.split(":")
        await self._until(self.began + timedelta(minutes=int(minutes), seconds=int(seconds)))

    async def _until(self, moment: datetime) -> None:
        await self.settles()
        while (due := self._next()) is not None and due <= moment:
            self.clock.advance(due - self.clock.now())
            await self.settles()
        self.clock.advance(max(moment - self.clock.now(), timedelta()))
        await self.settles()

    def _next(self) -> datetime | None:
        due = self._running.engine.wakes_at if self._running is not None else None
        return due if due is not None and due > self.clock.now() else None

    async def settles(self) -> None:
        """Everything under way comes to an end: effects, webhooks, events."""
        async with asyncio.timeout(PATIENCE):
            while True:
                before = self._activity()
                if self._running is not None:
                    await self._running.intake.settled()
                    await self._running.engine.settled()
                await self.sandbox.webhooks.settle()
                await self.sandbox.delivery.settle()
                if before == self._activity():
                    await asyncio.sleep(0)  # `seen` is complete then
                    return

    def _activity(self) -> tuple[int, ...]:
        calls = self.sandbox.journal.calls
        return self.sandbox.feed.version, len(calls), sum(c.finished is None for c in calls)

    async def _sleep(self, seconds: float) -> None:
        """The bot waits between two looks at the platform: the story moves on."""
        self.clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    # what happens

    async def alert(self, title: str = DOWN, service: str = SENTINEL, **more: Any) -> Incident:
        """A monitoring system raises an alert in PagerDuty."""
        pagerduty = self.sandbox.pagerduty
        incident = pagerduty.trigger(pagerduty.service(service), title, **more)
        await self.settles()
        return incident

    async def types(self, who: str, where: str | Channel, text: str) -> Answer:
        """Somebody types a slash command, e.g. "/incident ack"."""
        command, _, rest = text.partition(" ")
        answer = await self.sandbox.command(who, _name(where), command, rest)
        await self.settles()
        return answer

    async def clicks(self, who: str, label: str, where: str | Channel | None = None) -> Answer:
        """Somebody presses the newest button with this label that they see, in a channel if named."""
        message, action, value = self.button(who, label, where)
        answer = await self.sandbox.click(who, message.channel, message.ts, action, value)
        await self.settles()
        return answer

    def button(self, who: str, label: str, where: str | Channel | None = None) -> tuple[Message, str, str]:
        """The newest message that offers a button of this label, its action id and its value."""
        me = person(who).slack_id
        slack = self.sandbox.slack
        seen = [m for c in slack.channels.values() if me in c.members for m in c.messages.values()]
        seen += [m for m in slack.ephemerals if m.ephemeral_to == me]
        if where is not None:
            there = slack.find(_name(where)).id
            seen = [m for m in seen if m.channel == there]
        for message in sorted(seen, key=lambda m: m.order, reverse=True):
            for _, element in interactive(message.blocks):
                if element["type"] == "button" and element["text"]["text"] == label:
                    return message, element["action_id"], element["value"]
        raise NotOnScreenError(f"{who} sees no button {label!r}")

    async def fills(self, who: str, **values: str) -> Answer:
        """Somebody fills the modal they have open and sends it."""
        answer = await self.sandbox.submit(who, None, values)
        await self.settles()
        return answer

    async def says(self, who: str, where: str | Channel, text: str) -> Message:
        """Somebody says something."""
        message = await self.sandbox.say(who, _name(where), text)
        await self.settles()
        return message

    async def reports(self, *violations: dict[str, Any]) -> httpx.Response:
        """The platform reports violations of its own, signed."""
        answer = await report(self.sandbox, *violations)
        await self.settles()
        return answer

    def violation(self, ident: str = "v-1", **told: Any) -> dict[str, Any]:
        """A violation that happens now: a feature looks into the future, unless told otherwise."""
        return violation(self.sandbox, ident, **told)

    async def sends(self, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Anybody sends anything to the bot."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            answer = await http.post(self.url + path, content=body, headers=dict(headers))
        await self.settles()
        return answer

    async def asks(self, path: str) -> httpx.Response:
        """Anybody asks the bot for /healthz, /readyz, /metrics."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            return await http.get(self.url + path)

    # what is seen

    @property
    def rooms(self) -> list[Channel]:
        """The channels the bot has opened, oldest first."""
        channels = self.sandbox.slack.channels.values()
        return [c for c in channels if c.id not in self._known and c.creator == BOT_USER_ID and not c.im_with]

    @property
    def room(self) -> Channel:
        """The only room."""
        (found,) = self.rooms
        return found

    def posts(self, where: str | Channel) -> list[Message]:
        """What the bot has posted in a channel and what is still there, in order."""
        channel = where if isinstance(where, Channel) else self.sandbox.slack.find(where)
        return [m for m in channel.messages.values() if m.by_bot and m.subtype in (None, "file_comment")]

    def said(self, where: str | Channel) -> list[str]:
        """The same as people read it."""
        return [self.sandbox.slack.readable(m) for m in self.posts(where)]

    def saw(self, where: str | Channel, *words: str) -> str:
        """The only message of the bot in a channel with all these words."""
        found = [text for text in self.said(where) if all(word in text for word in words)]
        assert len(found) == 1, f"{len(found)} messages with {words} in {_name(where)}:\n" + "\n---\n".join(
            found or self.said(where)
        )
        return found[0]

    def count(self, where: str | Channel, *words: str) -> int:
        """How many messages of the bot in a channel have all these words."""
        return sum(all(word in text for word in words) for text in self.said(where))

    @property
    def panel(self) -> str:
        """The pinned live panel, as it reads now."""
        (pinned,) = [m for m in self.room.messages.values() if m.pinned]
        return self.sandbox.slack.readable(pinned)

    @property
    def announcement(self) -> Message:
        """The first alert in #war-room."""
        return self.posts("war-room")[0]

    def paged(self, since: str = "0:00") -> list[str]:
        """Whom PagerDuty has called since m:ss of the story."""
        minutes, seconds = since.split(":")
        begin = self.began + timedelta(minutes=int(minutes), seconds=int(seconds))
        return [str(p["to"]) for p in self.sandbox.pagerduty.pages if datetime.fromisoformat(p["at"]) >= begin]

    def pings(self) -> set[str]:
        """Everything and everybody that any message or edit of the bot has ever pinged."""
        shown = [s for s in self.seen if s["kind"] in ("message", "edit", "ephemeral", "system")]
        return {ping for s in shown if s["author_id"] == BOT_USER_ID for ping in s["pings"]}

    async def watches(self, feed: Subscription) -> None:
        """Keeps what becomes visible in `seen`, for ever."""
        async for thing in feed:
            self.seen.append(thing)

    def file(self, name: str) -> str:
        """The text of the newest uploaded file whose name ends like this."""
        return self.attachment(name).decode()

    def attachment(self, name: str) -> bytes:
        """The content of the newest uploaded file whose name ends like this."""
        slack = self.sandbox.slack
        ids = [i for i, f in slack.files.items() if str(f["name"]).endswith(name)]
        assert ids, f"no file {name}; there are {[f['name'] for f in slack.files.values()]}"
        return slack.contents[ids[-1]]

    def times(self, surface: str, method: str) -> int:
        """How often the sandbox was called."""
        return len(self.sandbox.journal.of(surface, method))

    # what is kept

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the bot's database."""
        connection = sqlite3.connect(f"file:{self.folder / 'warroom.db'}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def stored(self) -> dict[str, int]:
        """How many inputs, facts, effects and incidents are on disk."""
        tables = ("inbox", "fact", "effect", "incident")
        return {table: self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    def facts(self, kind: str, incident: str = "INC-2026-0001") -> int:
        """How many facts of a kind an incident has."""
        query = "SELECT count(*) FROM fact WHERE kind = ? AND incident_id = ?"
        return int(self.rows(query, kind, incident)[0][0])

    async def audited(self) -> bool:
        """Whether the chain of facts holds."""
        return await self.bot.store.audit() == []


def _rewritten(settings: Settings, rewrite: Rewrite) -> Settings:
    packs = {
        name: loaded_pack(rewrite(loaded.pack), settings.bindings[name], settings.environment.warroom_actions)
        for name, loaded in settings.packs.items()
    }
    return replace(settings, packs=packs)


def _name(where: str | Channel) -> str:
    return where.id if isinstance(where, Channel) else where


@asynccontextmanager
async def a_world(
    folder: Path,
    *,
    begins: datetime = OPEN,
    actions: str = "live",
    packs: Sequence[str] = ("lav_adaf",),
    change: Callable[[dict[str, str]], object] = lambda environ: None,
    rewrite: Rewrite | None = None,
) -> AsyncIterator[World]:
    """A firm with its bot running. `change` may alter the bot's environment before it starts,
    `rewrite` its packs."""
    clock = ManualClock(begins)
    sandbox = Sandbox(clock.now, speed=10_000)
    async with serve(sandbox):
        environ = environment(sandbox, folder, actions=actions, packs=packs) | {"WARROOM_SLACK_LIMITS": "off"}
        change(environ)
        if environ["DATABASE_URL"].startswith("sqlite"):
            await sqlite(folder / "warroom.db")
        world = World(sandbox, clock, folder, environ, rewrite)
        with sandbox.subscribe() as feed:
            watching = asyncio.create_task(world.watches(feed))
            try:
                await world.starts()
                yield world
            finally:
                watching.cancel()
                await world.stops()
