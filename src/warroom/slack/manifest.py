"""manifest.yml, checked against Slack's published rules and against what this code really uses.

Rules: docs.slack.dev, App manifest reference; scopes of methods and events from their own pages.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path as File
from typing import Any

from warroom.packs.document import Document, Path
from warroom.packs.problems import Problem, nearest, without_consequences
from warroom.slack.app import COMMANDS, EVENTS, SHORTCUTS
from warroom.slack.methods import METHODS

METHOD_SCOPES: Mapping[str, tuple[str, ...]] = {name: method.scopes for name, method in METHODS.items()}
"""Web API method → the bot scopes it needs for what we use it for."""
EVENT_SCOPES: Mapping[str, tuple[str, ...]] = {"reaction_added": ("reactions:read",)}
"""Event → the bot scopes it needs."""
FEATURE_SCOPES = ("commands",)
"""for slash commands and shortcuts"""
_VERBS: Mapping[str, str] = {
    "app_mentions": "read",
    "assistant": "write",
    "bookmarks": "read write",
    "calls": "read write",
    "canvases": "read write",
    "channels": "history join manage read write.invites write.topic",
    "chat": "write write.customize write.public",
    "conversations.connect": "manage read write",
    "dnd": "read",
    "emoji": "read",
    "files": "read write",
    "groups": "history read write write.invites write.topic",
    "im": "history read write write.topic",
    "links": "read write",
    "links.embed": "write",
    "lists": "read write",
    "metadata.message": "read",
    "mpim": "history read write write.topic",
    "pins": "read write",
    "reactions": "read write",
    "reminders": "read write",
    "remote_files": "read share write",
    "team": "read",
    "team.billing": "read",
    "team.preferences": "read",
    "usergroups": "read write",
    "users": "read read.email write",
    "users.profile": "read",
    "workflow.steps": "execute",
}
KNOWN_SCOPES = frozenset(
    {"commands", "incoming-webhook", "tokens.basic"}
    | {f"{area}:{verb}" for area, verbs in _VERBS.items() for verb in verbs.split()}
)
"""The scopes a bot token can have."""
NEEDED = frozenset(
    scope
    for scopes in (*METHOD_SCOPES.values(), *(EVENT_SCOPES[event] for event in EVENTS), FEATURE_SCOPES)
    for scope in scopes
)

_KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset({"_metadata", "display_information", "features", "oauth_config", "settings"}),
    "_metadata": frozenset({"major_version", "minor_version"}),
    "display_information": frozenset({"name", "description", "long_description", "background_color"}),
    "features": frozenset({"app_home", "bot_user", "shortcuts", "slash_commands", "unfurl_domains"}),
    "features.app_home": frozenset({"home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"}),
    "features.bot_user": frozenset({"display_name", "always_online"}),
    "oauth_config": frozenset({"redirect_urls", "scopes", "pkce_enabled"}),
    "oauth_config.scopes": frozenset({"bot", "user"}),
    "settings": frozenset(
        {
            "allowed_ip_address_ranges",
            "event_subscriptions",
            "interactivity",
            "is_mcp_enabled",
            "org_deploy_enabled",
            "socket_mode_enabled",
            "token_rotation_enabled",
        }
    ),
    "settings.event_subscriptions": frozenset({"request_url", "bot_events", "user_events"}),
    "settings.interactivity": frozenset({"is_enabled", "request_url", "message_menu_options_url"}),
}
_LISTS = (
    "features.slash_commands",
    "features.shortcuts",
    "oauth_config.scopes.bot",
    "oauth_config.scopes.user",
    "settings.event_subscriptions.bot_events",
    "settings.event_subscriptions.user_events",
)
_COMMAND_KEYS = frozenset({"command", "description", "usage_hint", "url", "should_escape"})
_SHORTCUT_KEYS = frozenset({"name", "type", "callback_id", "description"})
_MOST = {
    "display_information.name": 35,
    "display_information.description": 140,
    "display_information.long_description": 4000,
    "features.bot_user.display_name": 80,
    "command": 32,
    "command description": 2000,
    "usage_hint": 1000,
    "shortcut name": 24,
    "callback_id": 255,
    "shortcut description": 150,
}
_COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_BOT_NAME = re.compile(r"[A-Za-z0-9 ._-]+")
_LONG_LEAST = 175
_SWITCHES = ("org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled")


def missing_scopes(granted: Iterable[str]) -> tuple[str, ...]:
    """The scopes we need and were not granted, in alphabetical order."""
    return tuple(sorted(NEEDED - set(granted)))


def check_manifest(path: File) -> list[Problem]:
    """Everything wrong with the manifest, with its line and what to do; empty when it is fine."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return [Problem(str(path), 0, "", f"this file cannot be read ({reason}); put it back")]
    document = Document(text, str(path))
    if not document.plain():
        return document.problems
    check = _Check(document)
    check.structure()
    check.display()
    check.commands()
    check.shortcuts()
    check.settings()
    check.scopes()
    return sorted(set(without_consequences(document.problems, check.problems)))


class _Check:
    """Collects problems of one manifest. What has the wrong shape is told once, and taken for empty after that."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._manifest = document.plain()
        self.problems: list[Problem] = []

    def structure(self) -> None:
        """Known keys, and mappings and lists where they belong."""
        for where, known in _KEYS.items():
            part = self._at(where)
            if part is None:
                continue
            if not isinstance(part, Mapping):
                self._say(where, "write `key: value` lines here")
                continue
            self._unknown(part, known, where)
        for where in ("display_information", "features.bot_user", "oauth_config.scopes", "settings"):
            if not self._at(where):
                self._say(where, "this is missing; take it from the manifest.yml that comes with warroom")
        for where in _LISTS:
            if not isinstance(self._at(where) or [], list):
                self._say(where, "write a list here: lines that begin with `-`")

    def display(self) -> None:
        """Names, descriptions and the colour."""
        for where in ("display_information.name", "features.bot_user.display_name"):
            if self._at(where.rpartition(".")[0]) and not self._at(where):
                self._say(where, "this is missing; people see it in Slack")
        for where in (
            "display_information.name",
            "display_information.description",
            "display_information.long_description",
            "features.bot_user.display_name",
        ):
            self._length(self._at(where), where, where)
        long = self._at("display_information.long_description")
        if long is not None and len(str(long)) < _LONG_LEAST:
            said = f"this has {len(str(long))} characters, the least is {_LONG_LEAST}; write more, or take it away"
            self._say("display_information.long_description", said)
        colour = self._at("display_information.background_color")
        if colour is not None and not _COLOUR.fullmatch(str(colour)):
            self._say(
                "display_information.background_color", f"{colour!r} is no colour; write one in quotes: '#1d1c1d'"
            )
        bot = self._at("features.bot_user.display_name")
        if bot and not _BOT_NAME.fullmatch(str(bot)):
            self._say("features.bot_user.display_name", "write letters, digits, spaces, - _ and . only")

    def commands(self) -> None:
        """Each command well-formed, and exactly those that the app handles."""
        where = "features.slash_commands"
        names: dict[Path, str] = {}
        for at, entry in self._entries(where):
            name = str(entry.get("command") or "")
            self._unknown(entry, _COMMAND_KEYS, at)
            if _COMMAND.fullmatch(name):
                names[(*at, "command")] = name
            else:
                said = f"{name!r} is no command; write / and small letters, digits, - or _, at most 32 characters"
                self._say((*at, "command"), said)
            if not entry.get("description"):
                self._say((*at, "description"), f"command {name} has no description; Slack shows it while one types")
            self._length(entry.get("description"), (*at, "description"), "command description")
            self._length(entry.get("usage_hint"), (*at, "usage_hint"), "usage_hint")
            self._url(entry.get("url"), (*at, "url"))
        self._same(names, COMMANDS, where, "command")
        if len(names) > 50:
            self._say(where, f"there are {len(names)} slash commands, Slack takes 50")

    def shortcuts(self) -> None:
        """Each shortcut well-formed, and exactly those that the app handles."""
        where = "features.shortcuts"
        ids: dict[Path, str] = {}
        for at, entry in self._entries(where):
            name, callback = str(entry.get("name") or ""), str(entry.get("callback_id") or "")
            ids[(*at, "callback_id")] = callback
            self._unknown(entry, _SHORTCUT_KEYS, at)
            if entry.get("type") not in ("message", "global"):
                self._say((*at, "type"), "write message or global")
            for field in ("name", "callback_id", "description"):
                if not entry.get(field):
                    self._say((*at, field), f"shortcut {name or callback} has no {field}; add it")
            self._length(name, (*at, "name"), "shortcut name")
            self._length(callback, (*at, "callback_id"), "callback_id")
            self._length(entry.get("description"), (*at, "description"), "shortcut description")
        self._same(ids, SHORTCUTS, where, "shortcut")

    def settings(self) -> None:
        """Switches, request urls and events."""
        if not isinstance(self._at("settings") or None, Mapping):
            return
        for name in _SWITCHES:
            if not isinstance(self._at(f"settings.{name}"), bool):
                self._say(f"settings.{name}", "write true or false")
        if self._at("settings.interactivity.is_enabled") is not True:
            self._say("settings.interactivity.is_enabled", "write true: the buttons need it")
        for where in ("settings.interactivity.request_url", "settings.event_subscriptions.request_url"):
            self._url(self._at(where), _path(where))
        where = "settings.event_subscriptions.bot_events"
        self._same(self._words(where), EVENTS, where, "event")
        if self._at("settings.event_subscriptions.user_events"):
            self._say("settings.event_subscriptions.user_events", "no user events are used: remove this")

    def scopes(self) -> None:
        """Known scopes, every one that is needed, and none that is not."""
        where = "oauth_config.scopes.bot"
        granted = self._words(where)
        seen: set[str] = set()
        for at, scope in granted.items():
            if scope in seen:
                self._say(at, f"the bot scope {scope} is listed twice; keep one")
            elif scope not in KNOWN_SCOPES:
                self._say(at, f"{scope} is no bot scope of Slack{nearest(scope, NEEDED)}")
            elif scope not in NEEDED:
                self._say(at, f"the bot scope {scope} is not needed: remove it")
            seen.add(scope)
        for scope in missing_scopes(seen) if self._listed(where) and self._at("oauth_config.scopes") else ():
            self._say(where, f"the bot scope {scope} is missing, needed by {', '.join(_needed_by(scope))}: add it")
        if self._at("oauth_config.scopes.user"):
            self._say("oauth_config.scopes.user", "no user scopes are needed: remove this")

    def _at(self, where: str) -> Any:
        part: Any = self._manifest
        for name in _path(where):
            part = part.get(name) if isinstance(part, Mapping) else None
        return part

    def _listed(self, where: str) -> bool:
        """Whether there is a list at `where`, or nothing."""
        return isinstance(self._at(where) or [], list)

    def _entries(self, where: str) -> list[tuple[Path, Mapping[str, Any]]]:
        found = []
        for index, entry in enumerate((self._at(where) or []) if self._listed(where) else []):
            if isinstance(entry, Mapping):
                found.append(((*_path(where), index), entry))
            else:
                self._say((*_path(where), index), "write `key: value` lines here")
        return found

    def _words(self, where: str) -> dict[Path, str]:
        words = (self._at(where) or []) if self._listed(where) else []
        return {(*_path(where), index): str(word) for index, word in enumerate(words)}

    def _unknown(self, part: Mapping[str, Any], known: frozenset[str], at: str | Path) -> None:
        path = _path(at)
        where = ".".join(str(p) for p in path if isinstance(p, str)) or "the top"
        for name in part:
            if name not in known:
                said = f"Slack knows no {name!r} in {where}; it knows {', '.join(sorted(known))}"
                self._say((*path, name), said)

    def _length(self, text: object, at: str | Path, rule: str) -> None:
        if text is not None and len(str(text)) > _MOST[rule]:
            self._say(at, f"this has {len(str(text))} characters, Slack takes {_MOST[rule]}; shorten it")

    def _url(self, url: object, at: Path) -> None:
        if self._at("settings.socket_mode_enabled") is True and url is None:
            return
        if not re.fullmatch(r"https://[^\s/]+/\S+", str(url or "")):
            self._say(at, "this needs an https address, or settings.socket_mode_enabled: true")

    def _same(self, declared: Mapping[Path, str], handled: Iterable[str], where: str, what: str) -> None:
        if not self._listed(where):
            return
        seen: set[str] = set()
        for at, name in declared.items():
            if name in seen:
                self._say(at, f"the {what} {name} is declared twice; keep one")
            elif name not in handled:
                self._say(at, f"the {what} {name} is declared here, but nothing in warroom handles it: remove it")
            seen.add(name)
        for name in sorted(set(handled) - seen):
            self._say(where, f"this lacks the {what} {name}: add it")

    def _say(self, at: str | Path, sentence: str) -> None:
        self.problems.append(self._document.problem(_path(at), sentence))


def _path(at: str | Path) -> Path:
    """`a.b` as the document's path; a path stays one."""
    return at if isinstance(at, tuple) else tuple(at.split(".")) if at else ()


def _needed_by(scope: str) -> list[str]:
    users = [name for name, scopes in METHOD_SCOPES.items() if scope in scopes]
    users += [f"event {name}" for name, scopes in EVENT_SCOPES.items() if scope in scopes]
    return users or ["slash commands and shortcuts"]
