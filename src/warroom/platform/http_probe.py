"""Asking over HTTP: GET, HEAD or the POST of a test; no redirects, which would carry the token elsewhere."""

import httpx

from warroom.domain.policy import Probe
from warroom.platform.answers import Answer, Seen
from warroom.platform.surroundings import NoAnswerError, Surroundings

ACCEPT = "application/json, text/plain;q=0.9, */*;q=0.1"
ONCE = {"Connection": "close"}
"""No connection is kept: an act must not leave on one that the platform is just closing, and be lost with it."""


async def ask(probe: Probe, surroundings: Surroundings, seen: Seen) -> Answer:
    """The answer of `probe.http`; 2xx is good. Raises NoAnswerError, TimeoutError."""
    url = surroundings.url(probe.http or "")
    headers = {"Accept": ACCEPT, "Accept-Encoding": "identity", **ONCE, **surroundings.bearer(probe.auth)}
    try:
        async with surroundings.http.stream(
            probe.method,
            url,
            headers=headers,
            json=dict(probe.body) if probe.body else None,
            timeout=probe.timeout.total_seconds(),
            follow_redirects=False,
        ) as response:
            seen.status = response.status_code
            async for chunk in response.aiter_bytes():
                if not seen.out.add(chunk):
                    break
    except httpx.TimeoutException as exc:
        raise TimeoutError from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise NoAnswerError(trouble(exc)) from exc
    return Answer(
        said=f"HTTP {response.status_code}",
        good=response.is_success,
        text=seen.out.text,
        cut=seen.out.cut,
    )


def trouble(exc: httpx.HTTPError | httpx.InvalidURL) -> str:
    """What went wrong on the way, in words people understand."""
    match exc:
        case httpx.ConnectError():
            return "cannot connect: refused, or no such host"
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            return "the connection was dropped"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return "the address is no http:// or https:// URL: set it right under urls: in warroom.yaml"
        case _:
            return f"no usable answer ({type(exc).__name__})"
