"""A wiki with Confluence's REST API, under /wiki: pages by title and version, and only well-formed XHTML in them."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warroom.sandbox.feed import Feed

Json = dict[str, Any]
_AC = '<x xmlns:ac="urn:ac" xmlns:ri="urn:ri">{}</x>'


class Wiki:
    """The pages of one space by id."""

    def __init__(self, now: Callable[[], datetime], feed: Feed) -> None:
        self._now = now
        self._feed = feed
        self.space = "OPS"
        self.user = "warroom@sandbox.example"
        self.token = "sandbox-wiki-token"  # noqa: S105
        self.pages: dict[str, Json] = {}

    def as_json(self) -> list[Json]:
        return list(self.pages.values())

    def routes(self) -> list[Route]:
        return [
            Route("/rest/api/content", self._guarded(self._search), methods=["GET"]),
            Route("/rest/api/content", self._guarded(self._create), methods=["POST"]),
            Route("/rest/api/content/{id}", self._guarded(self._update), methods=["PUT"]),
        ]

    def _guarded(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            good = "Basic " + b64encode(f"{self.user}:{self.token}".encode()).decode()
            if request.headers.get("authorization") != good:
                return _refusal(401, "Basic authentication failed")
            return await handler(request)

        return handle

    async def _search(self, request: Request) -> Response:
        query = request.query_params
        found = [
            page
            for page in self.pages.values()
            if query.get("spaceKey") == page["space"]["key"] and query.get("title") == page["title"]
        ]
        return JSONResponse({"results": found, "start": 0, "limit": 25, "size": len(found)})

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        title, key = str(body.get("title") or ""), (body.get("space") or {}).get("key")
        if key != self.space or not 0 < len(title) <= 255:
            return _refusal(400, "space or title is not valid")
        if any(page["title"] == title for page in self.pages.values()):
            return _refusal(400, "A page with this title already exists in this space")
        page: Json = {
            "id": str(65537 + len(self.pages)),
            "type": "page",
            "title": title,
            "space": {"key": key},
            "version": {"number": 1},
            "ancestors": body.get("ancestors") or [],
        }
        page["_links"] = {"webui": f"/spaces/{key}/pages/{page['id']}"}
        return self._store(page, body)

    async def _update(self, request: Request) -> Response:
        page = self.pages.get(request.path_params["id"])
        if page is None:
            return _refusal(404, "No content found")
        body = await request.json()
        if (body.get("version") or {}).get("number") != page["version"]["number"] + 1:
            return _refusal(409, "Version must be incremented on update")
        return self._store(page | {"version": body["version"], "title": body["title"]}, body)

    def _store(self, page: Json, body: Json) -> Response:
        storage = (body.get("body") or {}).get("storage") or {}
        text = str(storage.get("value") or "")
        try:
            ElementTree.fromstring(_AC.format(text))  # noqa: S314
        except ElementTree.ParseError as error:
            return _refusal(400, f"Error parsing xhtml: {error}")
        page["body"] = {"storage": {"value": text, "representation": "storage"}}
        self.pages[page["id"]] = page
        self._feed.publish("wiki", at=self._now().isoformat(), title=page["title"], version=page["version"]["number"])
        return JSONResponse(page)


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message}, status)
