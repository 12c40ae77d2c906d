"""Checklists in the room: shown, asked for, ticked, taken back."""

from collections.abc import Iterator

from warroom.domain import checklists, teams, views
from warroom.domain import facts as f
from warroom.domain.checklists import Row
from warroom.domain.commands import did_you_mean
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, Reply, moment
from warroom.domain.handling import Handled, room_link, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.outgoing import EDIT, Out
from warroom.domain.people import Actor
from warroom.domain.procedures import Checklist

UNDO = "undo"


def on_checklist(incident: Incident, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/incident checklist [NAME [ITEM [undo]]]`: which there are, one of them (put up if it was not), one tick."""
    known = ctx.pack.pack.checklists
    if not known:
        return wrong("This platform has no checklists.", "/incident runbook shows its playbooks.")
    name, *words = text.split()[:4] or [""]
    if not name:
        return say("checklist_list", rows=_overview(incident, ctx), **room_link(incident))
    if name not in known:
        near = did_you_mean(name, tuple(known))
        return wrong(f"There is no checklist “{name}”.", *(f"/incident checklist {n}" for n in near))
    if words and (len(words) > 2 or words[1:] not in ([], [UNDO])):
        usage = f"/incident checklist {name} {words[0]}"
        return wrong(f"“{' '.join(words)}” is more than an item.", usage, f"{usage} {UNDO}")
    if words:
        return _mark(incident, actor, name, words[0], undo=UNDO in words[1:], ctx=ctx)
    if name in incident.checklists:
        return Handled(answer=Reply("checklist", views.checklist(incident, ctx.pack, ctx.now, {"checklist": name})))
    answer = Reply("done", {"text": f"“{known[name].title}” is up in the room", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.ChecklistBegun(checklist=name)), answer)


def tick(incident: Incident, actor: Actor, about: str, ctx: Context) -> Handled:
    """The button of an item; `about` is CHECKLIST|ITEM."""
    name, _, item = about.partition("|")
    if name not in ctx.pack.pack.checklists:
        return wrong("This button's checklist is not known here any more.", "/incident checklist shows what there is.")
    return _mark(incident, actor, name, item, undo=False, ctx=ctx)


def _mark(incident: Incident, actor: Actor, name: str, word: str, *, undo: bool, ctx: Context) -> Handled:
    """Ticks the item of this id or number, or takes its tick back."""
    checklist = ctx.pack.pack.checklists[name]
    if name not in incident.checklists:
        return wrong(f"“{checklist.title}” was not begun yet.", f"/incident checklist {name} puts it up in the room.")
    rows = checklists.rows(incident, checklist, name)
    row = next((r for r in rows if word in (r.item.id, str(r.number))), None)
    if row is None:
        near = did_you_mean(word, tuple(r.item.id for r in rows))[:5]
        said = f"“{checklist.title}” has no item “{word}”."
        return wrong(said, *(f"/incident checklist {name} {item}" for item in near))
    if not actor.verified:
        later = "Try again in a moment."
        return wrong("Slack could not be asked who you are just now, so nothing was changed.", later)
    return _undo(incident, actor, name, row, ctx) if undo else _tick(incident, actor, name, row, ctx)


def _tick(incident: Incident, actor: Actor, name: str, row: Row, ctx: Context) -> Handled:
    mark, title = row.mark, row.item.title
    if mark.done and mark.at:
        who = mark.by.name if mark.by else "warroom"
        return say("already", text=f"“{title}” was ticked by {who} already", at=moment(mark.at), **room_link(incident))
    fact = f.ItemDone(checklist=name, item=row.item.id, how="")
    of = checklists.progress(incident, ctx.pack.pack.checklists[name], name)
    text = f"“{title}” is ticked, {of.done + 1} of {of.total}"
    return Handled(ctx.facts(actor.by, fact), Reply("done", {"text": text, **room_link(incident)}))


def _undo(incident: Incident, actor: Actor, name: str, row: Row, ctx: Context) -> Handled:
    if not row.mark.done:
        usage = f"/incident checklist {name} {row.item.id}"
        return wrong(f"“{row.item.title}” is not ticked: there is nothing to take back.", f"{usage} ticks it.")
    answer = Reply("done", {"text": f"“{row.item.title}” is open again", **room_link(incident)})
    return Handled(ctx.facts(actor.by, f.ItemUndone(checklist=name, item=row.item.id)), answer)


def _overview(incident: Incident, ctx: Context) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "title": checklist.title,
            "begun": name in incident.checklists,
            "progress": str(checklists.progress(incident, checklist, name)),
            "items": len(checklist.items),
        }
        for name, checklist in ctx.pack.pack.checklists.items()
    ]


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """The checklist's message in the room, posted once and edited in place; late items are named."""
    match fact.what:
        case f.ChecklistBegun(checklist=name):
            data = {"view": "checklist", "checklist": name}
            yield out.post(f"checklist:{name}", "room", "checklist", data)
        case f.ItemDone(checklist=name) | f.ItemUndone(checklist=name):
            yield _edit(out, name)
        case f.ItemLate(checklist=name, item=item):
            yield _edit(out, name)
            checklist = out.pack.pack.checklists.get(name)
            row = _row(out.i, checklist, name, item) if checklist else None
            if checklist and row:
                yield out.say(f"late:{name}:{item}", "item_late", _late(out, checklist, name, row))


def _edit(out: Out, name: str) -> Effect:
    return out.effect(
        f"checklist-{name}.edit:{out.i.count}",
        "slack.edit",
        {"of": f"checklist:{name}", "message": "checklist", "view": "checklist", "checklist": name},
        lane=f"checklist:{name}",
        rank=EDIT,
        after=(f"checklist:{name}",),
        coalesce=f"checklist:{name}",
    )


def _row(i: Incident, checklist: Checklist, name: str, item: str) -> Row | None:
    return next((row for row in checklists.rows(i, checklist, name) if row.item.id == item), None)


def _late(out: Out, checklist: Checklist, name: str, row: Row) -> dict[str, object]:
    return {
        "checklist": checklist.title,
        "name": name,
        "item": row.item.id,
        "text": row.item.title,
        "how": row.item.how,
        "owner": teams.owner(out.pack.pack, row.item.owner),
        "holder": views.who(out.i.roles.get(row.item.owner)),
        "due": moment(row.due) if row.due else None,
    }
