"""What PagerDuty knows and we do not: the news of webhooks that never came.

Run `news` at start and every few minutes with all linked incidents we have, and submit what it returns. The same
news has the same source_id however often it is found, so repeats are no-ops.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast

import structlog

from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, PagerDutyEvent, PagerDutyIncident
from warroom.errors import DeliveryError
from warroom.pagerduty import payload
from warroom.pagerduty.client import Client
from warroom.pagerduty.payload import Json

SOURCE = "pagerduty-reconcile"

OVERLAP = timedelta(minutes=1)
"""Changes this much older than `since` are looked at again: clocks differ."""

log = structlog.get_logger(__name__)

Status = Literal["triggered", "acknowledged", "resolved"]

# the status an entry of the incident's log leaves it in
_LEAVES: Mapping[str, Status] = {
    "trigger_log_entry": "triggered",
    "reopen_log_entry": "triggered",
    "unacknowledge_log_entry": "triggered",
    "acknowledge_log_entry": "acknowledged",
    "resolve_log_entry": "resolved",
}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What we have been told by PagerDuty of an incident: its status since `changed_at` (UTC; None: since it began).

    `priority` is its name in PagerDuty where we keep it, else None. `joined` marks an alert that joined an incident.
    """

    status: Status = "triggered"
    changed_at: datetime | None = None
    priority: str | None = None
    joined: bool = False


JOINED = Known(joined=True)
"""An alert that joined an incident: it is ours, and what becomes of it in PagerDuty is no news here."""


def what_we_know(incident: Incident) -> Known:
    """What PagerDuty has told us of one of our incidents. What only we claim does not count."""
    status: Status = "triggered"
    changed: datetime | None = None
    for moment in incident.history:
        if moment.source == "pagerduty" and moment.milestone in ("acknowledged", "resolved"):
            status = cast(Status, moment.milestone) if moment.reached else "triggered"
            changed = moment.at
    return Known(status=status, changed_at=changed)


async def news(
    client: Client, services: Iterable[str], known: Mapping[str, Known], since: datetime, now: datetime
) -> list[Input]:
    """The inputs we missed, in the order in which they happened, with PagerDuty's times.

    `known` is by PagerDuty incident id and holds every linked incident, those resolved lately too (they may have been
    reopened). Read are the open incidents of `services` (ids) and those that we take to be open; `since` (UTC) is
    when this ran last, before which an incident with the status we know is not looked into. `now` (UTC) is when the
    inputs are received. Raises TryAgain or Refused when the open incidents cannot be listed; one incident that cannot
    be read is left for the next run.
    """
    there = {payload.text(i.get("id")): i for i in await client.open_incidents(services)}
    for ident, ours in known.items():
        if ident not in there and ours.status != "resolved" and not ours.joined:
            try:
                there[ident] = await client.incident(ident)
            except DeliveryError as error:
                log.warning("pagerduty.reconcile_skipped", pagerduty_id=ident, reason=str(error))
    found: list[Input] = []
    for ident, theirs in there.items():
        if ident in known and known[ident].joined:
            continue
        try:
            # one after the other: people's acknowledgements must not wait behind this
            found += await _of_incident(client, ident, theirs, known.get(ident), since, now)
        except (DeliveryError, ValueError) as error:
            log.warning("pagerduty.reconcile_skipped", pagerduty_id=ident, reason=str(error))
    return sorted(found, key=lambda i: cast(PagerDutyEvent, i.body).at)


async def _of_incident(
    client: Client, ident: str, theirs: Json, ours: Known | None, since: datetime, now: datetime
) -> list[Input]:
    told = payload.incident(theirs)
    if told is None:
        return []
    reader = _Reader(client, ident, theirs, told, now)
    if ours is None:
        return await reader.everything()
    changed = payload.readable_moment(theirs.get("updated_at")) or payload.status_changed(theirs)
    moved = told.status != ours.status or (ours.priority is not None and told.priority != ours.priority)
    if not moved and (changed is None or changed <= since - OVERLAP):
        return []
    return await reader.missed(ours, since)


class _Reader:
    """Turns one incident's log into inputs."""

    def __init__(self, client: Client, ident: str, theirs: Json, told: PagerDutyIncident, now: datetime) -> None:
        self._client = client
        self._ident = ident
        self._theirs = theirs
        self._told = told
        self._now = now

    async def everything(self) -> list[Input]:
        """An incident we never heard of, from its beginning. It is told of even when its log cannot be read."""
        began = self._told.created_at or self._now
        # one name for it, whether or not the log could be read
        opened = self._input("incident.triggered", "triggered", began, "created", None)
        try:
            entries = await self._client.log_entries(self._ident)
        except DeliveryError as error:
            log.warning("pagerduty.log_unreadable", pagerduty_id=self._ident, reason=str(error))
            return [opened]
        later, _ = self._changes(entries, "triggered", None)
        return [opened, *later]

    async def missed(self, ours: Known, since: datetime) -> list[Input]:
        """What happened after what we know."""
        begin = min(ours.changed_at or self._told.created_at or since, since - OVERLAP)
        entries = await self._client.log_entries(self._ident, begin)
        found, status = self._changes(entries, ours.status, ours.changed_at)
        if status != self._told.status:
            # the log may have been read later than the incident: only a fresh look tells whether it is incomplete
            fresh = await self._client.incident(self._ident)
            self._theirs, self._told = fresh, payload.incident(fresh) or self._told
            found += self._unlogged(ours, status)
        return found + self._priority(entries, ours, since)

    def _changes(self, entries: Iterable[Json], status: Status, after: datetime | None) -> tuple[list[Input], Status]:
        """The changes of status in the log after a moment, and the status they end in."""
        found: list[Input] = []
        for entry in entries:
            leaves = _LEAVES.get(payload.text(entry.get("type")))
            at = payload.readable_moment(entry.get("created_at"))
            if leaves is None or leaves == status or at is None or (after is not None and at <= after):
                continue
            found += self._step(status, leaves, at, payload.text(entry.get("id")), entry)
            status = leaves
        return found, status

    def _step(self, before: Status, after: Status, at: datetime, name: str, entry: Json | None) -> list[Input]:
        """The events that lead from one status to another."""
        if after == "resolved":
            return [self._input("incident.resolved", after, at, name, entry)]
        if after == "triggered":
            kind = "incident.reopened" if before == "resolved" else "incident.unacknowledged"
            return [self._input(kind, after, at, name, entry)]
        acknowledged = self._input("incident.acknowledged", after, at, name, entry)
        if before != "resolved":
            return [acknowledged]
        return [self._input("incident.reopened", "triggered", at, name, entry), acknowledged]

    def _unlogged(self, ours: Known, status: Status) -> list[Input]:
        """The present status, where the log does not explain it (an escalation unacknowledges, for one)."""
        now = self._told.status
        if now == status or now not in ("triggered", "acknowledged", "resolved"):
            return []
        at = payload.status_changed(self._theirs) or self._now
        # named by what we know, since the time of a triggered incident moves with every change to it
        begin = ours.changed_at.isoformat() if ours.changed_at else "created"
        return self._step(status, cast(Status, now), at, f"after {ours.status} {begin}", None)

    def _priority(self, entries: Iterable[Json], ours: Known, since: datetime) -> list[Input]:
        """The present priority, when it is not the one we know or the log says it changed lately."""
        if self._told.priority is None or self._told.priority == ours.priority:
            return []
        changes = [
            (at, entry)
            for entry in entries
            if payload.text(entry.get("type")).startswith("priority_change")
            and (at := payload.readable_moment(entry.get("created_at"))) is not None
            and at > since - OVERLAP
        ]
        if changes:
            at, entry = changes[-1]
            name = payload.text(entry.get("id"))
            return [self._input("incident.priority_updated", self._told.status, at, name, entry)]
        if ours.priority is None:
            return []
        at = payload.readable_moment(self._theirs.get("updated_at")) or self._now
        name = f"{self._told.priority} {at.isoformat()}"
        return [self._input("incident.priority_updated", self._told.status, at, name, None)]

    def _input(self, kind: str, status: str | None, at: datetime, name: str, entry: Json | None) -> Input:
        """The event as its webhook would have told it; `name` tells it from others of its type."""
        if entry is not None:
            by = entry.get("agent")
        else:
            by = None if kind == "incident.triggered" else self._theirs.get("last_status_change_by")
        body = PagerDutyEvent(
            type=kind,
            at=at,
            incident=replace(self._told, status=status),
            agent=payload.agent(by),
            people=self._told.assignees,
        )
        return Input(source=SOURCE, source_id=f"{self._ident}:{kind}:{name}", received=self._now, body=body)
