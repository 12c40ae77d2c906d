"""What the engine asks of the outside, as protocols. Adapters implement these and nothing else is known of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.people import Actor


class Clock(Protocol):
    """Where all time comes from."""

    def now(self) -> datetime:
        """The time now (aware, UTC)."""
        ...

    def seconds(self) -> float:
        """Seconds that pass evenly, whatever happens to the date; for rate limits."""
        ...

    def real_seconds(self, until: datetime) -> float:
        """How many seconds of real waiting lie before `until`; 0 when it is past."""
        ...


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attempt at an effect.

    `id` is opaque and the same for every attempt: it travels in message metadata so that the effect can be found
    again. `incident` is the state at the moment of sending. `attempt` counts from 1.
    """

    id: str
    effect: Effect
    incident: Incident
    pack: LoadedPack
    attempt: int
    now: datetime


class Performer(Protocol):
    """Does the effects of certain kinds."""

    kinds: frozenset[str]

    def buckets(self, job: Job) -> tuple[str, ...]:
        """Names of the rate limits this effect draws on (see `engine.limits`)."""
        ...

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Do it; returns the result for `EffectDone`. Raises TryAgain, Refused or Uncertain."""
        ...

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """After an attempt of unknown outcome: the result if it took effect, None if it surely did not.

        Raises Uncertain when that cannot be settled (the effect is then recorded as unknown and people are told),
        TryAgain when it cannot be asked right now.
        """
        ...


class Directory(Protocol):
    """Knows people across Slack and PagerDuty."""

    async def actor(self, slack_id: str, name: str) -> Actor:
        """The person behind a Slack id, with groups; from memory where possible, never failing."""
        ...

    def known(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Slack ids of the people of these groups as far as they are remembered; nobody is asked."""
        ...

    async def members(self, groups: tuple[str, ...]) -> tuple[Actor, ...]:
        """The people of these groups of warroom.yaml, each once. Raises TryAgain when they cannot be asked for."""
        ...


@dataclass(frozen=True, kw_only=True)
class OnCallPerson:
    """Somebody on call in PagerDuty; level 1 is paged first."""

    pagerduty_id: str
    name: str
    email: str
    level: int


class OnCalls(Protocol):
    """Knows who is on call."""

    async def on_call(self, service: str) -> tuple[OnCallPerson, ...]:
        """On call now for the escalation policy of a PagerDuty service id. Raises TryAgain or Refused."""
        ...
