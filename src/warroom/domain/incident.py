"""An incident as it stands: what `evolve` makes of its facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from warroom.domain import facts as f
from warroom.domain import milestones
from warroom.domain.milestones import History
from warroom.domain.people import By
from warroom.domain.policy import Milestone, SeverityId

EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class StepMark:
    """How far an escalation step is. `at` is when it was started, done, skipped or late (UTC); one that is done and was
    not `needed` did nothing. `begun` ones have done at their start what they do."""

    state: Literal["started", "done", "skipped", "late"]
    at: datetime
    by: By
    note: str = ""
    late: datetime | None = None
    reminded: bool = False
    needed: bool = True
    begun: bool = False

    @property
    def said(self) -> str:
        """How far it is in a word or two, for people: see `state`."""
        return "not needed" if self.state == "done" and not self.needed else self.state


@dataclass(frozen=True, kw_only=True)
class ClockMark:
    """What was said about one run of a clock; `deadline` (UTC) is the one that was last said to be missed.

    `breaches` counts how often that was said: after a correction it can be missed all the same.
    """

    warned: bool = False
    breached: bool = False
    deadline: datetime | None = None
    corrected: bool = False
    breaches: int = 0


@dataclass(frozen=True, kw_only=True)
class Update:
    """A status update that went out at `at` (UTC); `heard` is how many of the incident's `news` came before it."""

    at: datetime
    by: By
    human: bool
    status: str
    summary: str
    next_steps: str
    eta: str
    impact: str
    due: datetime | None
    cadence: str = ""
    heard: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One ordered action and what became of it (`outcome` is "requested" until it settles)."""

    run: str
    action: str
    scope: str | None
    reason: str
    mode: str
    by: By
    at: datetime
    parameters: Mapping[str, object] = field(default_factory=dict)
    lifts: tuple[str, ...] = ()
    title: str = ""
    outcome: str = "requested"
    detail: str = ""
    settled: datetime | None = None
    reminded: datetime | None = None
    lapsed: datetime | None = None


@dataclass(frozen=True)
class Lift:
    """A halt was read back as lifted `at` (UTC), by a resumption of `incident`: "" for the halt's own."""

    at: datetime
    incident: str = ""


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One run of probes; `results` is empty until they report."""

    run: str
    what: str
    probes: tuple[str, ...]
    by: By
    at: datetime
    results: tuple[Mapping[str, object], ...] = ()
    reported: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Something that waits for others' approval, or did. `state` is pending, approved, rejected, expired or void.

    `runs` is how many actions had been ordered when it was asked for, `while_open` whether the incident was open then.
    """

    request: f.ApprovalRequested
    by: By
    at: datetime
    given: tuple[By, ...] = ()
    state: str = "pending"
    why: str = ""
    closed_by: By | None = None
    runs: int = 0
    while_open: bool = True


@dataclass(frozen=True, kw_only=True)
class ItemMark:
    """How far an item of a checklist is; `late` is when it should have been done (UTC)."""

    done: bool = False
    at: datetime | None = None
    by: By | None = None
    how: str = ""
    late: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ChecklistMark:
    """A checklist that was put up `at` (UTC); items without a mark are still to be done."""

    at: datetime
    items: Mapping[str, ItemMark] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WatchMark:
    """What a watch last said. `since` is when its state began, `steady` when it was said to be steady (UTC)."""

    state: str
    value: object
    summary: str
    at: datetime
    since: datetime
    steady: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One incident as it stands. `count` is the number of facts folded in, `recent` the last ones worth telling, `news`
    all that updates may tell of, in the order in which we heard of them; `severity_said` is of when the newest word on
    the severity is (UTC), None while there is none but the first."""

    id: str
    title: str
    severity: SeverityId
    severity_reason: str
    severity_since: datetime
    severities: tuple[tuple[datetime, SeverityId], ...]
    opened: datetime
    opened_by: By
    pack: str
    pack_hash: str
    playbook: str | None
    service: str | None
    description: str
    origin: str
    market_open: bool
    details: Mapping[str, object] = field(default_factory=dict)
    count: int = 0
    status: str = "investigating"
    severity_said: datetime | None = None
    pagerduty_id: str | None = None
    pagerduty_url: str | None = None
    bridge: str = ""
    pagerduty_service: str | None = None
    history: History = ()
    roles: Mapping[str, By] = field(default_factory=dict)
    done: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: Mapping[str, f.EffectFailed] = field(default_factory=dict)
    clocks: Mapping[tuple[str, datetime], ClockMark] = field(default_factory=dict)
    steps: Mapping[str, StepMark] = field(default_factory=dict)
    asked: Mapping[str, datetime] = field(default_factory=dict)
    updates: tuple[Update, ...] = ()
    notes: tuple[f.Fact, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    runs: tuple[Run, ...] = ()
    elsewhere: tuple[tuple[datetime, f.HaltLifted], ...] = ()
    halt_told: datetime | None = None
    resolution: f.Resolved | None = None
    joined: tuple[f.Fact, ...] = ()
    joined_ids: tuple[str, ...] = ()
    heard: datetime | None = None
    gathers: str = ""
    detections: tuple[f.Fact, ...] = ()
    drafts: int = 0
    drafted: int = 0
    routine: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    told: frozenset[tuple[str, int]] = frozenset()
    approvals: tuple[Approval, ...] = ()
    checklists: Mapping[str, ChecklistMark] = field(default_factory=dict)
    signed: Mapping[tuple[str, int], f.Fact] = field(default_factory=dict)
    overrides: tuple[f.Fact, ...] = ()
    watches: Mapping[str, WatchMark] = field(default_factory=dict)
    storm: f.StormDetected | None = None
    glass: tuple[f.Fact, ...] = ()
    owed: tuple[f.FollowUpAdded, ...] = ()
    recent: tuple[f.Fact, ...] = ()
    news: tuple[f.Fact, ...] = ()

    def reached(self, milestone: Milestone) -> datetime | None:
        """When the milestone was reached (UTC); None while it is not."""
        return milestones.reached(self.history, milestone)

    @property
    def room(self) -> str | None:
        """The id of the incident's channel, once it exists."""
        return self.done.get("room", EMPTY).get("channel")

    @property
    def room_name(self) -> str | None:
        """The name of the incident's channel without the #, once it exists."""
        return self.done.get("room", EMPTY).get("name")

    @property
    def is_open(self) -> bool:
        """Not resolved (or reopened since). The record of a routine is no open incident."""
        return not self.routine and self.reached("resolved") is None

    @property
    def commander(self) -> By | None:
        """The incident commander, once there is one."""
        return self.roles.get("commander")

    @property
    def halts(self) -> tuple[Run, ...]:
        """Actions with a scope: trading halts, oldest first."""
        return tuple(r for r in self.runs if r.scope)

    def lifted(self, halt: Run) -> Lift | None:
        """What took a halt back: of this incident's confirmed runs only one ordered after it can have done so (they go
        one after the other), of another incident's whatever was read back after the halt was."""
        later = self.runs[self.runs.index(halt) + 1 :]
        own = next((r for r in later if halt.scope in r.lifts and r.outcome == "confirmed"), None)
        if own is not None:
            return Lift(own.settled or own.at)
        for at, other in self.elsewhere:
            reached = other.outcome == "confirmed" and halt.scope in other.scopes
            if reached and halt.settled is not None and halt.settled <= at:
                return Lift(at, other.incident)
        return None
