"""People across Slack and PagerDuty, and the groups of warroom.yaml they are in."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from warroom.domain.people import Actor
from warroom.errors import DeliveryError, TryAgain
from warroom.slack.api import Api
from warroom.slack.errors import SlackRefused
from warroom.slack.memory import Known, Memory

FRESH_S = 600.0
GOOD_S = 3600.0
BUDGET_S = 1.0

log = structlog.get_logger("warroom.slack")


@dataclass(frozen=True)
class Profile:
    """A Slack account. `active` is False for one that was deactivated."""

    id: str
    name: str
    email: str | None
    active: bool


@dataclass(frozen=True)
class Found:
    """Slack ids, each once, and a sentence for everybody who could not be found."""

    ids: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Members:
    """People with the group each was found in, and a sentence for whom or what could not be found.

    `unasked` is True when Slack could not be asked, so that trying again may find more.
    """

    people: tuple[tuple[Actor, str], ...]
    missing: tuple[str, ...]
    unasked: bool


@dataclass(frozen=True)
class Addresses:
    """E-mail addresses, each once, and a sentence for everybody without one."""

    emails: tuple[str, ...]
    missing: tuple[str, ...]


class Directory:
    """A `ports.Directory`. `groups` are those of warroom.yaml: e-mail addresses, U… members, S… user groups.

    What Slack said is fresh for 10 minutes and, when Slack cannot be asked, still believed for an hour.
    `pagerduty_id` gives the PagerDuty user id behind an e-mail, or None. The members of the groups `outside` need no
    account in Slack: they only get mail.
    """

    def __init__(
        self,
        api: Api,
        groups: Mapping[str, tuple[str, ...]],
        pagerduty_id: Callable[[str], Awaitable[str | None]] | None = None,
        now: Callable[[], float] = time.monotonic,
        budget: float = BUDGET_S,
        outside: frozenset[str] = frozenset(),
    ) -> None:
        self._api = api
        self._groups = groups
        self._budget = budget
        self._inside = [entries for group, entries in groups.items() if group not in outside]
        self._pagerduty_id = pagerduty_id
        self._profiles: Memory[str, Profile | None] = Memory(self._ask_profile, now, FRESH_S, GOOD_S)
        self._emails: Memory[str, str | None] = Memory(self._ask_email, now, FRESH_S, GOOD_S)
        self._usergroups: Memory[str, frozenset[str]] = Memory(self._ask_usergroup, now, FRESH_S, GOOD_S)
        self._pagers: Memory[str, str | None] = Memory(self._ask_pager, now, FRESH_S, GOOD_S)

    async def actor(self, slack_id: str, name: str) -> Actor:
        """The person, from memory where possible, within about a second, never failing (`verified` tells)."""
        if not self._remembers(slack_id):
            try:
                async with asyncio.timeout(self._budget):
                    await self._look_up(slack_id)
            except (TimeoutError, DeliveryError) as error:
                log.warning("directory_not_asked", person=slack_id, reason=str(error) or "no answer in time")
        return self._actor(slack_id, name)

    def known(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Slack ids of the members of these groups as far as they are remembered, each once; nobody is asked."""
        entries = [entry for group in groups for entry in self._groups.get(group, ())]
        ids = [i for known in map(self._known, entries) if known and known.value for i in _ids_of(known.value)]
        active = (i for i in ids if (p := self._profiles.peek(i)) and p.value and p.value.active)
        return tuple(dict.fromkeys(active))

    async def members(self, groups: tuple[str, ...]) -> tuple[Actor, ...]:
        """The people of these groups, each once. Raises TryAgain when somebody could not be asked for."""
        found = await self.people(groups)
        if found.unasked:
            raise TryAgain("; ".join(found.missing))
        return tuple({actor.slack_id: actor for actor, _ in found.people}.values())

    async def people(self, groups: Iterable[str]) -> Members:
        """The people of these groups as far as they can be found; never failing."""
        people: list[tuple[Actor, str]] = []
        missing: list[str] = []
        unasked = False
        for group in groups:
            if group not in self._groups:
                missing.append(f"There is no group {group}: add it under groups in warroom.yaml.")
            for entry in self._groups.get(group, ()):
                try:
                    actors = [await self._known_actor(slack_id) for slack_id in await self._ids(entry)]
                    people += [(actor, group) for actor in actors if actor]
                    if not any(actors):
                        missing.append(f"{entry} of group {group} is nobody with an account in Slack.")
                except DeliveryError as error:
                    unasked = unasked or not isinstance(error, SlackRefused)
                    missing.append(f"{entry} of group {group} could not be looked up: {error}")
        return Members(tuple(people), tuple(missing), unasked)

    async def addresses(self, groups: Iterable[str]) -> Addresses:
        """Where the members of these groups get mail. An address that stands in a group needs no account in Slack.

        Raises TryAgain when Slack cannot be asked for the others.
        """
        emails: list[str] = []
        missing: list[str] = []
        for group in groups:
            if not self._groups.get(group):
                missing.append(f"Nobody is in group {group}: list its people under groups in warroom.yaml.")
            for entry in self._groups.get(group, ()):
                if "@" in entry:
                    emails.append(entry.lower())
                    continue
                try:
                    actors = [(slack_id, await self._known_actor(slack_id)) for slack_id in await self._ids(entry)]
                except SlackRefused as error:
                    missing.append(f"{entry} of group {group} could not be looked up: {error}")
                    continue
                emails += [actor.email for _, actor in actors if actor and actor.email]
                nameless = [
                    actor.name if actor else slack_id for slack_id, actor in actors if not (actor and actor.email)
                ]
                missing += [f"{name} of group {group} has no e-mail in Slack." for name in nameless]
        return Addresses(tuple(dict.fromkeys(emails)), tuple(missing))

    async def slack_ids(self, people: Iterable[str], groups: Iterable[str]) -> Found:
        """Slack ids of people ("slack:U…", "U…", "pagerduty:P…" or e-mail) and groups. Raises TryAgain."""
        found = await self.people(groups)
        if found.unasked:
            raise TryAgain("; ".join(found.missing))
        ids = [actor.slack_id for actor, _ in found.people]
        missing = list(found.missing)
        for person in people:
            slack_id = await self._person(person)
            if slack_id:
                ids.append(slack_id)
            else:
                missing.append(f"{person} is nobody in Slack.")
        return Found(tuple(dict.fromkeys(ids)), tuple(missing))

    async def by_email(self, email: str) -> Actor | None:
        """The person with this e-mail in Slack. Raises DeliveryError when Slack cannot be asked."""
        slack_id = await self._emails.get(email.lower())
        return await self._known_actor(slack_id) if slack_id else None

    async def refresh(self) -> tuple[str, ...]:
        """Read everything again that is known or named in a group; a sentence for each thing wrong or failed."""
        entries = {entry for group in self._inside for entry in group}
        emails, usergroups = {e.lower() for e in entries if "@" in e}, self._named_usergroups()
        problems = await _all([self._usergroups.reload(group) for group in sorted(usergroups)])
        problems += await _all([self._emails.reload(email) for email in sorted(emails)])
        ids = {e for e in entries - usergroups if "@" not in e} | set(self._profiles.known())
        ids |= {k.value for email in emails if (k := self._emails.peek(email)) and k.value}
        ids |= {i for group in usergroups if (g := self._usergroups.peek(group)) for i in g.value}
        problems += await _all([self._profiles.reload(slack_id) for slack_id in sorted(ids)])
        pagers = {p.value.email for i in ids if (p := self._profiles.peek(i)) and p.value and p.value.email}
        problems += await _all([self._pagers.reload(email) for email in sorted(pagers)])
        return (*problems, *(f"{entry} under groups in warroom.yaml is nobody in Slack." for entry in self._nobodies()))

    def _nobodies(self) -> list[str]:
        return [
            entry
            for entry in sorted({entry for group in self._inside for entry in group})
            if (known := self._known(entry)) is not None and not known.value
        ]

    def _known(self, entry: str) -> Known[Any] | None:
        """What is remembered of an entry of a group."""
        if "@" in entry:
            return self._emails.peek(entry.lower())
        return self._usergroups.peek(entry) if entry.startswith("S") else self._profiles.peek(entry)

    def _named_usergroups(self) -> set[str]:
        return {e for group in self._groups.values() for e in group if e.startswith("S") and "@" not in e}

    async def warm(self) -> tuple[str, ...]:
        """As `refresh`, at start; problems are logged too, and nothing fails."""
        problems = await self.refresh()
        for problem in problems:
            log.warning("directory_incomplete", reason=problem)
        return problems

    # looking up

    async def _look_up(self, slack_id: str) -> None:
        """Have in memory what `_actor` needs. Raises DeliveryError."""
        asked = asyncio.gather(*(self._usergroups.get(entry) for entry in self._named_usergroups()))
        profile, _ = await asyncio.gather(self._profiles.get(slack_id), asked)
        if profile and profile.email:
            try:
                await self._pagers.get(profile.email)
            except DeliveryError as error:
                log.warning("pagerduty_not_asked", person=slack_id, reason=str(error))

    async def _known_actor(self, slack_id: str) -> Actor | None:
        profile = await self._profiles.get(slack_id)
        if profile is None or not profile.active:
            return None
        await self._look_up(slack_id)
        return self._actor(slack_id, profile.name)

    async def _ids(self, entry: str) -> tuple[str, ...]:
        if "@" in entry:
            found = await self._emails.get(entry.lower())
            return (found,) if found else ()
        if entry.startswith("S"):
            return tuple(sorted(await self._usergroups.get(entry)))
        return (entry,)

    async def _person(self, person: str) -> str | None:
        if "@" in person:
            return await self._emails.get(person.lower())
        if person.startswith("pagerduty:"):
            return self._behind(person.removeprefix("pagerduty:"))
        return person.removeprefix("slack:")

    def _behind(self, pagerduty_id: str) -> str | None:
        for slack_id in self._profiles.known():
            known = self._profiles.peek(slack_id)
            email = known.value.email if known and known.value else None
            pager = self._pagers.peek(email) if email else None
            if pager and pager.value == pagerduty_id:
                return slack_id
        return None

    # answering from memory

    def _remembers(self, slack_id: str) -> bool:
        return self._profiles.peek(slack_id) is not None and self._groups_known()

    def _groups_known(self) -> bool:
        return all(self._usergroups.peek(entry) for entry in self._named_usergroups())

    def _actor(self, slack_id: str, name: str) -> Actor:
        known = self._profiles.peek(slack_id)
        if known is None or not self._groups_known():
            listed = frozenset(g for g, entries in self._groups.items() if slack_id in entries)
            return Actor(slack_id, name, groups=listed, verified=False)
        profile = known.value
        if profile is None or not profile.active:
            return Actor(slack_id, name, person=False)
        email = profile.email
        pager = self._pagers.peek(email) if email else None
        groups = frozenset(
            group for group, entries in self._groups.items() if any(self._is_in(profile, e) for e in entries)
        )
        return Actor(slack_id, profile.name or name, email, pager.value if pager else None, groups)

    def _is_in(self, profile: Profile, entry: str) -> bool:
        if "@" in entry:
            return entry.lower() == profile.email
        usergroup = self._usergroups.peek(entry)
        return entry == profile.id or (usergroup is not None and profile.id in usergroup.value)

    # asking Slack and PagerDuty

    async def _ask_profile(self, slack_id: str) -> Profile | None:
        try:
            answer = await self._api.call("users.info", user=slack_id)
        except SlackRefused as error:
            if error.code in ("user_not_found", "user_not_visible"):
                return None
            raise
        return _profile(answer["user"])

    async def _ask_email(self, email: str) -> str | None:
        try:
            answer = await self._api.call("users.lookupByEmail", email=email)
        except SlackRefused as error:
            if error.code == "users_not_found":
                return None
            raise
        return str(answer["user"]["id"])

    async def _ask_usergroup(self, usergroup: str) -> frozenset[str]:
        try:
            answer = await self._api.call("usergroups.users.list", usergroup=usergroup)
        except SlackRefused as error:
            if error.code == "no_such_subteam":
                return frozenset()
            raise
        return frozenset(str(user) for user in answer["users"])

    async def _ask_pager(self, email: str) -> str | None:
        return await self._pagerduty_id(email) if self._pagerduty_id else None


def _ids_of(value: object) -> Iterable[str]:
    """The Slack ids that an entry of a group stands for, of what is remembered of it."""
    if isinstance(value, Profile):
        return (value.id,)
    return sorted(value) if isinstance(value, frozenset) else (str(value),)


def _profile(user: Mapping[str, Any]) -> Profile:
    profile: Mapping[str, Any] = user.get("profile") or {}
    name = profile.get("real_name") or user.get("real_name") or user.get("name") or user["id"]
    email = profile.get("email")
    active = not user.get("deleted") and not user.get("is_bot")
    return Profile(str(user["id"]), str(name), str(email).lower() if email else None, active)


async def _all(jobs: Sequence[Awaitable[object]]) -> list[str]:
    """Run them side by side; a sentence for each DeliveryError."""
    results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DeliveryError):
            raise result
    return [str(result) for result in results if isinstance(result, DeliveryError)]
