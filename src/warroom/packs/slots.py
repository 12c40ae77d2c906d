"""The names that a probe or an action needs values for."""

from warroom.domain.policy import Action, Probe
from warroom.domain.slots import binds, slots

GIVEN = ("reason", "operator", "incident")
"""What every order carries beside its parameters and the incident's fields."""


def asked_with(probe: Probe) -> frozenset[str]:
    """The {name}s of a probe's path, body and arguments, and the :names of its statement."""
    return slots((probe.http, probe.command, probe.body)) | binds(probe.sql or "")


def expected_with(probe: Probe) -> frozenset[str]:
    """The {name}s in a probe's expectations, filled only when it reads back an action."""
    return slots(tuple((e.contains, e.equals) for e in probe.expect))


def sent_with(action: Action) -> frozenset[str]:
    """Every name an action's request needs a value for."""
    return slots((action.http, action.command, action.record, action.body)) | binds(action.sql or "")
