"""A pack: one platform's runbook as data. These dataclasses are the schema of the YAML.

Durations are `timedelta` (written `15m`, `1h 30m`, `90s` in YAML), always positive. Milestones, severities,
probes, actions and groups refer to each other by name; `packs.loader` checks that every name exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal

from warroom.domain.procedures import (
    Audience,
    BreakGlass,
    Call,
    Checklist,
    Field,
    Gate,
    Phase,
    Routine,
    Storm,
    Team,
    Violations,
    Watch,
)
from warroom.domain.terms import STRICT as STRICT
from warroom.domain.terms import Counting as Counting
from warroom.domain.terms import Market as Market
from warroom.domain.terms import Milestone as Milestone
from warroom.domain.terms import SeverityId as SeverityId
from warroom.domain.terms import When as When

Hours = Literal["always", "business", "market"]


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
    """From milestone `start` to milestone `end` within `within`, counted always, in market hours only, in the hours of
    the office only, or on business days only (all 24 hours of them).

    `market`: it exists only in incidents that began while the market was open (closed). `tell` are the groups that are
    paged when it is missed.
    """

    __pydantic_config__ = STRICT
    title: str
    start: Milestone
    end: Milestone
    within: timedelta
    counting: Counting = "always"
    market: Market = "always"
    warn_before: timedelta | None = None
    tell: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Do:
    """What a step does by itself when it starts.

    announce: the severity's announcement. page: PagerDuty responder requests to `groups`. escalate: raise the
    PagerDuty escalation level. probes: run the probe group `probes`. tell: `message` to `channels` and `audiences`.
    act: order `action` with `parameters` ({field} is filled in), as an automatic rule.
    """

    __pydantic_config__ = STRICT
    kind: Literal["announce", "page", "escalate", "probes", "tell", "act"]
    groups: tuple[str, ...] = ()
    probes: str | None = None
    message: str | None = None
    channels: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    action: str | None = None
    parameters: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Step:
    """An escalation step: from `start` to `end` after milestone `after`, unless it is done before.

    `owner` is "system" or a role. The step is done when one of `done_on` (a milestone, `action:NAME` confirmed,
    `probes:GROUP` reported, `checklist:NAME` ticked, `update`: a person wrote one since it began, or `effects`:
    everything in `does` delivered) is reached, or when a person says so. `remind_before` its end the owner is
    reminded; at `end` it is late: `if_late` happens and the owner is named. With `when`, the step exists only in
    incidents for which one of the conditions holds, with `market` only in those that began while the market was open
    (closed). `hours`: it begins no earlier than the next business (market) hours. `call`: the owner phones somebody.
    Once it is done, milestone `reaches` is reached.
    """

    __pydantic_config__ = STRICT
    id: str
    title: str
    owner: str
    start: timedelta
    end: timedelta | None = None
    after: Milestone = "declared"
    market: Market = "always"
    when: tuple[When, ...] = ()
    hours: Hours = "always"
    ask: str = ""
    call: Call | None = None
    does: tuple[Do, ...] = ()
    done_on: tuple[str, ...] = ()
    reaches: Milestone | None = None
    remind_before: timedelta | None = None
    if_late: tuple[Do, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """Every `every` from milestone `start` until milestone `end`, `message` to `channels` and `audiences`.

    `ask_before` is how long before it is due the room is asked for the text.
    """

    __pydantic_config__ = STRICT
    id: str
    title: str
    every: timedelta
    message: str
    channels: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    start: Milestone = "declared"
    end: Milestone = "resolved"
    ask_before: timedelta = timedelta(minutes=3)


@dataclass(frozen=True, kw_only=True)
class Communication:
    """`after` milestone `at`, `message` to `channels` and `audiences`.

    `market`: only for incidents that began while the market was open (closed). `when`: only if one of these holds.
    `hours`: at once, or at the beginning of the next business day.
    """

    __pydantic_config__ = STRICT
    id: str
    at: Milestone
    message: str
    channels: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    after: timedelta = timedelta()
    market: Market = "always"
    when: tuple[When, ...] = ()
    hours: Literal["at_once", "next_business_day"] = "at_once"
    source: str = ""


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
    """A part somebody plays in an incident; with `group`, its first member gets it until somebody else does."""

    __pydantic_config__ = STRICT
    title: str
    duty: str = ""
    milestone: Milestone | None = None
    group: str | None = None


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
    {NAME} in a path, a body or an argument is the incident's field of that name; in SQL it is the bound parameter
    :NAME. A test that the platform offers as POST says in `changes_nothing` why it is a reading all the same.
    """

    __pydantic_config__ = STRICT
    title: str
    http: str | None = None
    tcp: str | None = None
    command: tuple[str, ...] | None = None
    sql: str | None = None
    database: str = ""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    body: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    changes_nothing: str = ""
    send: str = ""
    auth: str | None = None
    expect: tuple[Expect, ...] = ()
    timeout: timedelta = timedelta(seconds=5)
    shows: str | None = None
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value an action needs, with its bounds. A text must match `pattern` as a whole. {NAME} as `default` is the
    incident's field of that name."""

    __pydantic_config__ = STRICT
    title: str
    type: Literal["text", "number"] = "text"
    default: str | float | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """How an action is verified: a probe, and how long it may take until the probe shows the effect.

    {name} in the probe is filled from the action's parameters and the incident's fields. A `record` is verified in its
    file and names no probe.
    """

    __pydantic_config__ = STRICT
    probe: str = ""
    within: timedelta = timedelta(seconds=10)
    every: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Action:
    """An act on the platform. Exactly one of `http`, `command`, `sql`, `record` says how.

    http: "BASE/path" with `method` and `body`. command: an argument list, the first a name of `tools`; never a shell.
    sql: one statement that changes rows of `database`, with :NAME as bound parameters. record: a JSON line with
    `body`, appended to this file under the deployment's data folder. {NAME} in body and arguments is filled from
    parameters, `reason`, `operator`, `incident` (its id) and the incident's fields.

    `danger`: contain (one authorised person is enough), change, extreme (two people). `scope` names what a halt stops;
    only actions with a scope are offered by /halt. `stops` is what such a halt stops, as the subject of "… is halted",
    "… resumes" (trading, where it says nothing), and `desk` what the trading desk is asked for once it, or the action
    that takes it back, is confirmed. `auth` names the environment variable with the bearer token.
    `approvals` members of `approvers`, none of them the requester, must approve within `expires`. `gate` must be open
    (or overridden). `lasts`: it lapses by itself after so long, and people are reminded `remind_before`. `undo` is the
    action that takes it back. Once it is confirmed, milestone `reaches` is reached. `tell` are the channels that learn
    what became of it, besides the room.
    """

    __pydantic_config__ = STRICT
    title: str
    danger: Literal["contain", "change", "extreme"]
    who: tuple[str, ...]
    read_back: ReadBack = ReadBack()
    http: str | None = None
    command: tuple[str, ...] | None = None
    sql: str | None = None
    database: str = ""
    record: str | None = None
    method: Literal["POST", "PUT", "DELETE"] = "POST"
    body: Mapping[str, str | int | float | bool | tuple[str, ...]] = field(default_factory=dict)
    auth: str | None = None
    scope: str | None = None
    stops: str = ""
    desk: str = ""
    consequence: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    approvals: int = 0
    approvers: tuple[str, ...] = ()
    expires: timedelta = timedelta(minutes=15)
    gate: str | None = None
    lasts: timedelta | None = None
    remind_before: timedelta = timedelta(minutes=10)
    undo: str | None = None
    reaches: Milestone | None = None
    tell: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=10)
    source: str = ""


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
    """What to look at and what to do for one kind of incident.

    `steps`, `clocks` and `communications` are added to those of the incident's severity while this playbook is
    matched.
    """

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
    steps: tuple[Step, ...] = ()
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    communications: tuple[Communication, ...] = ()
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

    `holidays` names a calendar of the `holidays` package ("NYSE"), or is empty. Business hours are those of the office
    on the same days. `phases` divide the trading day.
    """

    __pydantic_config__ = STRICT
    timezone: str
    open: time
    close: time
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    holidays: str = ""
    business_open: time = time(9)
    business_close: time = time(17)
    phases: Mapping[str, Phase] = field(default_factory=dict)


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

    `tools` gives the argument list that a command begins with, by its first word; `databases` says what each database
    is for. Their addresses, like other values for `urls` and `channels`, come from the deployment. `evidence` names
    the probe group whose raw answers are sealed into an archive, `validation` the one whose first healthy run
    reaches the milestone validated. `timeline_file` is where an incident's timeline is
    written as it goes, below the deployment's data folder; {date} and {id} are filled in. `bridge` names the contact
    setting with the address of the conference bridge.
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
    fields: Mapping[str, Field] = field(default_factory=dict)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    checklists: Mapping[str, Checklist] = field(default_factory=dict)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    watches: Mapping[str, Watch] = field(default_factory=dict)
    routines: Mapping[str, Routine] = field(default_factory=dict)
    storms: Mapping[str, Storm] = field(default_factory=dict)
    violations: Violations | None = None
    break_glass: BreakGlass | None = None
    evidence: str = ""
    validation: str = ""
    timeline_file: str = ""
    bridge: str = ""
