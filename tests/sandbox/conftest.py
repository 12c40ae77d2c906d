"""A served sandbox, a Slack client on it, and a bot that writes down what it is sent."""

import hashlib
import hmac
import json
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warroom.sandbox import Sandbox, serve
from warroom.sandbox.server import embedded

with warnings.catch_warnings():
    # it says at import that it has a successor
    warnings.simplefilter("ignore", UserWarning)
    import pdpyras as pdpyras

Json = dict[str, Any]
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TOKEN = "xoxb-sandbox-bot-token"


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 10, 19, 13, 31, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class Bot:
    """Checks signatures, keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.commands: list[Json] = []
        self.interactions: list[Json] = []
        self.events: list[Json] = []
        self.retries: list[str | None] = []
        self.webhooks: list[Json] = []
        self.webhook_headers: list[Json] = []
        self.bodies: list[bytes] = []
        self.answer: Callable[[Json], Response] = lambda sent: Response("")
        self.app = Starlette(
            routes=[
                Route("/slack/events", self.slack, methods=["POST"]),
                Route("/pagerduty/webhook", self.pagerduty, methods=["POST"]),
            ]
        )

    async def slack(self, request: Request) -> Response:
        body = await request.body()
        stamp = request.headers["x-slack-request-timestamp"]
        base = f"v0:{stamp}:".encode() + body
        good = "v0=" + hmac.new(b"sandbox-signing-secret", base, hashlib.sha256).hexdigest()
        assert request.headers["x-slack-signature"] == good
        if request.headers["content-type"] == "application/json":
            sent: Json = json.loads(body)
            self.events.append(sent)
            self.retries.append(request.headers.get("x-slack-retry-num"))
        else:
            form = {k: v[0] for k, v in parse_qs(body.decode(), keep_blank_values=True).items()}
            if "payload" in form:
                sent = json.loads(form["payload"])
                self.interactions.append(sent)
            else:
                sent = form
                self.commands.append(sent)
        return self.answer(sent)

    async def pagerduty(self, request: Request) -> Response:
        body = await request.body()
        self.bodies.append(body)
        self.webhook_headers.append(dict(request.headers))
        self.webhooks.append(json.loads(body)["event"])
        return self.answer(self.webhooks[-1])


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def sandbox(watch: Watch) -> Sandbox:
    return Sandbox(watch, speed=1000)


@pytest.fixture
async def url(sandbox: Sandbox) -> AsyncIterator[str]:
    async with serve(sandbox) as at:
        yield at


@pytest.fixture
async def bot(sandbox: Sandbox, url: str) -> AsyncIterator[Bot]:
    """A bot the sandbox delivers to."""
    bot = Bot()
    async with embedded(bot.app) as (bot_url, _):
        sandbox.bot_url = bot_url
        yield bot


@pytest.fixture
async def slack(url: str) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(token=TOKEN, base_url=f"{url}/slack/api/", session=session, retry_handlers=[])


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=NO_CERTIFICATES) as client:
        yield client


@pytest.fixture
def channel(sandbox: Sandbox) -> Callable[[str], str]:
    """The id of a channel of the fixture by its name."""

    def find(name: str) -> str:
        return sandbox.slack.find(name).id

    return find


@pytest.fixture
def json_answer() -> Callable[[Json], Callable[[Json], Response]]:
    """A bot answer with this JSON."""
    return lambda body: lambda sent: JSONResponse(body)
