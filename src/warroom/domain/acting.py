"""What follows from actions: the order to the platform, and what people are told of it until it has lapsed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from warroom.domain import approvals, breaking, gates, halts, outlasting, views
from warroom.domain import facts as f
from warroom.domain.effects import Effect, moment
from warroom.domain.incident import Run
from warroom.domain.outgoing import FIRST, SETUP, Out
from warroom.domain.people import WARROOM
from warroom.domain.sending import sending


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """The effects of one fact about an action."""
    what = fact.what
    match what:
        case f.ActionRequested():
            yield from _ordered(out, _run(out, what.run))
        case f.ActionSettled():
            yield from _settled(out, what)
        case f.ActionHeld():
            yield from _held(out, what)
        case f.ActionLapsing() | f.ActionLapsed():
            yield _lapse(out, what)
        case f.GlassBroken():
            yield from breaking.react(out, fact, what)
        case f.HaltStands():
            yield from _stands(out, what)
        case f.FollowUpAdded():
            context = {"follow_up": what.title, "why": what.why, "due": moment(what.due)}
            yield out.say(f"owed:{len(out.i.owed)}", "follow_up_added", context)


def _ordered(out: Out, run: Run) -> Iterator[Effect]:
    data = {
        "run": run.run,
        "action": run.action,
        "parameters": dict(run.parameters),
        "fields": dict(out.i.fields),
        "reason": run.reason,
        "operator": run.by.name,
        "mode": run.mode,
    }
    lane = "halts" if run.scope or run.lifts else "platform"  # a halt waits for no other action to be read back
    urgent = out.effect(f"act:{run.run}", "platform.act", data, lane=lane, rank=FIRST)
    # whatever the severity, nothing goes before it; what could not begin in its time is told, not done hours later
    yield replace(urgent, priority=FIRST, expires=run.at + out.pack.pack.actions[run.action].expires)
    context = _context(out, run)
    yield out.say(f"act:{run.run}:ordered", "action_ordered", context)
    if run.by == WARROOM:
        yield _announced(out, f"act:{run.run}:ordered:announce", "action_ordered", context)


def _settled(out: Out, what: f.ActionSettled) -> Iterator[Effect]:
    run = _run(out, what.run)
    action = out.pack.pack.actions.get(run.action)
    told = _context(out, run) | {"outcome": what.outcome, "detail": what.detail}
    undo = bool(action and action.undo) and not run.scope and what.outcome in ("confirmed", "unknown")
    full = views.base(out.i, out.pack, out.now) | told
    yield out.say(f"act:{run.run}:settled", "action_settled", told | {"undoable": undo}, button=f"{out.i.id}|{run.run}")
    grave = bool(run.scope or run.lifts)
    brief = full | {"detail": "", "undoable": False}
    announce = out.pack.pack.severities[out.i.severity].announce.channel
    announced = grave or run.by == WARROOM
    if announced:
        yield out.post(f"act:{run.run}:announce", announce, "action_settled", {"context": brief}, rank=SETUP)
    for channel in action.tell if action and run.mode == "live" else ():
        if announced and channel == announce:
            continue
        yield out.post(f"act:{run.run}:tell:{channel}", channel, "action_settled", {"context": brief}, rank=SETUP)
    if grave or run.by == WARROOM or (action and action.danger == "extreme"):
        yield out.note(f"act:{run.run}:note", f"{told['action']}: {what.outcome.replace('_', ' ')}. {what.detail}")
    if grave:
        yield from out.announcements()


def _held(out: Out, what: f.ActionHeld) -> Iterator[Effect]:
    """An automatic rule that did not act: what is to be done by hand instead."""
    action = out.pack.pack.actions[what.action]
    lines = sending(action, {}, fields=out.i.fields, incident=out.i.id, tools=out.pack.pack.tools).lines
    typed = f"/halt {action.scope} REASON" if action.scope else f"/incident action {what.action} REASON"
    usage = "" if what.off else typed
    context = {"action": action.title, "why": what.why, "lines": list(lines), "usage": usage}
    yield out.say(f"held:{what.run}", "action_held", context)
    yield _announced(out, f"held:{what.run}:announce", "action_held", context)


def _lapse(out: Out, what: f.ActionLapsing | f.ActionLapsed) -> Effect:
    run = _run(out, what.run)
    action = out.pack.pack.actions[run.action]
    end = (run.settled or run.at) + action.lasts if action.lasts else out.now
    context = _context(out, run) | {
        "name": run.action,
        "end": moment(end),
        "left": max((end - out.now).total_seconds(), 0),
        "over": isinstance(what, f.ActionLapsed),
        "undo": bool(action.undo),
        "run": run.run,
    }
    key = "lapsed" if isinstance(what, f.ActionLapsed) else "lapsing"
    return out.say(f"{key}:{run.run}", "action_lapse", context)


def _stands(out: Out, what: f.HaltStands) -> Iterator[Effect]:
    """A halt outlasts its incident: whoever reads of halts is told that it stands, and who can lift it."""
    runs = outlasting.standing(out.i)
    actions = [a for run in runs if (a := out.pack.pack.actions.get(run.action))]
    undoing = [a for halt in actions if (a := out.pack.pack.actions.get(halt.undo or ""))]
    told = {
        "halts": [{"line": views.run_line(run), "by": views.who(run.by), "at": moment(run.at)} for run in runs],
        "in_force": bool(halts.in_force(out.i)),
        "who": list(dict.fromkeys(out.pack.pack.groups.get(g, g) for action in undoing for g in action.who)),
        "again": moment(outlasting.after(out.now, out.pack)),
        "stops": halts.stopped(out.pack.pack, [str(run.scope) for run in runs]),
        "desk": " ".join(dict.fromkeys(action.desk for action in actions if action.desk)),
    }
    key = f"halt_stands:{what.due.isoformat()}"
    yield out.say(key, "halt_stands", told)
    full = views.base(out.i, out.pack, out.now) | told
    announce = out.pack.pack.severities[out.i.severity].announce.channel
    for channel in dict.fromkeys((announce, *(channel for action in actions for channel in action.tell))):
        yield out.post(f"{key}:{channel}", channel, "halt_stands", {"context": full})


def _announced(out: Out, key: str, message: str, context: dict[str, Any]) -> Effect:
    announce = out.pack.pack.severities[out.i.severity].announce.channel
    full = views.base(out.i, out.pack, out.now) | context
    return out.post(key, announce, message, {"context": full}, rank=SETUP)


def _context(out: Out, run: Run) -> dict[str, Any]:
    action = out.pack.pack.actions.get(run.action)
    asked = approvals.named(out.i, run.run)
    lifted = [a for a in out.pack.pack.actions.values() if a.scope in run.lifts]
    stops = halts.stopped(out.pack.pack, run.lifts or (run.scope or "",))
    return {
        "action": action.title if action else run.action,
        "scope": run.scope or "",
        "lifts": list(run.lifts),
        "values": [f"{name} {value}" for name, value in run.parameters.items()],
        "mode": run.mode,
        "reason": run.reason,
        "by": views.who(run.by),
        "automatic": run.by == WARROOM,
        "approved_by": [views.who(by) for by in asked.given] if asked else [],
        "consequence": action.consequence if action else "",
        "standing": [views.run_line(halt) for halt in halts.in_force(out.i) if halt.run != run.run],
        "waived": gates.passed_over(out.i, out.pack, action.gate if action else None, run.at),
        "stops": stops,
        "subject": stops[:1].upper() + stops[1:],
        "desk": action.desk if action else "",
        "stands": " ".join(dict.fromkeys(a.desk for a in lifted if a.desk)),
    }


def _run(out: Out, name: str) -> Run:
    return next(r for r in out.i.runs if r.run == name)
