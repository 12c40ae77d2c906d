"""The public status page: the effect status_page.post."""

import hashlib
from collections.abc import Mapping

from warroom.engine.ports import Job
from warroom.errors import Refused
from warroom.outlets.ports import Compose, Notice, StatusPage

BUCKET = "status_page"
LIMITS: Mapping[str, tuple[float, float]] = {BUCKET: (10.0, 1.0)}
"""Capacity and refill per second: Statuspage allows one call a second and key."""

NAME, BODY = 200, 10_000
"""Characters of an incident's name and of an update on the page."""

NOT_SET = "Nothing can be posted on the status page: set WARROOM_STATUSPAGE_PAGE and WARROOM_STATUSPAGE_KEY."
_STATUSES = ("investigating", "identified", "monitoring")
_IMPACT = {"P0": "major_outage", "P1": "partial_outage", "P2": "degraded_performance", "P3": "degraded_performance"}


class StatusPagePerformer:
    """The first post of an incident opens one on the page, the later ones update it. Without `page` all are refused."""

    kinds = frozenset({"status_page.post"})

    def __init__(self, compose: Compose, page: StatusPage | None) -> None:
        self._compose = compose
        self._page = page

    def buckets(self, job: Job) -> tuple[str, ...]:
        """The page's rate limit."""
        return (BUCKET,)

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Post it → page_incident, url. Raises TryAgain, Refused or Uncertain."""
        if self._page is None:
            raise Refused(NOT_SET)
        i, message = job.incident, self._compose(job)
        status = (i.status if i.status in _STATUSES else _STATUSES[0]) if i.is_open else "resolved"
        impact = _IMPACT[i.severity] if i.is_open else "operational"
        body = message.plain[:BODY]
        known = _known(job) or ((found := await self._page.find(i.id)) and found.id)
        if known:
            return _result(await self._page.update(known, i.id, _mark(job), status, body, impact))
        name = message.summary[:NAME]
        return _result(await self._page.create(i.id, _mark(job), name, status, body, impact))

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """The page's incident bears the mark of the effect that wrote it last."""
        found = await self._page.find(job.incident.id) if self._page is not None else None
        return _result(found) if found is not None and found.mark == _mark(job) else None


def _known(job: Job) -> str:
    """The page's incident, as an earlier post of ours was answered."""
    return next((str(r["page_incident"]) for r in job.incident.done.values() if r.get("page_incident")), "")


def _mark(job: Job) -> str:
    return hashlib.sha256(job.id.encode()).hexdigest()[:16]


def _result(notice: Notice) -> Mapping[str, object]:
    return {"page_incident": notice.id, "url": notice.url}
