"""Who may do what besides the guarded actions: take a part from outside the room, call an incident less grave."""

from warroom.domain import facts as f
from warroom.domain import teams
from warroom.domain.decision import Context
from warroom.domain.effects import Reply
from warroom.domain.handling import Handled, not_in
from warroom.domain.incident import Incident
from warroom.domain.inputs import Click, Command, Input
from warroom.domain.people import Actor
from warroom.domain.policy import SeverityId
from warroom.domain.routing import RANK

GRAVE: tuple[SeverityId, ...] = ("P0", "P1")


def not_from_here(incident: Incident, actor: Actor, given: Input, ctx: Context) -> Handled | None:
    """A sentence when command or a role is given from a place where nobody follows the incident, by somebody of no
    group and without an account in PagerDuty; None when it may go on. Whom Slack cannot tell us is let through."""
    body = given.body
    channel = body.channel if isinstance(body, Command | Click) else ""
    told = {str(result.get("channel")) for result in incident.done.values() if result.get("channel")}
    known = bool(actor.groups or actor.pagerduty_id) or not actor.verified or actor.by in incident.roles.values()
    if known or channel in told:
        return None
    room = f"#{incident.room_name}" if incident.room_name else "the incident's room"
    fact = f.Denied(what="taking or giving a role", why=f"{actor.name} is in no group and typed it outside of the room")
    text = "Nobody there follows the incident, and you are in none of the platform's groups. Nothing was changed."
    hint = f"Join {room} and type it there: then you take part, and everybody sees it."
    return Handled(ctx.facts(actor.by, fact), Reply("mistake", {"text": text, "hints": [hint]}))


def not_less_grave(incident: Incident, actor: Actor, severity: SeverityId, ctx: Context) -> Handled | None:
    """A refusal when somebody lowers a P0 or P1 who neither has a part in it nor is of the groups it calls; None when
    it may go on. Raising is open to everybody."""
    lower = RANK[severity] > RANK[incident.severity]
    return _without_part(incident, actor, f"Lowering {incident.severity} to {severity}", ctx) if lower else None


def not_over(incident: Incident, actor: Actor, ctx: Context) -> Handled | None:
    """A refusal when such a person resolves one: it would end the updates, the clocks and the escalation as well."""
    return _without_part(incident, actor, f"Resolving a {incident.severity}", ctx) if incident.is_open else None


def _without_part(incident: Incident, actor: Actor, what: str, ctx: Context) -> Handled | None:
    if incident.severity not in GRAVE:
        return None
    roles = [role.group for role in ctx.pack.pack.roles.values() if role.group]
    groups = dict.fromkeys([*ctx.pack.pack.severities[incident.severity].invite, *roles])
    called = {person.id for person in teams.called(incident)}
    parts = {incident.opened_by.id, *(by.id for by in incident.roles.values())}
    if actor.by.id in called | parts or actor.groups & set(groups):
        return None
    hint = "" if incident.commander else "Nobody is in command: whoever takes it (/incident take) may do it."
    who = ["the incident commander", *groups]
    commander = incident.commander.slack_id if incident.commander else None
    return not_in(actor, what, who, ctx, recorded=True, hint=hint, first=commander)
