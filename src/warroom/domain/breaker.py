"""When reported violations amount to something: the circuit breaker, and the alert rules.

Both look at a window that slides over the times at which violations were detected, not over those at which we heard of
them: late reports and reports out of order count where they belong. The edge counts: two violations exactly `within`
apart lie within it. (pit-violation-response.md, Circuit Breaker Logic and Alert Configurations. The code printed there
compares a critical violation's age with 0 seconds and so never trips on one; what is meant, and done here, is that
every critical violation trips.)
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from warroom.domain.inputs import Detection
from warroom.domain.policy import SeverityId
from warroom.domain.procedures import AlertRule, Level, Threshold, Violations
from warroom.domain.violation import Violation

NAMED = 20
"""So many features and ids are named in an incident; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known at a moment: the violations that are `new`, those `near` them in time (all levels, the new ones
    among them), and for each alert rule that looks at a trend how many there were in its last and in the one before."""

    new: Sequence[Violation]
    near: Sequence[Violation]
    counts: Mapping[str, tuple[int, int]]


def busiest(times: Iterable[datetime], within: timedelta) -> int:
    """The most of these times that lie within `within` of each other, the edge counted."""
    ordered = sorted(times)
    most = start = 0
    for end, time in enumerate(ordered):
        while time - ordered[start] > within:
            start += 1
        most = max(most, end - start + 1)
    return most


def crowded(times: Iterable[datetime], within: timedelta, count: int) -> frozenset[datetime]:
    """Those times that lie in some stretch of `within` with at least `count` of them."""
    ordered = sorted(times)
    found: set[datetime] = set()
    for end in range(count - 1, len(ordered)):
        start = end - count + 1
        if ordered[end] - ordered[start] <= within:
            found.update(ordered[start : end + 1])
    return frozenset(found)


def rising(last: int, before: int, rule: AlertRule) -> bool:
    """Whether `last` violations after `before` are `rise_pct` percent more, and enough of them to mean anything."""
    return rule.rise_pct is not None and last >= rule.count and last * 100 >= before * (100 + rule.rise_pct)


def detections(pack: str, policy: Violations, seen: Seen) -> Iterator[Detection]:
    """What the new violations set off: one detection for each level, and one for each trend."""
    for level in policy.levels:
        yield from _of_level(pack, policy, level, seen)
    for rule in policy.rules:
        if rule.rise_pct is not None and seen.new and rising(*seen.counts.get(rule.id, (0, 0)), rule):
            yield _trend(pack, rule, seen)


def _of_level(pack: str, policy: Violations, level: Level, seen: Seen) -> Iterator[Detection]:
    tripped: dict[str, Violation] = {}
    fired: dict[str, Violation] = {}
    severities: list[SeverityId] = []
    alerts: list[AlertRule] = []
    for threshold in policy.breaker:
        if threshold.level == level and (hot := _hot(threshold, level, seen)):
            tripped |= hot
            severities.append(threshold.severity or policy.levels[level])
    for rule in policy.rules:
        if rule.rise_pct is None and rule.level in (None, level) and (hot := _hot(rule, rule.level, seen)):
            fired |= hot
            alerts.append(rule)
            severities.append(rule.severity)
    found = {**fired, **tripped}
    newest = [v for v in seen.new if v.id in found and v.level == level]
    if newest:
        gravest = min(severities)  # "P0" sorts before "P1"
        yield _detection(pack, level, gravest, alerts, breaker=bool(tripped), new=newest, found=list(found.values()))


def _hot(rule: Threshold | AlertRule, level: Level | None, seen: Seen) -> dict[str, Violation]:
    """The violations that make the rule hold together with new ones, by id; none when no new one is among them."""
    of_level = [v for v in seen.near if level in (None, v.level)]
    times = crowded((v.at for v in of_level), rule.within, rule.count)
    new = sorted(v.at for v in seen.new if v.at in times and level in (None, v.level))
    return {v.id: v for v in of_level if v.at in times and _is_near(v.at, new, rule.within)}


def _is_near(time: datetime, ordered: Sequence[datetime], within: timedelta) -> bool:
    """Whether one of the ordered times is within `within` of `time`."""
    place = bisect_left(ordered, time - within)
    return place < len(ordered) and ordered[place] <= time + within


def _detection(
    pack: str,
    level: Level,
    severity: SeverityId,
    alerts: Sequence[AlertRule],
    *,
    breaker: bool,
    new: Sequence[Violation],
    found: Sequence[Violation],
) -> Detection:
    features = [name for name, _ in Counter(v.feature for v in found).most_common()]
    first = next((v for v in new if v.feature == features[0]), new[0])
    kinds = ", ".join(sorted({v.type.replace("_", " ") for v in new})[:3])
    more = f" and {len(features) - 1} more" if len(features) > 1 else ""
    what = [f"{len(found)} {level} violation{'s' if len(found) > 1 else ''} ({kinds})"]
    what += ["the circuit breaker tripped"] if breaker else []
    what += [f"alert rule “{rule.title}”" for rule in alerts]
    return Detection(
        pack=pack,
        key=f"{level}:{new[0].id}",
        rule=level,
        title=f"{level.capitalize()} violation: {kinds} in {first.feature}{more}",
        severity=severity,
        reason="; ".join(what),
        at=max(v.at for v in new),
        service=first.service,
        details={
            "level": level,
            "violation_type": first.type,
            "feature": first.feature,
            "service": first.service,
            "count": len(found),
            "breaker": "tripped" if breaker else "",
            "alert": next((rule.id for rule in alerts), ""),
            "first_seen": min(v.at for v in found).isoformat(),
            "features": features[:NAMED],
            "violations": [v.id for v in found][:NAMED],
            "description": first.description,
        },
    )


def _trend(pack: str, rule: AlertRule, seen: Seen) -> Detection:
    last, before = seen.counts[rule.id]
    span = _span(rule.within)
    from_none = f"From none to {last} violations in the last {span}"
    rise = f"{round((last - before) * 100 / before)}% more than the {before} of the {span} before" if before else ""
    services = Counter(v.service for v in seen.new).most_common(1)
    return Detection(
        pack=pack,
        key=f"{rule.id}:{seen.new[0].id}",
        rule=rule.id,
        title=rule.title if before else from_none,
        severity=rule.severity,
        reason=f"{last} violations in the last {span}, {rise}" if before else f"{from_none}; none in the {span} before",
        at=max(v.at for v in seen.new),
        service=services[0][0],
        details={"alert": rule.id, "count": last, "before": before, "breaker": "", "level": "", "feature": ""},
    )


def _span(within: timedelta) -> str:
    minutes = round(within.total_seconds() / 60)
    return "hour" if minutes == 60 else f"{minutes} minutes"
