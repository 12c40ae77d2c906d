"""What happened: the only source of an incident's state, append-only.

A `Fact` says when it happened (UTC; PagerDuty's own time where PagerDuty knows it), by whom, and what. Everything in
`What` is plain data, so that a fact is stored as JSON and hashed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from warroom.domain.people import By
from warroom.domain.policy import Milestone, SeverityId


@dataclass(frozen=True, kw_only=True)
class IncidentOpened:
    """An incident began; the pack is frozen by its hash. `routine` names the routine whose report this is: such a
    record has no room and closes itself. `storm` is the storm of the pack that its first alert counts for."""

    id: str
    title: str
    severity: SeverityId
    severity_reason: str
    pack: str
    pack_hash: str
    playbook: str | None
    service: str | None
    description: str
    origin: Literal["pagerduty", "slack", "violations", "routine"]
    pagerduty_service: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    market_open: bool = False
    routine: str = ""
    storm: str = ""


@dataclass(frozen=True, kw_only=True)
class PagerDutyLinked:
    """The incident has a counterpart in PagerDuty; `bridge` is the address (or number) of its conference, or ""."""

    pagerduty_id: str
    url: str | None
    service_id: str | None
    bridge: str = ""


@dataclass(frozen=True, kw_only=True)
class BridgeChanged:
    """The incident has another conference bridge in PagerDuty: its address (or number), "" when it was taken away."""

    bridge: str


@dataclass(frozen=True, kw_only=True)
class MilestoneReached:
    """A milestone was reached at the fact's time, as `source` says."""

    milestone: Milestone
    source: Literal["pagerduty", "slack", "warroom"]


@dataclass(frozen=True, kw_only=True)
class MilestoneWithdrawn:
    """A milestone no longer holds: PagerDuty unacknowledged or reopened the incident."""

    milestone: Milestone
    source: Literal["pagerduty", "slack", "warroom"]


@dataclass(frozen=True, kw_only=True)
class SeverityChanged:
    """The severity is another one from now on."""

    severity: SeverityId
    reason: str


@dataclass(frozen=True, kw_only=True)
class SeverityConfirmed:
    """PagerDuty's priority was set to what the severity is already: older news of another one does not count."""

    severity: SeverityId


@dataclass(frozen=True, kw_only=True)
class StatusChanged:
    """Investigating, identified, monitoring or resolved."""

    status: str


@dataclass(frozen=True, kw_only=True)
class RoleAssigned:
    """A role is now played by `person`."""

    role: str
    person: By


@dataclass(frozen=True, kw_only=True)
class EffectDone:
    """An effect took place; `result` is what the other side said."""

    key: str
    kind: str
    result: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EffectFailed:
    """An effect did not take place (refused), or nobody knows (unknown)."""

    key: str
    kind: str
    outcome: Literal["refused", "unknown"]
    error: str


@dataclass(frozen=True, kw_only=True)
class EffectDelayed:
    """An effect has been tried for a while and does not get through; it goes on being tried."""

    key: str
    kind: str
    error: str


@dataclass(frozen=True, kw_only=True)
class ClockWarned:
    """A clock that began at `start` is about to run out."""

    clock: str
    start: datetime


@dataclass(frozen=True, kw_only=True)
class ClockBreached:
    """A clock that began at `start` ran out at `deadline`."""

    clock: str
    start: datetime
    deadline: datetime


@dataclass(frozen=True, kw_only=True)
class ClockCorrected:
    """A breach was announced, but the milestone had been reached in time (at `reached`)."""

    clock: str
    start: datetime
    reached: datetime


@dataclass(frozen=True, kw_only=True)
class StepStarted:
    """An escalation step's time has come."""

    step: str


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """An escalation step is done. With `needed` false nothing was done: `how` came before it began, and it escalates
    only without that."""

    step: str
    how: str
    needed: bool = True


@dataclass(frozen=True, kw_only=True)
class StepReopened:
    """A step was done because a milestone was reached, and that was taken back: it is to be done again."""

    step: str


@dataclass(frozen=True, kw_only=True)
class StepSkipped:
    """An escalation step was left out, for a reason."""

    step: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class StepLate:
    """An escalation step was not done by its end (`due`)."""

    step: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class UpdateAsked:
    """The room was asked for the update due at `due`."""

    cadence: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class UpdateGiven:
    """A status update went out. `human` is False when nobody answered and it was made from what is known.

    `due` is the scheduled moment it answers; None when given in between. `cadence` names the schedule it was made
    for; "" for a person's update, which serves all of them.
    """

    human: bool
    status: str
    summary: str
    next_steps: str
    eta: str
    impact: str
    due: datetime | None = None
    cadence: str = ""


@dataclass(frozen=True, kw_only=True)
class NoteAdded:
    """Something for the timeline: a note, a marked message (`ts`), or news from PagerDuty."""

    text: str
    kind: str = "note"
    ts: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProbesRequested:
    """Somebody (or a step) asked for diagnostics."""

    run: str
    what: str
    probes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProbesReported:
    """The probes of a run came back; `results` are dicts of `platform.ProbeResult`.

    `seal` is the SHA-256 of the archive with the raw answers, "" when none was made.
    """

    run: str
    results: tuple[Mapping[str, object], ...]
    seal: str = ""


@dataclass(frozen=True, kw_only=True)
class ActionRequested:
    """An authorised person, or warroom by an automatic rule, ordered an action. `mode` is dry_run or live.

    `lifts` are the scopes of the halts that it takes back once it is confirmed; `title` is what people call it.
    """

    run: str
    action: str
    scope: str | None
    reason: str
    mode: Literal["dry_run", "live"]
    parameters: Mapping[str, object] = field(default_factory=dict)
    lifts: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class HaltStands:
    """The incident is resolved and its halt is not lifted; people were reminded, `due` then (UTC)."""

    due: datetime


@dataclass(frozen=True, kw_only=True)
class HaltLifted:
    """Trading was resumed from another incident of the same platform (`incident`, its run `run`, ordered by whoever
    the fact is by): at the fact's time it was read back. Confirmed, it lifts this incident's halts of these scopes,
    too; unknown, nobody can say whether they stand."""

    incident: str
    run: str
    scopes: tuple[str, ...]
    outcome: Literal["confirmed", "unknown"]
    reason: str
    approved_by: tuple[By, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ActionHeld:
    """An automatic rule would have ordered an action and did not, as `why` says; nothing was sent. `off`: actions are
    switched off here, so no command sends it either."""

    run: str
    action: str
    why: str
    off: bool = False


@dataclass(frozen=True, kw_only=True)
class ActionSettled:
    """What became of an action: confirmed by reading back, failed, or unknown."""

    run: str
    action: str
    scope: str | None
    outcome: Literal["confirmed", "failed", "unknown", "dry_run"]
    detail: str


@dataclass(frozen=True, kw_only=True)
class Denied:
    """Somebody asked for what they may not do; nothing was done."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What the people said when they resolved it."""

    summary: str
    root_cause: str
    actions_taken: str
    impact: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftAsked:
    """A post-mortem draft is wanted; drafts are numbered from 1."""

    number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class AlertJoined:
    """Another alert belongs to this incident. `storm` names the storm of the pack that it counts for, or ""."""

    pagerduty_id: str
    title: str
    storm: str = ""


@dataclass(frozen=True, kw_only=True)
class DetectionJoined:
    """More violations than the incident opened for: the detection `key` of `rule` (a level, or an alert rule)."""

    key: str
    rule: str
    reason: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PlaybookChanged:
    """Another playbook fits better from now on, as `reason` says."""

    playbook: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class StormDetected:
    """So many alerts within so little time (seconds) that they are one storm of the pack."""

    storm: str
    count: int
    within: int


@dataclass(frozen=True, kw_only=True)
class FieldSet:
    """A field of the pack has a value, from the alert or from a person."""

    field: str
    value: str
    source: Literal["alert", "default", "person"]


@dataclass(frozen=True, kw_only=True)
class StepReminded:
    """The owner of a step was reminded that it is due soon."""

    step: str


@dataclass(frozen=True, kw_only=True)
class CommunicationDue:
    """A communication of the pack goes out; `turn` counts how often its milestone was reached (from 1)."""

    communication: str
    turn: int


@dataclass(frozen=True, kw_only=True)
class ApprovalRequested:
    """Somebody wants something that others must approve: an action, or a message to an external audience.

    `subject` is the action's id, or `COMMUNICATION:TURN:AUDIENCE` of a message. `run` is the run that begins when it
    is approved. Whoever the fact is by is the requester, who cannot approve. `expires` is UTC. `text` is what is
    approved, word for word, and `digest` stands for it: an action whose digest is another one by then is not sent.
    `lifts` and `mode` as in `ActionRequested`: what was asked for as a rehearsal says so until it is over.
    """

    run: str
    kind: Literal["action", "message"]
    subject: str
    title: str
    reason: str
    need: int
    approvers: tuple[str, ...]
    expires: datetime
    scope: str | None = None
    consequence: str = ""
    text: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    digest: str = ""
    lifts: tuple[str, ...] = ()
    mode: Literal["dry_run", "live"] = "live"


@dataclass(frozen=True, kw_only=True)
class ApprovalGiven:
    """Somebody approved."""

    run: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class ApprovalClosed:
    """An approval is over without consequence: rejected by a person, expired, or void, as `why` says."""

    run: str
    how: Literal["rejected", "expired", "void"]
    why: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class ActionLapsing:
    """A time-limited action lapses soon; people were reminded."""

    run: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class ActionLapsed:
    """A time-limited action is over."""

    run: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class GlassBroken:
    """Somebody without the right to ordered a halt (`run`) all the same."""

    run: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FollowUpAdded:
    """Something is owed after the incident, until `due` (UTC)."""

    title: str
    why: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class ChecklistBegun:
    """A checklist was put up in the room."""

    checklist: str


@dataclass(frozen=True, kw_only=True)
class ItemDone:
    """An item of a checklist is done, by a person or proved by the record, as `how` says ("" for a person's word)."""

    checklist: str
    item: str
    how: str


@dataclass(frozen=True, kw_only=True)
class ItemUndone:
    """A person took a tick back."""

    checklist: str
    item: str


@dataclass(frozen=True, kw_only=True)
class ItemLate:
    """An item was not done by `due` (UTC)."""

    checklist: str
    item: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class SignedOff:
    """A person who may do so signed off a criterion (its number, from 0) of a gate."""

    gate: str
    criterion: int


@dataclass(frozen=True, kw_only=True)
class GateOverridden:
    """Somebody went through a gate although these criteria (their titles) were not met, for a reason. `via` pagerduty:
    it was resolved there, where nobody is asked."""

    gate: str
    unmet: tuple[str, ...]
    reason: str
    via: Literal["slack", "pagerduty"] = "slack"


@dataclass(frozen=True, kw_only=True)
class WatchSaw:
    """A watch saw something that matters: another state, or a value that moved. `anew`: nothing is known of the time
    before, so that what it says counts from now."""

    watch: str
    state: Literal["ok", "failed", "error"]
    value: object
    summary: str
    why: str
    anew: bool = False


@dataclass(frozen=True, kw_only=True)
class WatchSteady:
    """A watch has been healthy without a break since `since` (UTC), for as long as the pack asks."""

    watch: str
    since: datetime


What = (
    IncidentOpened
    | PagerDutyLinked
    | BridgeChanged
    | MilestoneReached
    | MilestoneWithdrawn
    | SeverityChanged
    | SeverityConfirmed
    | StatusChanged
    | RoleAssigned
    | EffectDone
    | EffectFailed
    | EffectDelayed
    | ClockWarned
    | ClockBreached
    | ClockCorrected
    | StepStarted
    | StepDone
    | StepReopened
    | StepSkipped
    | StepLate
    | UpdateAsked
    | UpdateGiven
    | NoteAdded
    | ProbesRequested
    | ProbesReported
    | ActionRequested
    | ActionHeld
    | ActionSettled
    | HaltLifted
    | HaltStands
    | Denied
    | Resolved
    | DraftAsked
    | AlertJoined
    | DetectionJoined
    | PlaybookChanged
    | StormDetected
    | FieldSet
    | StepReminded
    | CommunicationDue
    | ApprovalRequested
    | ApprovalGiven
    | ApprovalClosed
    | ActionLapsing
    | ActionLapsed
    | GlassBroken
    | FollowUpAdded
    | ChecklistBegun
    | ItemDone
    | ItemUndone
    | ItemLate
    | SignedOff
    | GateOverridden
    | WatchSaw
    | WatchSteady
)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """`what` happened `at` (UTC), by `by`. `recorded` is when we learned of it (UTC)."""

    at: datetime
    recorded: datetime
    by: By
    what: What
