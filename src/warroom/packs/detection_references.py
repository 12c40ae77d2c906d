"""What must hold for storms, violation reports and breaking the glass."""

from typing import get_args

from warroom.domain.policy import Pack
from warroom.domain.procedures import AlertRule, Level, Violations
from warroom.packs.condition_references import check_when
from warroom.packs.document import Path
from warroom.packs.names import ROOM, Findings

LEVELS: tuple[str, ...] = get_args(Level)


def check_detections(f: Findings, pack: Pack) -> None:
    """What opens incidents by itself, and what halting without the right to sets going."""
    for name, storm in pack.storms.items():
        at: Path = ("storms", name)
        f.name((*at, "playbook"), storm.playbook, "playbooks")
        f.positive((*at, "within"), storm.within)
        if storm.over < 1:
            f.add((*at, "over"), "one alert is no storm; write 1 or more")
        if not storm.match:
            f.add((*at, "match"), "say which alerts belong to the storm")
        for index, when in enumerate(storm.match):
            check_when(f, (*at, "match", index), when)
    if pack.violations is not None:
        _check_violations(f, pack.violations)
    if pack.break_glass is not None:
        f.all_names(("break_glass", "notify"), pack.break_glass.notify, "channels", ROOM)
        f.all_names(("break_glass", "page"), pack.break_glass.page, "groups")
        f.positive(("break_glass", "within"), pack.break_glass.within)
        if not pack.break_glass.notify:
            f.add(("break_glass", "notify"), "name the channels that learn of it at once")


def _check_violations(f: Findings, violations: Violations) -> None:
    at: Path = ("violations",)
    if not violations.types:
        f.add((*at, "types"), "write at least one type that can be reported")
    for missing in [level for level in LEVELS if level not in violations.levels]:
        f.add((*at, "levels"), f"{missing} is missing; give each of {', '.join(LEVELS)} its severity")
    for index, threshold in enumerate(violations.breaker):
        if threshold.count < 1:
            f.add((*at, "breaker", index, "count"), "the breaker trips on 1 violation or more")
    f.unique((*at, "rules"), [rule.id for rule in violations.rules])
    for index, rule in enumerate(violations.rules):
        _check_rule(f, (*at, "rules", index), rule)


def _check_rule(f: Findings, at: Path, rule: AlertRule) -> None:
    if rule.count < 1:
        f.add((*at, "count"), "a rule needs 1 violation or more")
    if rule.rise_pct is not None:
        if rule.rise_pct <= 0:
            f.add((*at, "rise_pct"), "write by how many percent the violations rise, more than 0")
        f.positive((*at, "within"), rule.within)
