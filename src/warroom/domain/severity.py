"""Which severity, playbook and pack an alert gets: rules over its fields, else what PagerDuty says of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from warroom.domain.policy import Pack, SeverityId, When


@dataclass(frozen=True, kw_only=True)
class Alert:
    """The fields rules may look at. `market` is "open" or "closed"."""

    title: str
    description: str = ""
    service: str = ""
    priority: str = ""
    urgency: str = ""
    market: str = "closed"
    playbook: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)

    def value(self, name: str) -> object:
        """The field's value; None when the alert has none of that name."""
        if name.startswith("fields."):
            return self.fields.get(name.removeprefix("fields."))
        if name.startswith("details."):
            found: object = self.details
            for part in name.removeprefix("details.").split("."):
                found = found.get(part) if isinstance(found, Mapping) else None
            return found
        return getattr(self, name, None)


def holds(when: When, alert: Alert) -> bool:
    """Whether one condition holds. A missing or non-numeric value never satisfies a limit."""
    value = alert.value(when.field)
    if when.matches is not None:
        return value is not None and re.search(when.matches, str(value), re.IGNORECASE) is not None
    if when.equals is not None:
        return _same(value, when.equals)
    number = _number(value)
    if number is None:
        return False
    if when.over is not None:
        return number > when.over
    return when.under is not None and number < when.under


def classify(pack: Pack, alert: Alert) -> tuple[SeverityId, str]:
    """The severity and the reason: the first rule that fits, else PagerDuty's priority, else its urgency."""
    for rule in pack.severity_rules:
        if all(holds(w, alert) for w in rule.all) and (not rule.any or any(holds(w, alert) for w in rule.any)):
            return rule.severity, rule.reason
    if alert.priority in pack.priorities:
        return pack.priorities[alert.priority], f"PagerDuty priority {alert.priority}"
    if alert.urgency in pack.urgencies:
        return pack.urgencies[alert.urgency], f"PagerDuty urgency {alert.urgency}"
    return "P2", "no rule, priority or urgency speaks of it"


def match_playbook(pack: Pack, alert: Alert) -> str | None:
    """The first playbook one of whose conditions holds; None when none fits."""
    for name, playbook in pack.playbooks.items():
        if any(holds(w, alert) for w in playbook.match):
            return name
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(str(value).strip().rstrip("%"))
    except ValueError:
        return None


def _same(value: object, wanted: str | float | bool) -> bool:
    if isinstance(wanted, str):
        return value is not None and str(value).strip().lower() == wanted.lower()
    if isinstance(wanted, bool):
        return value is wanted or str(value).lower() == str(wanted).lower()
    return _number(value) == wanted
