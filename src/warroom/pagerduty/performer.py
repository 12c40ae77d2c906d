"""The effects on PagerDuty: ports.Performer for everything named pagerduty.*"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from warroom.domain.outgoing import OUR_NOTE
from warroom.engine.ports import Directory, Job
from warroom.errors import Refused
from warroom.pagerduty import payload
from warroom.pagerduty.client import Client
from warroom.pagerduty.events import Events
from warroom.pagerduty.paging import Paging
from warroom.pagerduty.target import acting, linked, string

BUCKET = "pagerduty"

LIMITS: Mapping[str, tuple[float, float]] = {BUCKET: (60.0, 10.0)}
"""Capacity and refill per second: PagerDuty allows 960 calls a minute, and an effect takes one to four."""

UPDATE = 2000
"""Characters of a status update: subscribers read it on their phones."""

SKEW = timedelta(seconds=60)
"""How far PagerDuty's clock may be behind ours when we look for what we wrote."""

_RANK = {"triggered": 0, "acknowledged": 1, "resolved": 2}

Result = Mapping[str, object]


class PagerDutyPerformer:
    """Does pagerduty.* effects. Without `events` (no routing key) pagerduty.trigger is refused.

    `compose` writes the text of a status update.

    An incident that is in the wanted status already, or further, counts as done: the result tells PagerDuty's time.
    """

    kinds = frozenset(
        {
            "pagerduty.trigger",
            "pagerduty.change",
            "pagerduty.priority",
            "pagerduty.note",
            "pagerduty.update",
            "pagerduty.page",
            "pagerduty.escalate",
        }
    )

    def __init__(
        self,
        client: Client,
        directory: Directory,
        events: Events | None = None,
        compose: Callable[[Job], str] | None = None,
    ) -> None:
        self._client = client
        self._directory = directory
        self._events = events
        self._compose = compose
        self._paging = Paging(client, directory)

    def buckets(self, job: Job) -> tuple[str, ...]:
        """The account's rate limit."""
        return (BUCKET,)

    async def perform(self, job: Job) -> Result:
        """Do it; the results are those of `domain.effects`. Raises TryAgain, Refused or Uncertain."""
        match job.effect.kind:
            case "pagerduty.trigger":
                return await self._trigger(job)
            case "pagerduty.change":
                return await self._change(job)
            case "pagerduty.priority":
                return await self._prioritise(job)
            case "pagerduty.note":
                await self._client.note(linked(job), string(job, "text"), await self._email(job))
                return {}
            case "pagerduty.update":
                await self._client.status_update(linked(job), self._told(job), await self._email(job))
                return {}
            case "pagerduty.page":
                return await self._paging.page(job, await self._email(job))
            case "pagerduty.escalate":
                return await self._paging.escalate(job, await self._email(job))
            case kind:
                raise Refused(f"{kind} is no effect on PagerDuty.")

    async def find(self, job: Job) -> Result | None:
        """Read in PagerDuty whether it took effect; None when it did not. Raises TryAgain or Refused."""
        match job.effect.kind:
            case "pagerduty.change":
                return await self._reached(job)
            case "pagerduty.priority":
                found = payload.priority(await self._client.incident(linked(job)))
                return {} if found == _priority(job) else None
            case "pagerduty.note":
                return await self._noted(job)
            case "pagerduty.page":
                return await self._paging.find_page(job)
            case "pagerduty.escalate":
                return await self._paging.find_escalation(job)
            case _:  # a trigger carries its dedup_key; a status update cannot be asked for: twice is better than never
                return None

    def _told(self, job: Job) -> str:
        """The status update: the message as plain text, marked as ours."""
        if self._compose is None:
            raise Refused("No status update can be published in PagerDuty: nothing here writes its text.")
        return (OUR_NOTE + self._compose(job))[:UPDATE]

    async def _email(self, job: Job) -> str | None:
        return await acting(job, self._directory)

    async def _trigger(self, job: Job) -> Result:
        if self._events is None:
            raise Refused("No alert can be raised in PagerDuty: set PAGERDUTY_ROUTING_KEY.")
        severity = job.effect.data.get("severity") or job.incident.severity
        await self._events.trigger(
            string(job, "summary"),
            str(severity),
            payload.mapping(job.effect.data.get("details")),
            string(job, "dedup_key"),
            job.pack.pack.id,
        )
        return {}

    async def _change(self, job: Job) -> Result:
        # read first: acknowledging a resolved incident would reopen it
        if (already := await self._reached(job)) is not None:
            return already
        status, email = string(job, "status"), await self._email(job)
        try:
            if status == "resolved":
                changed = await self._client.resolve(linked(job), email)
            else:
                changed = await self._client.acknowledge(linked(job), email)
        except Refused:
            # somebody else may have been quicker
            if (already := await self._reached(job)) is not None:
                return already
            raise
        at = payload.status_changed(changed)
        if at is None:
            return await self._reached(job) or {"at": job.now.isoformat(), "status": status}
        return {"at": at.isoformat(), "status": status}

    async def _reached(self, job: Job) -> Result | None:
        """The incident's status and its time, when it is the wanted one or a later one."""
        wanted = string(job, "status")
        if wanted not in ("acknowledged", "resolved"):
            raise Refused(f"An incident is set to acknowledged or resolved, not {wanted!r}.")
        ident = linked(job)
        incident = await self._client.incident(ident)
        status = payload.text(incident.get("status"))
        if _RANK.get(status, 0) < _RANK[wanted]:
            return None
        at = payload.status_changed(incident)
        if status != wanted:
            at = await self._acknowledged(ident) or at
        return {"at": (at or job.now).isoformat(), "status": status}

    async def _acknowledged(self, ident: str) -> datetime | None:
        """When the incident was last acknowledged; None when nobody did before it was resolved."""
        at: datetime | None = None
        for entry in await self._client.log_entries(ident):
            if entry.get("type") == "acknowledge_log_entry":
                at = at or payload.readable_moment(entry.get("created_at"))
            elif entry.get("type") in ("trigger_log_entry", "unacknowledge_log_entry"):
                at = None
        return at

    async def _prioritise(self, job: Job) -> Result:
        await self._client.set_priority(linked(job), _priority(job), await self._email(job))
        return {}

    async def _noted(self, job: Job) -> Result | None:
        wanted, since = payload.words(string(job, "text")), job.effect.at - SKEW
        for note in await self._client.notes(linked(job)):
            at = payload.readable_moment(note.get("created_at"))
            if payload.words(payload.text(note.get("content"))) == wanted and at is not None and at >= since:
                return {}
        return None


def _priority(job: Job) -> str:
    """PagerDuty's name for the severity given as `priority`: the pack's word for it, else the same name."""
    wanted = string(job, "priority")
    names = [name for name, severity in job.pack.pack.priorities.items() if severity == wanted]
    return names[0] if names and wanted not in names else wanted
