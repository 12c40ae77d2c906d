"""A `ports.Wiki` over Confluence's REST API (rest/api/content)."""

from collections.abc import Mapping
from typing import Any

import httpx

from warroom.errors import Refused, TryAgain, Uncertain
from warroom.outlets.calling import Service
from warroom.outlets.ports import Page

EXPAND = "body.storage,version"


class Confluence:
    """The space with key `space` at `url` (for Confluence Cloud it ends with /wiki), as the user with an API token.

    `parent` is the id of the page below which new pages are made.
    """

    def __init__(
        self, http: httpx.AsyncClient, url: str, space: str, user: str, token: str, *, parent: str = ""
    ) -> None:
        self._service = Service(
            http,
            "The wiki",
            url,
            auth=(user, token),
            secrets=(token,),
            advice="Check WARROOM_CONFLUENCE_URL, _SPACE, _USER and _TOKEN.",
        )
        self._url = url.rstrip("/")
        self._space = space
        self._parent = parent

    async def find(self, title: str) -> Page | None:
        """See `ports.Wiki`."""
        params = {"spaceKey": self._space, "title": title, "type": "page", "expand": EXPAND}
        found = await self._service.call("GET", "/rest/api/content", params=params)
        results = found.get("results") if isinstance(found, Mapping) else None
        return self._page(results[0]) if isinstance(results, list) and results else None

    async def create(self, title: str, body: str) -> Page:
        """See `ports.Wiki`."""
        content = self._content(title, body) | {"space": {"key": self._space}}
        if self._parent:
            content["ancestors"] = [{"id": self._parent}]
        try:
            return self._page(await self._service.call("POST", "/rest/api/content", json=content))
        except Refused:
            if await self.find(title) is None:
                raise
            raise TryAgain("The page was made by somebody else meanwhile: it is written to instead.") from None

    async def update(self, page: Page, title: str, body: str) -> Page:
        """See `ports.Wiki`."""
        content = self._content(title, body) | {"id": page.id, "version": {"number": page.version + 1}}
        return self._page(await self._service.call("PUT", f"/rest/api/content/{page.id}", json=content))

    def _content(self, title: str, body: str) -> dict[str, Any]:
        storage = {"value": body, "representation": "storage"}
        return {"type": "page", "title": title, "body": {"storage": storage}}

    def _page(self, item: object) -> Page:
        if not isinstance(item, Mapping) or not item.get("id"):
            raise Uncertain("The wiki answered without the page it wrote; look at the page.")
        version, links = _part(item, "version"), _part(item, "_links")
        return Page(
            id=str(item["id"]),
            url=f"{self._url}{links['webui']}" if links.get("webui") else "",
            version=int(version.get("number") or 1),
            body=str(_part(_part(item, "body"), "storage").get("value") or ""),
        )


def _part(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = item.get(name)
    return part if isinstance(part, Mapping) else {}
