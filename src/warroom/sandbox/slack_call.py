"""One call of a Web API method: its arguments, and what every method needs to answer it."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from warroom.sandbox.people import BOT_USER_ID
from warroom.sandbox.slack_errors import SlackError, invalid_arguments
from warroom.sandbox.slack_state import Channel, Message, Workspace

Json = dict[str, Any]


class Args:
    """The arguments of a call, whether they came as form, query or JSON."""

    def __init__(self, raw: Json) -> None:
        self.raw = {name: value for name, value in raw.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.raw

    def text(self, name: str, default: str = "") -> str:
        value = self.raw.get(name, default)
        return value if isinstance(value, str) else str(value)

    def need(self, name: str) -> str:
        """A required string; raises SlackError ``invalid_arguments``."""
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def json(self, name: str) -> Any:
        """A structure, handed in as such or as a JSON string; None when absent."""
        value = self.raw.get(name)
        if isinstance(value, str):
            try:
                return json.loads(value) if value.strip() else None
            except ValueError as exc:
                code = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}
                raise SlackError(code.get(name, "invalid_arguments")) from exc
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.raw.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() in ("true", "1")

    def limit(self, default: int, most: int) -> int:
        """The ``limit`` argument; raises SlackError ``invalid_limit``."""
        value = self.text("limit", str(default)) or str(default)
        if not value.isdigit() or not 1 <= int(value) <= most:
            raise SlackError("invalid_limit")
        return int(value)

    def list(self, name: str) -> list[str]:
        """A list, or a string with commas."""
        value = self.raw.get(name, "")
        items = value if isinstance(value, list) else str(value).split(",")
        return [str(item).strip() for item in items if str(item).strip()]


def page(items: list[Any], cursor: str, limit: int) -> tuple[list[Any], str]:
    """A page of ``items`` and the cursor of the next one, empty at the end; raises ``invalid_cursor``."""
    start = 0
    if cursor:
        try:
            word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise SlackError("invalid_cursor") from exc
        if word != "next" or not number.isdigit():
            raise SlackError("invalid_cursor")
        start = int(number)
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], following


@dataclass
class Call:
    """A call that has passed the token and scope checks."""

    workspace: Workspace
    args: Args
    scopes: frozenset[str]

    def channel(self, name: str = "channel", *, member: bool = False, live: bool = False) -> Channel:
        """The channel argument, as far as the bot may see it.

        Raises SlackError channel_not_found, not_in_channel (``member``), is_archived (``live``).
        """
        channel = self.workspace.channels.get(self.args.need(name))
        inside = channel is not None and BOT_USER_ID in channel.members
        if channel is None or (channel.kind != "public" and not inside):
            raise SlackError("channel_not_found")
        if live and channel.archived:
            raise SlackError("is_archived")
        if member and not inside:
            raise SlackError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "timestamp") -> Message:
        """The message with this ts; raises SlackError ``message_not_found``."""
        message = channel.messages.get(self.args.need(name))
        if message is None:
            raise SlackError("message_not_found")
        return message

    def need_scope(self, *any_of: str) -> None:
        """Raises SlackError ``missing_scope`` unless one of them is granted."""
        if not self.scopes.intersection(any_of):
            provided = ",".join(sorted(self.scopes))
            raise SlackError("missing_scope", needed=any_of[0], provided=provided)


@dataclass(frozen=True)
class Method:
    """A Web API method: any of ``scopes`` will do (none needed when empty)."""

    handle: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    per_minute: int = 0
    """calls a minute; 0 means the method has its own rule or none"""
