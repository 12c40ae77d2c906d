"""Gates in the room: shown with every criterion, signed off, overridden with a reason."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain import gates, views
from warroom.domain.commands import did_you_mean
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, FieldErrors, Form, Reply, moment
from warroom.domain.handling import Handled, not_in, room_link, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, Submission
from warroom.domain.outgoing import Out
from warroom.domain.people import Actor
from warroom.domain.procedures import Criterion


def on_gate(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident gate [NAME]`: one gate with every criterion, or which there are."""
    known, name = ctx.pack.pack.gates, text.strip()
    if not known:
        return wrong("This platform has no gates: nothing stands before resolving.", "/incident resolve resolves it.")
    if not name and len(known) == 1:
        name = next(iter(known))
    if not name:
        return say("gate_list", rows=_overview(incident, ctx), **room_link(incident))
    if name not in known:
        near = did_you_mean(name, tuple(known))
        return wrong(f"There is no gate “{name}”.", *(f"/incident gate {n}" for n in near))
    shown = views.gate(incident, ctx.pack, ctx.now, {"gate": name})
    return Handled(answer=Reply("gate", {**shown, "button": f"{incident.id}|{name}"}))


def sign(incident: Incident, actor: Actor, about: str, ctx: Context) -> Handled:
    """The button of a criterion that somebody signs off; `about` is GATE|NUMBER."""
    name, _, number = about.partition("|")
    criterion = _criterion(ctx, name, number)
    if criterion is None or not criterion.sign_off:
        return wrong("This button's criterion is not known here any more.", "/incident gate shows what there is.")
    if not actor.groups & set(criterion.sign_off):
        return not_in(actor, f"Signing off “{criterion.title}”", criterion.sign_off, ctx, recorded=True)
    state = gates.states(incident, ctx.pack, name, ctx.now)[int(number)]
    before = incident.signed.get((name, int(number)))
    if state.met and before and not gates.outdated(incident, before.at):
        text = f"“{criterion.title}” was signed off by {before.by.name} already"
        return say("already", text=text, at=moment(before.at), **room_link(incident))
    answer = Reply("done", {"text": f"You signed off “{criterion.title}”", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.SignedOff(gate=name, criterion=int(number))), answer)


def open_override(incident: Incident, actor: Actor, name: str, ctx: Context) -> Handled:
    """The override button: a form that asks for the reason, for those who may."""
    standing, refusal = _standing(incident, actor, name, ctx)
    if refusal:
        return refusal
    context = {
        "gate": ctx.pack.pack.gates[name].title,
        "criteria": [line(s) for s in standing],
        "values": {"reason": ""},
    }
    return Handled(answer=Form("gate_override", f"{incident.id}|{name}", context))


def override(incident: Incident, form: Submission, ctx: Context) -> Handled:
    """The form sent in: who may goes past what is unmet now, for a reason."""
    name = form.about.partition("|")[2]
    standing, refusal = _standing(incident, form.actor, name, ctx)
    if refusal:
        return refusal
    passed = f.GateOverridden(gate=name, unmet=tuple(s.title for s in standing), reason=form.values["reason"].strip())
    title = ctx.pack.pack.gates[name].title
    answer = Reply("done", {"text": f"“{title}” is overridden; everybody is told", **room_link(incident)})
    return Handled(ctx.facts(form.actor.by, passed), answer)


def _standing(
    incident: Incident, actor: Actor, name: str, ctx: Context
) -> tuple[tuple[gates.State, ...], Handled | None]:
    """What stands in the way at this gate, or why this person cannot go past it."""
    gate = ctx.pack.pack.gates.get(name)
    if gate is None:
        return (), wrong("This button's gate is not known here any more.", "/incident gate shows what there is.")
    standing = gates.unmet(gates.states(incident, ctx.pack, name, ctx.now))
    if not standing:
        return (), wrong(f"“{gate.title}” is open: there is nothing to override.", f"/incident gate {name}")
    if not gates.may_override(incident, ctx.pack, actor):
        return (), may_not_override(actor, gate.title, ctx)
    return standing, None


def may_not_override(actor: Actor, title: str, ctx: Context) -> Handled:
    """Somebody who may not go past a gate: a sentence, a fact, no act."""
    return not_in(actor, f"Overriding “{title}”", (gates.COMMANDERS,), ctx, recorded=True)


def line(state: gates.State) -> str:
    """A criterion in one line, for forms."""
    sign = "✓" if state.met else "!" if state.waived else "✗"
    return f"{sign} {state.title}: {state.waived or state.why}"


def asked_for(standing: tuple[gates.State, ...], field: str) -> FieldErrors:
    """What is unmet, as the mistake of a form that leaves out the reason for going past it."""
    missing = "; ".join(f"{s.title} ({s.why})" for s in standing)
    return FieldErrors({field: f"Not met yet: {missing}. Do that first, or say here why it is resolved all the same."})


def _criterion(ctx: Context, name: str, number: str) -> Criterion | None:
    gate = ctx.pack.pack.gates.get(name)
    if gate is None or not number.isdecimal() or int(number) >= len(gate.criteria):
        return None
    return gate.criteria[int(number)]


def _overview(incident: Incident, ctx: Context) -> list[dict[str, object]]:
    asked = gates.before_resolving(incident, ctx.pack)
    rows: list[dict[str, object]] = []
    for name, gate in ctx.pack.pack.gates.items():
        states = gates.states(incident, ctx.pack, name, ctx.now)
        rows.append(
            {
                "name": name,
                "title": gate.title,
                "before": gate.before,
                "applies": gate.before == "action" or name in asked,
                "met": sum(s.met for s in states),
                "total": len(states),
            }
        )
    return rows


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What people are told of sign-offs and overrides."""
    match fact.what:
        case f.SignedOff(gate=name, criterion=number):
            shown = views.gate(out.i, out.pack, out.now, {"gate": name})
            told = shown | {"by": views.who(fact.by), "signed": shown["criteria"][number]["text"]}
            yield out.say(f"signed:{name}:{number}:{out.i.count}", "gate_signed", told)
        case f.GateOverridden() as what:
            yield from _overridden(out, fact, what)


def _overridden(out: Out, fact: f.Fact, what: f.GateOverridden) -> Iterator[Effect]:
    known = out.pack.pack.gates.get(what.gate)
    title = known.title if known else what.gate
    told = {
        "gate": title,
        "unmet": list(what.unmet),
        "why": what.reason,
        "by": views.who(fact.by),
        "via": what.via,
    }
    key = f"overridden:{what.gate}:{out.i.count}"
    yield out.say(key, "gate_overridden", told)
    announce = out.pack.pack.severities[out.i.severity].announce.channel
    full = views.base(out.i, out.pack, out.now) | told
    yield out.post(f"{key}:announce", announce, "gate_overridden", {"context": full})
    yield out.note(
        f"{key}:note", f"{title} overridden by {fact.by.name}: {what.reason}. Not met: {'; '.join(what.unmet)}"
    )
