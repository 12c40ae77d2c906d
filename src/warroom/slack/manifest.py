"""manifest.yml, checked against Slack's published rules and against what this code really uses.

Rules: docs.slack.dev, App manifest reference; scopes of methods and events from their own pages.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from warroom.slack.app import COMMANDS, EVENTS, SHORTCUTS
from warroom.slack.methods import METHODS

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader; libyaml's, where it is there, is ten times as fast."""
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


def check_manifest(path: Path) -> list[str]:
    """A sentence for everything wrong with the manifest; empty when it is fine."""
    try:
        manifest = yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506  (the safe one)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return [f"{path.name} cannot be read: {error}"]
    if not isinstance(manifest, dict):
        return [f"{path.name} is no mapping: start it with display_information:"]
    check = _Check(manifest)
    check.structure()
    if not check.problems:
        check.display()
        check.commands()
        check.shortcuts()
        check.settings()
        check.scopes()
    return [f"{path.name}: {problem}" for problem in check.problems]


class _Check:
    """Collects problems of one manifest."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest
        self.problems: list[str] = []

    def structure(self) -> None:
        """Known keys, and mappings where mappings belong."""
        for where, known in _KEYS.items():
            part = self._at(where)
            if part is None:
                continue
            if not isinstance(part, Mapping):
                self._say(f"{where} must be a mapping")
                continue
            self._unknown(part, known, where or "the top")
        for where in ("display_information", "features.bot_user", "oauth_config.scopes", "settings"):
            if not self._at(where):
                self._say(f"{where} is missing")
        for where in (
            "features.slash_commands",
            "features.shortcuts",
            "oauth_config.scopes.bot",
            "oauth_config.scopes.user",
            "settings.event_subscriptions.bot_events",
            "settings.event_subscriptions.user_events",
        ):
            if not isinstance(self._at(where) or [], list):
                self._say(f"{where} must be a list")

    def display(self) -> None:
        """Names, descriptions and the colour."""
        for where in ("display_information.name", "features.bot_user.display_name"):
            if not self._at(where):
                self._say(f"{where} is missing")
        for where in (
            "display_information.name",
            "display_information.description",
            "display_information.long_description",
            "features.bot_user.display_name",
        ):
            self._length(self._at(where), where, where)
        long = self._at("display_information.long_description")
        if long is not None and len(str(long)) < _LONG_LEAST:
            self._say(
                f"display_information.long_description has {len(str(long))} characters, the least is {_LONG_LEAST}"
            )
        colour = self._at("display_information.background_color")
        if colour is not None and not _COLOUR.fullmatch(str(colour)):
            self._say(f"display_information.background_color {colour!r} is no colour like #1d1c1d (in quotes)")
        bot = self._at("features.bot_user.display_name")
        if bot and not _BOT_NAME.fullmatch(str(bot)):
            self._say("features.bot_user.display_name may hold letters, digits, spaces, - _ and . only")

    def commands(self) -> None:
        """Each command well-formed, and exactly those that the app handles."""
        names: list[str] = []
        for entry in self._entries("features.slash_commands"):
            name = str(entry.get("command") or "")
            names.append(name)
            self._unknown(entry, _COMMAND_KEYS, f"command {name}")
            if not _COMMAND.fullmatch(name):
                self._say(f"command {name!r} must be / and small letters, digits, - or _, at most 32 characters")
            if not entry.get("description"):
                self._say(f"command {name} has no description")
            self._length(entry.get("description"), f"description of {name}", "command description")
            self._length(entry.get("usage_hint"), f"usage_hint of {name}", "usage_hint")
            self._url(entry.get("url"), f"command {name}")
        self._same(names, COMMANDS, "slash_commands", "command")
        if len(names) > 50:
            self._say(f"there are {len(names)} slash commands, Slack takes 50")

    def shortcuts(self) -> None:
        """Each shortcut well-formed, and exactly those that the app handles."""
        ids: list[str] = []
        for entry in self._entries("features.shortcuts"):
            name, callback = str(entry.get("name") or ""), str(entry.get("callback_id") or "")
            ids.append(callback)
            self._unknown(entry, _SHORTCUT_KEYS, f"shortcut {name}")
            if entry.get("type") not in ("message", "global"):
                self._say(f"shortcut {name} must be of type message or global")
            for field in ("name", "callback_id", "description"):
                if not entry.get(field):
                    self._say(f"shortcut {name or callback} has no {field}")
            self._length(name, f"name of shortcut {callback}", "shortcut name")
            self._length(callback, f"callback_id of {name}", "callback_id")
            self._length(entry.get("description"), f"description of {name}", "shortcut description")
        self._same(ids, SHORTCUTS, "shortcuts", "shortcut")

    def settings(self) -> None:
        """Switches, request urls and events."""
        for name in _SWITCHES:
            if not isinstance(self._at(f"settings.{name}"), bool):
                self._say(f"settings.{name} must be true or false")
        if self._at("settings.interactivity.is_enabled") is not True:
            self._say("settings.interactivity.is_enabled must be true: the buttons need it")
        self._url(self._at("settings.interactivity.request_url"), "settings.interactivity")
        self._url(self._at("settings.event_subscriptions.request_url"), "settings.event_subscriptions")
        events = [str(e) for e in self._at("settings.event_subscriptions.bot_events") or ()]
        self._same(events, EVENTS, "bot_events", "event")
        if self._at("settings.event_subscriptions.user_events"):
            self._say("settings.event_subscriptions.user_events is not used: remove it")

    def scopes(self) -> None:
        """Known scopes, every one that is needed, and none that is not."""
        granted = [str(scope) for scope in self._at("oauth_config.scopes.bot") or ()]
        for scope in sorted({s for s in granted if granted.count(s) > 1}):
            self._say(f"the bot scope {scope} is listed twice")
        for scope in granted:
            if scope not in KNOWN_SCOPES:
                self._say(f"{scope} is no bot scope of Slack")
            elif scope not in NEEDED:
                self._say(f"the bot scope {scope} is not needed: remove it")
        for scope in missing_scopes(granted):
            self._say(f"the bot scope {scope} is missing, needed by {', '.join(_needed_by(scope))}")
        if self._at("oauth_config.scopes.user"):
            self._say("no user scopes are needed: remove oauth_config.scopes.user")

    def _at(self, where: str) -> Any:
        part: Any = self._manifest
        for name in where.split(".") if where else ():
            part = part.get(name) if isinstance(part, Mapping) else None
        return part

    def _entries(self, where: str) -> list[Mapping[str, Any]]:
        entries = self._at(where) or []
        if not all(isinstance(entry, Mapping) for entry in entries):
            self._say(f"the entries of {where} must be mappings")
        return [entry for entry in entries if isinstance(entry, Mapping)]

    def _unknown(self, part: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        for name in part:
            if name not in known:
                self._say(f"Slack knows no {name!r} in {where}; it knows {', '.join(sorted(known))}")

    def _length(self, text: object, what: str, rule: str) -> None:
        if text is not None and len(str(text)) > _MOST[rule]:
            self._say(f"{what} has {len(str(text))} characters, Slack takes {_MOST[rule]}")

    def _url(self, url: object, where: str) -> None:
        if self._at("settings.socket_mode_enabled") is True and url is None:
            return
        if not re.fullmatch(r"https://[^\s/]+/\S+", str(url or "")):
            self._say(f"{where} needs an https address, or settings.socket_mode_enabled: true")

    def _same(self, declared: list[str], handled: Iterable[str], where: str, what: str) -> None:
        for name in sorted({n for n in declared if declared.count(n) > 1}):
            self._say(f"the {what} {name} is declared twice")
        for name in sorted(set(handled) - set(declared)):
            self._say(f"{where} lacks the {what} {name}")
        for name in sorted(set(declared) - set(handled)):
            self._say(f"the {what} {name} is declared in {where}, but nothing here handles it")

    def _say(self, problem: str) -> None:
        self.problems.append(problem)


def _needed_by(scope: str) -> list[str]:
    users = [name for name, scopes in METHOD_SCOPES.items() if scope in scopes]
    users += [f"event {name}" for name, scopes in EVENT_SCOPES.items() if scope in scopes]
    return users or ["slash commands and shortcuts"]
