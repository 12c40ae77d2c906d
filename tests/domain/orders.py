"""A toy platform with one action of each kind, its people, and the few gestures of ordering."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.domain.play import PACK, Play, succeed, text_of

from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.people import Actor
from warroom.domain.policy import Action, BreakGlass, Do, Parameter, Playbook, ReadBack, Resolution, Step
from warroom.domain.procedures import Criterion, Field, Gate

RITA = Actor("U0RITA", "Rita", groups=frozenset({"risk_managers", "halt_operators"}))
IVY = Actor("U0IVY", "Ivy", groups=frozenset({"risk_managers"}))
CLARA = Actor("U0CLARA", "Clara", groups=frozenset({"cto"}))
SAM = Actor("U0SAM", "Sam")
READ_BACK = ReadBack(probe="routing-conservative")
WHO = ("risk_managers",)


def an_action(title: str, danger: Any = "change", **more: Any) -> Action:
    usual = {"http": f"executioner/api/{title.split()[0].lower()}", "who": WHO, "read_back": READ_BACK}
    return Action(title=title, danger=danger, **usual | more)


ACTIONS: Mapping[str, Action] = {
    "reduce-sizes": an_action(
        "Reduce order sizes",
        "contain",
        parameters={
            "factor": Parameter(title="Factor", type="number", default=0.5, minimum=0.1, maximum=1),
            "market": Parameter(title="Market", default="{market}", pattern="[A-Z]{2,6}"),
            "style": Parameter(title="Style", choices=("soft", "hard"), default="soft"),
        },
        body={"factor": "{factor}", "market": "{market}", "style": "{style}", "why": "{reason}"},
        consequence="Orders get smaller.",
        lasts=timedelta(minutes=60),
        undo="restore-sizes",
    ),
    "restore-sizes": an_action("Restore order sizes"),
    "disable-venue": an_action(
        "Disable a venue",
        parameters={"venue": Parameter(title="Venue", pattern="[A-Z]+")},
        body={"venue": "{venue}"},
    ),
    "close-all": an_action("Close all positions", "extreme", approvers=("risk_managers", "cto")),
    "two-more": an_action("Rebuild the books", approvals=2, approvers=("risk_managers", "cto"), body={"m": "{market}"}),
    "gated": an_action("Promote the data", gate="promote"),
    "purge": an_action("Purge the queue"),
    "halt-all": an_action("Halt all trading", "contain", scope="all", undo="resume-all", who=("halt_operators",)),
    "resume-all": an_action("Resume all trading", gate="resume", approvers=("risk_managers", "cto"), who=WHO),
}


def a_toy(
    steps: tuple[Step, ...] = (), gates: bool = True, glass: bool = True, **actions: Action
) -> dict[str, LoadedPack]:
    """lav_adaf with the toy's actions; `actions` (with _ for -) replace or add to them."""
    known = {**ACTIONS, **{name.replace("_", "-"): action for name, action in actions.items()}}
    market = Field(title="Market", read=("details.market",))
    checks = Criterion(title="All well", probes="health")
    found = {
        "resume": Gate(title="Before trading resumes", before="action", criteria=(checks,) if gates else ()),
        "promote": Gate(title="Before promoting", before="action", criteria=(checks,)),
    }
    severity = replace(PACK.pack.severities["P0"], steps=steps, cadences=(), communications=())
    books = {name: _without_actions(book) for name, book in PACK.pack.playbooks.items()}
    first = next(iter(books))
    resolution = (
        Resolution(title="Reduce", action="reduce-sizes"),
        Resolution(title="Purge", action="purge", last_resort=True),
        Resolution(title="By hand", how="look"),
    )
    books[first] = replace(books[first], resolution=resolution)
    pack = replace(
        PACK.pack,
        actions=known,
        fields={"market": market},
        gates=found,
        severities={**PACK.pack.severities, "P0": severity},
        playbooks=books,
        break_glass=BreakGlass(notify=("risk", "executive"), page=("risk_managers", "cto")) if glass else None,
    )
    return {"lav_adaf": replace(PACK, pack=pack)}


def _without_actions(book: Playbook) -> Playbook:
    return replace(book, resolution=tuple(replace(r, action=None) for r in book.resolution), steps=())


def a_play(mode: str = "live", market: str = "FX", packs: Mapping[str, LoadedPack] | None = None) -> Play:
    """A P0 of the toy; its market is known unless it is ""."""
    play = Play(actions=mode, packs=packs or a_toy())
    play.alert(details={"market": market} if market else {})
    return play


def acts_in(action: str, **more: Any) -> Step:
    """A system step that orders by itself at once."""
    return Step(
        id="auto", title="Act at once", owner="system", start=timedelta(), does=(Do(kind="act", action=action, **more),)
    )


def order(play: Play, typed: str, actor: Actor = RITA) -> str:
    """Types an action and confirms what is shown; gives the answer."""
    shown = play.type(f"/incident action {typed}", actor)
    return text_of(play.click("action.confirm", shown.context["button"], actor))


def acts(play: Play, action: str = "") -> list[Effect]:
    """What was ordered from the platform."""
    found = [e for e in play.made.values() if e.kind == "platform.act"]
    return [e for e in found if not action or e.data["action"] == action]


def ends(outcomes: Mapping[str, str]) -> Any:
    """A world in which acts end as said, by action; the others are confirmed."""

    def world(effect: Effect, incident: Incident) -> Any:
        if effect.kind == "platform.act" and effect.data["action"] in outcomes:
            return {"outcome": outcomes[str(effect.data["action"])], "detail": "read back"}
        return succeed(effect, incident)

    return world


def run_of(play: Play, number: int = -1) -> str:
    """The run of a request for approval; the newest unless told."""
    return play.incident.approvals[number].request.run


def press(play: Play, what: str, actor: Actor, run: str = "") -> str:
    """Presses Approve or Reject of a request."""
    answer = play.click(f"approval.{what}", f"{play.incident.id}|{run or run_of(play)}", actor)
    return text_of(answer)
