"""Plays inputs through the pure rules with an ideal outside world: every effect succeeds at once unless told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from warroom.domain import clocks, inputs, on_lifted
from warroom.domain.decide import decide, route
from warroom.domain.decision import NO_PACK, Card, Context, LoadedPack
from warroom.domain.effects import Effect, Reply
from warroom.domain.facts import Fact
from warroom.domain.incident import Incident
from warroom.domain.people import Actor, By
from warroom.domain.policy import Pack, Severity
from warroom.domain.views import VIEWS
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped
from warroom.rendering import Catalog, Message
from warroom.slack.values import revive
from warroom.store.rows import card

PACKS = {"lav_adaf": loaded_pack(shipped("lav_adaf"), Binding(services=("PSVC1",)))}
PACK = PACKS["lav_adaf"]
CATALOG = Catalog.load(Path(__file__).parents[2] / "messages")
ID = "INC-2026-0001"
MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 17, 14, 31, tzinfo=UTC)  # a Tuesday, 9:31 in New York
ANA = Actor("U0ANA", "Ana", "ana@example.com", "PANA", frozenset({"commanders"}))
RAJ = Actor("U0RAJ", "Raj", "raj@example.com", "PRAJ", frozenset({"halt_operators", "risk_managers"}))
EVE = Actor("U0EVE", "Eve")


def a_pagerduty_incident(**changes: Any) -> inputs.PagerDutyIncident:
    """The alert most tests start from: Market Sentinel down."""
    usual = inputs.PagerDutyIncident(
        id="PINC1",
        title="Market Sentinel down",
        url="https://pagerduty.example/incidents/PINC1",
        service_id="PSVC1",
        service_name="lav-adaf-market-sentinel",
        urgency="high",
        created_at=START,
    )
    return replace(usual, **changes)


def a_pack(**changes: Any) -> dict[str, LoadedPack]:
    """lav_adaf with another P0: the given fields of that severity are replaced."""
    severity: Severity = replace(PACK.pack.severities["P0"], **changes)
    pack: Pack = replace(PACK.pack, severities={**PACK.pack.severities, "P0": severity})
    return {"lav_adaf": replace(PACK, pack=pack)}


def a_pack_with(**changes: Any) -> dict[str, LoadedPack]:
    """lav_adaf with the given sections of the pack replaced."""
    return {"lav_adaf": replace(PACK, pack=replace(PACK.pack, **changes))}


@dataclass(frozen=True)
class Went:
    """What a `world` answers when an effect does not succeed: outcome is refused or unknown."""

    outcome: str
    error: str = "no answer"


def succeed(effect: Effect, incident: Incident) -> Mapping[str, Any]:
    """What the outside answers when all is well."""
    match effect.kind:
        case "slack.post" | "slack.edit":
            return {"channel": "C1", "ts": f"1.{abs(hash(effect.key)) % 10**6:06}"}
        case "slack.room":
            return {"channel": "CROOM", "name": effect.data["name"]}
        case "people.find":
            person = {"slack_id": "U0ANA", "name": "Ana", "email": "ana@example.com", "pagerduty_id": "PANA"}
            return {"people": [person], "missing": []}
        case "pagerduty.page":
            return {"paged": ["Ana"], "missing": []}
        case "platform.probes":
            probes: Any = effect.data["probes"]
            row = {"state": "ok", "summary": "fine", "elapsed_s": 0.1, "raw": "x"}
            return {"results": [{"probe": p, "title": p, **row} for p in probes]}
        case "platform.act":
            outcome = "dry_run" if effect.data["mode"] == "dry_run" else "confirmed"
            return {"run": effect.data["run"], "outcome": outcome, "detail": "read back"}
        case "postmortem.write":
            return {"path": "/data/draft.md", "text": "", "questions": ["Why?"]}
    return {}


@dataclass
class Play:
    """One deployment in memory. `now` moves only through `wait`."""

    packs: Mapping[str, LoadedPack] = field(default_factory=lambda: PACKS)
    now: datetime = START
    actions: str = "live"
    incidents: dict[str, Incident] = field(default_factory=dict)
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    stray: list[Fact] = field(default_factory=list)
    sent: list[Effect] = field(default_factory=list)
    timers: dict[str, Mapping[str, datetime]] = field(default_factory=dict)
    waiting: list[tuple[str, Effect]] = field(default_factory=list)
    world: Callable[[Effect, Incident], Mapping[str, Any] | Went | None] = succeed
    made: dict[tuple[str, str], Effect] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    shown: list[Message] | None = None
    count: int = 0
    delivering: bool = False

    def __post_init__(self) -> None:
        if self.actions == "off":
            self.packs = {name: replace(pack, actions="off") for name, pack in self.packs.items()}

    def cards(self) -> tuple[Card, ...]:
        return tuple(card(i) for i in self.incidents.values())

    def give(self, body: inputs.Body, source: str = "test") -> Any:
        """One input, and everything that follows at once; returns the answer."""
        self.count += 1
        given = inputs.Input(source=source, source_id=str(self.count), received=self.now, body=body)
        where = route(given, self.cards(), self.packs)
        incident = self.incidents.get(where.incident or "")
        pack = self.packs.get(where.pack, NO_PACK)
        ctx = Context(
            now=self.now,
            pack=pack,
            packs=self.packs,
            cards=self.cards(),
            new_id=f"INC-2026-{len(self.incidents) + 1:04}",
            actions=self.actions,  # type: ignore[arg-type]
            timers={
                key: at
                for key, at in self.timers.get(where.incident or "", {}).items()
                if not (isinstance(body, inputs.TimerDue) and body.key == key)
            },
        )
        made = decide(incident, given, ctx)
        self.stray += made.stray
        if made.incident is not None:
            name = made.incident.id
            self.incidents[name] = made.incident
            self.facts.setdefault(name, []).extend(made.facts)
            self.timers[name] = made.timers
            self.broken += [
                f"{key} is due in the past: {at}"
                for key, at in made.timers.items()
                if at <= self.now and ctx.timers.get(key) != at
            ]
            for effect in made.effects:
                before = self.made.setdefault((name, effect.key), effect)
                if before is effect:
                    self.waiting.append((name, effect))
                elif replace(before, at=effect.at) != effect:
                    self.broken.append(f"{effect.key} was used before for something else")
        self.deliver()
        return made.answer

    def deliver(self) -> None:
        """Sends what may be sent, in order of priority; results come back as inputs."""
        if self.delivering:
            return
        self.delivering = True
        try:
            self._deliver()
        finally:
            self.delivering = False

    def _deliver(self) -> None:
        while True:
            ready = [(name, e) for name, e in self.waiting if all(key in self.incidents[name].done for key in e.after)]
            if not ready:
                return
            name, effect = min(ready, key=lambda pair: pair[1].priority)
            self.waiting.remove((name, effect))
            if effect.kind == on_lifted.KIND:
                self.give(on_lifted.heard(name, effect.data))
            result = self.world(effect, self.incidents[name])
            if result is None:
                continue
            went = result if isinstance(result, Went) else Went("done", "")
            got = {} if isinstance(result, Went) else result
            if went.outcome == "done":
                self.sent.append(effect)
            if self.shown is not None and effect.kind in ("slack.post", "slack.edit"):
                self.shown.append(self.render(effect, name))
            self.give(
                inputs.EffectResult(
                    incident=name, key=effect.key, kind=effect.kind, outcome=went.outcome, result=got, error=went.error
                )
            )

    def render(self, effect: Effect, name: str = ID) -> Message:
        """The message of a post or edit as people see it, with the incident as it is now."""
        incident, data = self.incidents[name], effect.data
        pack = self.packs[incident.pack]
        context: dict[str, Any] = VIEWS[str(data["view"])](incident, pack, self.now, data) if data.get("view") else {}
        context |= data.get("context") or {}  # type: ignore[operator]
        if quote := data.get("quote"):
            said = revive(quote["context"])  # type: ignore[index]
            context["quoted"] = CATALOG.render(quote["message"], said, incident.pack, now=self.now).plain  # type: ignore[index]
        return CATALOG.render(str(data["message"]), revive(context), incident.pack, now=self.now, button_value=name)

    def show(self, answer: Reply) -> Message:
        """A private answer as the person sees it."""
        context = {name: value for name, value in answer.context.items() if name != "button"}
        button = str(answer.context.get("button", ID))
        message = CATALOG.render(answer.message, revive(context), "lav_adaf", now=self.now, button_value=button)
        if self.shown is not None:
            self.shown.append(message)
        return message

    def seen(self, message: str) -> list[str]:
        """The text of every post of this message, and where it went."""
        return [f"{e.data['to']}: {self.render(e).plain}" for e in self.posts(message)]

    def panel(self) -> str:
        """The live panel as it would be shown now."""
        incident = self.incident
        view = VIEWS["panel"](incident, self.packs[incident.pack], self.now, {})
        return CATALOG.render("panel", revive(view), incident.pack, now=self.now, button_value=ID).plain

    def sleep(self, span: timedelta) -> None:
        """Downtime: time passes and nothing happens; what is overdue then fires at the end."""
        self.now += span
        self.wait(timedelta())

    def wait(self, span: timedelta) -> None:
        """Lets time pass; every timer on the way fires at its moment."""
        until = self.now + span
        while True:
            due = [(at, name, key) for name, keys in self.timers.items() for key, at in keys.items() if at <= until]
            if not due:
                self.now = until
                return
            at, name, key = min(due)
            self.now = max(self.now, at)
            self.give(inputs.TimerDue(incident=name, key=key, due=at))

    def alert(self, **changes: Any) -> None:
        self.hear("incident.triggered", **changes)

    def hear(
        self,
        kind: str,
        at: datetime | None = None,
        text: str = "",
        agent: By | None = None,
        people: tuple[str, ...] = (),
        **changes: Any,
    ) -> None:
        """An event from PagerDuty; it happened `at` (now when None)."""
        self.give(
            inputs.PagerDutyEvent(
                type=kind,
                at=at or self.now,
                incident=a_pagerduty_incident(**({"created_at": self.now} | changes)),
                agent=agent or By("pagerduty:PANA", "Ana"),
                text=text,
                people=people,
            )
        )

    def type(self, text: str, actor: Actor = ANA, channel: str = "CROOM") -> Any:
        name, _, rest = text.partition(" ")
        return self.give(inputs.Command(actor=actor, channel=channel, name=name, text=rest, trigger=str(self.count)))

    def click(self, action: str, value: str = "INC-2026-0001", actor: Actor = ANA) -> Any:
        return self.give(
            inputs.Click(actor=actor, channel="CROOM", message_ts="1.1", action=action, value=value, trigger="t")
        )

    def send(self, form: str, about: str = "INC-2026-0001", actor: Actor = ANA, **values: str) -> Any:
        return self.give(inputs.Submission(actor=actor, form=form, about=about, values=values))

    @property
    def incident(self) -> Incident:
        return self.incidents["INC-2026-0001"]

    def at(self, minutes: float) -> "Play":
        """Waits until so many minutes after START."""
        self.wait(START + minutes * MINUTE - self.now)
        return self

    def clocks(self, clock: str) -> list[clocks.ClockView]:
        """Every run of a clock, as of now."""
        return [v for v in clocks.views(self.incident, self.packs[self.incident.pack], self.now) if v.id == clock]

    def state(self, step: str) -> str:
        """How far a protocol step is: waiting, started, done, late or skipped."""
        mark = self.incident.steps.get(step)
        return mark.state if mark else "waiting"

    def keys(self, start: str) -> list[str]:
        """Keys of the effects that were carried out, by their beginning, in order."""
        return [e.key for e in self.sent if e.key.startswith(start)]

    def whats(self, kind: Any) -> list[Any]:
        return [fact.what for facts in self.facts.values() for fact in facts if isinstance(fact.what, kind)]

    def posts(self, message: str) -> list[Effect]:
        return [e for e in self.sent if e.kind == "slack.post" and e.data["message"] == message]


def text_of(answer: Any, now: datetime = START) -> str:
    """A private answer as the person reads it at `now`, begun with the name of its message."""
    assert isinstance(answer, Reply), answer
    return f"{answer.message}: {Play(now=now).show(answer).plain}"
