"""Violation reports that amount to something: an incident opens, or an open one is joined."""

from collections.abc import Iterator

from warroom.domain import facts as f
from warroom.domain.decision import Context
from warroom.domain.effects import Effect
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident
from warroom.domain.inputs import Detection, Input
from warroom.domain.outgoing import Out
from warroom.domain.severity import Alert, match_playbook
from warroom.domain.storms import NEWS_EVERY

CARRIED = ("breaker", "alert")
"""Details that change what happens when a later detection brings them: fields that read them are set anew."""


def on_detection(incident: Incident | None, body: Detection, given: Input, ctx: Context) -> Handled:
    """The facts of a detection."""
    return Handled(_opened(body, ctx)) if incident is None else Handled(_joined(incident, body, ctx))


def react(out: Out, what: f.DetectionJoined) -> Iterator[Effect]:
    """The room hears what has been added."""
    yield out.say(f"detected:{what.key}", "violations_joined", {"reason": what.reason, "details": dict(what.details)})


def _opened(body: Detection, ctx: Context) -> tuple[f.Fact, ...]:
    at = min(body.at, ctx.now)
    market = "open" if ctx.pack.sessions.is_open(ctx.now) else "closed"
    described = str(body.details.get("description") or "")
    alert = Alert(
        title=body.title, description=described, service=body.service or "", market=market, details=body.details
    )
    opened = f.IncidentOpened(
        id=ctx.new_id,
        title=" ".join(body.title.split())[:200],
        severity=body.severity,
        severity_reason=body.reason,
        pack=ctx.pack.pack.id,
        pack_hash=ctx.pack.hash,
        playbook=match_playbook(ctx.pack.pack, alert),
        service=body.service,
        description=described,
        origin="violations",
        details={**body.details, "detection": body.key, "rule": body.rule},
        market_open=market == "open",
    )
    detected = f.MilestoneReached(milestone="detected", source="warroom")
    declared = f.MilestoneReached(milestone="declared", source="warroom")
    return ctx.facts(None, opened) + ctx.facts(None, detected, at=at) + ctx.facts(None, declared)


def _joined(incident: Incident, body: Detection, ctx: Context) -> tuple[f.Fact, ...]:
    """A known detection adds nothing; one that changes nothing is told now and then."""
    known = {fact.what.key: fact for fact in incident.detections if isinstance(fact.what, f.DetectionJoined)}
    if body.key in known or body.key == incident.details.get("detection"):
        return ()
    fields = _fields(incident, body, ctx)
    graver = body.severity < incident.severity  # "P0" sorts before "P1"
    last = max((fact.recorded for fact in known.values()), default=incident.opened)
    other = str(body.details.get("feature") or "") not in _features(incident)
    if not (fields or graver or other) and ctx.now - last < NEWS_EVERY:
        return ()
    joined = f.DetectionJoined(key=body.key, rule=body.rule, reason=body.reason, details=body.details)
    facts = ctx.facts(None, joined, at=min(body.at, ctx.now)) + ctx.facts(None, *fields)
    if graver:
        facts += ctx.facts(None, f.SeverityChanged(severity=body.severity, reason=body.reason))
    return facts


def _fields(incident: Incident, body: Detection, ctx: Context) -> tuple[f.FieldSet, ...]:
    found = []
    for name, field in ctx.pack.pack.fields.items():
        for detail in CARRIED:
            value = str(body.details.get(detail) or "")
            before = incident.fields.get(name) or str(incident.details.get(detail) or "")
            if value and f"details.{detail}" in field.read and value != before:
                found.append(f.FieldSet(field=name, value=value, source="alert"))
    return tuple(found)


def _features(incident: Incident) -> set[str]:
    joined = (fact.what for fact in incident.detections)
    told = [incident.details, *(what.details for what in joined if isinstance(what, f.DetectionJoined))]
    return {str(one.get("feature") or "") for one in told} | {""}
