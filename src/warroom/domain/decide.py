"""The one place where inputs meet rules: decide(incident, input, context) → Decision. Pure: no I/O, no clock.

A handler turns the input into facts and an answer; `schedule` adds what has come due; `reactions` turn each fact
into effects. Nothing else changes an incident.
"""

from collections.abc import Mapping, Sequence

from warroom.domain import (
    fact_lines,
    inputs,
    on_approval,
    on_lifted,
    on_role,
    on_telling,
    on_watch,
    protocol,
    reactions,
    repeating,
    routing,
    schedule,
)
from warroom.domain import facts as f
from warroom.domain.decision import Card, Context, Decision, LoadedPack, Route
from warroom.domain.effects import Effect
from warroom.domain.evolve import evolve
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident
from warroom.domain.on_click import on_click
from warroom.domain.on_command import on_command
from warroom.domain.on_detection import on_detection
from warroom.domain.on_effect import on_effect
from warroom.domain.on_form import on_form
from warroom.domain.on_pagerduty import on_pagerduty
from warroom.domain.on_routine import on_routine
from warroom.domain.outgoing import Out

ENGAGING = (
    f.RoleAssigned,
    f.ProbesRequested,
    f.ActionRequested,
    f.UpdateGiven,
    f.NoteAdded,
    f.StatusChanged,
    f.StepDone,
    f.StepSkipped,
    f.ItemDone,
    f.SignedOff,
)


def route(given: inputs.Input, cards: Sequence[Card], packs: Mapping[str, LoadedPack]) -> Route:
    """Which incident and pack the input is about; see `routing`."""
    return routing.route(given.body, cards, packs)


def decide(incident: Incident | None, given: inputs.Input, ctx: Context) -> Decision:
    """What follows from one input."""
    handled = _handle(incident, given, ctx)
    if incident is None and not (handled.facts and isinstance(handled.facts[0].what, f.IncidentOpened)):
        return Decision(stray=handled.facts, answer=handled.answer)
    facts: list[f.Fact] = []
    effects: dict[str, Effect] = {}
    current = incident

    def take(new: Sequence[f.Fact]) -> None:
        nonlocal current
        for fact in new:
            before, current = current, evolve(current, fact)
            facts.append(fact)
            for effect in reactions.react(before, current, fact, ctx.pack, ctx.now):
                effects.setdefault(effect.key, effect)
            take(on_telling.to_approve(current, fact, ctx))

    take(handled.facts)
    if current is None:
        return Decision(answer=handled.answer)
    take(_implied(current, facts, ctx))
    take(_again(current, handled.facts, ctx))
    while due := schedule.catch_up(current, ctx.pack, ctx.now)[1]:
        take(due)
        take(_automatic(current, due, ctx))
    for effect in on_role.filled(Out(current, ctx.pack, ctx.now), facts):
        effects.setdefault(effect.key, effect)
    refresh = isinstance(given.body, inputs.TimerDue) and given.body.key.startswith("panel:")
    if current.count and not current.routine and (refresh or any(reactions.changes_panel(fact) for fact in facts)):
        panel = Out(current, ctx.pack, ctx.now).panel()
        effects.setdefault(panel.key, panel)
    told = ctx.pack.pack.timeline_file and any(_for_the_timeline(fact, ctx.pack) for fact in facts)
    if told and not current.routine:
        timeline = Out(current, ctx.pack, ctx.now).timeline()
        effects.setdefault(timeline.key, timeline)
    for effect in handled.effects:
        effects.setdefault(effect.key, effect)
    return Decision(
        incident=current,
        facts=tuple(facts),
        effects=tuple(effects.values()),
        timers=schedule.timers(current, ctx.pack, ctx.now, ctx.timers),
        answer=handled.answer,
    )


def _handle(incident: Incident | None, given: inputs.Input, ctx: Context) -> Handled:
    body = given.body
    match body:
        case inputs.PagerDutyEvent():
            return on_pagerduty(incident, body, given, ctx)
        case inputs.Command():
            return on_command(incident, body, given, ctx)
        case inputs.Click():
            return on_click(incident, body, given, ctx)
        case inputs.Submission():
            return on_form(incident, body, given, ctx)
        case inputs.EffectResult():
            return on_effect(incident, body, ctx)
        case inputs.LiftedElsewhere():
            return on_lifted.on_lifted(incident, body, ctx)
        case inputs.Pinned():
            said = f.NoteAdded(text="Marked for the timeline", kind="pin", ts=body.ts)
            return Handled(ctx.facts(body.actor.by, said)) if incident else Handled()
        case inputs.TimerDue():
            watched = incident is not None and body.key.startswith("watch:")
            return on_watch.on_timer(incident, body.key, ctx) if incident and watched else Handled()
        case inputs.TakenUp():
            return Handled()
        case inputs.Detection():
            return on_detection(incident, body, given, ctx)
        case inputs.RoutineDue():
            return on_routine(body, given, ctx)


def _for_the_timeline(fact: f.Fact, pack: LoadedPack) -> bool:
    """Whether the timeline file is written anew for this fact."""
    return not reactions.of_a_mirror(fact) and bool(fact_lines.tell(fact, pack))


def _implied(now: Incident, facts: Sequence[f.Fact], ctx: Context) -> tuple[f.Fact, ...]:
    """What follows from what just happened: the first engagement of a person is the response."""
    engaged = next((x for x in facts if x.by.slack_id and isinstance(x.what, ENGAGING)), None)
    if engaged and now.is_open and now.reached("responding") is None:
        return ctx.facts(engaged.by, f.MilestoneReached(milestone="responding", source="slack"))
    return ()


def _again(now: Incident, facts: Sequence[f.Fact], ctx: Context) -> tuple[f.Fact, ...]:
    """A detection that joins calls for the acts of steps that have begun already, as far as it is not covered.

    A halt is ordered again when the breaker trips and none of its kind stands or is under way; an act about a feature
    is ordered for each further feature whose violation is grave enough for the incident's severity.
    """
    asked: list[f.What] = []
    for joined in (x.what for x in facts if isinstance(x.what, f.DetectionJoined)):
        for step in protocol.steps(now, ctx.pack):
            for number, do in enumerate(step.does if step.id in now.steps else ()):
                about = repeating.uncovered(now, do, joined, ctx.pack) if do.kind == "act" else None
                if about is not None:
                    run = f"{schedule.act_run('step', step, number)}-{repeating.mark(joined)}"
                    asked += on_approval.automatic(about, do, run, step.title, ctx)
    return ctx.facts(None, *asked)


def _automatic(now: Incident, due: Sequence[f.Fact], ctx: Context) -> tuple[f.Fact, ...]:
    """Steps that collect readings or act by themselves ask for it as a person would."""
    started = {x.what.step for x in due if isinstance(x.what, f.StepStarted)}
    late = {x.what.step for x in due if isinstance(x.what, f.StepLate)}
    asked: list[f.What] = []
    for step in protocol.steps(now, ctx.pack):
        due_does = step.does if step.id in started else ()
        late_does = step.if_late if step.id in late else ()
        for of, does in (("step", due_does), ("late", late_does)):
            for number, do in enumerate(does):
                if do.kind == "probes" and do.probes:
                    names = ctx.pack.pack.probe_groups[do.probes]
                    asked.append(f.ProbesRequested(run=f"step-{step.id}", what=do.probes, probes=tuple(names)))
                if do.kind == "act":
                    asked += on_approval.automatic(now, do, schedule.act_run(of, step, number), step.title, ctx)
    return ctx.facts(None, *asked)
