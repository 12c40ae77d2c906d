"""Everything that can reach us. An `Input` is written to the inbox before anybody gets an answer.

`source` and `source_id` together are unique: a repeat of the same delivery is recognised by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from warroom.domain.people import Actor, By
from warroom.domain.policy import SeverityId


@dataclass(frozen=True, kw_only=True)
class PagerDutyIncident:
    """What a PagerDuty payload tells about its incident; absent parts are None or empty."""

    id: str
    title: str = ""
    number: int | None = None
    url: str | None = None
    status: str | None = None
    urgency: str | None = None
    priority: str | None = None
    service_id: str | None = None
    service_name: str | None = None
    key: str | None = None
    created_at: datetime | None = None
    assignees: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PagerDutyEvent:
    """A webhook v3 event, or the same news read by the reconciler.

    `type` is PagerDuty's, e.g. "incident.acknowledged". `text` is a note's or update's content; `people` are
    names of assignees or responders; `at` is PagerDuty's occurred_at (UTC).
    """

    type: str
    at: datetime
    incident: PagerDutyIncident | None
    agent: By
    text: str = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Command:
    """A slash command, e.g. name="/incident", text="ack". `nobody` are the Slack ids mentioned in `text` behind which
    the directory knows no person: nobody at all, a bot, a deactivated account."""

    actor: Actor
    channel: str
    name: str
    text: str
    trigger: str
    response_url: str = ""
    nobody: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Click:
    """A button. `action` is its action_id, `value` what we put in it."""

    actor: Actor
    channel: str
    message_ts: str
    action: str
    value: str
    trigger: str
    response_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A modal sent in. `form` is its callback id, `about` the incident id it was opened for (or "")."""

    actor: Actor
    form: str
    about: str
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """Somebody marked a message in an incident's channel for the timeline (:pushpin:)."""

    actor: Actor
    channel: str
    ts: str


@dataclass(frozen=True, kw_only=True)
class TimerDue:
    """A moment of `schedule` has come. `due` is when it should have been (UTC)."""

    incident: str
    key: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class TakenUp:
    """The bot has started: what the incident waits for is worked out anew, as rules may be newer than its timers."""

    incident: str


@dataclass(frozen=True, kw_only=True)
class EffectResult:
    """What became of an effect: outcome is done, refused (for good), unknown, or delayed (it is still being tried)."""

    incident: str
    key: str
    kind: str
    outcome: str
    result: Mapping[str, object] = field(default_factory=dict)
    error: str = ""
    started: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LiftedElsewhere:
    """Another incident of the same platform (`by_incident`) resumed trading, and with it lifted halts of `incident`,
    or may have: `outcome` is confirmed or unknown. `at` is when that was read back (UTC)."""

    incident: str
    by_incident: str
    run: str
    scopes: tuple[str, ...]
    outcome: Literal["confirmed", "unknown"]
    reason: str
    at: datetime
    by: By
    approved_by: tuple[By, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The violation reports of a pack amount to something: the breaker trips, or an alert rule fires.

    `key` names what was detected for as long as it lasts: a second detection with the same key joins the incident.
    `at` is when the last violation of it happened (UTC).
    """

    pack: str
    key: str
    rule: str
    title: str
    severity: SeverityId
    reason: str
    at: datetime
    service: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RoutineDue:
    """A routine of a pack is due on a trading day. `due` is when it should have begun (UTC)."""

    pack: str
    routine: str
    due: datetime


Body = (
    PagerDutyEvent
    | Command
    | Click
    | Submission
    | Pinned
    | TimerDue
    | TakenUp
    | EffectResult
    | LiftedElsewhere
    | Detection
    | RoutineDue
)


@dataclass(frozen=True, kw_only=True)
class Input:
    """One thing that reached us, and when (UTC)."""

    source: str
    source_id: str
    received: datetime
    body: Body
