"""A story with people in it: steps at story times that use what the bot offers, and say what was missing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from warroom.sandbox.people import BOT_USER_ID, person
from warroom.sandbox.sandbox import Sandbox
from warroom.sandbox.slack_forms import interactive, options_of
from warroom.sandbox.slack_people import Answer, NotOnScreenError
from warroom.sandbox.slack_state import Channel, Message

Json = dict[str, Any]
ROOM = "the room of the incident"
"""stands for the channel the bot opened since the story began"""
PATIENCE = timedelta(seconds=60)
"""how long a step waits for the bot, in story time"""


class MissingError(Exception):
    """What a step needed from the bot did not come; the message says what."""


Act = Callable[["Story", str], Awaitable[None]]


def story_time(text: str) -> timedelta:
    """m:ss or h:mm:ss after the start, as a duration; raises ValueError for anything else."""
    parts = [int(part) for part in text.split(":")]
    if not 2 <= len(parts) <= 3:
        raise ValueError(f"{text!r} is not m:ss or h:mm:ss")
    hours, minutes, seconds = [0] * (3 - len(parts)) + parts
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


@dataclass(frozen=True)
class Step:
    """At story time ``at`` (m:ss or h:mm:ss after the start) ``who`` does ``do``; ``what`` tells it."""

    at: str
    who: str
    what: str
    do: Act

    @property
    def offset(self) -> timedelta:
        """``at`` as a duration."""
        return story_time(self.at)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A story: its name on the command line, its title, when it begins (UTC), the packs in play, and its steps."""

    name: str
    title: str
    begins: datetime
    packs: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass
class Report:
    """How the story went: a line for each step, and what was missing."""

    lines: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.missing


class Story:
    """What the acts of a running scenario use."""

    def __init__(self, sandbox: Sandbox, patience_s: float) -> None:
        self.sandbox = sandbox
        self.patience_s = patience_s
        self.started: datetime = sandbox.now()
        self.incident_id: str | None = None
        self._known = set(sandbox.slack.channels)

    async def until(self, offset: timedelta) -> None:
        """Wait for a story time."""
        left = (self.started + offset - self.sandbox.now()).total_seconds()
        await asyncio.sleep(max(0.0, left / self.sandbox.speed))

    async def wait_for(self, look: Callable[[], Any], what: str) -> Any:
        """The first true answer of ``look``, asked again whenever something becomes visible.

        Waits a minute of the story, or ``patience_s`` real seconds if longer; then raises MissingError.
        """
        seconds = max(PATIENCE.total_seconds() / self.sandbox.speed, self.patience_s)
        try:
            async with asyncio.timeout(seconds):
                while not (found := look()):
                    await self.sandbox.feed.changed()
        except TimeoutError as exc:
            raise MissingError(f"expected {what}") from exc
        return found

    def find_room(self) -> Channel | None:
        """The channel the bot has opened since the story began."""
        for channel in self.sandbox.slack.channels.values():
            if channel.id not in self._known and channel.creator == BOT_USER_ID and not channel.im_with:
                return channel
        return None

    async def channel(self, name: str) -> str:
        """The id of a channel, or of the incident's room, once it is there."""
        if name != ROOM:
            return self.sandbox.people.channel(name).id
        found: Channel = await self.wait_for(self.find_room, "a room for the incident")
        return found.id

    def visible(self, who: str) -> list[Message]:
        """What this person can see, newest first."""
        me, slack = person(who).slack_id, self.sandbox.slack
        mine = [m for c in slack.channels.values() if self._may_read(c, me) for m in c.messages.values()]
        mine += [m for m in slack.ephemerals if m.ephemeral_to == me]
        return sorted(mine, key=lambda m: m.order, reverse=True)

    def _may_read(self, channel: Channel, user: str) -> bool:
        return user in channel.members or channel.kind == "public"

    def find_button(self, who: str, action_id: str) -> Message | None:
        """The newest message of this story that offers the button."""
        for message in self.visible(who):
            if message.at >= self.started:
                for _, element in interactive(message.blocks):
                    if element.get("action_id") == action_id:
                        return message
        return None

    async def click(self, who: str, action_id: str) -> Answer:
        """Press the newest button with this action id that the person sees."""
        what = f"a button {action_id} for {person(who).name}"
        message = await self.wait_for(lambda: self.find_button(who, action_id), what)
        answer = await self.sandbox.click(who, message.channel, message.ts, action_id)
        return _worked(answer, f"an answer to the button {action_id}")

    async def submit(self, who: str, callback_id: str, values: Json) -> None:
        """Fill the modal with this callback id and send it."""

        def opened() -> Json | None:
            for view in self.sandbox.slack.surfaces.open_of(person(who).slack_id):
                if view.content.get("callback_id") == callback_id:
                    return view.as_json()
            return None

        view = await self.wait_for(opened, f"the modal {callback_id} for {person(who).name}")
        answer = await self.sandbox.submit(who, view["id"], fit(view["blocks"], values))
        _worked(answer, f"the modal {callback_id} to be taken")

    async def command(self, who: str, channel: str, command: str, text: str) -> Answer:
        """Type a slash command."""
        answer = await self.sandbox.command(who, await self.channel(channel), command, text)
        return _worked(answer, f"an answer to {command} {text}")


def _worked(answer: Answer, what: str) -> Answer:
    if not answer.ok:
        detail = "; ".join(f"{k}: {v}" for k, v in answer.errors.items()) or answer.text
        raise MissingError(f"expected {what}, got {answer.error} ({detail})")
    return answer


def fit(blocks: list[Json], values: Json) -> Json:
    """The values for inputs the modal has; for an option it does not offer, what it offers first."""
    fitted: Json = {}
    for block in blocks:
        name = block.get("block_id")
        if block.get("type") != "input" or name not in values:
            continue
        wanted, element = values[name], block["element"]
        offered = options_of(element)
        if offered:
            same = [o["value"] for o in offered if str(wanted).lower() in (o["value"], o["text"]["text"].lower())]
            first = element.get("initial_option", offered[0])["value"]
            wanted = same[0] if same else first
            wanted = [wanted] if "multi" in element["type"] or element["type"] == "checkboxes" else wanted
        fitted[name] = wanted
    return fitted


async def play(
    sandbox: Sandbox,
    steps: Sequence[Step],
    tell: Callable[[str], None] | None = None,
    *,
    patience_s: float = 5.0,
) -> Report:
    """Play the steps in order; a step that lacks something is reported and the story goes on.

    ``tell`` is handed a line for each step; ``patience_s`` is the least a step waits, in real seconds.
    """
    story, report = Story(sandbox, patience_s), Report()
    for step in steps:
        await story.until(step.offset)
        line = f"{step.at:>6}  {step.who}: {step.what}"
        try:
            await step.do(story, step.who)
        except (MissingError, NotOnScreenError) as exc:
            report.missing.append(f"{step.at} {step.who} ({step.what}): {exc}")
            line += f"  MISSING: {exc}"
        report.lines.append(line)
        if tell is not None:
            tell(line)
    return report
