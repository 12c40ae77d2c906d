"""The Web API methods this package calls: their scopes, their rate limits, and whether they change anything.

Calling a method that is not listed here is a KeyError, so the manifest's scopes cannot fall behind the code.
Scopes are those of a bot token (docs.slack.dev, reference of each method); limits are Slack's tiers: 20 calls a
minute (tier 2), 50 (tier 3), 100 (tier 4), and about one post a second in each channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_CHANNELS = ("channels:read", "groups:read")
_HISTORY = ("channels:history", "groups:history")


@dataclass(frozen=True)
class Method:
    """`per_minute` is how often it may be called; None where Slack counts otherwise or not at all."""

    scopes: tuple[str, ...] = ()
    per_minute: int | None = None
    writes: bool = False


METHODS: Mapping[str, Method] = {
    "auth.test": Method(),
    "bookmarks.add": Method(("bookmarks:write",), 20, writes=True),
    "bookmarks.list": Method(("bookmarks:read",), 50),
    "chat.postEphemeral": Method(("chat:write",), 100, writes=True),
    "chat.postMessage": Method(("chat:write",), writes=True),
    "chat.update": Method(("chat:write",), 50, writes=True),
    "conversations.create": Method(("channels:manage",), 20, writes=True),
    "conversations.history": Method(_HISTORY, 50),
    "conversations.invite": Method(("channels:manage",), 50, writes=True),
    "conversations.join": Method(("channels:join",), 50, writes=True),
    "conversations.list": Method(_CHANNELS, 20),
    "conversations.members": Method(_CHANNELS, 100),
    "conversations.replies": Method(_HISTORY, 50),
    "conversations.setPurpose": Method(("channels:manage",), 20, writes=True),
    "conversations.setTopic": Method(("channels:manage",), 20, writes=True),
    "files.completeUploadExternal": Method(("files:write",), 100, writes=True),
    "files.getUploadURLExternal": Method(("files:write",), 100),
    "files.info": Method(("files:read",), 100),
    "pins.add": Method(("pins:write",), 20, writes=True),
    "pins.list": Method(("pins:read",), 20),
    "usergroups.users.list": Method(("usergroups:read",), 20),
    "users.info": Method(("users:read", "users:read.email"), 100),
    "users.lookupByEmail": Method(("users:read", "users:read.email"), 50),
    "views.open": Method((), 100, writes=True),
}
