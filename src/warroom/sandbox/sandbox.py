"""The sandbox: one application that is Slack, PagerDuty and the platform, and the hands of the people in them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Scope

from warroom.sandbox.control import Control
from warroom.sandbox.door import Door
from warroom.sandbox.eafix_api import EafixApi
from warroom.sandbox.eafix_platform import EafixPlatform
from warroom.sandbox.faults import Faults
from warroom.sandbox.feed import Feed, Subscription
from warroom.sandbox.journal import Journal
from warroom.sandbox.mail import Mailbox
from warroom.sandbox.market_data_api import MarketDataApi
from warroom.sandbox.market_data_platform import MarketData
from warroom.sandbox.pagerduty_api import PagerDutyApi
from warroom.sandbox.pagerduty_events import PagerDutyEvents
from warroom.sandbox.pagerduty_fixture import SERVICE_USER
from warroom.sandbox.pagerduty_state import PagerDuty
from warroom.sandbox.pagerduty_webhooks import Webhooks
from warroom.sandbox.pit_platform import PitApi, PitPlatform
from warroom.sandbox.platform import Platform
from warroom.sandbox.platform_api import PlatformApi
from warroom.sandbox.slack_api import SlackApi
from warroom.sandbox.slack_deliver import Delivery
from warroom.sandbox.slack_limits import Limits
from warroom.sandbox.slack_people import Answer, SlackPeople
from warroom.sandbox.slack_state import Message, Workspace
from warroom.sandbox.status_page import StatusPage
from warroom.sandbox.wiki import Wiki

Json = dict[str, Any]
_PAGE = (Path(__file__).parent / "page.html").read_text("utf-8")


class Sandbox:
    """Strict stand-ins for everything the bot talks to.

    ``now``: the time of the story, aware UTC. ``scopes``: the OAuth scopes the bot was granted; None grants
    all that the Web API methods need. ``slack_limits``: whether Slack's rate limits hold. ``latency_s``: real
    seconds added to each Slack call. ``speed``: how much faster than life ``now`` runs; waits of Slack and
    PagerDuty are that much shorter. ``events``: the types of Slack event the bot subscribed to; None is all.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        scopes: frozenset[str] | None = None,
        slack_limits: bool = False,
        latency_s: float = 0.0,
        speed: float = 1.0,
        events: frozenset[str] | None = None,
        bot_token: str = "xoxb-sandbox-bot-token",  # noqa: S107
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107
        webhook_secrets: tuple[str, ...] = ("sandbox-webhook-secret",),
        pagerduty_token: str = "sandbox-pagerduty-token",  # noqa: S107
        emergency_token: str = "sandbox-emergency-token",  # noqa: S107
        violation_secret: str = "sandbox-violation-secret",  # noqa: S107
        control_plane_token: str = "sandbox-control-plane-token",  # noqa: S107
    ) -> None:
        self.now = now
        self.speed = speed
        self.latency_s = latency_s
        self.bot_url = ""
        self.url = ""
        self.redis_port = 0
        self.mail_port = 0
        self.secrets = {
            "bot_token": bot_token,
            "signing_secret": signing_secret,
            "pagerduty_token": pagerduty_token,
            "emergency_token": emergency_token,
            "violation_secret": violation_secret,
            "control_plane_token": control_plane_token,
        }
        self.feed = Feed()
        self.journal = Journal()
        self.faults = Faults()
        self.slack = Workspace(now, self.feed)
        limits = Limits(speed) if slack_limits else None
        self.slack_api = SlackApi(self.slack, bot_token, scopes, limits)
        self.delivery = Delivery(signing_secret, self.journal, lambda: self.bot_url, speed, events)
        self.slack.emit = self.delivery.event
        self.people = SlackPeople(self.slack, self.delivery)
        self.webhooks = Webhooks(
            webhook_secrets, now, self.journal, self.faults, lambda: f"{self.bot_url}/pagerduty/webhook", speed
        )
        self.pagerduty = PagerDuty(now, self.feed, self.webhooks.send)
        self.platform = Platform(now, self.feed)
        self.pit = PitPlatform(now, self.feed)
        self.mail = Mailbox(now, self.feed, self.journal, self.faults)
        self.status_page = StatusPage(now, self.feed)
        self.wiki = Wiki(now, self.feed)
        self.eafix = EafixPlatform(now, self.feed)
        self.market_data = MarketData(now, self.feed)
        self._close: Callable[[Scope], None] = _no_connection
        self.app: ASGIApp = Door(
            self._routes(), self.journal, self.faults, lambda scope: self._close(scope), self._latency
        )

    def _routes(self) -> Starlette:
        pagerduty = PagerDutyApi(self.pagerduty, self.webhooks, self.secrets["pagerduty_token"])
        events = PagerDutyEvents(self.pagerduty)
        platform = PlatformApi(self.platform, self.secrets["emergency_token"])
        market_data = MarketDataApi(self.market_data, self.secrets["control_plane_token"])
        return Starlette(
            routes=[
                Route("/", _page),
                Mount("/slack", routes=self.slack_api.routes()),
                Mount("/pagerduty-events", routes=events.routes()),
                Mount("/pagerduty", routes=pagerduty.routes()),
                Mount("/platform", routes=platform.routes()),
                Mount("/pit", routes=PitApi(self.pit).routes()),
                Mount("/status-page", routes=self.status_page.routes()),
                Mount("/wiki", routes=self.wiki.routes()),
                Mount("/eafix", routes=EafixApi(self.eafix).routes()),
                Mount("/market-data", routes=market_data.routes()),
                Mount("/control", routes=Control(self).routes()),
            ]
        )

    def _latency(self, surface: str) -> float:
        return self.latency_s if surface == "slack" else 0.0

    def start(self, url: str, http: httpx.AsyncClient, redis_port: int, close: Callable[[Scope], None]) -> None:
        """Called by ``serve`` when the address is known."""
        self.url = self.slack.base_url = self.pagerduty.base_url = url
        self.redis_port = redis_port
        self.delivery.http = self.webhooks.http = http
        self._close = close

    async def stop(self) -> None:
        """Called by ``serve`` at the end: nothing is delivered any more."""
        self.delivery.cancel()
        self.webhooks.cancel()

    def settings(self) -> dict[str, str]:
        """What a bot needs to connect, as environment variables."""
        base = self.url
        return {
            "SLACK_API_URL": f"{base}/slack/api/",
            "SLACK_BOT_TOKEN": self.secrets["bot_token"],
            "SLACK_SIGNING_SECRET": self.secrets["signing_secret"],
            "PAGERDUTY_API_URL": f"{base}/pagerduty",
            "PAGERDUTY_API_TOKEN": self.secrets["pagerduty_token"],
            "PAGERDUTY_EVENTS_URL": f"{base}/pagerduty-events",
            "PAGERDUTY_ROUTING_KEY": next(iter(self.pagerduty.routing_keys)),
            "PAGERDUTY_WEBHOOK_SECRET": ",".join(self.webhooks.secrets),
            "PAGERDUTY_FROM_EMAIL": SERVICE_USER.email,
            "WARROOM_VIOLATION_SECRET": self.secrets["violation_secret"],
            "EMERGENCY_TOKEN": self.secrets["emergency_token"],
            "WARROOM_SMTP_URL": f"smtp://{self.mail.user}:{self.mail.password}@127.0.0.1:{self.mail_port}",
            "WARROOM_MAIL_FROM": "warroom@sandbox.example",
            "WARROOM_STATUSPAGE_URL": f"{base}/status-page",
            "WARROOM_STATUSPAGE_PAGE": self.status_page.page,
            "WARROOM_STATUSPAGE_KEY": self.status_page.key,
            "WARROOM_STATUSPAGE_COMPONENTS": ",".join(self.status_page.components),
            "WARROOM_CONFLUENCE_URL": f"{base}/wiki",
            "WARROOM_CONFLUENCE_SPACE": self.wiki.space,
            "WARROOM_CONFLUENCE_USER": self.wiki.user,
            "WARROOM_CONFLUENCE_TOKEN": self.wiki.token,
            "CONTROL_PLANE_TOKEN": self.secrets["control_plane_token"],
            "MARKET_SENTINEL_URL": f"{base}/platform/market-sentinel",
            "RISK_WARDEN_URL": f"{base}/platform/risk-warden",
            "EXECUTIONER_URL": f"{base}/platform/executioner",
            "KAFKA_URL": f"{base}/platform/kafka",
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.redis_port),
        }

    async def command(self, user: str, channel: str, command: str, text: str = "") -> Answer:
        """See SlackPeople.command."""
        return await self.people.command(user, channel, command, text)

    async def click(
        self,
        user: str,
        channel: str | None,
        ts: str | None,
        action_id: str,
        value: str | None = None,
        *,
        view_id: str | None = None,
    ) -> Answer:
        """See SlackPeople.click."""
        return await self.people.click(user, channel, ts, action_id, value, view_id=view_id)

    async def submit(self, user: str, view_id: str | None = None, values: Json | None = None) -> Answer:
        """See SlackPeople.submit."""
        return await self.people.submit(user, view_id, values)

    async def close_view(self, user: str, view_id: str | None = None) -> Answer:
        """See SlackPeople.close_view."""
        return await self.people.close_view(user, view_id)

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Answer:
        """See SlackPeople.shortcut."""
        return await self.people.shortcut(user, channel, ts, callback_id)

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """See SlackPeople.say."""
        return await self.people.say(user, channel, text, thread_ts)

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """See SlackPeople.react."""
        await self.people.react(user, channel, ts, name)

    async def join(self, user: str, channel: str) -> None:
        """See SlackPeople.join."""
        await self.people.join(user, channel)

    async def open_home(self, user: str) -> None:
        """See SlackPeople.open_home."""
        await self.people.open_home(user)

    def transcript(self) -> list[Json]:
        """Everything people see, in order; see Workspace.seen for the fields."""
        return self.slack.transcript()

    def subscribe(self) -> Subscription:
        """New visible things as they happen."""
        return self.feed.subscribe()


def _no_connection(scope: Scope) -> None:
    raise RuntimeError("the sandbox is not being served, so there is no connection to close")


async def _page(request: Request) -> Response:
    return HTMLResponse(_PAGE)
