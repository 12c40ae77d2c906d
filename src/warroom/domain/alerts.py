"""What PagerDuty tells of an incident, as the pack's rules look at it."""

from datetime import datetime

from warroom.domain.decision import LoadedPack
from warroom.domain.inputs import PagerDutyEvent, PagerDutyIncident
from warroom.domain.severity import Alert


def began(event: PagerDutyEvent, about: PagerDutyIncident) -> datetime:
    """When the incident began (UTC): the earlier of what its creation and the event say."""
    return min(about.created_at or event.at, event.at)


def alert_of(event: PagerDutyEvent, about: PagerDutyIncident, pack: LoadedPack) -> Alert:
    """The alert for severity rules, playbooks and storms."""
    return Alert(
        title=about.title,
        description=str(about.details.get("description", "")),
        service=about.service_name or about.service_id or "",
        priority=about.priority or "",
        urgency=about.urgency or "",
        market="open" if pack.sessions.is_open(began(event, about)) else "closed",
        details=about.details,
    )
