"""Channels by name: Slack's list, remembered."""

import asyncio
import re
from typing import Any

from warroom.errors import TryAgain
from warroom.slack.api import Api
from warroom.slack.errors import SlackRefused, refusal

_ID = re.compile(r"[CDGU][A-Z0-9]{7,}")


class Channels:
    """Names → ids of public channels and of the private ones we are in."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ids: dict[str, str] = {}
        self._listing = asyncio.Lock()

    async def warm(self) -> None:
        """Read the whole list, so that the first alert need not. Raises as `Api.call`."""
        await self.all()

    async def all(self) -> list[dict[str, Any]]:
        """Every live channel as Slack describes it, read now. A former name leads to its channel as well."""
        async with self._listing:
            found = [
                channel
                async for channel in self._api.pages(
                    "conversations.list",
                    "channels",
                    types="public_channel,private_channel",
                    exclude_archived=True,
                    limit=1000,
                )
            ]
        former = {str(name): str(c["id"]) for c in found for name in c.get("previous_names") or ()}
        self._ids = former | {str(c["name"]): str(c["id"]) for c in found}
        return found

    def remember(self, name: str, channel: str) -> None:
        """A channel we have just made."""
        self._ids[name] = channel

    async def id_of(self, wanted: str) -> str:
        """The id for `#name`, `name` or an id. Raises SlackRefused when there is no such channel, TryAgain."""
        if _ID.fullmatch(wanted):
            return wanted
        name = wanted.removeprefix("#").lower()
        if name not in self._ids:
            await self.all()
        if name not in self._ids:
            raise refusal(f"a message to #{name}", "channel_not_found")
        return self._ids[name]

    async def call(self, method: str, channel: str, /, **arguments: Any) -> dict[str, Any]:
        """A call on a channel; joins a public channel first when we are not in it. Raises as `Api.call`."""
        try:
            return await self._api.call(method, channel=channel, **arguments)
        except SlackRefused as error:
            if error.code != "not_in_channel":
                raise
        await self.join(channel)
        return await self._api.call(method, channel=channel, **arguments)

    async def join(self, channel: str) -> None:
        """Join a public channel. Raises SlackRefused for a private one: somebody must invite the bot."""
        try:
            await self._api.call("conversations.join", channel=channel)
        except SlackRefused as error:
            if error.code != "method_not_supported_for_channel_type":
                raise
            raise refusal("a message to a private channel", "not_in_channel") from error

    async def history(self, channel: str, oldest: float, thread: str | None = None) -> list[dict[str, Any]]:
        """Messages since `oldest` (Unix seconds) with all metadata, of the channel or of a thread and its parent.

        Joins a public channel first when we are not in it. Raises as `Api.call`.
        """
        return await self._messages(channel, thread, oldest=f"{max(oldest, 0):.6f}", limit=200)

    async def message(self, channel: str, ts: str, thread: str | None = None) -> dict[str, Any] | None:
        """One message with its metadata; None when it is gone. Raises as `Api.call`."""
        found = await self._messages(channel, thread, oldest=ts, latest=ts, inclusive=True, limit=2)
        return next((m for m in found if m.get("ts") == ts), None)

    async def _messages(self, channel: str, thread: str | None, **window: Any) -> list[dict[str, Any]]:
        method = "conversations.replies" if thread else "conversations.history"
        window |= {"channel": channel, "ts": thread, "include_all_metadata": True}
        try:
            return [m async for m in self._api.pages(method, "messages", **window)]
        except SlackRefused as error:
            if error.code == "thread_not_found":
                return []
            if error.code != "not_in_channel":
                raise
        await self.join(channel)
        return [m async for m in self._api.pages(method, "messages", **window)]


def room_of(incident_room: str | None) -> str:
    """The room's id. Raises TryAgain while there is none."""
    if incident_room is None:
        raise TryAgain("the incident's channel does not exist yet")
    return incident_room
