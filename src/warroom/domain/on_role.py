"""Roles: what people are told of who plays which."""

from collections.abc import Iterator, Sequence

from warroom.domain import facts as f
from warroom.domain import views
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.outgoing import POST, Out
from warroom.domain.people import WARROOM


def react(out: Out, before: Incident | None, fact: f.Fact, what: f.RoleAssigned) -> Iterator[Effect]:
    """What follows from one role. That a person gave it is told at once; what `filled` tells together is not here."""
    key = f"role:{what.role}:{out.i.count}"
    if fact.by != WARROOM:
        held = before.roles.get(what.role) if before else None
        instead = views.who(held) if held and held.id != what.person.id else ""
        yield out.say(key, "role_assigned", _row(out, what) | {"by": views.who(fact.by), "instead": instead})
    invite = {"people": [what.person.slack_id], "groups": []}
    if what.person.slack_id and fact.by != WARROOM:  # whom a look-up found is invited by it
        yield out.effect(f"invite:{key}", "slack.invite", invite, rank=POST, after=("room",))
    if what.role == "commander":
        yield from out.announcements()


def filled(out: Out, facts: Sequence[f.Fact]) -> Iterator[Effect]:
    """One message for all the roles filled from their groups at one moment; `facts` are those of one input."""
    given = [fact.what for fact in facts if fact.by == WARROOM and isinstance(fact.what, f.RoleAssigned)]
    if given:
        yield out.say(f"roles:{out.i.count}", "roles_filled", {"rows": [_row(out, what) for what in given]})


def _row(out: Out, what: f.RoleAssigned) -> dict[str, str]:
    """A role as a message shows it; `group` is where its holder comes from when nobody else is chosen."""
    role = out.pack.pack.roles.get(what.role)
    group = role.group if role and role.group else ""
    return {
        "role": role.title if role else what.role,
        "duty": role.duty if role else "",
        "person": views.who(what.person),
        "name": what.role,
        "group": out.pack.pack.groups.get(group, group),
    }
