"""Waking people through PagerDuty: responder requests, and the next level of the escalation policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from warroom.domain.outgoing import OUR_NOTE
from warroom.domain.people import Actor
from warroom.engine.ports import Directory, Job
from warroom.errors import DeliveryError, Refused
from warroom.pagerduty import payload
from warroom.pagerduty.client import Client
from warroom.pagerduty.payload import Json
from warroom.pagerduty.target import linked, string

ON_CALL = "on_call"
"""The group that is not a list of names: whoever is on call for the incident's service, on every level."""

FIRST_ON_CALL = "first_on_call"
"""The same of the first level only: whom PagerDuty calls first."""

SKEW = timedelta(seconds=60)
"""How far PagerDuty's clock may be behind ours, where the message tells ours from others."""

CLOSE = timedelta(seconds=5)
"""The same where nothing but the time tells, as for escalations."""

log = structlog.get_logger(__name__)

Result = Mapping[str, object]


@dataclass(frozen=True)
class Audience:
    """Who can be paged (name by PagerDuty id), names of those who cannot, who is left out on purpose (""), and names of
    those whose phones ring for this incident already."""

    people: Mapping[str, str]
    missing: tuple[str, ...]
    spared: str = ""
    rung: tuple[str, ...] = ()


class Paging:
    """Pages groups of the directory and escalates."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self._client = client
        self._directory = directory

    async def page(self, job: Job, email: str | None) -> Result:
        """Ask all people of `groups` to respond, in one request, but not the person `but`, nor whom PagerDuty has
        called for this incident within the `once_in` seconds before -> paged, missing, spared, rung (names).

        Raises Refused when none of them has a PagerDuty account, or only the person who is left out: then nobody was
        woken.
        """
        ident = linked(job)
        audience = await self._unrung(job, await self._audience(job))
        if not audience.people and audience.rung:
            return _paged(audience)
        if not audience.people and audience.spared:
            raise Refused(
                f"Nobody else was paged: of those who are asked PagerDuty can only reach {audience.spared}, who asks. "
                f"Call {', '.join(audience.missing) or 'somebody else who may answer'} yourselves."
            )
        if not audience.people:
            raise Refused(
                f"Nobody was paged: none of {', '.join(audience.missing) or 'the groups asked for'} has a PagerDuty "
                "account. Call them, and give them an account with the e-mail they have in Slack."
            )
        await self._client.request_responders(ident, audience.people, _message(job), email)
        return _paged(audience)

    async def _unrung(self, job: Job, audience: Audience) -> Audience:
        """The audience without those whose phones ring already: the incident was assigned to them (where it is urgent),
        or they were asked to respond. One phone rings once for one moment."""
        within = job.effect.data.get("once_in")
        if not isinstance(within, int | float) or not audience.people:
            return audience
        incident = await self._client.incident(linked(job))
        since = job.effect.at - timedelta(seconds=within)
        urgent = incident.get("urgency") == "high"
        asked = _requests(incident)
        asked += [(a.get("at"), _assignee(a)) for a in payload.objects(incident.get("assignments")) if urgent]
        recent = {who for at, who in asked if (when := payload.readable_moment(at)) is not None and when >= since}
        rung = {ident: name for ident, name in audience.people.items() if ident in recent}
        people = {ident: name for ident, name in audience.people.items() if ident not in rung}
        return replace(audience, people=people, rung=tuple(sorted(rung.values())))

    async def find_page(self, job: Job) -> Result | None:
        """The result when everybody was asked with this message since the effect was decided."""
        incident = await self._client.incident(linked(job))
        audience = await self._audience(job)
        asked: set[str] = set()
        for request in payload.objects(incident.get("responder_requests")):
            if self._is_ours(request, job):
                asked |= _targets(request)
        for responder in payload.objects(incident.get("incidents_responders")):
            if self._is_ours(responder, job):
                asked.add(payload.text(payload.mapping(responder.get("user")).get("id")))
        return _paged(audience) if audience.people and audience.people.keys() <= asked else None

    def _is_ours(self, request: Json, job: Job) -> bool:
        at = payload.readable_moment(request.get("requested_at"))
        same = payload.words(payload.text(request.get("message"))) == payload.words(_message(job))
        return same and at is not None and at >= job.effect.at - SKEW

    async def escalate(self, job: Job, email: str | None) -> Result:
        """Wake the next level of the incident's escalation policy, with `message` as a note -> level.

        Raises Refused at the last level, or when the incident is resolved.
        """
        ident = linked(job)
        incident = await self._client.incident(ident)
        if incident.get("status") == "resolved":
            raise Refused("Not escalated: the incident is resolved in PagerDuty. Reopen it there if it goes on.")
        now, levels = await self._level(incident)
        higher = [level for level in levels if level > now]
        if not higher:
            raise Refused(
                f"Not escalated: the incident is at level {now}, the last one with anybody on call. Call people, or "
                "page a group."
            )
        await self._client.escalate(ident, higher[0], email)
        if job.effect.data.get("message"):
            try:
                await self._client.note(ident, OUR_NOTE + string(job, "message"), email)
            except DeliveryError as error:  # they are woken, which was the point
                log.warning("pagerduty.escalation_note_failed", incident=job.incident.id, reason=str(error))
        return {"level": higher[0]}

    async def find_escalation(self, job: Job) -> Result | None:
        """The result when the incident was escalated since the effect was decided, and not by a time-out."""
        ident, since = linked(job), job.effect.at - CLOSE
        for entry in await self._client.log_entries(ident, since):
            at = payload.readable_moment(entry.get("created_at"))
            by_itself = payload.mapping(entry.get("channel")).get("type") == "timeout"
            if entry.get("type") == "escalate_log_entry" and not by_itself and at is not None and at >= since:
                level, _ = await self._level(await self._client.incident(ident))
                return {"level": level}
        return None

    async def _level(self, incident: Json) -> tuple[int, list[int]]:
        """The incident's present level, and all levels with somebody on call.

        PagerDuty does not tell the level: it is the one whose people the incident is assigned to.
        """
        policy = payload.text(payload.mapping(incident.get("escalation_policy")).get("id"))
        if not policy:
            raise Refused("Not escalated: the incident has no escalation policy in PagerDuty. Page a group.")
        people: dict[int, set[str]] = {}
        for person in await self._client.on_call_for_policy(policy):
            people.setdefault(person.level, set()).add(person.pagerduty_id)
        assigned = {_assignee(a) for a in payload.objects(incident.get("assignments"))}
        exact = [level for level, who in people.items() if who == assigned]
        some = [level for level, who in people.items() if who & assigned]
        return min(exact or some or [1]), sorted(people)

    async def _audience(self, job: Job) -> Audience:
        named = job.effect.data.get("groups")
        groups = tuple(g for g in named if isinstance(g, str)) if isinstance(named, list | tuple) else ()
        people: dict[str, str] = {}
        missing: list[str] = []
        but = await self._but(job)
        if wanted := [g for g in groups if g in (ON_CALL, FIRST_ON_CALL)]:
            try:
                people |= await self._on_call(job, first=ON_CALL not in wanted)
            except Refused as error:  # the others are paged all the same
                missing.append(f"on-call ({error})")
        others = tuple(g for g in groups if g not in wanted)
        for actor in await self._directory.members(others) if others else ():
            ident = actor.pagerduty_id or await self._account(actor)
            if ident:
                people[ident] = actor.name
            elif not (but and actor.slack_id == but.slack_id):
                missing.append(actor.name)
        own = (but.pagerduty_id or await self._account(but)) if but else None
        spared = people.pop(own, "") if own else ""
        return Audience(people, tuple(missing), spared)

    async def _but(self, job: Job) -> Actor | None:
        """The person who is not to be paged; None when there is none. Whom Slack cannot tell us just now has no
        PagerDuty id here and is paged with the others: once too often is better than nobody."""
        named = payload.mapping(job.effect.data.get("but"))
        ident = payload.text(named.get("id"))
        if not ident.startswith("slack:"):
            return None
        return await self._directory.actor(ident.removeprefix("slack:"), payload.text(named.get("name")))

    async def _on_call(self, job: Job, *, first: bool) -> dict[str, str]:
        service = job.incident.pagerduty_service
        if not service:
            incident = await self._client.incident(linked(job))
            service = payload.text(payload.mapping(incident.get("service")).get("id"))
        return {p.pagerduty_id: p.name for p in await self._client.on_call(service) if p.level == 1 or not first}

    async def _account(self, actor: Actor) -> str | None:
        user = await self._client.user_by_email(actor.email) if actor.email else None
        return user.id if user else None


def _message(job: Job) -> str:
    said = job.effect.data.get("message")
    incident = job.incident
    return said if isinstance(said, str) and said else f"{incident.severity} {incident.id}: {incident.title}"


def _paged(audience: Audience) -> Result:
    paged = {"paged": sorted(audience.people.values()), "missing": sorted(audience.missing)}
    paged |= {"spared": [audience.spared]} if audience.spared else {}
    return paged | ({"rung": list(audience.rung)} if audience.rung else {})


def _requests(incident: Json) -> list[tuple[object, str]]:
    """When each person (PagerDuty id) was asked to respond, in both shapes that PagerDuty tells it in."""
    asked: list[tuple[object, str]] = []
    for request in payload.objects(incident.get("responder_requests")):
        asked += [(request.get("requested_at"), target) for target in _targets(request)]
    for responder in payload.objects(incident.get("incidents_responders")):
        asked.append((responder.get("requested_at"), payload.text(payload.mapping(responder.get("user")).get("id"))))
    return asked


def _assignee(assignment: Json) -> str:
    return payload.text(payload.mapping(assignment.get("assignee")).get("id"))


def _targets(request: Json) -> set[str]:
    """Ids of whom a responder request went to."""
    targets = (
        payload.mapping(t.get("responder_request_target"))
        for t in payload.objects(request.get("responder_request_targets"))
    )
    return {payload.text(t.get("id")) for t in targets}
