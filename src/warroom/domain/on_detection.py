"""Violation reports that amount to something: an incident opens, or is joined."""

from warroom.domain.decision import Context
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident
from warroom.domain.inputs import Detection, Input


def on_detection(incident: Incident | None, body: Detection, given: Input, ctx: Context) -> Handled:
    """The facts of a detection."""
    return Handled()
