"""A `ports.StatusPage` over Statuspage's API (developer.statuspage.io, incidents)."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from warroom.errors import Uncertain
from warroom.outlets.calling import Service
from warroom.outlets.ports import Notice

DEFAULT_URL = "https://api.statuspage.io"
LOOKED_AT = 100
"""How many of the page's newest incidents are looked through for ours."""


class Statuspage:
    """The page with id `page`. `components` (ids) are those that an incident of ours affects."""

    def __init__(
        self, http: httpx.AsyncClient, page: str, key: str, *, url: str = DEFAULT_URL, components: Sequence[str] = ()
    ) -> None:
        self._service = Service(
            http,
            "The status page",
            url,
            headers={"Authorization": f"OAuth {key}"},
            secrets=(key,),
            advice="Check WARROOM_STATUSPAGE_PAGE and WARROOM_STATUSPAGE_KEY.",
        )
        self._path = f"/v1/pages/{page}/incidents"
        self._components = tuple(components)

    async def find(self, incident: str) -> Notice | None:
        """See `ports.StatusPage`."""
        found = await self._service.call("GET", self._path, params={"limit": LOOKED_AT})
        for item in found if isinstance(found, list) else ():
            if _ours(item).get("incident") == incident:
                return _notice(item)
        return None

    async def create(self, incident: str, mark: str, name: str, status: str, body: str, impact: str) -> Notice:
        """See `ports.StatusPage`."""
        whole = {"name": name, **self._body(incident, mark, status, body, impact)}
        return _notice(await self._service.call("POST", self._path, json={"incident": whole}))

    async def update(self, notice: str, incident: str, mark: str, status: str, body: str, impact: str) -> Notice:
        """See `ports.StatusPage`."""
        part = self._body(incident, mark, status, body, impact)
        return _notice(await self._service.call("PATCH", f"{self._path}/{notice}", json={"incident": part}))

    def _body(self, incident: str, mark: str, status: str, body: str, impact: str) -> dict[str, Any]:
        return {
            "status": status,
            "body": body,
            "metadata": {"warroom": {"incident": incident, "effect": mark}},
            "component_ids": list(self._components),
            "components": dict.fromkeys(self._components, impact),
        }


def _ours(item: object) -> Mapping[str, Any]:
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    ours = metadata.get("warroom") if isinstance(metadata, Mapping) else None
    return ours if isinstance(ours, Mapping) else {}


def _notice(item: object) -> Notice:
    if not isinstance(item, Mapping) or not item.get("id"):
        raise Uncertain("The status page answered without the incident it wrote; look at the page.")
    return Notice(id=str(item["id"]), url=str(item.get("shortlink") or ""), mark=str(_ours(item).get("effect", "")))
