"""What the writer is handed, and what it hands back."""

from asyncio import Future
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from traceback import format_exception

from warroom.domain.decision import ActionsMode, Card, Context, Decision, LoadedPack, Route
from warroom.domain.effects import Answer, Effect
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.engine.lanes import Pending
from warroom.errors import WarroomError


class DecisionFailedError(WarroomError):
    """The rules could not handle this input: it is kept in the inbox as failed, and sending it again tries again."""


@dataclass(frozen=True)
class Receipt:
    """The input is on disk and decided. `duplicate`: it was before, and `answer` is what was said then."""

    answer: Answer | None
    incident_id: str | None
    duplicate: bool


@dataclass(frozen=True)
class Rules:
    """The two pure functions that decide (`domain.decide`)."""

    route: Callable[[Input, tuple[Card, ...], Mapping[str, LoadedPack]], Route]
    decide: Callable[[Incident | None, Input, Context], Decision]


@dataclass(frozen=True)
class Patience:
    """When trying again ends: after so many attempts, or when the effect is this old."""

    attempts: int = 100
    age: timedelta = timedelta(hours=1)


def patience(effect: Effect) -> Patience:
    """The same for all: an outage of an hour is outlived, with a minute between the later attempts."""
    return Patience()


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Figures of the engine. `group`: most inputs in one commit. `cap`: most calls under way.

    `timeout`: real seconds an effect's call may take. `sweep`: real seconds between sweeps. `grace`: real seconds
    that calls under way get at the end. `lease`: how long a silent process keeps its effects (PostgreSQL).
    `holdoff`: how long a timer whose decision failed is left alone. `worry`: when people are told that an effect is
    still being tried. `retry`: real seconds after which work of our own is tried again when the database was away.
    """

    actions: ActionsMode = "off"
    group: int = 64
    cap: int = 256
    timeout: float = 120.0
    sweep: float = 1.0
    grace: float = 5.0
    lease: timedelta = timedelta(seconds=15)
    holdoff: timedelta = timedelta(seconds=30)
    worry: timedelta = timedelta(seconds=90)
    retry: float = 1.0
    patience: Callable[[Effect], Patience] = patience


@dataclass(slots=True, eq=False)
class Item:
    """One input on its way. `result_of` is the effect whose outcome it tells; `poison` why it cannot be stored."""

    input: Input
    future: "Future[Receipt] | None" = None
    result_of: Pending | None = None
    poison: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Back:
    """An effect was not done and waits until `not_before` (UTC). `doubt`: it may have been, so the row stays."""

    pending: Pending
    not_before: datetime
    error: str
    doubt: bool = False


Work = Item | Back


def trace(error: BaseException) -> str:
    """Where an error came from, for the log: never with the values of variables, which may be secret."""
    return "".join(format_exception(error))
