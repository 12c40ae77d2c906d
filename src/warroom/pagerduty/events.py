"""PagerDuty's Events API (v2): how we raise an alert of our own."""

import asyncio
from collections.abc import Mapping

import httpx

from warroom.errors import Refused, TryAgain

DEFAULT_URL = "https://events.pagerduty.com"
SUMMARY = 1024
"""Characters PagerDuty takes for a summary."""

AT_ONCE = 8
"""Calls under way; more take longer together, since httpx compares every request with every connection."""

_SEVERITIES = {"P0": "critical", "P1": "error", "P2": "warning", "P3": "info"}


class Events:
    """Sends to one integration (`routing_key`) over `http`, which the caller owns; `timeout` in seconds."""

    def __init__(
        self, http: httpx.AsyncClient, routing_key: str, url: str = DEFAULT_URL, *, timeout: float = 10
    ) -> None:
        self._http = http
        self._routing_key = routing_key
        self._url = url.rstrip("/") + "/v2/enqueue"
        self._timeout = timeout
        self._few = asyncio.Semaphore(AT_ONCE)

    async def trigger(
        self, summary: str, severity: str, details: Mapping[str, object], dedup_key: str, source: str = "warroom"
    ) -> None:
        """Raise an alert; `severity` is PagerDuty's or P0..P3. The same `dedup_key` again adds to the same alert.

        Therefore whatever leaves it open whether PagerDuty took it raises TryAgain; a clear no raises Refused.
        """
        if not self._routing_key:
            raise Refused("No alert can be raised in PagerDuty: set PAGERDUTY_ROUTING_KEY.")
        known = severity in _SEVERITIES.values()
        event = {
            "routing_key": self._routing_key,
            "event_action": "trigger",
            "dedup_key": dedup_key,
            "client": "warroom",
            "payload": {
                "summary": summary[:SUMMARY] or "No summary",
                "source": source,
                "severity": severity if known else _SEVERITIES.get(severity, "critical"),
                "custom_details": dict(details),
            },
        }
        try:
            async with self._few:
                answer = await self._http.post(self._url, json=event, timeout=self._timeout)
        except httpx.RequestError as error:
            raise TryAgain(f"PagerDuty's Events API could not be reached ({type(error).__name__}).") from None
        status = answer.status_code
        if 200 <= status < 300:
            return
        if status in (408, 429) or status >= 500:
            raise TryAgain(f"PagerDuty's Events API cannot take the alert now (HTTP {status}).", _after(answer))
        said = answer.text.replace(self._routing_key, "***")[:300]
        raise Refused(f"PagerDuty's Events API refused the alert (HTTP {status}): {said} Check PAGERDUTY_ROUTING_KEY.")


def _after(answer: httpx.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
