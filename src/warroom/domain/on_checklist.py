"""Checklists in the room: asked for, ticked, taken back."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.effects import Effect
from warroom.domain.handling import Handled, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.outgoing import Out
from warroom.domain.people import Actor


def on_checklist(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident checklist [NAME [ITEM]]`."""
    return wrong("Not built yet.")


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """The checklist's message in the room, posted once and edited in place; late items are named."""
    return iter(())
