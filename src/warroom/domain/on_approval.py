"""Actions beside the halt: ordering, approving, rejecting; what follows from each."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain import on_telling
from warroom.domain.decision import Context
from warroom.domain.effects import Effect
from warroom.domain.handling import Handled, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.outgoing import Out
from warroom.domain.people import Actor
from warroom.domain.policy import Do


def on_action(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident action NAME [name=value …] REASON`."""
    return wrong("Not built yet.")


def automatic(i: Incident, do: Do, run: str, ctx: Context) -> tuple[f.What, ...]:
    """The order that a step's `act` amounts to."""
    return ()


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What follows from requests, approvals, lapses and broken glass."""
    if isinstance(fact.what, f.ApprovalRequested | f.ApprovalGiven | f.ApprovalClosed) and about_message(out.i, fact):
        yield from on_telling.on_approval(out, fact)


def about_message(i: Incident, fact: f.Fact) -> bool:
    """Whether the request that this fact belongs to is for a message."""
    run = getattr(fact.what, "run", None)
    return any(a.request.run == run and a.request.kind == "message" for a in i.approvals)
