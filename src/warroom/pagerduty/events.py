"""PagerDuty's Events API (v2): how we raise an alert of our own."""

from collections.abc import Mapping
from types import MappingProxyType

import aiohttp

from warroom.errors import Refused, TryAgain

NONE: Mapping[str, str] = MappingProxyType({})
DEFAULT_URL = "https://events.pagerduty.com"
SUMMARY = 1024
"""Characters PagerDuty takes for a summary."""

_SEVERITIES = {"P0": "critical", "P1": "error", "P2": "warning", "P3": "info"}


class Events:
    """Sends to a pack's own integration (`routing_keys`), else to the common one (`routing_key`).

    The caller owns `session`; `timeout` in seconds.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        routing_key: str,
        url: str = DEFAULT_URL,
        *,
        routing_keys: Mapping[str, str] = NONE,
        timeout: float = 10,
    ) -> None:
        self._session = session
        self._routing_key = routing_key
        self._routing_keys = routing_keys
        self._url = url.rstrip("/") + "/v2/enqueue"
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def trigger(
        self, summary: str, severity: str, details: Mapping[str, object], dedup_key: str, pack: str = ""
    ) -> None:
        """Raise an alert where `pack`'s people are paged; `severity` is PagerDuty's or P0..P3.

        The same `dedup_key` again adds to the same alert.

        Therefore whatever leaves it open whether PagerDuty took it raises TryAgain; a clear no raises Refused.
        """
        routing_key = self._routing_keys.get(pack, self._routing_key)
        if not routing_key:
            raise Refused("No alert can be raised in PagerDuty: set PAGERDUTY_ROUTING_KEY.")
        known = severity in _SEVERITIES.values()
        event = {
            "routing_key": routing_key,
            "event_action": "trigger",
            "dedup_key": dedup_key,
            "client": "warroom",
            "payload": {
                "summary": summary[:SUMMARY] or "No summary",
                "source": "warroom",
                "severity": severity if known else _SEVERITIES.get(severity, "critical"),
                "custom_details": dict(details),
            },
        }
        try:
            async with self._session.post(self._url, json=event, timeout=self._timeout) as answer:
                status, text = answer.status, await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryAgain(f"PagerDuty's Events API could not be reached ({type(error).__name__}).") from None
        if 200 <= status < 300:
            return
        if status in (408, 429) or status >= 500:
            raise TryAgain(f"PagerDuty's Events API cannot take the alert now (HTTP {status}).", _after(answer))
        said = text.replace(routing_key, "***")[:300]
        raise Refused(f"PagerDuty's Events API refused the alert (HTTP {status}): {said} Check PAGERDUTY_ROUTING_KEY.")


def _after(answer: aiohttp.ClientResponse) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
