"""The Slack workspace: channels, messages, and what people see of them."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from warroom.sandbox import people
from warroom.sandbox.feed import Feed
from warroom.sandbox.ids import Ids
from warroom.sandbox.slack_errors import SlackError
from warroom.sandbox.slack_forms import interactive
from warroom.sandbox.slack_modals import Surfaces
from warroom.sandbox.slack_text import Names, mrkdwn_text, pings, plain

Json = dict[str, Any]
Now = Callable[[], datetime]
HIDDEN_SUBTYPES = frozenset({"channel_join", "channel_topic", "channel_purpose", "channel_name", "pinned_item"})


@dataclass
class Message:
    """One message. ``order`` says when it was first shown, across channels."""

    ts: str
    channel: str
    user: str
    text: str
    order: int
    at: datetime
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    subtype: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    edited_at: datetime | None = None
    pinned: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)
    pings: list[str] = field(default_factory=list)
    ephemeral_to: str | None = None
    link_names: bool = False
    extra: Json = field(default_factory=dict)

    @property
    def by_bot(self) -> bool:
        return self.user == people.BOT_USER_ID

    def as_json(self, *, metadata: bool = False, replies: list["Message"] | None = None) -> Json:
        """As ``conversations.history`` gives it."""
        out: Json = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts, **self.extra}
        out["team"] = people.TEAM_ID
        if self.by_bot:
            out |= {"bot_id": people.BOT_ID, "app_id": people.APP_ID, "bot_profile": bot_profile()}
        optional: Json = {"subtype": self.subtype, "blocks": self.blocks, "attachments": self.attachments}
        optional |= {"thread_ts": self.thread_ts, "edited": self.edited, "files": self.files}
        out |= {name: value for name, value in optional.items() if value}
        if metadata and self.metadata:
            out["metadata"] = self.metadata
        if self.pinned:
            out["pinned_to"] = [self.channel]
        if self.reactions:
            out["reactions"] = [{"name": n, "users": list(u), "count": len(u)} for n, u in self.reactions.items()]
        if replies:
            users = list(dict.fromkeys(r.user for r in replies))
            out |= {"thread_ts": self.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
            out |= {"reply_users": users, "reply_users_count": len(users), "is_locked": False}
        return out


@dataclass
class Channel:
    """A public or private channel, or a direct message (``im_with`` is the other person)."""

    id: str
    name: str
    creator: str
    created: int
    private: bool = False
    im_with: str | None = None
    archived: bool = False
    topic: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    purpose: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    members: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    pins: list[Json] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)
    former_names: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return "im" if self.im_with else "private" if self.private else "public"

    def replies(self, ts: str) -> list[Message]:
        return [m for m in self.messages.values() if m.thread_ts == ts and m.ts != ts]

    def as_json(self) -> Json:
        """As ``conversations.info`` gives it."""
        base = {"id": self.id, "created": self.created, "is_org_shared": False, "is_archived": self.archived}
        if self.im_with:
            return {**base, "is_im": True, "user": self.im_with, "is_user_deleted": False, "priority": 0}
        return {
            **base,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.private,
            "is_group": self.private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "is_general": False,
            "is_shared": False,
            "is_ext_shared": False,
            "is_member": people.BOT_USER_ID in self.members,
            "creator": self.creator,
            "context_team_id": people.TEAM_ID,
            "topic": dict(self.topic),
            "purpose": dict(self.purpose),
            "previous_names": list(self.former_names),
            "num_members": len(self.members),
            "updated": self.created * 1000,
        }


def bot_profile() -> Json:
    return {
        "id": people.BOT_ID,
        "app_id": people.APP_ID,
        "user_id": people.BOT_USER_ID,
        "name": people.BOT_NAME,
        "team_id": people.TEAM_ID,
        "deleted": False,
        "updated": 0,
        "icons": {},
    }


def size_text(size: int) -> str:
    """A file's size in bytes as it is shown: 812 bytes, 13 KB, 1.2 MB."""
    if size < 1024:
        return f"{size} bytes"
    return f"{size / 1024:.0f} KB" if size < 1024**2 else f"{size / 1024**2:.1f} MB"


def with_ids(blocks: list[Json], ids: Ids) -> list[Json]:
    """A copy of the blocks in which each has the ``block_id`` and ``action_id`` Slack gives it if missing."""
    copied: list[Json] = copy.deepcopy(blocks)
    for block in copied:
        block.setdefault("block_id", ids.next("b"))
        for _, element in interactive([block]):
            element.setdefault("action_id", ids.next("a"))
    return copied


class Workspace:
    """Everything Slack knows. ``emit`` is handed every event the bot is subscribed to."""

    def __init__(self, now: Now, feed: Feed) -> None:
        self.now = now
        self.feed = feed
        self.ids = Ids()
        self.base_url = ""
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, Json] = {}
        self.contents: dict[str, bytes] = {}
        self.ephemerals: list[Message] = []
        self.surfaces = Surfaces(self.ids)
        self.emit: Callable[[Json], None] = lambda event: None
        self.order = 0
        self._last_us = 0
        for name, keys in people.CHANNELS.items():
            bot = [] if name in people.BOT_NOT_IN else [people.BOT_USER_ID]
            self.add_channel(name, [people.person(k).slack_id for k in keys] + bot)

    def add_channel(
        self, name: str, members: list[str], *, private: bool = False, creator: str = people.SLACKBOT_ID
    ) -> Channel:
        """A new channel with these Slack ids in it, no questions asked."""
        channel = Channel(
            self.ids.next("C"), name, creator, int(self.now().timestamp()), private, members=list(members)
        )
        self.channels[channel.id] = channel
        return channel

    def direct(self, user: str) -> Channel:
        """The direct message channel between the bot and this user; made when it is not there."""
        for channel in self.channels.values():
            if channel.im_with == user:
                return channel
        created = int(self.now().timestamp())
        name = f"direct-{user}"
        channel = Channel(self.ids.next("D"), name, people.BOT_USER_ID, created, im_with=user)
        channel.members = [user, people.BOT_USER_ID]
        self.channels[channel.id] = channel
        return channel

    def find(self, channel: str) -> Channel:
        """By id, or by name with or without #; raises SlackError ``channel_not_found``."""
        found = self.channels.get(channel) or self.named(channel.removeprefix("#"))
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def named(self, name: str) -> Channel | None:
        for channel in self.channels.values():
            if channel.name == name and not channel.im_with:
                return channel
        return None

    def next_ts(self) -> str:
        """A message ts: seconds.microseconds of now, unique and increasing."""
        us = max(int(self.now().timestamp() * 1_000_000), self._last_us + 1)
        self._last_us = us
        return f"{us // 1_000_000}.{us % 1_000_000:06d}"

    def post(self, channel: Channel, user: str, text: str, **more: Any) -> Message:
        """Store a message and show it. ``more`` are fields of Message."""
        message = self._message(channel, user, text, **more)
        channel.messages[message.ts] = message
        kind = "system" if message.subtype in HIDDEN_SUBTYPES else "message"
        self.feed.publish(kind, **self.seen(message))
        return message

    def whisper(self, channel: Channel, to: str, text: str, **more: Any) -> Message:
        """Store an ephemeral message that only ``to`` sees, and show it."""
        user = more.pop("user", people.BOT_USER_ID)
        message = self._message(channel, user, text, **more)
        message.ephemeral_to = to
        self.ephemerals.append(message)
        self.feed.publish("ephemeral", **self.seen(message))
        return message

    def _message(self, channel: Channel, user: str, text: str, **more: Any) -> Message:
        self.order += 1
        ts = self.next_ts()
        at = datetime.fromtimestamp(float(ts), UTC)
        more["blocks"] = with_ids(more.get("blocks") or [], self.ids)
        message = Message(ts, channel.id, user, text, self.order, at, **more)
        if user not in (people.SLACKBOT_ID,) and message.subtype not in HIDDEN_SUBTYPES:
            message.pings = pings(text, message.blocks, link_names=message.link_names)
        return message

    def edit(self, message: Message, editor: str, text: str, blocks: list[Json]) -> None:
        """Give a message other content, mark it as edited by ``editor``, and show it."""
        message.text, message.blocks = text, with_ids(blocks, self.ids)
        message.edited_at = self.now()
        message.edited = {"user": editor, "ts": self.next_ts()}
        message.pings = pings(message.text, message.blocks, link_names=message.link_names)
        self.feed.publish("edit", **self.seen(message))

    def name_of(self, slack_id: str) -> str:
        """The name people see for a user, group or channel id; the id itself when unknown."""
        if slack_id == people.BOT_USER_ID:
            return people.BOT_NAME
        if slack_id == people.SLACKBOT_ID:
            return "Slackbot"
        if slack_id in self.channels:
            return self.channels[slack_id].name
        names = {p.slack_id: p.name for p in people.PEOPLE} | {g.id: g.handle for g in people.GROUPS}
        return names.get(slack_id, slack_id)

    @property
    def names(self) -> Names:
        return self.name_of

    def readable(self, message: Message) -> str:
        """What a reader sees of it: the blocks if there are any, else the text; and a line for each file."""
        body = plain(message.blocks, self.names) or mrkdwn_text(message.text, self.names)
        files = [f"[file] {f['title']} ({f['name']}, {size_text(f['size'])})" for f in message.files]
        return "\n".join([body, *files] if body else files)

    def seen(self, message: Message) -> Json:
        """One line of the transcript."""
        return {
            "order": message.order,
            "at": message.at.isoformat(),
            "channel": self.name_of(message.channel),
            "channel_id": message.channel,
            "author": self.name_of(message.user),
            "author_id": message.user,
            "text": self.readable(message),
            "fallback": message.text,
            "blocks": message.blocks,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "subtype": message.subtype,
            "edited_at": message.edited_at.isoformat() if message.edited_at else None,
            "pinned": message.pinned,
            "files": [
                {"id": f["id"], "name": f["name"], "title": f["title"], "size": size_text(f["size"])}
                for f in message.files
            ],
            "reactions": {name: list(users) for name, users in message.reactions.items()},
            "ephemeral_to": self.name_of(message.ephemeral_to) if message.ephemeral_to else None,
            "ephemeral_to_id": message.ephemeral_to,
            "metadata": message.metadata,
            "pings": list(message.pings),
        }

    def transcript(self) -> list[Json]:
        """Everything people see, in the order it appeared; system messages have a ``subtype``."""
        shown = [m for c in self.channels.values() for m in c.messages.values()] + self.ephemerals
        return [self.seen(m) for m in sorted(shown, key=lambda m: m.order)]

    def permalink(self, channel: Channel, ts: str) -> str:
        return f"{self.base_url}/slack/archives/{channel.id}/p{ts.replace('.', '')}"
