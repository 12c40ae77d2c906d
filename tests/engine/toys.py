"""Rules and performers small enough to see through, to test the engine with."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from warroom.domain import facts as f
from warroom.domain.decision import NO_PACK, Card, Context, Decision, LoadedPack, Route
from warroom.domain.effects import Effect, Reply
from warroom.domain.evolve import evolve
from warroom.domain.incident import Incident
from warroom.domain.inputs import Click, Command, EffectResult, Input, TimerDue
from warroom.domain.people import WARROOM, Actor
from warroom.engine.memory import PackShelf
from warroom.engine.ports import Job
from warroom.engine.work import Rules

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
PACK = LoadedPack(pack=NO_PACK.pack, hash="toy", sessions=NO_PACK.sessions)
ANNA = Actor("U1", "Anna")


def shelf() -> PackShelf:
    """One pack that freezes to a word."""
    return PackShelf({"toy": PACK}, freeze=lambda pack: "frozen", thaw=lambda text, hash: PACK)


def ask(source_id: str, /, about: str | None = None, *, received: datetime = START, **order: Any) -> Input:
    """A command that orders what the toy rules shall do.

    open (title), resolve, say (note), fail, stray, effects (list of Effect fields), timers ({key: seconds from START}).
    """
    text = json.dumps(order | {"about": about})
    body = Command(actor=ANNA, channel="C1", name="/toy", text=text, trigger="t")
    return Input(source="slack", source_id=source_id, received=received, body=body)


def route(given: Input, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> Route:
    """To the incident that the order names."""
    match given.body:
        case Command(text=text):
            return Route(incident=json.loads(text)["about"], pack="toy")
        case EffectResult(incident=incident) | TimerDue(incident=incident):
            return Route(incident=incident)
        case Click():
            raise RuntimeError("the toys know no buttons")
    return Route()


def decide(incident: Incident | None, given: Input, ctx: Context) -> Decision:
    """Does as ordered; results and timers become facts. A timer is set and fired by notes."""
    whats: list[f.What] = []
    effects: list[Effect] = []
    answer = None
    match given.body:
        case Command(text=text):
            order = json.loads(text)
            if order.get("fail"):
                raise RuntimeError("the toy is broken")
            if order.get("stray"):
                stray = f.Fact(at=ctx.now, recorded=ctx.now, by=ANNA.by, what=f.Denied(what="halt", why=order["stray"]))
                return Decision(stray=(stray,), answer=Reply("denied"))
            if "open" in order:
                whats.append(opened(ctx.new_id, order["open"]))
            if "resolve" in order:
                whats.append(f.MilestoneReached(milestone="resolved", source="slack"))
            if "say" in order:
                whats.append(f.NoteAdded(text=order["say"]))
            for key, seconds in order.get("timers", {}).items():
                due = START + timedelta(seconds=seconds)
                whats.append(f.NoteAdded(text=f"{key} {due.isoformat()}", kind="set"))
            effects = [an_effect(ctx.now, **fields) for fields in order.get("effects", ())]
            answer = Reply("done", {"id": incident.id if incident else ctx.new_id})
        case EffectResult(outcome="done") as got:
            whats.append(f.EffectDone(key=got.key, kind=got.kind, result=got.result))
        case EffectResult() as got:
            outcome = "unknown" if got.outcome == "unknown" else "refused"
            whats.append(f.EffectFailed(key=got.key, kind=got.kind, outcome=outcome, error=got.error))
        case TimerDue(key=key, due=due):
            whats.append(f.NoteAdded(text=key, kind="fired"))
            effects.append(an_effect(ctx.now, key=f"after-{key}-{due.timestamp()}"))
    facts = tuple(f.Fact(at=ctx.now, recorded=ctx.now, by=WARROOM, what=what) for what in whats)
    for fact in facts:
        incident = evolve(incident, fact)
    assert incident is not None
    return Decision(incident=incident, facts=facts, effects=tuple(effects), timers=timers(incident), answer=answer)


def opened(id_: str, title: str) -> f.IncidentOpened:
    """The first fact of an incident."""
    return f.IncidentOpened(
        id=id_,
        title=title,
        severity="P0",
        severity_reason="",
        pack="toy",
        pack_hash="toy",
        playbook=None,
        service=None,
        description="",
        origin="slack",
    )


def timers(incident: Incident) -> dict[str, datetime]:
    """What is set and has not fired since."""
    waiting: dict[str, datetime] = {}
    for note in incident.notes:
        match note.what:
            case f.NoteAdded(kind="set", text=text):
                key, due = text.split()
                waiting[key] = datetime.fromisoformat(due)
            case f.NoteAdded(kind="fired", text=text):
                waiting.pop(text, None)
    return waiting


def an_effect(at: datetime, **fields: Any) -> Effect:
    """An effect with plain values where none are given; `expires` in seconds from START."""
    if "expires" in fields:
        fields["expires"] = START + timedelta(seconds=fields["expires"])
    fields["after"] = tuple(fields.get("after", ()))
    return Effect(**({"kind": "toy", "data": {}, "at": at} | fields))


RULES = Rules(route, decide)

Behaviour = Callable[[Job], Awaitable[Mapping[str, object]]]


async def _at_once(job: Job) -> Mapping[str, object]:
    return {"n": job.attempt}


@dataclass
class Player:
    """A performer that notes what it is asked. `behave` is what happens in a call; `found` what a look finds."""

    behave: Behaviour = _at_once
    look: Callable[[Job], Awaitable[Mapping[str, object] | None]] | None = None
    limit: Callable[[Job], tuple[str, ...]] = lambda job: ()
    kinds: frozenset[str] = frozenset({"toy"})
    sent: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def buckets(self, job: Job) -> tuple[str, ...]:
        return self.limit(job)

    async def perform(self, job: Job) -> Mapping[str, object]:
        self.sent.append(job.effect.key)
        self.jobs.append(job)
        self.called.set()
        result = await self.behave(job)
        self.ended.append(job.effect.key)
        return result

    async def find(self, job: Job) -> Mapping[str, object] | None:
        self.looked.append(job.effect.key)
        return await self.look(job) if self.look else None


async def soon(condition: Callable[[], bool]) -> None:
    """Waits until it holds; fails after half a minute."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


async def for_ever(job: Job) -> Mapping[str, object]:
    """A call that is never answered."""
    await asyncio.Event().wait()
    return {}
