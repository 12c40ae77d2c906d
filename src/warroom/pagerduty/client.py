"""What we ask of PagerDuty and change in it, each a call or two of the REST API (v2).

Reading raises TryAgain or Refused; changing raises Uncertain as well, when PagerDuty may have done it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from warroom.engine.ports import OnCallPerson
from warroom.errors import Refused
from warroom.pagerduty import payload
from warroom.pagerduty.payload import Json
from warroom.pagerduty.remembered import Remembered
from warroom.pagerduty.rest import Rest

PAGE = 100
FARTHEST = 10_000
"""PagerDuty lists no further than this many entries."""

KEEP = 600.0
"""Seconds for which users, priorities and escalation policies are remembered."""

KEEP_ON_CALL = 30.0
"""Seconds for which we remember who is on call."""

KEEP_ABSENT = 60.0
"""Seconds for which we remember that somebody has no account: it may be made just now."""


@dataclass(frozen=True)
class User:
    """Somebody with a PagerDuty account."""

    id: str
    name: str
    email: str


class Client:
    """PagerDuty for one account; implements ports.OnCalls.

    `from_email` is the PagerDuty user in whose name we write when the acting person has no account there.
    """

    def __init__(
        self, rest: Rest, from_email: str | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest = rest
        self._from_email = from_email
        self._users: Remembered[User | None] = Remembered(monotonic)
        self._policies: Remembered[str] = Remembered(monotonic)
        self._priorities: Remembered[Mapping[str, str]] = Remembered(monotonic)
        self._on_calls: Remembered[tuple[OnCallPerson, ...]] = Remembered(monotonic)
        self._asked: dict[str, asyncio.Future[tuple[OnCallPerson, ...]]] = {}

    async def close(self) -> None:
        """Let go of threads and connections."""
        await self._rest.close()

    # -- changing

    async def acknowledge(self, incident: str, email: str | None = None) -> Json:
        """Acknowledge as this person; the incident as it is then. It would reopen a resolved one: read it before."""
        return await self._change(incident, {"status": "acknowledged"}, email)

    async def resolve(self, incident: str, email: str | None = None) -> Json:
        """Resolve as this person; the incident as it is then. Refused when it is resolved already."""
        return await self._change(incident, {"status": "resolved"}, email)

    async def escalate(self, incident: str, level: int, email: str | None = None) -> Json:
        """Wake level `level` (1 is the first) of the incident's escalation policy."""
        return await self._change(incident, {"escalation_level": level}, email)

    async def set_priority(self, incident: str, name: str, email: str | None = None) -> Json:
        """Give the incident the account's priority of that name. Refused when there is none."""
        known = await self.priorities()
        if name not in known:
            there = ", ".join(known) or "none: switch them on in PagerDuty's account settings"
            raise Refused(f"PagerDuty has no priority {name!r}; there are {there}.")
        return await self._change(incident, {"priority": {"id": known[name], "type": "priority_reference"}}, email)

    async def note(self, incident: str, text: str, email: str | None = None) -> None:
        """Add a note to the incident."""
        body = {"note": {"content": text}}
        await self._rest.post(f"{_incident(incident)}/notes", body, await self._sender(email))

    async def status_update(self, incident: str, message: str, email: str | None = None) -> None:
        """Publish a status update to the incident's subscribers."""
        sender = await self._sender(email)
        await self._rest.post(f"{_incident(incident)}/status_updates", {"message": message}, sender)

    async def request_responders(
        self, incident: str, users: Iterable[str], message: str, email: str | None = None
    ) -> None:
        """Page these users (ids) to come and help. Refused without a user to ask in the name of."""
        sender = await self._sender(email)
        requester = await self.user_by_email(sender) if sender else None
        if requester is None:
            raise Refused("Nobody can be paged: set PAGERDUTY_FROM_EMAIL to the e-mail of a PagerDuty user.")
        targets = [{"responder_request_target": {"id": u, "type": "user_reference"}} for u in users]
        body = {"requester_id": requester.id, "message": message, "responder_request_targets": targets}
        await self._rest.post(f"{_incident(incident)}/responder_requests", body, sender)

    # -- reading incidents

    async def incident(self, incident: str) -> Json:
        """The incident as PagerDuty has it now."""
        return payload.mapping((await self._rest.get(_incident(incident))).get("incident"))

    async def open_incidents(self, services: Iterable[str]) -> tuple[Json, ...]:
        """All incidents of these services (ids) that are not resolved."""
        return await self._incidents(services, {"statuses[]": ["triggered", "acknowledged"], "date_range": "all"})

    async def log_entries(self, incident: str, since: datetime | None = None) -> tuple[Json, ...]:
        """What happened to the incident (since then, UTC), oldest first."""
        params: dict[str, object] = {"since": _iso(since)} if since else {}
        entries = await self._list(f"{_incident(incident)}/log_entries", "log_entries", params)
        # PagerDuty lists the newest first: sorted so and turned round, those of one second keep their order
        return tuple(sorted(entries, key=_created, reverse=True)[::-1])

    async def notes(self, incident: str) -> tuple[Json, ...]:
        """The incident's notes."""
        return payload.objects((await self._rest.get(f"{_incident(incident)}/notes")).get("notes"))

    async def alert_details(self, incident: str) -> Mapping[str, object]:
        """What the senders of the incident's alerts said beyond the title; the first alert's word counts."""
        found: dict[str, object] = {}
        answer = await self._rest.get(f"{_incident(incident)}/alerts", {"limit": PAGE})
        for alert in sorted(payload.objects(answer.get("alerts")), key=_created):
            for key, value in payload.alert_details(alert).items():
                found.setdefault(key, value)
        return found

    # -- reading people

    async def user_by_email(self, email: str) -> User | None:
        """The PagerDuty user with exactly this e-mail, whatever its case."""
        wanted = email.strip().lower()
        if (known := self._users.get(wanted)) is not None:
            return known[0]
        answer = await self._rest.get("/users", {"query": wanted, "limit": PAGE})
        for found in payload.objects(answer.get("users")):
            if payload.text(found.get("email")).lower() == wanted and payload.text(found.get("id")):
                user = User(found["id"], payload.text(found.get("name")), payload.text(found.get("email")))
                return self._users.put(wanted, user, KEEP)
        return self._users.put(wanted, None, KEEP_ABSENT)

    async def on_call(self, service: str) -> tuple[OnCallPerson, ...]:
        """On call now for the service's escalation policy, each person once, who is paged first first."""
        first: dict[str, OnCallPerson] = {}
        for person in await self.on_call_for_policy(await self._policy(service)):
            first.setdefault(person.pagerduty_id, person)
        return tuple(first.values())

    async def on_call_for_policy(self, policy: str) -> tuple[OnCallPerson, ...]:
        """On call now for an escalation policy (id), by level; somebody on two levels stands there twice.

        In a storm everybody asks at once: they share one answer, which may be half a minute old.
        """
        if (known := self._on_calls.get(policy)) is not None:
            return known[0]
        if policy not in self._asked:
            asked = self._asked[policy] = asyncio.ensure_future(self._read_on_call(policy))
            asked.add_done_callback(lambda _: self._asked.pop(policy))
        return self._on_calls.put(policy, await asyncio.shield(self._asked[policy]), KEEP_ON_CALL)

    async def _read_on_call(self, policy: str) -> tuple[OnCallPerson, ...]:
        params = {"escalation_policy_ids[]": [policy], "include[]": ["users"], "earliest": "true"}
        found = set()
        for entry in await self._list("/oncalls", "oncalls", params):
            user, level = payload.mapping(entry.get("user")), entry.get("escalation_level")
            if payload.text(user.get("id")) and isinstance(level, int):
                name = payload.text(user.get("name")) or payload.text(user.get("summary"))
                email = payload.text(user.get("email"))
                found.add(OnCallPerson(pagerduty_id=user["id"], name=name, email=email, level=level))
        return tuple(sorted(found, key=lambda p: (p.level, p.name, p.pagerduty_id)))

    # -- reading the account

    async def priorities(self) -> Mapping[str, str]:
        """The account's priorities: id by name, the highest first."""
        if (known := self._priorities.get("")) is not None:
            return known[0]
        entries = await self._list("/priorities", "priorities", {})
        found = {
            payload.text(p.get("name")) or payload.text(p.get("summary")): payload.text(p.get("id"))
            for p in reversed(entries)
        }
        return self._priorities.put("", dict(reversed(found.items())), KEEP)

    async def webhook_subscriptions(self) -> tuple[Json, ...]:
        """The webhooks PagerDuty sends, with delivery_method.url, active and events."""
        return await self._list("/webhook_subscriptions", "webhook_subscriptions", {})

    async def abilities(self) -> tuple[str, ...]:
        """What the account may do; also the way to find out whether the token works."""
        found = (await self._rest.get("/abilities")).get("abilities")
        return tuple(a for a in found if isinstance(a, str)) if isinstance(found, list) else ()

    # -- helpers

    async def _change(self, incident: str, change: Json, email: str | None) -> Json:
        body = {"incident": {"type": "incident_reference", **change}}
        answer = await self._rest.put(_incident(incident), body, await self._sender(email))
        return payload.mapping(answer.get("incident"))

    async def _sender(self, email: str | None) -> str | None:
        """In whose name to write: the person's, where PagerDuty knows the person, else the deployment's."""
        if not email or email == self._from_email:
            return self._from_email or email
        try:
            user = await self.user_by_email(email)
        except Refused:  # the key may not read users; the change itself matters more
            user = None
        return user.email if user else self._from_email

    async def _policy(self, service: str) -> str:
        if (known := self._policies.get(service)) is not None:
            return known[0]
        answer = await self._rest.get(f"/services/{quote(service, safe='')}")
        found = payload.mapping(payload.mapping(answer.get("service")).get("escalation_policy"))
        if not payload.text(found.get("id")):
            raise Refused(f"PagerDuty service {service} has no escalation policy: give it one.")
        return self._policies.put(service, found["id"], KEEP)

    async def _incidents(self, services: Iterable[str], params: Json) -> tuple[Json, ...]:
        wanted = sorted(services)
        # without the filter PagerDuty would list the whole account's
        return await self._list("/incidents", "incidents", {"service_ids[]": wanted, **params}) if wanted else ()

    async def _list(self, path: str, key: str, params: Json) -> tuple[Json, ...]:
        found: list[Json] = []
        more = True
        while more and len(found) < FARTHEST:
            answer = await self._rest.get(path, {**params, "limit": PAGE, "offset": len(found)})
            page = payload.objects(answer.get(key))
            found += page
            more = bool(page) and answer.get("more") is True
        return tuple(found)


def _incident(ident: str) -> str:
    return f"/incidents/{quote(ident, safe='')}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _created(entry: Json) -> datetime:
    return payload.readable_moment(entry.get("created_at")) or datetime.min.replace(tzinfo=UTC)
