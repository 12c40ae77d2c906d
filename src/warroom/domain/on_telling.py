"""Telling people: one message to channels and audiences, by every means the pack names."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.effects import Effect
from warroom.domain.outgoing import Out


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What goes out for a communication that is due, or an external message that was approved."""
    return iter(())
