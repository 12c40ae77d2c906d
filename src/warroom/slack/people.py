"""Whom to call: PagerDuty's on-call and the members of groups, as one list."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from warroom.domain.people import Actor
from warroom.engine.ports import Job, OnCallPerson, OnCalls
from warroom.errors import DeliveryError, TryAgain
from warroom.slack.directory import Directory

ON_CALL = "on_call"
"""the group that means PagerDuty's on-call"""


@dataclass
class _Person:
    slack_id: str
    name: str
    email: str
    pagerduty_id: str
    why: list[str] = field(default_factory=list)


class PeopleFinder:
    """Performs people.find: groups, service → people [{slack_id, name, email, pagerduty_id, why}], missing.

    Whoever can be found is found; `missing` has a sentence for everything else. Asking twice is harmless.
    """

    kinds = frozenset({"people.find"})

    def __init__(self, directory: Directory, on_calls: OnCalls) -> None:
        self._directory = directory
        self._on_calls = on_calls

    def buckets(self, job: Job) -> tuple[str, ...]:
        """None: almost everything is answered from memory."""
        return ()

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """Always None: it is simply asked again."""
        return None

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Raises TryAgain only when nobody at all was found and somebody could not be asked."""
        data = job.effect.data
        wanted = data.get("groups")
        groups = [str(group) for group in wanted] if isinstance(wanted, list | tuple) else []
        found: dict[str, _Person] = {}
        missing: list[str] = []
        unasked = await self._add_on_call(found, missing, str(data.get("service") or ""), ON_CALL in groups)
        members = await self._directory.people(g for g in groups if g != ON_CALL)
        missing += members.missing
        for actor, group in members.people:
            _add(found, actor, group)
        if not found and (unasked or members.unasked):
            raise TryAgain("; ".join(missing))
        people = [
            {
                "slack_id": p.slack_id,
                "name": p.name,
                "email": p.email,
                "pagerduty_id": p.pagerduty_id,
                "why": ", ".join(p.why),
            }
            for p in found.values()
        ]
        return {"people": people, "missing": missing}

    async def _add_on_call(self, found: dict[str, _Person], missing: list[str], service: str, wanted: bool) -> bool:
        """Returns True when PagerDuty or Slack could not be asked."""
        if not service:
            if wanted:
                missing.append("Who is on call is not known: the incident has no PagerDuty service.")
            return False
        try:
            on_call = await self._on_calls.on_call(service)
        except DeliveryError as error:
            missing.append(f"Who is on call could not be read from PagerDuty: {error}")
            return isinstance(error, TryAgain)
        if not on_call:
            missing.append("Nobody is on call in PagerDuty for this service.")
        unasked = False
        for person in sorted(on_call, key=lambda p: p.level):
            actor: Actor | None = None
            try:
                actor = await self._directory.by_email(person.email) if person.email else None
                if actor is None:
                    missing.append(f"{person.name} is on call, but is nobody in Slack.")
            except DeliveryError as error:
                unasked = True
                missing.append(f"{person.name} is on call, but could not be looked up in Slack: {error}")
            _add_person(found, person, actor)
        return unasked


def _add(found: dict[str, _Person], actor: Actor, why: str) -> None:
    person = found.get(_key(actor.email, actor.slack_id))
    if person is None:
        person = _Person(actor.slack_id, actor.name, actor.email or "", actor.pagerduty_id or "")
        found[_key(actor.email, actor.slack_id)] = person
    if why not in person.why:
        person.why.append(why)


def _add_person(found: dict[str, _Person], on_call: OnCallPerson, actor: Actor | None) -> None:
    key = _key(on_call.email, on_call.pagerduty_id)
    if key not in found:
        slack_id = actor.slack_id if actor else ""
        found[key] = _Person(slack_id, on_call.name, on_call.email, on_call.pagerduty_id)
    why = f"on call (level {on_call.level})"
    if why not in found[key].why:
        found[key].why.append(why)


def _key(email: str | None, otherwise: str) -> str:
    return email.lower() if email else otherwise
