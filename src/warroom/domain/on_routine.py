"""Routines: the record of a run, its report, and the end of it."""

from warroom.domain.decision import Context
from warroom.domain.handling import Handled
from warroom.domain.inputs import Input, RoutineDue


def on_routine(body: RoutineDue, given: Input, ctx: Context) -> Handled:
    """The facts that begin a run."""
    return Handled()
