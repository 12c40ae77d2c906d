"""Halting trading: preview, confirm, order. Quick to order for who may; never done twice; never shown as more than
what was read back."""

from warroom.domain import breaking, halts, resuming, views
from warroom.domain import facts as f
from warroom.domain.decision import Context, StandingHalt
from warroom.domain.declaring import declare
from warroom.domain.effects import FieldErrors, Form, Reply, moment
from warroom.domain.handling import Handled, may, refused, room_link, run_id, say, wrong
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, Submission
from warroom.domain.people import Actor
from warroom.domain.policy import Action
from warroom.domain.routing import halt_title, platform_named, platforms
from warroom.domain.sending import by_hand, sending
from warroom.domain.words import nearest

SEPARATOR = "|"
BREAK_GLASS = "break-glass"
REHEARSED = "dry-"
"""begins the run of a preview, and ends what a form carries, that said that nothing would be sent"""


def scopes(ctx: Context) -> dict[str, str]:
    """What can be halted: scope → action id."""
    return {a.scope: name for name, a in ctx.pack.pack.actions.items() if a.scope}


def on_halt(incident: Incident | None, actor: Actor, text: str, given: Input, ctx: Context) -> Handled:
    """`/halt` opens the form, `/halt SCOPE REASON` shows the preview with its confirm button; `status`, `resume` and
    `break-glass` are its other words."""
    known = scopes(ctx)
    text, called, elsewhere = _platform(incident, text.strip(), ctx)
    if elsewhere:
        return elsewhere
    word, _, rest = text.partition(" ")
    if word.lower() == "status":
        return status(incident, ctx)
    if not known:
        return _none_here(text, ctx)
    if word.lower() == "resume" and word not in known:
        return resuming.on_resume(incident, actor, rest, given, ctx)
    first = ctx.pack.pack.actions[next(iter(known.values()))]
    if ctx.actions == "off":
        return _off(ctx)
    glass = word.lower() == BREAK_GLASS and not may(actor, first) and ctx.pack.pack.break_glass is not None
    if word.lower() == BREAK_GLASS:
        word, _, rest = rest.strip().partition(" ")
    if not may(actor, first) and not glass:
        return stranger(incident, actor, first, ctx, called)
    if not word and not glass:
        return Handled(answer=Form("halt", _about(incident, ctx), form_context(incident, ctx)))
    usage = f"/halt {called}{BREAK_GLASS} " if glass else f"/halt {called}"
    if word not in known:
        near = nearest(word, known)
        reason = rest.strip() if near else f"{word} {rest}".strip()
        return wrong(f"There is no scope “{word}”.", *(f"{usage}{s} {reason or 'REASON'}" for s in near or known))
    if not rest.strip():
        return wrong("A halt needs a reason: it is written down with your name.", f"{usage}{word} REASON")
    return preview(incident, actor, word, rest.strip(), given, ctx, glass=glass)


def _off(ctx: Context) -> Handled:
    """Nothing can be halted from here: how it is done on the platform itself."""
    said = "Halting is switched off here (WARROOM_ACTIONS=off). Nothing was sent. Halt on the platform itself, now:"
    return wrong(said, *by_hand(ctx.pack.pack))


def _platform(incident: Incident | None, text: str, ctx: Context) -> tuple[str, str, Handled | None]:
    """What was typed without the platform it names, that name as hints repeat it ("" or "eafix "), and an answer when
    another platform is meant than the one of this incident: nothing is halted on a guess."""
    word, _, rest = text.partition(" ")
    named = platform_named(text, ctx.packs)
    own = ctx.pack.pack
    if not named or word in scopes(ctx):
        return text, "", None
    if named == own.id:
        return rest.strip(), f"{named} ", None
    where = f"{incident.id} is an incident of {own.title}" if incident else f"This is about {own.title}"
    meant = ctx.packs[named].pack.title
    hint = f"In a channel that is no incident's room: /halt {named} {rest.strip() or 'SCOPE REASON'}"
    return text, "", wrong(f"{where}, not of {meant}. Nothing was done.", hint)


def _none_here(text: str, ctx: Context) -> Handled:
    """No platform is implied that can be halted: which one, with what was typed; or that there is none."""
    able = platforms(ctx.packs)
    if not able:
        return wrong("No pack here can halt anything.", "Use /halt in the incident's room.")
    usages = [f"/halt {name} {text or 'SCOPE REASON'} ({ctx.packs[name].pack.title})" for name in able]
    if ctx.pack.pack.id:
        said = f"{ctx.pack.pack.title} has nothing to halt. In a channel that is no incident's room, name the platform."
        return wrong(said, *usages)
    return wrong("Which platform? Nothing was done: name it first.", *usages)


def _about(incident: Incident | None, ctx: Context) -> str:
    """What the halt form carries: its incident, or the pack whose incident it will open; and that it is a rehearsal."""
    pack = ctx.pack.pack.id if incident is None and len(ctx.packs) > 1 else ""
    rehearsed = "" if ctx.actions == "live" else REHEARSED
    return SEPARATOR.join([incident.id if incident else "", pack, rehearsed]).rstrip(SEPARATOR)


def sent_in(incident: Incident | None, form: Submission, given: Input, ctx: Context) -> Handled:
    """The halt form sent in: what it showed is ordered, and a rehearsal is never sent for real."""
    scope, reason = form.values["scope"], form.values["reason"].strip()
    if scope not in scopes(ctx):
        return Handled(answer=FieldErrors({"scope": "This cannot be halted any more: choose again."}))
    if form.about.endswith(REHEARSED) and ctx.actions == "live":
        said = "This form was a rehearsal, and by now a halt is sent for real. Nothing was done: /halt opens a new one."
        return Handled(answer=FieldErrors({"reason": said}))
    return order(incident, form.actor, scope, reason, run_id(given), ctx)


def platform(ctx: Context) -> str:
    """The title of the pack, where there are several that could be meant."""
    return ctx.pack.pack.title if len(ctx.packs) > 1 else ""


def stranger(incident: Incident | None, actor: Actor, action: Action, ctx: Context, called: str = "") -> Handled:
    """Somebody who may not halt: refused, and told how it goes in an emergency where the pack has a way. `called`:
    the platform as it was named."""
    hint = ""
    if ctx.pack.pack.break_glass is not None:
        scope = next(iter(scopes(ctx)))
        hint = (
            "If nobody who may can be reached and it cannot wait: "
            f"/halt {called}{BREAK_GLASS} {scope} REASON halts all the same. "
            "Others learn of it at once, with your name."
        )
    return refused(actor, "/halt", action, ctx, recorded=incident is not None, hint=hint)


def form_context(incident: Incident | None, ctx: Context) -> dict[str, object]:
    """What the halt form shows."""
    actions = ctx.pack.pack.actions
    return {
        "scopes": [{"value": s, "label": actions[a].title} for s, a in scopes(ctx).items()],
        "mode": ctx.actions,
        "consequence": next((actions[a].consequence for a in scopes(ctx).values()), ""),
        "preview": "\n".join(
            line
            for a in scopes(ctx).values()
            for line in sending(actions[a], {}, fields={}, tools=ctx.pack.pack.tools).lines
        ),
        "in_force": [*(views.halt_lines(incident, ctx.now) if incident else []), *_in_force_elsewhere(incident, ctx)],
        "incident": incident.id if incident else "",
        "platform": platform(ctx),
    }


def preview(
    incident: Incident | None, actor: Actor, scope: str, reason: str, given: Input, ctx: Context, *, glass: bool = False
) -> Handled:
    """Exactly what confirming will do, with a button that works once. `glass`: by somebody without the right to."""
    action = ctx.pack.pack.actions[scopes(ctx)[scope]]
    run = ("" if ctx.actions == "live" else REHEARSED) + run_id(given, scope, reason)
    value = SEPARATOR.join([incident.id if incident else "", run, ctx.pack.pack.id, scope, reason])
    if len(value) > 1900:
        return wrong("The reason is too long: keep it under 1,500 characters.", f"/halt {scope} REASON")
    elsewhere = _in_force_elsewhere(incident, ctx)
    shown = {
        "scope": scope,
        "action": action.title,
        "reason": reason,
        "request": _request(action, reason, actor, incident, ctx),
        "consequence": action.consequence,
        "mode": ctx.actions,
        "in_force": [*map(views.run_line, halts.in_force(incident) if incident else ()), *elsewhere],
        "platform": platform(ctx),
        "incident": incident.id if incident else "",
        "title": incident.title if incident else "",
        "resolved": incident is not None and not incident.is_open,
        "button": value,
    }
    if glass:
        return say("glass_preview", **shown, **breaking.terms(ctx))
    return say("halt_preview", **shown)


def confirm(incident: Incident | None, actor: Actor, value: str, ctx: Context, *, glass: bool = False) -> Handled:
    """The order: facts only; sending and reading back follow from them."""
    parts = value.split(SEPARATOR, 4)
    if len(parts) != 5 or parts[3] not in scopes(ctx):
        return wrong("This preview no longer fits.", "/halt shows a new one.")
    _, run, _, scope, reason = parts
    if run.startswith(REHEARSED) and ctx.actions == "live":
        said = "This preview was a rehearsal, and by now a halt is sent for real. Nothing was done."
        return wrong(said, f"/halt {scope} {reason} shows what will be sent")
    return order(incident, actor, scope, reason, run, ctx, glass=glass)


def order(
    incident: Incident | None, actor: Actor, scope: str, reason: str, run: str, ctx: Context, *, glass: bool = False
) -> Handled:
    """Order the halt named `scope`. Without an incident it opens one: a halt is always somebody's incident.

    `glass`: whoever has no right to it breaks the glass, which others learn of at once.
    """
    name = scopes(ctx)[scope]
    action = ctx.pack.pack.actions[name]
    if ctx.actions == "off":
        return _off(ctx)
    broken = glass and not may(actor, action)
    if not may(actor, action) and not (broken and ctx.pack.pack.break_glass):
        return stranger(incident, actor, action, ctx)
    done = next((r for r in incident.runs if r.run == run), None) if incident else None
    if done and incident:
        return say("halt_already", line=views.run_line(done), at=moment(done.at), **room_link(incident))
    opening: tuple[f.Fact, ...] = ()
    if incident is None:
        opening = declare(actor, halt_title(scope), "P0", reason, "a halt was ordered", ctx)
    requested = f.ActionRequested(
        run=run,
        action=name,
        scope=scope,
        reason=reason,
        mode="live" if ctx.actions == "live" else "dry_run",
        title=action.title,
    )
    how = breaking.broken(run, reason, actor, ctx) if broken else ()
    link = room_link(incident) if incident else {"id": ctx.new_id, "room": "", "title": reason}
    answer = Reply("halt_ordered", {"scope": scope, "mode": ctx.actions, **link})
    return Handled((*opening, *ctx.facts(actor.by, requested, *how)), answer)


def status(incident: Incident | None, ctx: Context) -> Handled:
    """What can be halted, and the halts of all incidents that are or may be in force, and since when; of this
    incident also those that came to nothing or were lifted."""
    several = len(ctx.packs) > 1
    of = {name: f"{p.pack.title}: " if several else "" for name, p in ctx.packs.items()}
    rows = [
        {"line": of.get(c.pack, "") + _standing_line(h), "at": moment(h.since), "by": h.by, "id": c.id}
        for c in ctx.cards
        for h in (c.halts if incident is None or c.id != incident.id else ())
    ]
    here = views.halt_rows(incident, ctx.now) if incident else []
    known = list(scopes(ctx))
    if not ctx.pack.pack.id:
        known = [f"{name} {a.scope}" for name, p in ctx.packs.items() for a in p.pack.actions.values() if a.scope]
    return say("halt_status", scopes=known, rows=[*here, *rows], mode=ctx.actions)


def _standing_line(halt: StandingHalt) -> str:
    return f"Trading halt ({halt.scope}): {_STATES[halt.state]}"


def _in_force_elsewhere(incident: Incident | None, ctx: Context) -> list[str]:
    """The halts of this platform that other incidents ordered and that were read back as in force."""
    others = halts.of_others(incident.id if incident else "", ctx.pack.pack.id, ctx.cards)
    return [f"{_standing_line(h)} ({c.id})" for c, h in others if h.state == "confirmed"]


_STATES = {
    "confirmed": "CONFIRMED by reading back",
    "unknown": "UNKNOWN, check by hand",
    "requested": "ordered, not confirmed yet",
}


def _request(action: Action, reason: str, actor: Actor, incident: Incident | None, ctx: Context) -> list[str]:
    """What is sent; an incident that is opened for it has no id yet."""
    of, known = (incident.id, incident.fields) if incident else ("<the incident>", {})
    shown = sending(
        action, {}, fields=known, reason=reason, operator=actor.name, incident=of, tools=ctx.pack.pack.tools
    )
    return list(shown.lines)
