"""Watches: reading, and speaking when it matters.

Whether a watch is steady is decided by its readings alone: time that passes without one proves nothing. A first
reading, or one after a gap (warroom was away, the reading was given up), begins anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, cast

from warroom.domain import facts as f
from warroom.domain import views, watches
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, moment
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident, WatchMark
from warroom.domain.inputs import EffectResult
from warroom.domain.outgoing import PANEL, Out
from warroom.domain.procedures import Watch
from warroom.domain.words import clock, spell

MISSED = 2
"""A reading that is late by more than so many turns leaves a gap behind it."""

STATES: Mapping[str, str] = {"ok": "healthy", "failed": "NOT HEALTHY", "error": "NOT READABLE"}
State = Literal["ok", "failed", "error"]


def on_timer(incident: Incident, key: str, ctx: Context) -> Handled:
    """A reading is due. It is no fact; it is pointless once the next one is due."""
    name, _ = watches.slot_of(key)
    watch = next((w for n, w, _ in watches.running(incident, ctx.pack) if n == name), None)
    if watch is None:
        return Handled()
    out = Out(incident, ctx.pack, ctx.now)
    data = {"watch": name, "probe": watch.probe}
    lane = f"watch:{name}"
    reading = out.effect(key, "platform.watch", data, lane=lane, rank=PANEL, coalesce=lane)
    return Handled(effects=(replace(reading, expires=ctx.now + watch.every),))


def on_reading(incident: Incident, result: EffectResult, ctx: Context) -> Handled:
    """A reading came back: a fact only when it matters. One that could not be taken says so as a reading does."""
    name, due = watches.slot_of(result.key)
    found = next(((w, begin) for n, w, begin in watches.running(incident, ctx.pack) if n == name), None)
    if found is None or result.outcome == "delayed":
        return Handled()
    watch, begin = found
    mark = watches.mark_of(incident, name, begin)
    late = (result.started or ctx.now) - due
    gap = f"it was not read for {spell(late)} before" if late > MISSED * watch.every else ""
    reading = result.result
    if result.outcome != "done":
        reading = {"state": "error", "summary": result.error}
    state = cast(State, reading.get("state") if reading.get("state") in STATES else "error")
    value = reading.get("value")
    why = _why(watch, mark, state, value, gap, ctx.now)
    if why:
        saw = f.WatchSaw(
            watch=name,
            state=state,
            value=value,
            summary=str(reading.get("summary", "")),
            why=why,
            anew=mark is None or bool(gap),
        )
        return Handled(ctx.facts(None, saw))
    if mark and _steady_now(watch, mark, ctx.now):
        return Handled(ctx.facts(None, f.WatchSteady(watch=name, since=mark.since)))
    return Handled()


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """What people are told, in the watch's channels."""
    what = fact.what
    if not isinstance(what, f.WatchSaw | f.WatchSteady):
        return
    watch, mark = out.pack.pack.watches.get(what.watch), out.i.watches.get(what.watch)
    if watch is None or mark is None:
        return
    context = views.base(out.i, out.pack, out.now) | _told(watch, mark, out)
    message = "watch_steady"
    if isinstance(what, f.WatchSaw):
        message, context["why"] = "watch_saw", what.why
    for channel in watch.channels:
        data = {"context": context, "button": f"{out.i.id}|{watch.probe}"}
        yield out.post(f"watch.say:{what.watch}:{out.i.count}:{channel}", channel, message, data)


def _why(watch: Watch, mark: WatchMark | None, state: State, value: object, gap: str, at: datetime) -> str:
    """Why a reading taken `at` matters, in words; "" when it does not."""
    if mark is None:
        return "first reading"
    was = f"was {STATES[mark.state]} since {clock(mark.since, at)}"
    if state != mark.state:
        return ", ".join(filter(None, [was, gap]))
    if gap:
        return gap
    before, now = _number(mark.value), _number(value)
    if watch.moves_over is None or before is None or now is None or abs(now - before) <= watch.moves_over:
        return ""
    return (
        f"moved by {now - before:+,.10g} in {spell(at - mark.at)}, from {before:,.10g} to {now:,.10g} "
        f"(told when it moves by more than {watch.moves_over:,.10g})"
    )


def _steady_now(watch: Watch, mark: WatchMark, now: datetime) -> bool:
    """Whether this healthy reading is the one that makes the watch steady."""
    if watch.steady_for is None or mark.steady is not None:
        return False
    return mark.state == "ok" and now - mark.since >= watch.steady_for


def _told(watch: Watch, mark: WatchMark, out: Out) -> dict[str, Any]:
    every = spell(watch.every)
    turns = ["turns healthy or not healthy"]
    if watch.moves_over is not None:
        turns.append(f"moves by more than {watch.moves_over:,.10g}")
    if watch.steady_for is not None and mark.steady is None:
        turns.append(f"has been healthy for {spell(watch.steady_for)}")
    probe = out.pack.pack.probes.get(watch.probe)
    return {
        "watch": watch.title,
        "state": STATES[mark.state],
        "healthy": mark.state == "ok",
        "summary": watches.said(mark.value, mark.summary),
        "since": moment(mark.since),
        "help": probe.help if probe else "",
        "next": f"Read every {every}; the next word comes when it {' or '.join(turns)}.",
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
