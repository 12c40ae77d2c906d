"""PagerDuty's REST API through pdpyras, made asynchronous, with its own retries off and our errors.

pdpyras would retry network errors three times even for a POST (sleeping 3, 6 and 12 s) and a 429 for ever. Here a
call is one call, save that a 429 is asked once more at once, which pdpyras cannot be talked out of.
"""

import asyncio
import math
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from requests import Response
from requests.exceptions import InvalidHeader, InvalidURL, MissingSchema, RequestException
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from warroom.errors import ConfigError, DeliveryError, Refused, TryAgain, Uncertain
from warroom.pagerduty import payload
from warroom.pagerduty.payload import Json

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message='The package "pdpyras" is deprecated', category=UserWarning)
    import pdpyras

DEFAULT_URL = "https://api.pagerduty.com"

SAID = 300
"""Characters we keep of what PagerDuty says about a failure."""

UNAVAILABLE = 503
"""With a Retry-After it was not taken; without one it says no more than a 500 (RFC 9110, 15.6.4)."""

_NEVER_SENT = (NewConnectionError, ConnectTimeoutError, ProxyError, ssl.SSLCertVerificationError)
_MISTAKES = (InvalidHeader, InvalidURL, MissingSchema)
_ADVICE = {
    401: "Set PAGERDUTY_API_TOKEN to a valid REST API key.",
    402: "The PagerDuty plan does not include this.",
    403: "Give the key in PAGERDUTY_API_TOKEN the right to do this.",
}


class Rest:
    """Calls to the REST API, at most `workers` at a time, each in a thread with a session of its own.

    `timeout` (seconds) bounds connecting, and each wait for the answer. No error's text holds the token. Raises
    ConfigError for a token that cannot be sent.
    """

    def __init__(self, token: str, url: str = DEFAULT_URL, *, timeout: float = 10, workers: int = 4) -> None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigError(["PAGERDUTY_API_TOKEN is empty or has spaces in it: copy the REST API key again."])
        self._token = token
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="pagerduty")
        self._here = threading.local()
        self._sessions: list[Any] = []

    async def get(self, path: str, params: Mapping[str, object] | None = None) -> Json:
        """The answer to a question. Raises TryAgain or Refused."""
        return await self._call("GET", path, params=dict(params or {}))

    async def put(self, path: str, body: Json, sender: str | None) -> Json:
        """Change something as the user with the e-mail `sender`. Raises TryAgain, Refused or Uncertain."""
        return await self._call("PUT", path, json=body, headers=_from(sender))

    async def post(self, path: str, body: Json, sender: str | None) -> Json:
        """Add something as the user with the e-mail `sender`. Raises TryAgain, Refused or Uncertain."""
        return await self._call("POST", path, json=body, headers=_from(sender))

    async def close(self) -> None:
        """Forget what is not begun, wait for what is (the timeout bounds it), and close the connections."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        for session in self._sessions:
            session.close()

    async def _call(self, method: str, path: str, **request: Any) -> Json:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self._blocking(method, path, request))

    def _blocking(self, method: str, path: str, request: dict[str, Any]) -> Json:
        what = f"{method} {path}"
        answer: Response | None = None
        failure: DeliveryError | None = None
        try:
            answer = self._session().request(method, path, **request)
        except pdpyras.PDHTTPError as error:  # what it raises for a 401; every other answer is returned
            answer = error.response
        except pdpyras.PDClientError as error:
            failure = _unanswered(what, method != "GET", error, self._timeout)
        # raised out here, so that no traceback drags along requests' errors, which may quote headers
        if answer is None:
            raise failure or Uncertain(f"PagerDuty gave no answer to {what}.")
        return self._judge(what, method != "GET", answer)

    def _judge(self, what: str, writes: bool, answer: Response) -> Json:
        status = answer.status_code
        body: object = None
        try:
            body = payload.clean(answer.json())
        except (ValueError, RecursionError):
            body = None
        if 200 <= status < 300:
            if isinstance(body, dict) or status == 204:
                return payload.mapping(body)
            unreadable = f"PagerDuty's answer to {what} is no JSON object: check PAGERDUTY_API_URL."
            raise Uncertain(unreadable) if writes else TryAgain(unreadable)
        # redacted before it is cut, which could leave half a token behind
        said = _message(body).replace(self._token, "***")[:SAID]
        # "not now, but then" says that nothing was done; any other failure of theirs may have come after doing it
        told_when = status == UNAVAILABLE and "Retry-After" in answer.headers
        if status >= 500 and writes and not told_when:
            raise Uncertain(f"PagerDuty failed in answering {what} (HTTP {status}){said}; it may have done it.")
        if status == 429 or status >= 500:
            raise TryAgain(f"PagerDuty cannot do {what} now (HTTP {status}){said}.", after=_after(answer))
        advice = _ADVICE.get(status, "Check PAGERDUTY_API_URL." if status < 400 else "")
        raise Refused(f"PagerDuty refused {what} (HTTP {status}){said}. {advice}".rstrip())

    def _session(self) -> Any:
        session = getattr(self._here, "session", None)
        if session is None:
            session = pdpyras.APISession(self._token)
            session.url = self._url
            session.timeout = self._timeout
            session.max_network_attempts = 0
            session.retry[429] = 1
            session.sleep_timer = 0
            self._here.session = session
            self._sessions.append(session)
        return session


def _from(sender: str | None) -> dict[str, str]:
    return {"From": sender} if sender and sender.isascii() and sender.isprintable() else {}


def _unanswered(what: str, writes: bool, error: BaseException, timeout: float) -> DeliveryError:
    causes = tuple(_causes(error))
    if any(isinstance(c, _MISTAKES) for c in causes):
        return Refused(f"{what} could not be sent to PagerDuty: check PAGERDUTY_API_URL and PAGERDUTY_API_TOKEN.")
    kind = next((type(c).__name__ for c in causes if isinstance(c, RequestException)), type(error).__name__)
    if any(isinstance(c, _NEVER_SENT) for c in causes):
        return TryAgain(f"PagerDuty could not be reached for {what} ({kind}).")
    reason = f"PagerDuty gave no answer to {what} ({kind}; time limit {timeout:g} s)"
    return Uncertain(f"{reason}; it may have done it.") if writes else TryAgain(f"{reason}.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: requests hides urllib3's errors in arguments and a `reason`."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, getattr(one, "reason", None), *one.args]


def _message(body: object) -> str:
    """PagerDuty's own words, after a colon; "" when it said nothing we can read."""
    error = payload.mapping(body).get("error")
    if isinstance(error, str):
        return f": {error}"
    found = payload.mapping(error)
    errors = found.get("errors")
    parts = [found.get("message"), *(errors if isinstance(errors, list) else [errors])]
    said = "; ".join(p for p in parts if isinstance(p, str) and p)
    return f": {said}" if said else ""


def _after(answer: Response) -> float | None:
    """Seconds PagerDuty asks us to wait."""
    for header in ("Retry-After", "ratelimit-reset"):
        try:
            seconds = float(answer.headers.get(header, ""))
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None
