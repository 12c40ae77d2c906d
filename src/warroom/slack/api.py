"""Slack's Web API over one connection pool, with our error tree and no retries of its own."""

import json
import logging
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from warroom.errors import Refused, TryAgain, Uncertain
from warroom.slack.errors import Doubtful, delivery_error
from warroom.slack.methods import METHODS

BASE_URL = "https://slack.com/api/"
TIMEOUT_S = 10.0
CONNECT_S = 5.0
CONNECTIONS = 256
PAGES = 100
RESPONSE_HOST = "hooks.slack.com"
_UNREADABLE = (AttributeError, UnicodeDecodeError)
"""what slack_sdk raises over a 200 whose body is no object, e.g. a proxy's page"""
GONE = frozenset({"used_url", "expired_url", "invalid_url", "no_service", "no_team"})


class ResponseUrlGone(Refused):
    """The response url was used up (5 times) or is too old (30 minutes)."""


class Api:
    """The Web API for one bot token. `async with Api(token) as api`: the session lives in between.

    `base_url` is the address of the API; the sandbox's on loopback, or Slack's. A proxy of the environment is used
    where the environment does not exempt the host.
    """

    def __init__(self, token: str, base_url: str = BASE_URL, timeout: float = TIMEOUT_S) -> None:
        self.base_url = base_url
        self._token = token
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._web: AsyncWebClient | None = None
        self._me: Mapping[str, Any] | None = None
        self._granted = ""

    async def __aenter__(self) -> "Api":
        timeout = aiohttp.ClientTimeout(total=self._timeout, connect=min(CONNECT_S, self._timeout))
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS), timeout=timeout)
        self._web = self.client(self._token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = self._web = None

    @property
    def proxy(self) -> str | None:
        """The proxy the environment asks for Slack's address, if any."""
        return _proxy(self.base_url)

    def client(self, token: str | None = None) -> AsyncWebClient:
        """slack_sdk's client on our session: no retries, proxy by the environment's rules, quiet."""
        logger = logging.getLogger("warroom.slack.api")
        logger.setLevel(logging.INFO)  # unset counts as DEBUG there: every call would be made into text, and dropped
        web = AsyncWebClient(
            token=token,
            base_url=self.base_url,
            session=self._session,
            retry_handlers=[],
            logger=logger,
        )
        web.proxy = self.proxy
        return web

    async def call(self, method: str, /, **arguments: Any) -> dict[str, Any]:
        """One call of a Web API method of `METHODS`; returns Slack's answer.

        Raises TryAgain (rate limit, Slack busy or out of reach), SlackRefused, or Uncertain when a write was sent
        and no answer came.
        """
        writes = METHODS[method].writes
        if self._web is None:
            raise TryAgain(f"{method}: the connection to Slack is closed")
        ask = getattr(self._web, method.replace(".", "_"))
        try:
            answer = await ask(**{name: value for name, value in arguments.items() if value is not None})
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError, *_UNREADABLE) as error:
            raise delivery_error(method, writes, error) from error
        self._granted = str(answer.headers.get("x-oauth-scopes") or self._granted)
        return dict(answer.data)

    async def pages(self, method: str, items: str, /, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        """The entries under `items` of all pages. Raises as `call`, and TryAgain after 100 pages."""
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self.call(method, cursor=cursor, **arguments)
            for item in answer.get(items) or ():
                yield item
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        raise TryAgain(f"{method}: more than {PAGES} pages")

    async def me(self) -> Mapping[str, Any]:
        """Who we are: auth.test's user_id, bot_id, team, url; asked once."""
        if self._me is None:
            self._me = await self.call("auth.test")
        return self._me

    async def granted(self) -> frozenset[str]:
        """The scopes of our token, as Slack names them with each answer. Raises as `call`."""
        await self.call("auth.test")
        return frozenset(scope.strip() for scope in self._granted.split(",") if scope.strip())

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Answer privately to a command or click through its response url.

        Raises ResponseUrlGone, TryAgain, Uncertain, or Refused for an address that is not Slack's.
        """
        if not self._is_ours(url):
            raise Refused("an answer was due at an address that is not Slack's; it was not sent")
        status, text = await self._send(url, "response_url", data=json.dumps(body).encode(), kind="application/json")
        if status == 200:
            return
        word = _error_word(text)
        if status in (404, 410) or word in GONE:
            raise ResponseUrlGone(f"the answer came too late for Slack ({word or status})")
        if status == 429:
            raise TryAgain("response_url: Slack limits the rate")
        if status >= 500:
            raise Doubtful(f"response_url: Slack has an error of its own ({status})")
        raise Refused(f"Slack refused an answer ({word or status}).")

    async def upload(self, url: str, content: bytes) -> None:
        """Send a file's bytes to an upload url; nothing is visible yet. Raises TryAgain or Refused."""
        try:
            status, text = await self._send(url, "upload", data=content, kind="application/octet-stream")
        except Uncertain as error:
            raise TryAgain(str(error)) from error
        if status == 429 or status >= 500:
            raise TryAgain(f"upload: Slack has an error of its own ({status})")
        if status != 200:
            raise Refused(f"Slack refused the file's content ({status}: {text[:100]}).")

    async def _send(self, url: str, what: str, *, data: bytes, kind: str) -> tuple[int, str]:
        if self._session is None:
            raise TryAgain(f"{what}: the connection to Slack is closed")
        try:
            async with self._session.post(
                url, data=data, headers={"Content-Type": kind}, proxy=_proxy(url), allow_redirects=False
            ) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise delivery_error(what, True, error) from error

    def _is_ours(self, url: str) -> bool:
        wanted, base = urlsplit(url), urlsplit(self.base_url)
        if (wanted.scheme, wanted.netloc) == (base.scheme, base.netloc):
            return True
        return wanted.scheme == "https" and wanted.netloc == RESPONSE_HOST


def _error_word(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text.strip() if len(text) < 40 else ""
    return str(found.get("error") or "") if isinstance(found, dict) else ""


def _proxy(url: str) -> str | None:
    """The proxy the environment asks for this address, if any."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)
