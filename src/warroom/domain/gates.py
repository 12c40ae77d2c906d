"""Gates: what must hold before an incident is resolved or an action is sent, and how far it is.

A gate is open when every criterion is met or covered by an override: `unmet(states(…))` is empty.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from warroom.domain import checklists, done, milestones, protocol, watches
from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.people import Actor
from warroom.domain.procedures import Criterion, Gate
from warroom.domain.words import clock, listed, spell

COMMANDERS = "commanders"
"""the group that may override gates, beside the incident's commander, where a pack has it"""


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a criterion of a gate is; `why` says it in words, and what to type while it is not met.

    `waived` says who went past it although it was not met, and why; "" when nobody did.
    """

    number: int
    title: str
    met: bool
    why: str
    waived: str = ""


def states(i: Incident, pack: LoadedPack, gate: str, now: datetime, since: datetime | None = None) -> tuple[State, ...]:
    """Every criterion of a gate as of `now` (UTC), in order; none for a gate the pack does not have.

    What was read, signed off, done or overridden before `since` (UTC) does not count. Without it everything counts
    for resolving since it was last reopened (overrides only), and for an action since the newest halt was ordered.
    """
    known = pack.pack.gates.get(gate)
    if known is None:
        return ()
    since = since or _halted(i, pack, known)
    waived = _waived(i, gate, known, since)
    found = []
    for number, criterion in enumerate(known.criteria):
        met, why = _state(i, pack, (gate, number), criterion, now, since)
        past = "" if met else waived.get(criterion.title, "")
        found.append(State(number=number, title=criterion.title, met=met, why=why, waived=past))
    return tuple(found)


def unmet(of: Iterable[State]) -> tuple[State, ...]:
    """The criteria that keep a gate closed."""
    return tuple(state for state in of if not state.met and not state.waived)


def passed_over(i: Incident, pack: LoadedPack, gate: str | None, at: datetime) -> list[str]:
    """What was not met `at` (UTC) of the gate before an action, and who overrode it, a line each."""
    waived = [s for s in states(i, pack, gate or "", at) if s.waived]
    return [f"{s.title} ({s.waived})" for s in waived]


def before_resolving(i: Incident, pack: LoadedPack) -> tuple[str, ...]:
    """The gates that stand before resolving this incident."""
    return tuple(
        name
        for name, gate in pack.pack.gates.items()
        if gate.before == "resolve"
        and not i.routine
        and protocol.concerns(i, gate.severities, gate.playbooks)
        and protocol.applies(i, gate.market)
    )


def closed_to_resolving(i: Incident, pack: LoadedPack, now: datetime) -> dict[str, tuple[State, ...]]:
    """Gate → criteria that stand in the way of resolving this incident; empty when nothing does."""
    found = {name: unmet(states(i, pack, name, now)) for name in before_resolving(i, pack)}
    return {name: standing for name, standing in found.items() if standing}


def unverified(i: Incident, pack: LoadedPack, now: datetime) -> tuple[str, ...]:
    """Titles of what was not met when somebody went past a gate to resolving, here or in PagerDuty, and is not yet.

    What was healthy at the resolution does not become unverified because that reading grows old since.
    """
    reopened, at = _reopened(i), i.reached("resolved") or now
    found: dict[str, None] = {}
    for fact in i.overrides:
        what = fact.what
        if not isinstance(what, f.GateOverridden) or (reopened and fact.at < reopened):
            continue
        known = pack.pack.gates.get(what.gate)
        if known is not None and known.before == "resolve":
            unmet_then = (s.title for s in states(i, pack, what.gate, at) if not s.met and s.title in what.unmet)
            found |= dict.fromkeys(unmet_then)
    return tuple(found)


def may_override(i: Incident, pack: LoadedPack, actor: Actor) -> bool:
    """Whether this person may go past a gate: the incident's commander or a member of `commanders`; in a pack without
    that group anybody Slack knows."""
    if i.commander and i.commander.id == actor.by.id:
        return True
    return COMMANDERS in actor.groups if COMMANDERS in pack.pack.groups else actor.verified


def _halted(i: Incident, pack: LoadedPack, gate: Gate) -> datetime | None:
    """What lifts a halt must be newer than the halt."""
    if gate.before != "action":
        return None
    halts = {name for name, action in pack.pack.actions.items() if action.scope}
    return max((run.at for run in i.runs if run.action in halts and run.outcome != "failed"), default=None)


def _waived(i: Incident, gate: str, known: Gate, since: datetime | None) -> dict[str, str]:
    """Criterion (its title) → who overrode it and why. A resolution that was taken back takes its overrides along."""
    since = since or (_reopened(i) if known.before == "resolve" else None)
    found: dict[str, str] = {}
    for fact in i.overrides:
        what = fact.what
        if not isinstance(what, f.GateOverridden) or what.gate != gate or what.via == "pagerduty":
            continue  # in PagerDuty nobody gave a reason: it was told, not allowed
        if since is None or fact.at >= since:
            found |= dict.fromkeys(what.unmet, f"overridden by {fact.by.name}: {what.reason}")
    return found


def _reopened(i: Incident) -> datetime | None:
    """When the incident was last reopened (UTC)."""
    return max((m.at for m in milestones.of(i.history, "resolved") if not m.reached), default=None)


def _state(
    i: Incident,
    pack: LoadedPack,
    of: tuple[str, int],
    criterion: Criterion,
    now: datetime,
    since: datetime | None,
) -> tuple[bool, str]:
    if criterion.probes is not None:
        return _probes(i, pack, criterion.probes, criterion.fresh, now, since)
    if criterion.checklist is not None:
        return _checklist(i, pack, criterion.checklist)
    if criterion.sign_off:
        return _signed(i, pack, of, criterion.sign_off, now, since)
    if criterion.milestone is not None:
        at = i.reached(criterion.milestone)
        words = milestones.words(criterion.milestone).capitalize()
        return (True, f"{words} at {clock(at, now)}") if at else (False, f"{words}: not reached yet")
    if criterion.watch is not None:
        return _watch(i, pack, criterion.watch, now)
    if criterion.fields:
        return _fields(i, pack, criterion.fields)
    return _action(i, pack, criterion.action or "", now, since)


def _probes(
    i: Incident, pack: LoadedPack, group: str, fresh: timedelta, now: datetime, since: datetime | None
) -> tuple[bool, str]:
    again = f"/diagnostics {group}"
    run = done.newest(i, group)
    if run is None or run.reported is None:
        return False, f"Not read yet: {again}"
    bad, at = done.unhealthy(run, pack), clock(run.reported, now)
    if since and run.at < since:
        return False, f"Read at {at}, before the halt: {again}"
    if bad:
        return False, f"{len(bad)} of {len(run.probes)} not healthy at {at}: {listed(bad)}. Then {again}"
    if now - run.reported > fresh:
        return False, f"All healthy at {at}, but that is more than {spell(fresh)} ago: {again}"
    return True, f"All {len(run.probes)} healthy at {at}" if len(run.probes) > 1 else f"Healthy at {at}"


def _checklist(i: Incident, pack: LoadedPack, name: str) -> tuple[bool, str]:
    known = pack.pack.checklists[name]
    if name not in i.checklists:
        return False, f"Not begun yet: /incident checklist {name}"
    left = [row.item.title for row in checklists.rows(i, known, name) if not row.mark.done]
    if not left:
        return True, f"All {len(known.items)} done"
    of = checklists.progress(i, known, name)
    return False, f"{of} done; open: {listed(left)}. /incident checklist {name}"


def _signed(
    i: Incident, pack: LoadedPack, of: tuple[str, int], groups: tuple[str, ...], now: datetime, since: datetime | None
) -> tuple[bool, str]:
    fact = i.signed.get(of)
    if fact is None:
        who = " or ".join(pack.pack.groups.get(g, g) for g in groups)
        return False, f"Needs the signature of {who}: /incident gate {of[0]}"
    said = f"Signed off by {fact.by.name} at {clock(fact.at, now)}"
    if since and fact.at < since:
        return False, f"{said}, before the halt; sign off again: /incident gate {of[0]}"
    return True, said + outdated(i, fact.at)


def outdated(i: Incident, at: datetime) -> str:
    """What has changed under a signature given `at` (UTC), to be said after it; "" for nothing."""
    reopened = any(m.at > at for m in milestones.of(i.history, "resolved") if not m.reached)
    changed = next((severity for since, severity in i.severities[1:] if since > at), None)
    parts = [*(["it was reopened"] if reopened else []), *([f"the severity became {changed}"] if changed else [])]
    return f", before {listed(parts)}" if parts else ""


def _watch(i: Incident, pack: LoadedPack, name: str, now: datetime) -> tuple[bool, str]:
    watch = pack.pack.watches[name]
    begin = next((since for running, _, since in watches.running(i, pack) if running == name), None)
    mark = watches.mark_of(i, name, begin) if begin else i.watches.get(name)
    if mark is None:
        return False, f"“{watch.title}” has not said anything yet; it is read every {spell(watch.every)}"
    if mark.state != "ok":
        return False, f"Not healthy since {clock(mark.since, now)}: {mark.summary}"
    if watch.steady_for is None or mark.steady:
        return True, f"Steady since {clock(mark.since, now)}"
    return False, f"Healthy since {clock(mark.since, now)}, steady after {spell(watch.steady_for)} without a break"


def _fields(i: Incident, pack: LoadedPack, names: tuple[str, ...]) -> tuple[bool, str]:
    titles = {name: pack.pack.fields[name].title if name in pack.pack.fields else name for name in names}
    missing = [name for name in names if not i.fields.get(name)]
    if missing:
        return False, f"Not known yet: {listed(titles[m] for m in missing)}. /incident set {missing[0]} VALUE"
    return True, "; ".join(f"{titles[name]}: {i.fields[name]}" for name in names)


def _action(i: Incident, pack: LoadedPack, name: str, now: datetime, since: datetime | None) -> tuple[bool, str]:
    known = pack.pack.actions.get(name)
    title = known.title if known else name
    run = next((r for r in reversed(i.runs) if r.action == name and r.outcome == "confirmed"), None)
    if run is None:
        return False, f"“{title}” is not confirmed: /incident action {name} REASON"
    at = run.settled or run.at
    if since and at < since:
        return False, f"“{title}” was confirmed at {clock(at, now)}, before the halt: /incident action {name} REASON"
    return True, f"“{title}” confirmed at {clock(at, now)}"
