"""From an input to the rows of its decision, without changing anything: what fails here fails alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from warroom.domain.chain import BEGIN, End
from warroom.domain.decision import NO_PACK, Context, Decision, Route
from warroom.domain.effects import Effect
from warroom.domain.inputs import Input, TimerDue
from warroom.engine.memory import Entry, Memory, PackShelf
from warroom.engine.work import Rules, Tuning
from warroom.store import rows
from warroom.store.rows import Row
from warroom.store.tables import SYSTEM


@dataclass(frozen=True)
class Setup:
    """What stays the same from group to group. `exclusive`: no other process decides on this database."""

    rules: Rules
    shelf: PackShelf
    tuning: Tuning
    owner: str
    exclusive: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision with its rows, ready to be applied. `entry` is the incident before it.

    `end` and `system` are where the incident's chain and the system's end with it.
    """

    decision: Decision
    entry: Entry | None
    end: End
    system: End
    facts: list[Row]
    effects: list[tuple[Row, Effect]]
    inbox: Row


def work_out(setup: Setup, memory: Memory, entry: Entry | None, input: Input, route: Route, new_id: str) -> Outcome:
    """Decides `input` about the incident of `entry` (None: none, or one that gets `new_id`).

    Raises whatever the rules raise, and ValueError or TypeError when the decision does not fit or cannot be stored.
    """
    if route.incident is not None and entry is None:
        raise LookupError(f"there is no incident {route.incident}")
    if entry is not None:
        pack = setup.shelf.frozen(entry.incident.pack_hash)
    else:
        pack = setup.shelf.current[route.pack] if route.pack else NO_PACK
    context = Context(
        now=input.received,
        pack=pack,
        packs=setup.shelf.current,
        cards=memory.shown(),
        new_id=new_id,
        actions=setup.tuning.actions,
        timers=_others(entry, input),
    )
    decision = setup.rules.decide(entry.incident if entry else None, input, context)
    incident = decision.incident
    _check(decision, entry, new_id)
    if incident is not None and entry is None:
        setup.shelf.frozen(incident.pack_hash)
    about, end = (incident.id, entry.end if entry else BEGIN) if incident else ("", BEGIN)
    facts, end = rows.fact_rows(about, end, decision.facts)
    stray, system = rows.fact_rows(SYSTEM, memory.system, decision.stray)
    known = entry.keys if entry else frozenset()
    fresh = {effect.key: effect for effect in reversed(decision.effects) if effect.key not in known}
    return Outcome(
        decision=decision,
        entry=entry,
        end=end,
        system=system,
        facts=facts + stray,
        effects=[(rows.effect_row(about, 0, e, setup.owner), e) for e in decision.effects if fresh.get(e.key) is e],
        inbox=rows.inbox_row(input, incident.id if incident else route.incident, decision.answer),
    )


def _others(entry: Entry | None, input: Input) -> Mapping[str, datetime]:
    """The timers of the incident, without the one that has fired."""
    if entry is None:
        return {}
    fired = input.body.key if isinstance(input.body, TimerDue) else None
    return {key: due for key, due in entry.timers.items() if key != fired}


def _check(decision: Decision, entry: Entry | None, new_id: str) -> None:
    """Refuses a decision that does not fit what it was decided about."""
    incident = decision.incident
    if incident is None:
        if decision.facts or decision.effects or decision.timers:
            raise ValueError("a decision about no incident has facts, effects or timers")
        return
    before, expected = (entry.incident.count, entry.incident.id) if entry else (0, new_id)
    if incident.id != expected:
        raise ValueError(f"a decision about {expected} changed {incident.id}")
    if incident.count != before + len(decision.facts):
        raise ValueError(f"the facts of a decision about {expected} are not what its state was folded from")
