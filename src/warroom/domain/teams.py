"""Teams: which roles an incident has, and who gets them by being in a group of the deployment."""

from collections.abc import Iterator, Mapping
from typing import Any

from warroom.domain import facts as f
from warroom.domain import milestones
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.people import WARROOM, By
from warroom.domain.policy import Pack, SeverityId

ON_CALL = "on_call"
"""the group that is whoever PagerDuty has on call"""
SYSTEM = "system"
"""the owner of a step that warroom does by itself"""
LOOKED_UP = "people"
"""begins the key of every effect that looks up whom to invite"""


def roles(pack: LoadedPack, severity: SeverityId) -> tuple[str, ...]:
    """The roles of incidents of this severity: those of its teams, or where there is no team those with a group."""
    teams = [team for team in pack.pack.teams.values() if severity in team.severities]
    if teams:
        return tuple(dict.fromkeys(role for team in teams for role in team.roles))
    return tuple(name for name, role in pack.pack.roles.items() if role.group)


def owner(pack: Pack, name: str) -> str:
    """Whose a step or an item is, as people read it: the title of the role, or warroom; "" for nobody's."""
    role = pack.roles.get(name)
    return WARROOM.name if name == SYSTEM else role.title if role else name


def groups(pack: LoadedPack, severity: SeverityId) -> tuple[str, ...]:
    """The groups that fill these roles, in their order."""
    known = pack.pack.roles
    found = (known[name].group for name in roles(pack, severity) if name in known)
    return tuple(dict.fromkeys(group for group in found if group))


def settled(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """Roles that nobody holds go to the first member of their group; what somebody holds is left alone."""
    if not i.is_open:
        return
    for name in roles(pack, i.severity):
        role = pack.pack.roles.get(name)
        if role is None or not role.group:
            continue
        member = next(called(i, role.group), None) if name not in i.roles else None
        if member:
            yield f.RoleAssigned(role=name, person=member)
        if name in i.roles and role.milestone and milestones.first(i.history, role.milestone) is None:
            yield f.MilestoneReached(milestone=role.milestone, source="warroom")


def called(i: Incident, group: str = "") -> Iterator[By]:
    """Whom the look-ups of this incident have found (of one group), as far as Slack knows the person."""
    for key, result in i.done.items():
        if key.partition(":")[0] != LOOKED_UP:
            continue
        for person in _people(result):
            if person.get("slack_id") and (not group or _belongs(str(person.get("why", "")), group)):
                yield By(f"slack:{person['slack_id']}", str(person.get("name") or person["slack_id"]))


def _people(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    people = result.get("people")
    return list(people) if isinstance(people, list | tuple) else []


def _belongs(why: str, group: str) -> bool:
    """Whether somebody was found as a member of the group; `why` names groups, or "on call (level 1)"."""
    reasons = why.split(", ")
    return any(r.startswith("on call") for r in reasons) if group == ON_CALL else group in reasons
