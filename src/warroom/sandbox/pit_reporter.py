"""The platform's own monitor: it reports violations to the bot, signed."""

import json
import ssl
from collections.abc import Sequence
from typing import Any

import httpx

from warroom.sandbox.sandbox import Sandbox
from warroom.sandbox.signing import pagerduty_signature

Json = dict[str, Any]


def signed(sandbox: Sandbox, violations: Sequence[Json], *secrets: str) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a report; signed with the sandbox's secret unless others are given."""
    body = json.dumps({"pack": "pit", "violations": list(violations)}).encode()
    signature = pagerduty_signature(secrets or (sandbox.secrets["violation_secret"],), body)
    return body, {"Content-Type": "application/json", "X-Warroom-Signature": signature}


def violation(sandbox: Sandbox, ident: str, **told: Any) -> Json:
    """A violation that happens now: a feature that looks into the future, unless told otherwise."""
    return {
        "id": ident,
        "type": "future_information_leakage",
        "service": "feature-store",
        "feature": "momentum_20d",
        "detected_at": sandbox.now().isoformat(),
        "description": "The window ends one day after the decision",
        **told,
    }


async def report(sandbox: Sandbox, *violations: Json) -> httpx.Response:
    """Reports violations; the bot's answer."""
    body, headers = signed(sandbox, violations)
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only: loading them takes 30 ms
    async with httpx.AsyncClient(trust_env=False, verify=no_certificates) as http:
        return await http.post(f"{sandbox.bot_url}/violations", content=body, headers=headers)
