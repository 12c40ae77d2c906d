"""Fields in the room: asked for, set by people."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.effects import Effect
from warroom.domain.handling import Handled, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.outgoing import Out
from warroom.domain.people import Actor


def on_set(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident set NAME VALUE`; without words a form."""
    return wrong("Not built yet.")


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What people are told and asked."""
    return iter(())
