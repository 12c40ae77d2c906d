"""What a person says of how far an incident is, where no action or step says it by itself."""

from warroom.domain import facts as f
from warroom.domain import gates, protocol
from warroom.domain.commands import did_you_mean
from warroom.domain.decision import Context
from warroom.domain.effects import Reply, moment
from warroom.domain.handling import Handled, not_in, room_link, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.people import Actor
from warroom.domain.terms import Milestone
from warroom.domain.words import reaching

BY_HAND: tuple[Milestone, ...] = ("contained", "recovery_started", "validated", "reviewed")
"""The milestones people may reach by saying so; the others follow from acknowledging, resolving and so on."""


WITH_A_ROLE = "people with a role in this incident"


def on_milestone(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident milestone NAME`: it holds from now on, and whoever is told of it is told."""
    said = "_".join(text.lower().replace("-", " ").split())
    name = next((milestone for milestone in BY_HAND if milestone == said), None)
    if name is None:
        near = did_you_mean(said, BY_HAND) if said else BY_HAND
        wrongly = f"Nobody can say that it is “{text.strip()}”." if said else "Say how far the incident is."
        return wrong(wrongly, *(f"/incident milestone {name}" for name in near))
    at = incident.reached(name)
    if at:
        return say("already", text=f"{reaching(name)} already", at=moment(at), **room_link(incident))
    if not _may(incident, actor, ctx):
        who = [name for name in (gates.COMMANDERS,) if name in ctx.pack.pack.groups]
        return not_in(actor, f"/incident milestone {name}", [*who, WITH_A_ROLE], ctx, recorded=True)
    if name == "reviewed" and incident.is_open:
        return wrong(
            f"{incident.id} is still open: it is reviewed after it is resolved.", "/incident resolve resolves it."
        )
    if name != "reviewed" and not incident.is_open:
        return wrong(f"{incident.id} is resolved already.", "/incident note TEXT still adds to its timeline.")
    reached = f.MilestoneReached(milestone=name, source="slack")
    told = any(c.at == name for c in protocol.communications(incident, ctx.pack))
    written = f"Written down that {reaching(name)}" + ("; whom the pack names is told" if told else "")
    answer = Reply("done", {"text": written, **room_link(incident)})
    return Handled(ctx.facts(actor.by, reached), answer)


def _may(incident: Incident, actor: Actor, ctx: Context) -> bool:
    """What others are told, and gates that open, rest on it: it is for those who lead or have a role."""
    return gates.may_override(incident, ctx.pack, actor) or actor.by.id in {by.id for by in incident.roles.values()}
