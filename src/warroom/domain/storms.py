"""Storms: many alerts that are one incident. They do not open a hundred rooms; they are counted on one panel.

Two ways to belong together: alerts that match a storm of the pack join the open incident of the same storm, as long as
the last one is not older than the storm's window; alerts of the same service and playbook join within the pack's
`storm_window` (design.md, Storms).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from warroom.domain import facts as f
from warroom.domain.alerts import alert_of, began
from warroom.domain.breaker import busiest
from warroom.domain.decision import Card, LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.inputs import Detection, PagerDutyEvent
from warroom.domain.policy import Pack
from warroom.domain.severity import Alert, holds, match_playbook

NEWS_EVERY = timedelta(minutes=5)
"""So often the room hears of more violations that change nothing."""


def storm_of(alert: Alert, pack: Pack) -> str:
    """The first storm of the pack that the alert matches; "" for none."""
    return next((name for name, s in pack.storms.items() if any(holds(w, alert) for w in s.match)), "")


def relative(event: PagerDutyEvent, cards: Sequence[Card], pack: LoadedPack) -> Card | None:
    """The open incident that a new alert belongs to, the newest if there are several; None when it stands alone."""
    about = event.incident
    if about is None:
        return None
    alert, at = alert_of(event, about, pack), began(event, about)
    storm, playbook = storm_of(alert, pack.pack), match_playbook(pack.pack, alert)
    for card in reversed(cards):
        if not card.is_open or card.pack != pack.pack.id or card.origin != "pagerduty":
            continue
        if storm and card.storm == storm and _near(card, at, pack.pack.storms[storm].within):
            return card
        same = playbook is not None and card.playbook == playbook and card.service == about.service_name
        if same and _near(card, at, pack.pack.storm_window):
            return card
    return None


def of_detection(found: Detection, cards: Sequence[Card], pack: LoadedPack) -> Card | None:
    """The open incident of the same feature's violations, or of any within the pack's `storm_window`: one cause shows
    in many features at once. What names no feature (a trend) belongs to any of the pack's open ones."""
    feature = str(found.details.get("feature") or "")
    ours = [c for c in reversed(cards) if c.is_open and c.pack == pack.pack.id and c.origin == "violations"]
    same = next((c for c in ours if c.subject == feature or not feature), None)
    recent = (c for c in ours if c.subject and _near(c, found.at, pack.pack.storm_window))
    return same or next(recent, None)


def swell(incident: Incident, pack: LoadedPack) -> tuple[f.What, ...]:
    """What follows when the incident's alerts have become a storm: said once, with its playbook and severity."""
    storm = pack.pack.storms.get(incident.gathers)
    if storm is None or incident.storm is not None:
        return ()
    times = [incident.opened, *(fact.at for fact in incident.joined if _counts(fact, incident.gathers))]
    most = busiest(times, storm.within)
    if most <= storm.over:
        return ()
    within = round(storm.within.total_seconds())
    whats: list[f.What] = []
    why = f"{storm.title}: {most} alerts within {within // 60} minutes"
    if incident.playbook != storm.playbook:
        whats.append(f.PlaybookChanged(playbook=storm.playbook, reason=why))
    if storm.severity < incident.severity:  # "P0" sorts before "P1"
        whats.append(f.SeverityChanged(severity=storm.severity, reason=why))
    return (*whats, f.StormDetected(storm=incident.gathers, count=most, within=within))


def _counts(fact: f.Fact, storm: str) -> bool:
    return isinstance(fact.what, f.AlertJoined) and fact.what.storm == storm


def _near(card: Card, at: datetime, within: timedelta) -> bool:
    return abs(at - (card.heard or card.opened)) <= within
