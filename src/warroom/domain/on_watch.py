"""Watches: reading, and speaking when it matters."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.effects import Effect
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident
from warroom.domain.inputs import EffectResult
from warroom.domain.outgoing import Out


def on_timer(incident: Incident, key: str, ctx: Context) -> Handled:
    """A reading is due."""
    return Handled()


def on_reading(incident: Incident, result: EffectResult, ctx: Context) -> Handled:
    """A reading came back: a fact only when it matters."""
    return Handled()


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What people are told."""
    return iter(())
