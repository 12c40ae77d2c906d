"""A page of the wiki for each incident, the newest message first: the effect wiki.page."""

import hashlib
from collections.abc import Mapping

from warroom.engine.ports import Job
from warroom.errors import Refused
from warroom.outlets.ports import Compose, Page, Wiki

BUCKET = "wiki"
LIMITS: Mapping[str, tuple[float, float]] = {BUCKET: (10.0, 2.0)}
"""Capacity and refill per second: well below what Confluence allows."""

TITLE = 200
"""Characters of a title: Confluence takes 255."""

NOT_SET = (
    "No page of the wiki can be written: set WARROOM_CONFLUENCE_URL, WARROOM_CONFLUENCE_SPACE, WARROOM_CONFLUENCE_USER "
    "and WARROOM_CONFLUENCE_TOKEN."
)


class WikiPerformer:
    """Writes each message on top of the incident's page, which the first one makes. Without `wiki` all are refused.

    Each message brings an anchor with its own mark, by which it is recognised: it is never on the page twice.
    """

    kinds = frozenset({"wiki.page"})

    def __init__(self, compose: Compose, wiki: Wiki | None) -> None:
        self._compose = compose
        self._wiki = wiki

    def buckets(self, job: Job) -> tuple[str, ...]:
        """The wiki's patience."""
        return (BUCKET,)

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Write it → page, version, url. Raises TryAgain, Refused or Uncertain."""
        if self._wiki is None:
            raise Refused(NOT_SET)
        section = _anchor(job) + xhtml(self._compose(job).html)
        page = await self._wiki.find(_title(job))
        if page is None:
            return _result(await self._wiki.create(_title(job), section))
        if _mark(job) in page.body:
            return _result(page)
        return _result(await self._wiki.update(page, _title(job), f"{section}\n<hr/>\n{page.body}"))

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """Whether the page holds the message."""
        page = await self._wiki.find(_title(job)) if self._wiki is not None else None
        return _result(page) if page is not None and _mark(job) in page.body else None


def xhtml(html: str) -> str:
    """Our HTML as XML, which is what the wiki stores. Text in it is escaped, so the tags are ours alone."""
    return html.replace("<br>", "<br/>").replace("<hr>", "<hr/>")


def _title(job: Job) -> str:
    return " ".join(f"{job.incident.id} {job.incident.title}".split())[:TITLE]


def _mark(job: Job) -> str:
    return "warroom-" + hashlib.sha256(job.id.encode()).hexdigest()[:16]


def _anchor(job: Job) -> str:
    name = f'<ac:parameter ac:name="">{_mark(job)}</ac:parameter>'
    return f'<ac:structured-macro ac:name="anchor">{name}</ac:structured-macro>\n'


def _result(page: Page) -> Mapping[str, object]:
    return {"page": page.id, "version": page.version, "url": page.url}
