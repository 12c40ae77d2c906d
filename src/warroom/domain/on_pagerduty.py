"""PagerDuty's news: it is a peer whose timestamps decide, and whose deliveries may be late, repeated or disordered."""

from collections.abc import Mapping
from datetime import datetime

from warroom.domain import facts as f
from warroom.domain import gates, milestones
from warroom.domain.alerts import alert_of, began
from warroom.domain.decision import Context, LoadedPack
from warroom.domain.evolve import evolve, fold
from warroom.domain.handling import Handled
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input, PagerDutyEvent, PagerDutyIncident
from warroom.domain.milestones import Moment
from warroom.domain.outgoing import OUR_NOTE
from warroom.domain.people import By
from warroom.domain.policy import Milestone, SeverityId
from warroom.domain.severity import classify, match_playbook
from warroom.domain.storms import storm_of, swell

MOMENTS: dict[str, tuple[Milestone, bool]] = {
    "incident.acknowledged": ("acknowledged", True),
    "incident.unacknowledged": ("acknowledged", False),
    "incident.resolved": ("resolved", True),
    "incident.reopened": ("resolved", False),
}
NEWS = {
    "incident.escalated": "Escalated in PagerDuty",
    "incident.reassigned": "Reassigned in PagerDuty",
    "incident.delegated": "Delegated in PagerDuty",
    "incident.responder.added": "Responder asked for in PagerDuty",
    "incident.responder.replied": "Responder answered in PagerDuty",
    "incident.status_update_published": "Status update published in PagerDuty",
    "incident.annotated": "Note in PagerDuty",
}

BRIDGE = "incident.conference_bridge.updated"
OVER = ("incident.resolved", "incident.annotated", "incident.status_update_published")
OPENING = {"incident.triggered", "incident.priority_updated", *MOMENTS, *NEWS}.difference(OVER)


def on_pagerduty(incident: Incident | None, event: PagerDutyEvent, given: Input, ctx: Context) -> Handled:
    """Facts from one event. An event about an incident we do not know opens it, as we missed its beginning;
    not one that only tells of its end, and none of a type we do not know."""
    if event.incident is None:
        return Handled()
    if incident is None:
        return _first_heard(event, event.incident, ctx)
    if not _is_its_own(incident, event.incident):
        return Handled(_related(incident, event, event.incident, ctx))
    linked = _link(incident, event, event.incident, ctx)
    if event.type in MOMENTS:
        return Handled((*linked, *_moment(incident, event, ctx)))
    if event.type == "incident.priority_updated":
        return Handled((*linked, *_priority(incident, event, event.incident, ctx)))
    if event.type == BRIDGE:
        return Handled((*linked, *_other_bridge(incident, event, event.incident, ctx)))
    if event.type in NEWS:
        return Handled((*linked, *_news(incident, event, ctx), *_unacknowledged(incident, event, ctx)))
    return Handled(linked)


def severity_without_details(event: PagerDutyEvent, about: PagerDutyIncident, pack: LoadedPack) -> SeverityId:
    """The severity that the event alone gives a new incident: its details can only be looked up."""
    return classify(pack.pack, alert_of(event, about, pack))[0]


def open_incident(event: PagerDutyEvent, about: PagerDutyIncident, ctx: Context) -> tuple[f.Fact, ...]:
    """The facts of a new incident; its clocks start when PagerDuty says that it began."""
    at = began(event, about)
    alert = alert_of(event, about, ctx.pack)
    severity, reason = classify(ctx.pack.pack, alert)
    opened = f.IncidentOpened(
        id=ctx.new_id,
        title=" ".join(about.title.split()) or f"PagerDuty incident {about.id}",
        severity=severity,
        severity_reason=reason,
        pack=ctx.pack.pack.id,
        pack_hash=ctx.pack.hash,
        playbook=match_playbook(ctx.pack.pack, alert),
        service=about.service_name,
        description=alert.description,
        origin="pagerduty",
        pagerduty_service=about.service_id,
        details=dict(about.details),
        market_open=alert.market == "open",
        storm=storm_of(alert, ctx.pack.pack),
    )
    by = By("pagerduty", "PagerDuty")
    link = _linked(about)
    first = ctx.facts(by, opened, link, at=at)
    return first + tuple(
        fact
        for milestone in ("detected", "declared")
        for fact in ctx.facts(by, f.MilestoneReached(milestone=milestone, source="pagerduty"), at=at)
    )


def _opens(event: PagerDutyEvent, about: PagerDutyIncident) -> bool:
    """Whether an alert we do not know is there to be looked after: not one that is over by now."""
    return event.type in OPENING and about.status != "resolved"


def _first_heard(event: PagerDutyEvent, about: PagerDutyIncident, ctx: Context) -> Handled:
    if not _opens(event, about):
        return Handled()
    if not ctx.pack.pack.id:
        return Handled(
            ctx.facts(
                By("pagerduty", "PagerDuty"),
                f.NoteAdded(
                    text=f"PagerDuty incident {about.id} ({about.title}) is on service {about.service_name or '?'} "
                    f"({about.service_id or '?'}), which belongs to no pack: list it under `services` in warroom.yaml.",
                    kind="unrouted",
                ),
            )
        )
    facts = open_incident(event, about, ctx)
    if event.type in MOMENTS:
        milestone, came = MOMENTS[event.type]
        facts += _reached(event, milestone, event.at, ctx) if came else _withdrawn(event, milestone, ctx)
    if event.type == "incident.priority_updated" and (opened := fold(facts)):
        facts += _priority(opened, event, about, ctx)
    return Handled(facts)


def _is_its_own(incident: Incident, about: PagerDutyIncident) -> bool:
    """Whether PagerDuty speaks of the incident itself, not of an alert that joined it."""
    if about.id in incident.joined_ids:
        return False
    return incident.pagerduty_id in (None, about.id) or about.key == incident.id


def _related(incident: Incident, event: PagerDutyEvent, about: PagerDutyIncident, ctx: Context) -> tuple[f.Fact, ...]:
    """Another alert of the same incident. What becomes of it in PagerDuty changes nothing here but its notes."""
    if about.id in incident.joined_ids:
        return _news(incident, event, ctx) if event.type == "incident.annotated" else ()
    if not _opens(event, about):
        return ()
    alert, at = alert_of(event, about, ctx.pack), began(event, about)
    title = " ".join(about.title.split()) or f"PagerDuty incident {about.id}"
    by = By("pagerduty", "PagerDuty")
    joined = f.AlertJoined(pagerduty_id=about.id, title=title, storm=storm_of(alert, ctx.pack.pack))
    facts = ctx.facts(by, joined, at=at)
    severity, reason = classify(ctx.pack.pack, alert)
    if severity < incident.severity:  # "P0" sorts before "P1"
        facts += ctx.facts(by, f.SeverityChanged(severity=severity, reason=f"{reason}: {title}"))
    current = incident
    for fact in facts:
        current = evolve(current, fact)
    return facts + ctx.facts(None, *swell(current, ctx.pack))


def _link(incident: Incident, event: PagerDutyEvent, about: PagerDutyIncident, ctx: Context) -> tuple[f.Fact, ...]:
    if incident.pagerduty_id is not None:
        return ()
    link = _linked(about)
    return ctx.facts(By("pagerduty", "PagerDuty"), link, at=event.at)


def _moment(incident: Incident, event: PagerDutyEvent, ctx: Context) -> tuple[f.Fact, ...]:
    milestone, came = MOMENTS[event.type]
    known = any(
        m.at == event.at and m.reached == came and m.milestone == milestone and m.source == "pagerduty"
        for m in incident.history
    )
    if known:
        return ()
    facts = _reached(event, milestone, event.at, ctx) if came else _withdrawn(event, milestone, ctx)
    moment = Moment(event.at, came, milestone, "pagerduty")
    is_open = milestones.reached(milestones.add(incident.history, moment), "resolved") is None
    if is_open != incident.is_open:
        # old news may come last: the status follows from what holds now, not from what we heard of last
        status = f.StatusChanged(status="investigating" if is_open else "resolved")
        passed = () if is_open else _passed(incident, event, ctx)
        return (*ctx.facts(event.agent, status), *facts, *passed)
    return facts


def _passed(incident: Incident, event: PagerDutyEvent, ctx: Context) -> tuple[f.Fact, ...]:
    """PagerDuty asks nobody whether it may be resolved: what its gates miss is told afterwards."""
    closed = gates.closed_to_resolving(incident, ctx.pack, ctx.now)
    return ctx.facts(
        event.agent,
        *(
            f.GateOverridden(
                gate=name, unmet=tuple(s.title for s in states), reason="resolved in PagerDuty", via="pagerduty"
            )
            for name, states in closed.items()
        ),
    )


def _reached(event: PagerDutyEvent, milestone: Milestone, at: datetime, ctx: Context) -> tuple[f.Fact, ...]:
    return ctx.facts(event.agent, f.MilestoneReached(milestone=milestone, source="pagerduty"), at=at)


def _withdrawn(event: PagerDutyEvent, milestone: Milestone, ctx: Context) -> tuple[f.Fact, ...]:
    gone = f.MilestoneWithdrawn(milestone=milestone, source="pagerduty")
    return ctx.facts(event.agent, gone, at=event.at)


def _priority(incident: Incident, event: PagerDutyEvent, about: PagerDutyIncident, ctx: Context) -> tuple[f.Fact, ...]:
    """The severity of a new priority, from when it was set. The newest word decides, whoever gave it and whenever we
    hear of it; of two that were given at one moment it is the graver."""
    severity = ctx.pack.pack.priorities.get(about.priority or "")
    at, said = min(event.at, ctx.now), incident.severity_said
    if severity is None or (said and (at < said or (at == said and severity >= incident.severity))):
        return ()
    if severity == incident.severity:
        return ctx.facts(event.agent, f.SeverityConfirmed(severity=severity), at=at)
    reason = f"PagerDuty priority {about.priority}"
    return ctx.facts(event.agent, f.SeverityChanged(severity=severity, reason=reason), at=at)


def _unacknowledged(incident: Incident, event: PagerDutyEvent, ctx: Context) -> tuple[f.Fact, ...]:
    """Escalating an acknowledged incident makes it unacknowledged again; the event's status says so."""
    status = event.incident.status if event.incident else None
    at = incident.reached("acknowledged")
    if event.type != "incident.escalated" or status != "triggered" or at is None or event.at <= at:
        return ()
    return ctx.facts(event.agent, f.MilestoneWithdrawn(milestone="acknowledged", source="pagerduty"), at=event.at)


def _news(incident: Incident, event: PagerDutyEvent, ctx: Context) -> tuple[f.Fact, ...]:
    asked = event.type.startswith("incident.responder.")
    if event.text.startswith((OUR_NOTE, incident.id) if asked else OUR_NOTE):  # our own act, come back
        return ()
    parts = [NEWS[event.type], ", ".join(event.people), event.text]
    text = ": ".join(p for p in parts if p)
    facts = ctx.facts(event.agent, f.NoteAdded(text=text, kind="pagerduty"), at=event.at)
    responding = incident.reached("responding")
    accepted = event.type == "incident.responder.replied" and "accept" in event.text.lower()
    if accepted and (responding is None or event.at < responding):
        facts += _reached(event, "responding", event.at, ctx)
    return facts


def _linked(about: PagerDutyIncident) -> f.PagerDutyLinked:
    """The counterpart, with its conference bridge: the address, else the number to dial."""
    bridge = _bridge(about)
    return f.PagerDutyLinked(pagerduty_id=about.id, url=about.url, service_id=about.service_id, bridge=bridge)


def _bridge(about: PagerDutyIncident) -> str:
    said = about.details.get("conference_bridge")
    line = said if isinstance(said, Mapping) else {}
    return str(line.get("url") or line.get("number") or "")


def _other_bridge(
    incident: Incident, event: PagerDutyEvent, about: PagerDutyIncident, ctx: Context
) -> tuple[f.Fact, ...]:
    bridge = _bridge(about)
    if bridge == incident.bridge:
        return ()
    text = f"Conference bridge in PagerDuty: {bridge}" if bridge else "Conference bridge taken away in PagerDuty"
    return ctx.facts(event.agent, f.BridgeChanged(bridge=bridge), f.NoteAdded(text=text, kind="pagerduty"), at=event.at)
