"""What became of our own acts: results are inputs like everything else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from warroom.domain import facts as f
from warroom.domain import on_lifted, on_routine, on_watch, protocol
from warroom.domain.decision import Context
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident, Run
from warroom.domain.inputs import EffectResult
from warroom.domain.outgoing import Out
from warroom.domain.people import PAGERDUTY
from warroom.domain.policy import Milestone

SILENT = ("slack.answer", "slack.edit", "timeline.write")
RAW_LIMIT = 200_000


def on_effect(incident: Incident | None, result: EffectResult, ctx: Context) -> Handled:
    """Facts from an effect's outcome. Edits and private answers leave none unless they failed."""
    if incident is None:
        return Handled()
    if incident.routine and result.kind == "platform.probes":
        return on_routine.on_readings(incident, result, ctx)
    if result.kind == "platform.watch":
        return on_watch.on_reading(incident, result, ctx)
    if result.outcome in ("refused", "unknown"):
        return _failed(incident, result, ctx)
    if result.outcome == "delayed":
        return Handled(ctx.facts(None, f.EffectDelayed(key=result.key, kind=result.kind, error=result.error)))
    match result.kind:
        case "platform.probes":
            return _probes(incident, result, ctx)
        case "platform.act":
            return _act(incident, result, ctx)
        case "pagerduty.change":
            return _changed(result, ctx)
    if result.kind in SILENT:
        return Handled()
    facts = ctx.facts(None, _done(result))
    if result.key == "announce" and incident.reached("announced") is None:
        facts += ctx.facts(None, f.MilestoneReached(milestone="announced", source="warroom"))
    if result.key.startswith("comm:") and _to_be_announced(incident):
        notices = {c.id for c in protocol.communications(incident, ctx.pack) if c.at == "resolved"}
        if result.key.split(":")[1] in notices:
            facts += ctx.facts(None, f.MilestoneReached(milestone="resolution_announced", source="warroom"))
    return Handled(facts)


def _to_be_announced(incident: Incident) -> bool:
    """Whether this resolution (it may be the second, after a reopening) has not been announced yet."""
    resolved = incident.reached("resolved")
    told = [m.at for m in incident.history if m.milestone == "resolution_announced" and m.reached]
    return resolved is not None and (not told or max(told) < resolved)


def _done(result: EffectResult) -> f.EffectDone:
    kept = {k: v for k, v in result.result.items() if k != "text"}
    return f.EffectDone(key=result.key, kind=result.kind, result=kept)


def _failed(incident: Incident, result: EffectResult, ctx: Context) -> Handled:
    outcome = "unknown" if result.outcome == "unknown" else "refused"
    facts = ctx.facts(
        None, f.EffectFailed(key=result.key, kind=result.kind, outcome=cast(Any, outcome), error=result.error)
    )
    run = next((r for r in incident.runs if f"act:{r.run}" == result.key), None)
    if run is None:
        return Handled(facts)
    settled = f.ActionSettled(
        run=run.run,
        action=run.action,
        scope=run.scope,
        outcome="unknown" if outcome == "unknown" else "failed",
        detail=result.error,
    )
    return Handled(facts + ctx.facts(None, settled), effects=on_lifted.tell(incident, run, settled.outcome, ctx))


def _probes(incident: Incident, result: EffectResult, ctx: Context) -> Handled:
    run = result.key.removeprefix("probes:")
    rows = [cast(Mapping[str, Any], r) for r in cast(list[Any], result.result.get("results", []))]
    short = tuple({k: v for k, v in row.items() if k != "raw"} for row in rows)
    facts = ctx.facts(None, f.ProbesReported(run=run, results=short, seal=str(result.result.get("seal", ""))))
    what = next((d.what for d in incident.diagnoses if d.run == run), run)
    name, title = f"{incident.id.lower()}-{what}-{run}", f"Raw answers: {what.replace('_', ' ')}"
    raw = "\n\n".join(f"=== {row.get('title')} ({row.get('state')})\n{row.get('raw', '')}" for row in rows)
    out = Out(incident, ctx.pack, ctx.now)
    data: dict[str, object] = {"name": f"{name}.txt", "title": title, "content": raw[:RAW_LIMIT] or "no answers"}
    files = [out.effect(f"probes:{run}:file", "slack.file", data, lane="room", after=("room",))]
    archive = result.result.get("archive")
    if archive:
        data = {"name": f"{name}.zip", "title": f"{title}, sealed", "path": archive}
        files.append(out.effect(f"probes:{run}:archive", "slack.file", data, lane="room", after=("room",)))
    return Handled(facts, effects=tuple(files))


def _act(incident: Incident, result: EffectResult, ctx: Context) -> Handled:
    run = next((r for r in incident.runs if f"act:{r.run}" == result.key), None)
    if run is None:
        return Handled()
    outcome = str(result.result.get("outcome", "unknown"))
    known = outcome if outcome in ("confirmed", "failed", "unknown", "dry_run") else "unknown"
    settled = f.ActionSettled(
        run=run.run,
        action=run.action,
        scope=run.scope,
        outcome=cast(Any, known),
        detail=str(result.result.get("detail", "")),
    )
    facts = ctx.facts(None, settled)
    milestone = _reaches(run, ctx) if known == "confirmed" else None
    if milestone and incident.reached(milestone) is None:
        facts += ctx.facts(run.by, f.MilestoneReached(milestone=milestone, source="warroom"))
    return Handled(facts, effects=on_lifted.tell(incident, run, known, ctx))


def _reaches(run: Run, ctx: Context) -> Milestone | None:
    """The milestone that a confirmed action reaches: what the pack says; a halt contains in any case."""
    action = ctx.pack.pack.actions.get(run.action)
    said = action.reaches if action else None
    return said or ("contained" if run.scope else None)


def _changed(result: EffectResult, ctx: Context) -> Handled:
    """PagerDuty took our change: its own time of it is the one that counts."""
    facts = ctx.facts(None, _done(result))
    if result.key.startswith("pagerduty.joined:"):  # a related alert's: it says nothing of the incident itself
        return Handled(facts)
    at = result.result.get("at")
    milestone = "resolved" if ".resolved:" in result.key else "acknowledged"
    if isinstance(at, str):
        reached = f.MilestoneReached(milestone=cast(Any, milestone), source="pagerduty")
        facts += ctx.facts(PAGERDUTY, reached, at=datetime.fromisoformat(at))
    return Handled(facts)
