"""Fields in the room: asked for, set by people."""

from collections.abc import Iterable, Iterator, Mapping

from warroom.domain import facts as f
from warroom.domain import fields, views
from warroom.domain.commands import did_you_mean
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, FieldErrors, Form, Reply
from warroom.domain.handling import Handled, room_link, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, Submission
from warroom.domain.outgoing import Out
from warroom.domain.people import Actor


def on_set(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident set NAME VALUE`; without words a form with all fields."""
    known = ctx.pack.pack.fields
    name, _, said = text.strip().partition(" ")
    if not known:
        return wrong(f"{ctx.pack.pack.title} asks for no fields.", "/incident note TEXT adds to the timeline.")
    if not name:
        return _form(incident, known, ctx)
    if name not in known:
        near = did_you_mean(name, tuple(known))
        return wrong(f"There is no field “{name}”.", *(f"/incident set {n} VALUE" for n in near))
    if not said.strip():
        return wrong(f"Say what {known[name].title} is.", f"/incident set {name} VALUE", "/incident set opens a form.")
    value, mistake = fields.check(known[name], said)
    if mistake:
        return wrong(mistake, f"/incident set {name} VALUE", "/incident set opens a form.")
    if incident.fields.get(name) == value:
        said_before = Reply("done", {"text": f"{known[name].title} was {value} before", **room_link(incident)})
        return Handled(answer=said_before)
    answer = Reply("done", {"text": f"{known[name].title} is {value} now", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.FieldSet(field=name, value=value, source="person")), answer)


def open_form(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """The form with what is not known yet; with everything when all of it is."""
    return _form(incident, fields.missing(incident, ctx.pack) or ctx.pack.pack.fields, ctx)


def on_sent(incident: Incident, form: Submission, ctx: Context) -> Handled:
    """The form sent in: every value that is another one than before becomes a fact; empty ones are left as they are."""
    known = ctx.pack.pack.fields
    said = {name: text for name, text in form.values.items() if name in known and text.strip()}
    checked = {name: fields.check(known[name], text) for name, text in said.items()}
    mistakes = {name: mistake for name, (_, mistake) in checked.items() if mistake}
    if mistakes:
        return Handled(answer=FieldErrors(mistakes))
    if not said:
        return Handled(answer=FieldErrors({next(iter(form.values), ""): "Fill in at least one of these."}))
    new = {name: value for name, (value, _) in checked.items() if incident.fields.get(name) != value}
    facts = ctx.facts(form.actor.by, *(f.FieldSet(field=n, value=v, source="person") for n, v in new.items()))
    text = "Written down; the room and the panel show it" if new else "That is what was known already"
    return Handled(facts, Reply("done", {"text": text, **room_link(incident)}))


def opened(out: Out) -> Iterator[Effect]:
    """What the room is asked for, and what of the alert could not be taken."""
    for number, (field, reading) in enumerate(fields.refused(out.i, out.pack)):
        context = {"field": field.title, "value": reading.text[:200], "mistake": reading.mistake}
        yield out.say(f"field.refused:{number}", "field_refused", context)
    missing = fields.missing(out.i, out.pack)
    if missing:
        titles = [out.pack.pack.fields[name].title for name in missing]
        yield out.say("fields.ask", "fields_request", {"missing": titles})


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What people are told. What the alert or a default filled in stands on the panel."""
    what = fact.what
    if not isinstance(what, f.FieldSet) or what.source != "person":
        return
    field = out.pack.pack.fields.get(what.field)
    context = {"field": field.title if field else what.field, "value": what.value, "by": views.who(fact.by)}
    yield out.say(f"field:{what.field}:{out.i.count}", "field_set", context)
    yield from out.announcements()


def _form(incident: Incident, names: Iterable[str], ctx: Context) -> Handled:
    rows = [_row(name, incident.fields, ctx) for name in names]
    return Handled(answer=Form("fields", incident.id, {"fields": rows}))


def _row(name: str, known: Mapping[str, str], ctx: Context) -> Mapping[str, object]:
    field = ctx.pack.pack.fields[name]
    return {"name": name, "title": field.title, "choices": list(field.choices), "value": known.get(name, "")}
