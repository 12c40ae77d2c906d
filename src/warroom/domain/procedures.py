"""What a runbook asks of people beside its clocks: fields, checklists, gates, watches, audiences, teams, routines.

These dataclasses are part of the schema of the YAML (see `policy.Pack`). Durations are `timedelta`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal

from warroom.domain.terms import STRICT, Market, Milestone, SeverityId, When

Level = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """Something an incident is about: a market, a symbol, a feature, an amount of money.

    It is filled from the first of `read` (alert fields, e.g. details.market) that the alert has, else from `default`,
    else by a person (/incident set NAME VALUE); `ask` has the room asked for it while it is unknown. A value must
    match `pattern` as a whole, or be one of `choices`. Probes, actions and messages use it as {NAME}.
    """

    __pydantic_config__ = STRICT
    title: str
    read: tuple[str, ...] = ()
    default: str = ""
    ask: bool = False
    pattern: str = r"[A-Za-z0-9][A-Za-z0-9 ._:/,+-]{0,99}"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a checklist; `how` says what to do.

    It is ticked by a person, or by itself: when one of `done_on` is reached (the words of `Step.done_on`), or when
    every probe of the group `probes` is healthy. Not done `within` the checklist's beginning, it is named as late.
    """

    __pydantic_config__ = STRICT
    id: str
    title: str
    how: str = ""
    owner: str = ""
    within: timedelta | None = None
    done_on: tuple[str, ...] = ()
    probes: str | None = None


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """Items to be ticked in the room, in order.

    It begins by itself at milestone `at` in incidents of `severities` and `playbooks` (empty: all) that began in
    this `market`; without `at` only when somebody asks for it (/incident checklist NAME).
    """

    __pydantic_config__ = STRICT
    title: str
    items: tuple[Item, ...]
    at: Milestone | None = None
    market: Market = "always"
    severities: tuple[SeverityId, ...] = ()
    playbooks: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One thing that must hold. Exactly one of the tests is set.

    probes: the group's newest run is not older than `fresh` and every probe is healthy. checklist: all its items are
    done. sign_off: a member of one of these groups signed it off. milestone: it is reached. watch: it is steady.
    fields: all of them are known. action: it was confirmed.
    """

    __pydantic_config__ = STRICT
    title: str
    probes: str | None = None
    fresh: timedelta = timedelta(minutes=15)
    checklist: str | None = None
    sign_off: tuple[str, ...] = ()
    milestone: Milestone | None = None
    watch: str | None = None
    fields: tuple[str, ...] = ()
    action: str | None = None


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What must hold before an incident is resolved, or before an action that names this gate is sent.

    `before: resolve` closes the way to resolving incidents of `severities` and `playbooks` (empty: all) that began in
    this `market`. A gate can be overridden with a reason, which is a fact.
    """

    __pydantic_config__ = STRICT
    title: str
    criteria: tuple[Criterion, ...]
    before: Literal["resolve", "action"] = "resolve"
    market: Market = "always"
    severities: tuple[SeverityId, ...] = ()
    playbooks: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A probe read every `every` while an incident lasts (milestone `start` to `end`), which speaks when it matters.

    It speaks when its state changes (healthy, not healthy), when its value has moved by more than `moves_over` since
    it last spoke, and once when it has been healthy for `steady_for` without a break.
    """

    __pydantic_config__ = STRICT
    title: str
    probe: str
    every: timedelta
    steady_for: timedelta | None = None
    moves_over: float | None = None
    start: Milestone = "declared"
    end: Milestone = "resolved"
    severities: tuple[SeverityId, ...] = ()
    playbooks: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("room",)
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Who is told, and by which means: Slack `channels`, `mail` to groups, a PagerDuty status update, the public status
    page, a page of the wiki.

    `external` audiences are told only after a member of `approvers` has approved the text.
    """

    __pydantic_config__ = STRICT
    title: str
    channels: tuple[str, ...] = ()
    mail: tuple[str, ...] = ()
    pagerduty: bool = False
    status_page: bool = False
    wiki: bool = False
    external: bool = False
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Call:
    """A phone call that a person makes: `whom` is the title of a contact, `script` a message with the words to say."""

    __pydantic_config__ = STRICT
    whom: str
    script: str = "call_script"


@dataclass(frozen=True, kw_only=True)
class Team:
    """The roles that are filled in incidents of `severities`."""

    __pydantic_config__ = STRICT
    title: str
    severities: tuple[SeverityId, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of the trading day, in local time; `start` later than `end` runs over midnight."""

    __pydantic_config__ = STRICT
    title: str
    start: time
    end: time
    priorities: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Routine:
    """Probes taken by themselves on trading days at local time `at`, reported in `channel`; no incident is opened.

    `checklist` is what people tick afterwards, printed with the report.
    """

    __pydantic_config__ = STRICT
    title: str
    at: time
    probes: str
    channel: str
    checklist: str | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Storm:
    """More than `over` alerts that match any of `match` within `within` are one storm: it gets `playbook` and at least
    `severity`. Alerts that match join the open incident of the same storm from the first one on."""

    __pydantic_config__ = STRICT
    title: str
    match: tuple[When, ...]
    over: int
    within: timedelta
    playbook: str
    severity: SeverityId
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class ViolationType:
    """A kind of violation that can be reported, and how grave it is."""

    __pydantic_config__ = STRICT
    title: str
    level: Level


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """`count` violations of `level` whose times lie within `within` of each other trip the breaker, the edge counted.

    `within: 0s` is a single moment: every one alone counts. The incident gets at least `severity`, that of the level
    when it is left out.
    """

    __pydantic_config__ = STRICT
    level: Level
    count: int
    within: timedelta
    severity: SeverityId | None = None


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """Pages through PagerDuty when `count` violations of `level` (None: of any) lie within `within`, or when the
    violations of the last `within` are `rise_pct` percent more than those of the `within` before (at least `count` of
    them, as a few more than very few are no trend).
    """

    __pydantic_config__ = STRICT
    id: str
    title: str
    within: timedelta
    severity: SeverityId
    count: int = 1
    level: Level | None = None
    rise_pct: float | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Violations:
    """Violation reports (`POST /violations`): types, the severity of each level, the breaker and the alert rules."""

    __pydantic_config__ = STRICT
    types: Mapping[str, ViolationType]
    levels: Mapping[Level, SeverityId]
    breaker: tuple[Threshold, ...] = ()
    rules: tuple[AlertRule, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class BreakGlass:
    """Halting without the right to: anybody may, `notify` channels and `page` groups learn of it at once, and a review
    is owed `within`."""

    __pydantic_config__ = STRICT
    notify: tuple[str, ...]
    page: tuple[str, ...] = ()
    within: timedelta = timedelta(hours=24)
    follow_up: str = field(default="Review the halt that was ordered by breaking the glass")
