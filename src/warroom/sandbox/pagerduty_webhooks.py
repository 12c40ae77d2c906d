"""Webhooks v3: signed, repeated until taken, and made late, doubled, disordered or lost on request."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, Literal

import httpx

from warroom.sandbox.faults import Faults
from warroom.sandbox.ids import Ids
from warroom.sandbox.journal import Journal
from warroom.sandbox.signing import pagerduty_signature

Json = dict[str, Any]
ANSWER_WITHIN_S = 5.0
RETRIES_S = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0)
"""story seconds before each repetition; the real service goes on for 48 h"""


@dataclass
class Event:
    """One event with what became of its deliveries: ``statuses`` holds an HTTP status or a word each."""

    id: str
    type: str
    body: bytes
    statuses: list[int | str] = field(default_factory=list)

    def as_json(self) -> Json:
        return {"id": self.id, "type": self.type, "statuses": self.statuses, **json.loads(self.body)}


EVENT_TYPES = (
    *(
        f"incident.{name}"
        for name in (
            "triggered",
            "acknowledged",
            "unacknowledged",
            "delegated",
            "escalated",
            "reassigned",
            "priority_updated",
            "resolved",
            "reopened",
            "annotated",
            "status_update_published",
            "responder.added",
            "responder.replied",
        )
    ),
)
"""All that PagerDuty here sends."""


@dataclass
class Subscription:
    """Where events go. ``secrets`` are all active ones; no ``events`` means every type."""

    id: str
    url: Callable[[], str]
    secrets: tuple[str, ...]
    events: tuple[str, ...] = ()

    def as_json(self) -> Json:
        """As the REST API gives it: the secret is shown at creation only."""
        method = {"id": f"{self.id}DM", "type": "http_delivery_method", "url": self.url(), "secret": None}
        return {
            "id": self.id,
            "type": "webhook_subscription",
            "active": True,
            "description": "",
            "delivery_method": {**method, "temporarily_disabled": False, "custom_headers": []},
            "events": list(self.events or EVENT_TYPES),
            "filter": {"type": "account_reference"},
        }


class Webhooks:
    """The subscription of the bot and its deliveries.

    ``secrets`` are all active ones (more than one while a secret is rotated). Test hooks: ``hold`` and
    ``release`` (in order, reversed, or some twice), ``delay_s``, ``copies``, ``drop_next``.
    """

    def __init__(
        self,
        secrets: tuple[str, ...],
        now: Callable[[], datetime],
        journal: Journal,
        faults: Faults,
        url: Callable[[], str],
        speed: float,
    ) -> None:
        self.bot = Subscription("PWHSUB1", url, secrets)
        self.others: list[Subscription] = []
        self.http: httpx.AsyncClient | None = None
        self.events: list[Event] = []
        self.held: list[Event] = []
        self.holding = False
        self.delay_s = 0.0
        self.copies = 1
        self.drop_next = 0
        self._now = now
        self._journal = journal
        self._faults = faults
        self._speed = speed
        self._ids = Ids()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The active secrets of the bot's subscription; set it to rotate them."""
        return self.bot.secrets

    @secrets.setter
    def secrets(self, secrets: tuple[str, ...]) -> None:
        self.bot.secrets = secrets

    def subscriptions(self) -> list[Json]:
        return [subscription.as_json() for subscription in (self.bot, *self.others)]

    def subscribe(self, url: str, events: list[str]) -> Json:
        """A further subscription; the answer holds its secret, this once."""
        new = Subscription(self._ids.next("PWH"), lambda: url, (token_hex(32),), tuple(events))
        self.others.append(new)
        shown = new.as_json()
        shown["delivery_method"]["secret"] = new.secrets[0]
        return shown

    def send(self, event_type: str, data: Json, agent: Json | None, client: Json | None) -> None:
        """Queue an event for delivery; needs a running loop once the sandbox is served."""
        event_id = self._ids.next("01E").ljust(26, "0")
        resource = event_type.partition(".")[0]
        occurred = self._now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        envelope: Json = {"id": event_id, "event_type": event_type, "resource_type": resource}
        envelope |= {"occurred_at": occurred, "agent": agent, "client": client, "data": data}
        event = Event(event_id, event_type, json.dumps({"event": envelope}).encode())
        self.events.append(event)
        if self.drop_next:
            self.drop_next -= 1
            event.statuses.append("dropped")
        elif self.holding:
            self.held.append(event)
        else:
            for _ in range(self.copies):
                self.deliver(event)

    def hold(self) -> None:
        """Keep events back from now on."""
        self.holding = True

    def release(self, order: Literal["in_order", "reversed"] = "in_order", copies: int = 1) -> int:
        """Deliver what was held, one after the other in this order; returns how many events."""
        self.holding = False
        held, self.held = self.held, []
        if order == "reversed":
            held = held[::-1]
        self._start(self._one_by_one([event for event in held for _ in range(copies)]))
        return len(held)

    def redeliver(self, event_id: str) -> None:
        """Deliver an event once more; raises KeyError when there is none."""
        for event in self.events:
            if event.id == event_id:
                self.deliver(event)
                return
        raise KeyError(f"no webhook event {event_id}")

    def deliver(self, event: Event) -> None:
        """Deliver in the background, repeated until it is taken."""
        if self.http is None:
            return
        for subscription in (self.bot, *self.others):
            wanted = not subscription.events or event.type in (*subscription.events, "pagey.ping")
            if wanted and subscription.url().startswith("http"):
                self._start(self._deliver(event, subscription))

    def ping(self, subscription_id: str) -> bool:
        """Send the test event of PagerDuty; False when there is no such subscription."""
        if subscription_id not in [s.id for s in (self.bot, *self.others)]:
            return False
        self.send("pagey.ping", {"message": "Hello from your friend Pagey!", "type": "ping"}, None, None)
        return True

    def _start(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one_by_one(self, events: list[Event]) -> None:
        for event in events:
            await self._deliver(event, self.bot)

    async def _deliver(self, event: Event, to: Subscription) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        for attempt in range(len(RETRIES_S) + 1):
            status = await self._post(event, to)
            event.statuses.append(status)
            if isinstance(status, int) and 200 <= status < 300:
                return
            if attempt < len(RETRIES_S):
                await asyncio.sleep(RETRIES_S[attempt] / self._speed)

    async def _post(self, event: Event, to: Subscription) -> int | str:
        """One attempt: the status, or the word for there being none."""
        for fault in self._faults.take("webhook", event.type):
            if fault.kind == "latency":
                await asyncio.sleep(fault.delay_s)
            elif fault.kind == "drop_after":
                await self._request(event, to)
                return "answer lost"
            else:
                return "not delivered"
        return await self._request(event, to)

    async def _request(self, event: Event, to: Subscription) -> int | str:
        if self.http is None:
            return "not delivered"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-Webhook-Id": event.id,
            "X-Webhook-Subscription": to.id,
            "X-PagerDuty-Signature": pagerduty_signature(to.secrets, event.body),
        }
        call = self._journal.begin("webhook", event.type)
        error: str | None = "not delivered"
        try:
            answer = await self.http.post(to.url(), content=event.body, headers=headers, timeout=ANSWER_WITHIN_S)
            error = None if answer.is_success else f"HTTP {answer.status_code}"
        except httpx.TimeoutException:
            error = "timed out"
            return error
        except httpx.HTTPError:
            error = "connection failed"
            return error
        finally:
            self._journal.end(call, error)
        return answer.status_code

    async def settle(self) -> None:
        """Wait until no delivery is under way (repetitions included)."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def cancel(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
