"""Phone calls that a protocol asks a person to make: whom to ring now, what to say, and what came of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from warroom.domain import facts as f
from warroom.domain import halts, protocol, views
from warroom.domain.decision import Context, LoadedPack
from warroom.domain.effects import Effect, Form, Reply
from warroom.domain.handling import Handled, room_link, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.outgoing import Out
from warroom.domain.people import Actor
from warroom.domain.policy import Contact, Step

NOT_REACHED = "call:"
"""begins the kind of a note that says that somebody could not be reached; the step's id follows"""
SPEAKER = "[your name]"
NO_ACTIONS = "None for now. Stay reachable; we call again as soon as that changes."


def contact(i: Incident, pack: LoadedPack, step: Step) -> Contact | None:
    """Whom to ring now: the contact the step names, and after each attempt in vain the next one with a phone."""
    if step.call is None:
        return None
    known = pack.pack.contacts
    first = next((n for n, c in enumerate(known) if c.title == step.call.whom), None)
    if first is None:
        return None
    others = [c for c in (*known[first + 1 :], *known[:first]) if _phone(pack, c)]
    line = [known[first], *others]
    return line[_attempts(i, step) % len(line)]


def _attempts(i: Incident, step: Step) -> int:
    """How often it was said that the one to be called could not be reached."""
    kind = NOT_REACHED + step.id
    return sum(1 for note in i.notes if isinstance(note.what, f.NoteAdded) and note.what.kind == kind)


def _phone(pack: LoadedPack, contact: Contact) -> str:
    return pack.contacts.get(contact.phone or "", "")


def whom(out: Out, step: Step) -> dict[str, Any]:
    """Title, number and note of the person to ring now; empty for a step without a call."""
    found = contact(out.i, out.pack, step)
    if found is None:
        return {"contact": "", "phone": "", "phone_note": ""}
    return {"contact": found.title, "phone": _phone(out.pack, found), "phone_note": found.note}


def request(out: Out, step: Step, context: Mapping[str, Any]) -> Effect:
    """The call as a task in the room: number, script filled in, buttons. The first one, or the one after an attempt."""
    attempts = _attempts(out.i, step)
    key = f"step:{step.id}:ask" + (f":{attempts + 1}" if attempts else "")
    full = views.base(out.i, out.pack, out.now) | dict(context) | {"attempts": attempts}
    quote = {"message": step.call.script if step.call else "call_script", "context": script(out, step)}
    data = {"context": full, "button": f"{out.i.id}|{step.id}", "quote": quote}
    return out.post(key, "room", "call_request", data)


def script(out: Out, step: Step) -> dict[str, Any]:
    """What a call script may show (source: eafix-trading-incidents.md, phone call script)."""
    i = out.i
    book = protocol.playbook_of(i, out.pack)
    holder = i.roles.get(step.owner)
    last = next((u for u in reversed(i.updates) if u.human), None)
    stopped = [f"{views.run_line(run)}. Send no new orders until we call again." for run in halts.in_force(i)]
    steps = [line.strip() for line in (last.next_steps if last else "").splitlines() if line.strip()]
    return views.base(i, out.pack, out.now) | {
        "speaker": holder.name if holder else SPEAKER,
        "component": ", ".join(book.systems) if book and book.systems else i.service or i.title,
        "impact": views.impact(i, out.pack),
        "taken": list(views.taken(i)),
        "eta": last.eta if last else "",
        "actions": [*stopped, *steps] or [book.desk if book and book.desk else NO_ACTIONS],
        **whom(out, step),
    }


def open_form(incident: Incident, name: str, value: str, ctx: Context) -> Handled:
    """The form behind a button of the task: `call_done` asks whom they spoke to, `call_failed` what happened."""
    step = _step(incident, value.partition("|")[2], ctx)
    if step is None:
        return wrong("This call is not part of the protocol any more.", "/incident-status shows the protocol.")
    if (over := _over(incident, step)) is not None:
        return over
    found = contact(incident, ctx.pack, step)
    values = {"person": found.title if found else "", "note": ""}
    return Handled(answer=Form(name, value, {"step": step.title, "values": values}))


def typed(incident: Incident, actor: Actor, step: Step, person: str, ctx: Context) -> Handled:
    """`/incident step done CALL WHO`: the call was made; without the person the form asks whom they spoke to."""
    if person:
        return on_done(incident, actor, step.id, {"person": person}, ctx)
    return open_form(incident, "call_done", f"{incident.id}|{step.id}", ctx)


def on_done(incident: Incident, actor: Actor, step_id: str, values: Mapping[str, str], ctx: Context) -> Handled:
    """Somebody was reached: the step is done, and says who was spoken to."""
    step = _step(incident, step_id, ctx)
    if step is None:
        return wrong("This call is not part of the protocol any more.", "/incident-status shows the protocol.")
    if (over := _over(incident, step)) is not None:
        return over
    note = values.get("note", "").strip()
    how = f"called, spoke to {values['person'].strip()}" + (f": {note}" if note else "")
    answer = Reply("done", {"text": f"Step “{step.title}” is done", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.StepDone(step=step.id, how=how)), answer)


def on_failed(incident: Incident, actor: Actor, step_id: str, values: Mapping[str, str], ctx: Context) -> Handled:
    """Nobody was reached: written down, and the room is asked to ring the next one."""
    step = _step(incident, step_id, ctx)
    if step is None:
        return wrong("This call is not part of the protocol any more.", "/incident-status shows the protocol.")
    if (over := _over(incident, step)) is not None:
        return over
    found = contact(incident, ctx.pack, step)
    text = f"Could not reach {found.title if found else 'anybody'} by phone: {values['note'].strip()}"
    answer = Reply("done", {"text": "Written down; the room reads whom to call next", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.NoteAdded(text=text, kind=NOT_REACHED + step.id)), answer)


def again(out: Out, step: Step, context: Mapping[str, Any]) -> Iterator[Effect]:
    """After an attempt in vain: the same task with the next number, unless the step is over by now."""
    mark = out.i.steps.get(step.id)
    if mark is None or mark.state not in ("done", "skipped"):
        yield request(out, step, context)


def _step(incident: Incident, step_id: str, ctx: Context) -> Step | None:
    found = protocol.step_named(ctx.pack.pack, step_id)
    return found if found is not None and found.call is not None else None


def _over(incident: Incident, step: Step) -> Handled | None:
    mark = incident.steps.get(step.id)
    if mark is None or mark.state not in ("done", "skipped"):
        return None
    at = {"utc": mark.at.isoformat()}
    return say("already", text=f"step “{step.title}” is {mark.said}", at=at, **room_link(incident))
