"""Builders: a small pack, an incident, a job; and a bot whose answers are told beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Answer, Effect
from warroom.domain.evolve import evolve
from warroom.domain.facts import Fact, IncidentOpened
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.market import Sessions
from warroom.domain.people import By
from warroom.domain.policy import Calendar, Pack
from warroom.engine.ports import Job

Json = dict[str, Any]
AT = datetime(2026, 10, 19, 13, 31, tzinfo=UTC)
TOKEN = "xoxb-sandbox-bot-token"
SECRET = "sandbox-signing-secret"
ANA, RAJ, MEI, RITA, TOM, SAM = (f"U0SANDBX{n:02d}" for n in (1, 2, 3, 5, 9, 11))
BOT = "U0WARROOM1"
CHANNELS = {"war_room": "#war-room", "risk": "#risk-alerts", "random": "#random", "gone": "#no-such-channel"}


def a_pack(**changes: Any) -> LoadedPack:
    usual: Json = {
        "id": "toy",
        "title": "Toy",
        "version": "1",
        "source": "",
        "services": (),
        "urls": {},
        "channels": CHANNELS,
        "groups": {},
        "roles": {},
        "calendar": Calendar(timezone="UTC", open=time(9), close=time(17)),
        "severities": {},
        "severity_rules": (),
        "priorities": {},
        "urgencies": {},
        "playbooks": {},
        "probes": {},
        "probe_groups": {},
        "actions": {},
    }
    sessions = Sessions(timezone="UTC", open=time(9), close=time(17))
    return LoadedPack(pack=Pack(**(usual | changes)), hash="hash", sessions=sessions)


def an_incident(**changes: Any) -> Incident:
    opened = IncidentOpened(
        id="INC-2026-0042",
        title="Market Sentinel down",
        severity="P0",
        severity_reason="",
        pack="toy",
        pack_hash="hash",
        playbook=None,
        service=None,
        description="",
        origin="slack",
    )
    incident = evolve(None, Fact(at=AT, recorded=AT, by=By(f"slack:{ANA}", "Ana"), what=opened))
    return replace(incident, **changes)


def a_job(kind: str, /, incident: Incident | None = None, **data: Any) -> Job:
    """An effect of this kind and data, on its first attempt; `attempt=`, `key=` and `job=` (its id) may be given."""
    attempt, key, name = data.pop("attempt", 1), data.pop("key", kind), data.pop("job", "job-1")
    return Job(
        id=name,
        effect=Effect(key=key, kind=kind, data=data, at=AT),
        incident=incident or an_incident(),
        pack=a_pack(),
        attempt=attempt,
        now=AT,
    )


def with_room(channel: str, **done: Mapping[str, Any]) -> Incident:
    """An incident whose room is this channel, and whose other effects have these results."""
    return an_incident(done={"room": {"channel": channel, "name": "room"}, **done})


class Watch:
    """A clock that stands still until it is moved; both the sandbox's `now` and a `ports.Clock`."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, until: datetime) -> float:
        return max(0.0, (until - self.at).total_seconds())

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Receipt:
    answer: Answer | None = None
    incident_id: str | None = None
    duplicate: bool = False


@dataclass
class Desk:
    """Stands where the engine stands: keeps inputs by their ids and answers a repeat as it did before."""

    inputs: list[Input] = field(default_factory=list)
    receipts: dict[tuple[str, str], Receipt] = field(default_factory=dict)
    answer: Callable[[Input], Answer | None] = lambda given: None
    fails: Exception | None = None

    async def submit(self, given: Input) -> Receipt:
        if self.fails:
            raise self.fails
        key = (given.source, given.source_id)
        if key not in self.receipts:
            self.inputs.append(given)
            self.receipts[key] = Receipt(self.answer(given), "INC-2026-0042")
        return self.receipts[key]

    @property
    def last(self) -> Any:
        """The body of the newest input."""
        return self.inputs[-1].body
