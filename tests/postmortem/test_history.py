"""The whole history of a room, read from the sandbox's Slack over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from warroom.errors import Refused, TryAgain
from warroom.sandbox import Sandbox, serve
from warroom.sandbox.faults import Fault
from warroom.slack.history import History, Line, permalink, readable

START = datetime(2026, 3, 2, 14, 31, tzinfo=UTC)
TOKEN = "xoxb-sandbox-bot-token"


class Watch:
    """A clock that each look moves on by a second."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class Nap:
    """A sleep that takes no time and remembers how long it should have been."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Watch())


@pytest.fixture
async def slack(sandbox: Sandbox) -> AsyncIterator[AsyncWebClient]:
    async with serve(sandbox) as url, aiohttp.ClientSession() as session:
        yield AsyncWebClient(token=TOKEN, base_url=f"{url}/slack/api/", session=session, retry_handlers=[])


@pytest.fixture
def nap() -> Nap:
    return Nap()


@pytest.fixture
def room(sandbox: Sandbox) -> str:
    return sandbox.slack.find("war-room").id


@pytest.fixture
def history(sandbox: Sandbox, slack: AsyncWebClient, nap: Nap) -> History:
    async def name_of(slack_id: str) -> str:
        return sandbox.slack.name_of(slack_id)

    return History(slack, name_of, sleep=nap, patience=60)


async def a_long_incident(sandbox: Sandbox) -> int:
    """230 messages at the top and two threads, one of them with more than a page of replies."""
    heads = []
    for number in range(230):
        message = await sandbox.say("ana", "war-room", f"message {number}")
        if number in (10, 200):
            heads.append(message.ts)
    for number in range(3):
        await sandbox.say("raj", "war-room", f"short thread {number}", thread_ts=heads[0])
    for number in range(210):
        await sandbox.say("mei", "war-room", f"long thread {number}", thread_ts=heads[1])
    return 230 + 3 + 210


async def test_every_message_and_reply_is_read_once_oldest_first(sandbox: Sandbox, history: History, room: str) -> None:
    count = await a_long_incident(sandbox)
    lines = await history.read(room)
    assert len(lines) == len({line.ts for line in lines}) == count
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert sum(line.thread_ts is not None and line.thread_ts != line.ts for line in lines) == 213
    assert {line.author for line in lines} == {"Ana Souza", "Raj Patel", "Mei Tanaka"}


@pytest.mark.row("S3")
async def test_a_rate_limit_in_the_middle_is_waited_for_as_slack_says(
    sandbox: Sandbox, history: History, room: str, nap: Nap
) -> None:
    count = await a_long_incident(sandbox)
    sandbox.faults.add("slack", "conversations.replies", "429", retry_after=7)
    sandbox.faults.add("slack", "conversations.history", "429", retry_after=3)
    assert len(await history.read(room)) == count
    assert nap.waits == [3.0, 7.0]


async def test_slack_being_unwell_is_waited_out_with_growing_pauses(
    sandbox: Sandbox, history: History, room: str, nap: Nap
) -> None:
    await sandbox.say("ana", "war-room", "hello")
    sandbox.faults.add("slack", "conversations.history", "500", times=3)
    assert [line.text for line in await history.read(room)] == ["hello"]
    assert nap.waits == [1.0, 2.0, 4.0]


async def test_the_patience_of_a_reading_ends(sandbox: Sandbox, history: History, room: str, nap: Nap) -> None:
    sandbox.faults.add("slack", "*", "outage")
    with pytest.raises(TryAgain, match="cannot be reached"):
        await history.read(room)
    assert sum(nap.waits) <= 60


async def test_a_limit_longer_than_the_patience_is_handed_on(
    sandbox: Sandbox, history: History, room: str, nap: Nap
) -> None:
    sandbox.faults.add("slack", "conversations.history", "429", retry_after=61)
    with pytest.raises(TryAgain) as told:
        await history.read(room)
    assert told.value.after == 61
    assert nap.waits == []


class OnSecondCall(Fault):
    """A fault that lets the first call pass."""

    seen = 0

    def matches(self, surface: str, method: str) -> bool:
        hit = super().matches(surface, method)
        self.seen += hit
        return hit and self.seen == 2


@pytest.mark.parametrize(("late_replies", "asked_again"), [(0, 2), (1, 3)])
async def test_a_reading_that_ran_out_of_patience_is_resumed_by_the_next(
    sandbox: Sandbox, history: History, room: str, late_replies: int, asked_again: int
) -> None:
    heads = [await sandbox.say("ana", "war-room", f"head {number}") for number in range(3)]
    for head in heads:
        await sandbox.say("raj", "war-room", "reply", thread_ts=head.ts)
    sandbox.faults.rules.append(OnSecondCall(1, "slack", "conversations.replies", "429", 1, 61, 0.0, ""))
    with pytest.raises(TryAgain):
        await history.read(room)
    for _ in range(late_replies):
        await sandbox.say("mei", "war-room", "late reply", thread_ts=heads[-1].ts)
    sandbox.journal.clear()
    assert len(await history.read(room)) == 6 + late_replies
    assert len(sandbox.journal.of("slack", "conversations.replies")) == asked_again
    sandbox.journal.clear()
    await history.read(room)
    assert len(sandbox.journal.of("slack", "conversations.replies")) == 3


async def test_a_reading_is_bounded_in_calls(sandbox: Sandbox, slack: AsyncWebClient, room: str, nap: Nap) -> None:
    await a_long_incident(sandbox)

    async def name_of(slack_id: str) -> str:
        return slack_id

    with pytest.raises(Refused, match="more messages"):
        await History(slack, name_of, sleep=nap, calls=3).read(room)


async def test_a_channel_the_bot_may_not_read_is_refused_with_what_to_do(
    sandbox: Sandbox, history: History, nap: Nap
) -> None:
    with pytest.raises(Refused, match="invite the bot"):
        await history.read(sandbox.slack.find("random").id)
    with pytest.raises(Refused, match="channel_not_found"):
        await history.read("C0NOWHERE")
    assert nap.waits == []


async def test_only_what_was_said_since_the_incident_opened_is_read(
    sandbox: Sandbox, history: History, room: str
) -> None:
    before = await sandbox.say("ana", "war-room", "yesterday's news")
    after = await sandbox.say("ana", "war-room", "today's")
    lines = await history.read(room, before.at)
    assert [line.ts for line in lines] == [after.ts]


async def test_our_messages_are_known_by_their_metadata_and_read_from_their_blocks(
    sandbox: Sandbox, history: History, slack: AsyncWebClient, room: str
) -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "P0 update"}},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "user", "user_id": "U0SANDBX02"},
                        {"type": "text", "text": " says *disk* <full>"},
                    ],
                }
            ],
        },
    ]
    metadata = {"event_type": "warroom_effect", "event_payload": {"id": "e77"}}
    await slack.chat_postMessage(channel=room, text="fallback", blocks=blocks, metadata=metadata)
    (line,) = await history.read(room)
    assert line.effect_id == "e77"
    assert line.by_bot
    assert line.text == "P0 update\n@Raj Patel says *disk* <full>"


async def test_people_files_reactions_edits_and_joins_are_told(
    sandbox: Sandbox, history: History, slack: AsyncWebClient, room: str
) -> None:
    message = await sandbox.say("ana", "war-room", "ask <@U0SANDBX02> &amp; see <https://x.example|the graph>")
    await sandbox.react("raj", "war-room", message.ts, "eyes")
    await sandbox.people.join("tom", "war-room")
    posted = await slack.chat_postMessage(channel=room, text="first")
    await slack.chat_update(channel=room, ts=posted["ts"], text="second")
    said, joined, edited = await history.read(room)
    assert said.text == "ask @Raj Patel & see the graph (https://x.example)"
    assert said.reactions == (("eyes", 1),)
    assert (said.author_id, said.by_bot, said.edited, said.effect_id) == ("U0SANDBX01", False, False, None)
    assert joined.subtype == "channel_join"
    assert (edited.text, edited.edited, edited.by_bot) == ("second", True, True)


async def test_permalinks_have_slacks_shape_and_the_workspace_is_asked_for_once(
    sandbox: Sandbox, history: History, room: str
) -> None:
    head = await sandbox.say("ana", "war-room", "head")
    reply = await sandbox.say("raj", "war-room", "reply", thread_ts=head.ts)
    for _ in range(2):
        lines: tuple[Line, ...] = await history.read(room)
    assert len(sandbox.journal.of("slack", "auth.test")) == 1
    assert sandbox.journal.of("slack", "chat.getPermalink") == []
    assert lines[0].permalink.endswith(f"/archives/{room}/p{head.ts.replace('.', '')}")
    assert lines[1].permalink.endswith(f"/archives/{room}/p{reply.ts.replace('.', '')}?thread_ts={head.ts}&cid={room}")


def test_a_permalink_without_a_workspace_is_empty() -> None:
    assert permalink("", "C1", "1.000002") == ""
    assert permalink("https://firm.slack.com/", "C1", "1.000002") == "https://firm.slack.com/archives/C1/p1000002"


def test_another_apps_message_is_read_from_its_attachments_when_it_has_no_text() -> None:
    message = {"text": "", "attachments": [{"title": "CPU", "text": "100 % on <https://x.example|host>"}]}
    assert readable(message, {}) == "CPU 100 % on host (https://x.example)"
