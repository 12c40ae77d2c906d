"""Routines: the record of a run, its report, and the end of it.

A record has no room, no protocol and no people: the rules leave it to this module (`Incident.routine`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from warroom.domain import facts as f
from warroom.domain import routines, teams
from warroom.domain.decision import Context
from warroom.domain.effects import Effect, moment
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident
from warroom.domain.inputs import EffectResult, Input, RoutineDue
from warroom.domain.outgoing import ACT, Out
from warroom.domain.procedures import Routine

RUN = "routine"
LATE = timedelta(minutes=5)
"""A run that begins so much later than it was due says so."""


def on_routine(body: RoutineDue, given: Input, ctx: Context) -> Handled:
    """The facts that begin a run."""
    routine = ctx.pack.pack.routines.get(body.routine)
    if routine is None:
        return Handled()
    opened = f.IncidentOpened(
        id=ctx.new_id,
        title=routine.title,
        severity="P3",
        severity_reason="a routine of the pack",
        pack=ctx.pack.pack.id,
        pack_hash=ctx.pack.hash,
        playbook=None,
        service=None,
        description="",
        origin="routine",
        details={"due": body.due.isoformat()},
        market_open=ctx.pack.sessions.is_open(ctx.now),
        routine=body.routine,
    )
    probes = ctx.pack.pack.probe_groups[routine.probes]
    return Handled(ctx.facts(None, opened, f.ProbesRequested(run=RUN, what=routine.probes, probes=tuple(probes))))


def on_readings(incident: Incident, result: EffectResult, ctx: Context) -> Handled:
    """The readings came back, or could not be taken: either way the run is over."""
    if result.outcome == "delayed":
        return Handled()
    if result.outcome == "done":
        rows = [cast(Mapping[str, Any], row) for row in cast(list[Any], result.result.get("results", []))]
        short = tuple({name: value for name, value in row.items() if name != "raw"} for row in rows)
        came: f.What = f.ProbesReported(run=RUN, results=short)
    else:
        outcome = "unknown" if result.outcome == "unknown" else "refused"
        came = f.EffectFailed(key=result.key, kind=result.kind, outcome=cast(Any, outcome), error=result.error)
    closed = f.MilestoneReached(milestone="closed", source="warroom")
    return Handled(ctx.facts(None, came, f.StatusChanged(status="closed"), closed))


def react(out: Out, fact: f.Fact) -> Iterator[Effect]:
    """The readings are taken, and reported in the routine's channel; where that cannot be, beside the incidents."""
    routine, what = out.pack.pack.routines.get(out.i.routine), fact.what
    if routine is None:
        return
    elsewhere = out.pack.pack.severities["P3"].announce.channel
    match what:
        case f.ProbesRequested():
            data = {"run": what.run, "probes": list(what.probes), "title": what.what, "seal": False}
            yield out.effect(f"probes:{what.run}", "platform.probes", data, rank=ACT)
        case f.ProbesReported() | f.EffectFailed(kind="platform.probes"):
            yield out.post("routine:report", routine.channel, "routine_report", {"context": _report(routine, out)})
        case f.EffectFailed(key="routine:report") if elsewhere != routine.channel:
            yield out.post("routine:elsewhere", elsewhere, "routine_report", {"context": _report(routine, out)})


def _report(routine: Routine, out: Out) -> dict[str, Any]:
    i, pack = out.i, out.pack.pack
    run = next((d for d in i.diagnoses if d.run == RUN and d.reported), None)
    rows = [
        {"title": r.get("title"), "state": r.get("state"), "summary": r.get("summary"), "elapsed": r.get("elapsed_s")}
        for r in (run.results if run else ())
    ]
    failed = i.failed.get(f"probes:{RUN}")
    due = datetime.fromisoformat(str(i.details["due"]))
    following = routines.next_run(out.pack, i.routine, out.now)
    checklist = pack.checklists.get(routine.checklist or "")
    return {
        "id": i.id,
        "title": routine.title,
        "rows": sorted(rows, key=lambda row: row["state"] == "ok"),
        "bad": sum(1 for row in rows if row["state"] != "ok"),
        "error": failed.error if failed else "",
        "late": moment(due) if i.opened - due > LATE else None,
        "checklist": checklist.title if checklist else "",
        "items": [
            {"title": item.title, "how": item.how, "owner": teams.owner(pack, item.owner)}
            for item in (checklist.items if checklist else ())
        ],
        "next": moment(following) if following else None,
    }
