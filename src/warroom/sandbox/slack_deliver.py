"""What Slack sends to the bot: signed requests, and events that are repeated until they are taken."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx

from warroom.sandbox.ids import Ids
from warroom.sandbox.journal import Journal
from warroom.sandbox.people import APP_ID, BOT_USER_ID, TEAM_ID
from warroom.sandbox.signing import slack_headers

Json = dict[str, Any]
ANSWER_WITHIN_S = 3.0
EVENT_RETRIES_S = (0.0, 60.0, 300.0)
"""story seconds before each repetition of an event that was not taken"""


class Delivery:
    """Signs and sends. ``bot_url`` is asked for at each request, as the bot may start later.

    ``events`` are the types of event the app subscribed to; None stands for all.
    """

    def __init__(
        self,
        secret: str,
        journal: Journal,
        bot_url: Callable[[], str],
        speed: float,
        events: frozenset[str] | None = None,
    ) -> None:
        self._events = events
        self._secret = secret
        self._journal = journal
        self._bot_url = bot_url
        self._speed = speed
        self._ids = Ids()
        self._tasks: set[asyncio.Task[None]] = set()
        self.http: httpx.AsyncClient | None = None

    async def form(self, fields: Json, method: str) -> httpx.Response | str:
        """Send a form (a command, or interactivity) and wait 3 s.

        Returns the answer, or Slack's word for there being none.
        """
        body = urlencode(fields).encode()
        return await self._send(body, "application/x-www-form-urlencoded", method, {})

    async def interaction(self, payload: Json) -> httpx.Response | str:
        """Send an interactivity payload."""
        return await self.form({"payload": json.dumps(payload)}, str(payload["type"]))

    async def _send(self, body: bytes, kind: str, method: str, more: dict[str, str]) -> httpx.Response | str:
        if self.http is None or not self._bot_url():
            return "dispatch_failed"
        headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)", **more}
        headers |= slack_headers(self._secret, body, int(time.time()))
        call = self._journal.begin("bot", method)
        error = None
        try:
            answer = await self.http.post(
                f"{self._bot_url()}/slack/events", content=body, headers=headers, timeout=ANSWER_WITHIN_S
            )
            error = f"HTTP {answer.status_code}" if answer.status_code >= 400 else None
        except httpx.TimeoutException:
            error = "operation_timeout"
            return error
        except httpx.HTTPError:
            error = "dispatch_failed"
            return error
        finally:
            self._journal.end(call, error)
        return answer

    def event(self, event: Json) -> None:
        """Send an Events API event in the background, repeated up to three times until it is taken."""
        if not self._bot_url() or (self._events is not None and event["type"] not in self._events):
            return
        now = int(time.time())
        envelope = {
            "token": "sandbox-verification-token",
            "team_id": TEAM_ID,
            "context_team_id": TEAM_ID,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": self._ids.next("Ev"),
            "event_time": now,
            "authorizations": [{"enterprise_id": None, "team_id": TEAM_ID, "user_id": BOT_USER_ID, "is_bot": True}],
            "is_ext_shared_channel": False,
            "event_context": f"4-{self._ids.next('')}",
        }
        task = asyncio.get_running_loop().create_task(self._deliver(envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, envelope: Json) -> None:
        body = json.dumps(envelope).encode()
        more: dict[str, str] = {}
        for attempt in range(len(EVENT_RETRIES_S) + 1):
            answer = await self._send(body, "application/json", f"event {envelope['event']['type']}", more)
            if isinstance(answer, httpx.Response):
                if answer.is_success or answer.headers.get("x-slack-no-retry") == "1":
                    return
                reason = "http_error"
            else:
                reason = "http_timeout" if answer == "operation_timeout" else "connection_failed"
            if attempt < len(EVENT_RETRIES_S):
                await asyncio.sleep(EVENT_RETRIES_S[attempt] / self._speed)
                more = {"X-Slack-Retry-Num": str(attempt + 1), "X-Slack-Retry-Reason": reason}

    async def settle(self) -> None:
        """Wait until no event is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def cancel(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
