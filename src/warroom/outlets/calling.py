"""One HTTP call to a service outside, and what its end means for trying again."""

from collections.abc import Mapping
from typing import Any

import httpx

from warroom.errors import DeliveryError, Refused, TryAgain, Uncertain

TIMEOUT = 10.0
SAID = 200
"""Characters we keep of what the service says about a failure."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# a gateway's word that it lost the answer, not that nothing was done
_ANSWER_LOST = frozenset({502, 504})


class Service:
    """A service by its name, address and credentials; `secrets` are taken out of what it says."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        name: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        advice: str = "",
    ) -> None:
        self._http = http
        self._name = name
        self._url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._auth = auth
        self._secrets = secrets
        self._advice = advice

    async def call(self, method: str, path: str, **request: Any) -> Any:
        """The answer's JSON. Raises TryAgain, Refused, or for anything but GET Uncertain."""
        writes, what = method != "GET", f"{method} {path}"
        try:
            answer = await self._http.request(
                method,
                self._url + path,
                headers=self._headers,
                auth=self._auth,
                timeout=TIMEOUT,
                **request,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unanswered(what, writes, error) from None  # the error quotes the request
        return self._judge(what, writes, answer)

    def _unanswered(self, what: str, writes: bool, error: Exception) -> DeliveryError:
        kind = type(error).__name__
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return Refused(f"{self._name} has no good address. {self._advice}".rstrip())
        if isinstance(error, _NOT_SENT) or not writes:
            return TryAgain(f"{self._name} could not be reached for {what} ({kind}).")
        return Uncertain(f"{self._name} gave no answer to {what} ({kind}); it may have done it.")

    def _judge(self, what: str, writes: bool, answer: httpx.Response) -> Any:
        status = answer.status_code
        said = self._said(answer)
        if 200 <= status < 300:
            try:
                return answer.json()
            except ValueError:
                unreadable = f"{self._name}'s answer to {what} is no JSON."
                raise (Uncertain(unreadable) if writes else TryAgain(unreadable)) from None
        if status in _ANSWER_LOST and writes:
            raise Uncertain(f"{self._name} lost its own answer to {what} (HTTP {status}); it may have done it.")
        if status in (409, 429) or status >= 500:
            raise TryAgain(f"{self._name} cannot do {what} now (HTTP {status}){said}.", after=_after(answer))
        advice = f" {self._advice}" if status in (401, 403, 404) and self._advice else ""
        raise Refused(f"{self._name} refused {what} (HTTP {status}){said}.{advice}")

    def _said(self, answer: httpx.Response) -> str:
        text = " ".join(answer.text.split()) if answer.status_code >= 300 else ""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return f": {text[:SAID]}" if text else ""


def _after(answer: httpx.Response) -> float | None:
    seconds = answer.headers.get("retry-after", "")
    return float(seconds) if seconds.isdigit() else None
