"""A pack: one platform's runbook as data. These dataclasses are the schema of the YAML.

Durations are `timedelta` (written `15m`, `1h 30m`, `90s` in YAML), always positive. Milestones, severities,
probes, actions and groups refer to each other by name; `packs.loader` checks that every name exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal

Milestone = Literal[
    "detected",
    "declared",
    "announced",
    "acknowledged",
    "responding",
    "commander_assigned",
    "contained",
    "recovery_started",
    "validated",
    "resolved",
    "resolution_announced",
    "reviewed",
    "closed",
]
SeverityId = Literal["P0", "P1", "P2", "P3"]
Counting = Literal["always", "market_hours"]

STRICT = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class When:
    """One condition over an alert. Exactly one of the tests is set.

    `field` is title, description, service, priority, urgency, market ("open" or "closed") or details.NAME.
    `matches` is a case-insensitive regular expression searched in the text; `over` and `under` compare numbers,
    the edge itself not counted.
    """

    __pydantic_config__ = STRICT
    field: str
    matches: str | None = None
    equals: str | float | bool | None = None
    over: float | None = None
    under: float | None = None


@dataclass(frozen=True, kw_only=True)
class SeverityRule:
    """`severity` when all of `all` and, if given, at least one of `any` hold; the first rule that fits decides."""

    __pydantic_config__ = STRICT
    severity: SeverityId
    reason: str
    all: tuple[When, ...] = ()
    any: tuple[When, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Clock:
    """From milestone `start` to milestone `end` within `within`, counted always or in market hours only.

    `tell` are the groups that are paged when it is missed.
    """

    __pydantic_config__ = STRICT
    title: str
    start: Milestone
    end: Milestone
    within: timedelta
    counting: Counting = "always"
    warn_before: timedelta | None = None
    tell: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Do:
    """What a step does by itself when it starts.

    announce: the severity's announcement. page: PagerDuty responder requests to `groups`. escalate: raise the
    PagerDuty escalation level. probes: run the probe group `probes`. post: `message` to `channels`.
    """

    __pydantic_config__ = STRICT
    kind: Literal["announce", "page", "escalate", "probes", "post"]
    groups: tuple[str, ...] = ()
    probes: str | None = None
    message: str | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """An escalation step: from `start` to `end` after milestone `after`, unless it is done before.

    `owner` is "system" or a role. The step is done when one of `done_on` (a milestone, `action:NAME` confirmed,
    `probes:GROUP` reported, or `effects`: everything in `does` delivered) is reached, or when a person says so.
    At `end` it is late: `if_late` happens and the owner is named.
    """

    __pydantic_config__ = STRICT
    id: str
    title: str
    owner: str
    start: timedelta
    end: timedelta | None = None
    after: Milestone = "declared"
    ask: str = ""
    does: tuple[Do, ...] = ()
    done_on: tuple[str, ...] = ()
    if_late: tuple[Do, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """Every `every` from milestone `start` until milestone `end`, `message` to `channels`.

    `ask_before` is how long before it is due the room is asked for the text.
    """

    __pydantic_config__ = STRICT
    id: str
    title: str
    every: timedelta
    message: str
    channels: tuple[str, ...]
    start: Milestone = "declared"
    end: Milestone = "resolved"
    ask_before: timedelta = timedelta(minutes=3)


@dataclass(frozen=True, kw_only=True)
class Communication:
    """At milestone `at`, `message` to `channels`."""

    __pydantic_config__ = STRICT
    id: str
    at: Milestone
    message: str
    channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Where the first alert goes and whom it rings."""

    __pydantic_config__ = STRICT
    channel: str
    message: str
    broadcast: Literal["channel", "here"] | None = None


@dataclass(frozen=True, kw_only=True)
class Severity:
    """What a severity means and sets going."""

    __pydantic_config__ = STRICT
    title: str
    definition: str
    emoji: str
    announce: Announcement
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    cadences: tuple[Cadence, ...] = ()
    communications: tuple[Communication, ...] = ()
    invite: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Role:
    """A part somebody plays in an incident."""

    __pydantic_config__ = STRICT
    title: str
    duty: str = ""
    milestone: Milestone | None = None


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What a healthy answer looks like. `value` is a JMESPath into the JSON answer.

    With none of the tests set, any answer with a good status is healthy; `over`/`under` exclude the edge.
    """

    __pydantic_config__ = STRICT
    value: str | None = None
    equals: str | float | bool | None = None
    over: float | None = None
    under: float | None = None
    contains: str | None = None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A reading that changes nothing. Exactly one of `http`, `tcp`, `command`, `sql` says how.

    http: "BASE/path", BASE a name of `urls`. tcp: a name of `urls` (host:port), with `send`. command: an argument
    list, the first a name of `tools`; never a shell. sql: one SELECT against database `database`.
    """

    __pydantic_config__ = STRICT
    title: str
    http: str | None = None
    tcp: str | None = None
    command: tuple[str, ...] | None = None
    sql: str | None = None
    database: str = ""
    method: Literal["GET", "HEAD"] = "GET"
    send: str = ""
    auth: str | None = None
    expect: tuple[Expect, ...] = ()
    timeout: timedelta = timedelta(seconds=5)
    shows: str | None = None
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value an action needs, with its bounds."""

    __pydantic_config__ = STRICT
    title: str
    type: Literal["text", "number"] = "text"
    default: str | float | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """How an action is verified: a probe, and how long it may take until the probe shows the effect.

    {name} in the probe's expectations is filled from the action's parameters.
    """

    __pydantic_config__ = STRICT
    probe: str
    within: timedelta = timedelta(seconds=10)
    every: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Action:
    """An act on the platform. {name} in `body` is filled from parameters, `reason` and `operator`.

    `danger`: contain (a halt; one authorised person), change, extreme (two people). `scope` names what a halt
    stops; only actions with a scope are offered by /halt. `auth` names the environment variable with the bearer
    token.
    """

    __pydantic_config__ = STRICT
    title: str
    http: str
    danger: Literal["contain", "change", "extreme"]
    who: tuple[str, ...]
    read_back: ReadBack
    method: Literal["POST", "PUT", "DELETE"] = "POST"
    body: Mapping[str, str | int | float | bool | tuple[str, ...]] = field(default_factory=dict)
    auth: str | None = None
    scope: str | None = None
    consequence: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    undo: str | None = None
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """One step of a playbook's resolution, in order; `action` when we can do it, else it is done by hand."""

    __pydantic_config__ = STRICT
    title: str
    how: str = ""
    action: str | None = None
    last_resort: bool = False


@dataclass(frozen=True, kw_only=True)
class Playbook:
    """What to look at and what to do for one kind of incident."""

    __pydantic_config__ = STRICT
    title: str
    match: tuple[When, ...]
    symptoms: tuple[str, ...]
    diagnosis: tuple[str, ...]
    resolution: tuple[Resolution, ...]
    prevention: tuple[str, ...] = ()
    plain: str = ""
    desk: str = ""
    systems: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Whom to reach and how; `phone` names a contact setting of the deployment."""

    __pydantic_config__ = STRICT
    title: str
    level: str = ""
    channel: str | None = None
    phone: str | None = None
    group: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When the market is open: local `open` to `close` on weekdays that are no holiday of `holidays`.

    `holidays` names a calendar of the `holidays` package ("NYSE"), or is empty.
    """

    __pydantic_config__ = STRICT
    timezone: str
    open: time
    close: time
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    holidays: str = ""


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Something the review owes after the incident, due `within` after `after`."""

    __pydantic_config__ = STRICT
    id: str
    title: str
    within: timedelta
    after: Milestone = "resolved"
    items: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A figure the platform holds itself to."""

    __pydantic_config__ = STRICT
    title: str
    target: timedelta


@dataclass(frozen=True, kw_only=True)
class Pack:
    """One platform's policy.

    `tools` gives the argument list that a probe's command begins with, by its first word; `databases` says what
    each database is for. Their addresses, like other values for `urls` and `channels`, come from the deployment.
    """

    __pydantic_config__ = STRICT
    id: str
    title: str
    version: str
    source: str
    services: tuple[str, ...]
    urls: Mapping[str, str]
    channels: Mapping[str, str]
    groups: Mapping[str, str]
    roles: Mapping[str, Role]
    calendar: Calendar
    severities: Mapping[SeverityId, Severity]
    severity_rules: tuple[SeverityRule, ...]
    priorities: Mapping[str, SeverityId]
    urgencies: Mapping[str, SeverityId]
    playbooks: Mapping[str, Playbook]
    probes: Mapping[str, Probe]
    probe_groups: Mapping[str, tuple[str, ...]]
    actions: Mapping[str, Action]
    tools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict)
    contacts: tuple[Contact, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    postmortem: str = "postmortem"
    storm_window: timedelta = timedelta(minutes=10)
