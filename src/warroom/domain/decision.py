"""What `decide` is given and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

from warroom.domain.effects import Answer, Effect
from warroom.domain.facts import Fact, What
from warroom.domain.incident import Incident
from warroom.domain.market import Sessions
from warroom.domain.people import WARROOM, By
from warroom.domain.policy import Calendar, Pack, SeverityId

ActionsMode = Literal["off", "dry_run", "live"]


@dataclass(frozen=True, kw_only=True)
class StandingHalt:
    """A halt that is or may be in force. `state` is confirmed, unknown or requested; `since` is UTC.

    `asked` until when (UTC) somebody's request to resume waits in that incident, None while there is none; `lifting`
    while a resumption that lifts it is under way there. `over`: a person has resolved the incident since.
    """

    scope: str
    state: str
    since: datetime
    by: str
    run: str = ""
    asked: datetime | None = None
    lifting: bool = False
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class Card:
    """What others need to know of an incident: the row behind `/incident list` and routing.

    `joined` are the PagerDuty ids of alerts that joined it, separated by spaces; `heard` is when the newest alert or
    detection of it happened (UTC). `storm` is the storm of the pack that its alerts count for, `subject` the feature
    its violations are about. `ordered` are the runs of all halts it ordered, whatever became of them, separated by
    spaces.
    """

    id: str
    title: str
    severity: SeverityId
    status: str
    pack: str
    is_open: bool
    opened: datetime
    room: str | None = None
    room_name: str | None = None
    pagerduty_id: str | None = None
    service: str | None = None
    playbook: str | None = None
    commander: str | None = None
    origin: str = "pagerduty"
    joined: str = ""
    heard: datetime | None = None
    storm: str = ""
    subject: str = ""
    halts: tuple[StandingHalt, ...] = ()
    ordered: str = ""


@dataclass(frozen=True, kw_only=True)
class LoadedPack:
    """A pack with the hash of its content, the deployment's bindings for it, and whether actions are switched on."""

    pack: Pack
    hash: str
    sessions: Sessions
    services: tuple[str, ...] = ()
    contacts: Mapping[str, str] = field(default_factory=dict)
    actions: ActionsMode = "live"


NO_PACK = LoadedPack(
    pack=Pack(
        id="",
        title="no pack",
        version="",
        source="",
        services=(),
        urls={},
        channels={},
        groups={},
        roles={},
        calendar=Calendar(timezone="UTC", open=time(0), close=time(0)),
        severities={},
        severity_rules=(),
        priorities={},
        urgencies={},
        playbooks={},
        probes={},
        probe_groups={},
        actions={},
    ),
    hash="",
    sessions=Sessions(timezone="UTC", open=time(0), close=time(0)),
)


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything besides the incident and the input that a decision may depend on.

    `now` is UTC, read once for the input. `packs` are the deployment's current packs; `pack` is the incident's
    frozen one, or the one the input is routed to; NO_PACK when none speaks for it. `new_id` is the id an incident
    opened now gets. `cards` are the incidents in short, open ones and those of the last days, oldest first. `timers`
    are the moments (UTC) the incident waits for, by key, without the one that the input itself is.
    """

    now: datetime
    pack: LoadedPack
    packs: Mapping[str, LoadedPack]
    cards: tuple[Card, ...]
    new_id: str
    actions: ActionsMode
    timers: Mapping[str, datetime] = field(default_factory=dict)

    def facts(self, by: By | None, *whats: What, at: datetime | None = None) -> tuple[Fact, ...]:
        """Facts recorded now, by `by` (None: the system), that happened `at` (now when None)."""
        return tuple(Fact(at=at or self.now, recorded=self.now, by=by or WARROOM, what=what) for what in whats)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows from an input.

    `incident` is the state with `facts` folded in (None: no incident is concerned). `stray` are facts about no
    incident (a stranger's refused command): they go to the chain named "system". `timers` are all moments this
    incident is waiting for, by key (UTC); they replace what was there. `answer` is for the person who asked.
    """

    incident: Incident | None = None
    facts: tuple[Fact, ...] = ()
    stray: tuple[Fact, ...] = ()
    effects: tuple[Effect, ...] = ()
    timers: Mapping[str, datetime] = field(default_factory=dict)
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where an input belongs: an existing incident (`incident` its id), or none, and which pack it speaks of."""

    incident: str | None = None
    pack: str = ""
