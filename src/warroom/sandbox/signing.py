"""The signatures Slack and PagerDuty put on what they send."""

import hashlib
import hmac
from collections.abc import Iterable


def slack_headers(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Slack's headers for ``body``; ``timestamp`` is real time in seconds since 1970."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


def pagerduty_signature(secrets: Iterable[str], body: bytes) -> str:
    """PagerDuty's header: one ``v1=`` for each active secret, separated by commas."""
    return ",".join("v1=" + hmac.new(s.encode(), body, hashlib.sha256).hexdigest() for s in secrets)
