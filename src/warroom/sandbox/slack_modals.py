"""What lives for a short time in Slack: trigger ids, response urls, and the views people have open."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from warroom.sandbox.ids import Ids
from warroom.sandbox.people import APP_ID, BOT_ID, TEAM_ID
from warroom.sandbox.slack_errors import SlackError

Json = dict[str, Any]
TRIGGER_LIFE_S = 3.0
RESPONSE_URL_LIFE = timedelta(minutes=30)
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    """Lets the bot open one modal for ``user`` within three seconds of real time."""

    user: str
    issued: float
    used: bool = False
    view_id: str | None = None
    """the modal the person was in when it was issued"""


@dataclass
class ResponseUrl:
    """Where a bot may answer a command or a click, five times within 30 minutes."""

    id: str
    user: str
    channel: str
    issued: datetime
    ts: str | None = None
    """the message that was clicked"""
    ephemeral: bool = False
    uses: int = 0

    def use(self, now: datetime) -> str | None:
        """Count one use; returns Slack's error when it is spent."""
        if now - self.issued > RESPONSE_URL_LIFE:
            return "expired_url"
        if self.uses >= RESPONSE_URL_USES:
            return "used_url"
        self.uses += 1
        return None


@dataclass
class View:
    """A modal or home tab as one person sees it."""

    id: str
    user: str
    content: Json
    root: str
    previous: str | None = None
    hash: str = ""
    open: bool = True
    response_urls: list[str] = field(default_factory=list)

    def as_json(self, values: Json | None = None) -> Json:
        """As the Web API and interactivity payloads give it."""
        content = {"private_metadata": "", "callback_id": "", "external_id": "", **self.content}
        if content["type"] == "modal":
            content = {"submit": None, "close": None, "clear_on_close": False, **content}
            content.setdefault("notify_on_close", False)
        return {
            **content,
            "id": self.id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
            "state": {"values": values or {}},
            "hash": self.hash,
            "root_view_id": self.root,
            "previous_view_id": self.previous,
        }


class Surfaces:
    """Triggers, response urls and views."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}

    def issue_trigger(self, user: str, view_id: str | None = None) -> str:
        """A fresh trigger id for this user."""
        trigger_id = f"{self._ids.next('')}.{self._ids.next('')}.{self._ids.next('')}".lower()
        self.triggers[trigger_id] = Trigger(user, time.monotonic(), view_id=view_id)
        return trigger_id

    def redeem_trigger(self, trigger_id: str) -> Trigger:
        """Use it up; raises SlackError invalid_, expired_ or exchanged_trigger_id."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if time.monotonic() - trigger.issued > TRIGGER_LIFE_S:
            raise SlackError("expired_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        trigger.used = True
        return trigger

    def issue_response_url(self, user: str, channel: str, now: datetime, **more: Any) -> ResponseUrl:
        """A fresh response url; ``more`` are ``ts`` and ``ephemeral``."""
        target = ResponseUrl(self._ids.next("R"), user, channel, now, **more)
        self.response_urls[target.id] = target
        return target

    def open(self, user: str, content: Json, previous: View | None = None) -> View:
        """Show a new modal, on top of ``previous`` when given."""
        view_id = self._ids.next("V")
        view = View(view_id, user, content, previous.root if previous else view_id)
        view.previous = previous.id if previous else None
        view.hash = self._new_hash()
        self.views[view_id] = view
        return view

    def publish_home(self, user: str, content: Json) -> View:
        """Replace this user's home tab."""
        home = self.homes.get(user)
        if home is None:
            view_id = self._ids.next("V")
            home = self.homes[user] = View(view_id, user, content, view_id)
            self.views[view_id] = home
        home.content = content
        home.hash = self._new_hash()
        return home

    def replace(self, view: View, content: Json) -> None:
        """Show other content in an open view."""
        view.content = content
        view.hash = self._new_hash()

    def close_all(self, view: View) -> None:
        """Close the whole stack this view stands in."""
        for other in self.views.values():
            if other.root == view.root:
                other.open = False

    def open_of(self, user: str | None = None) -> list[View]:
        """The modals that are open, oldest first."""
        return [v for v in self.views.values() if v.open and v.content["type"] == "modal" and user in (None, v.user)]

    def _new_hash(self) -> str:
        return f"{time.time_ns()}.{self._ids.next('')}".lower()
