"""What must hold between the parts of a pack: every name exists, times make sense, patterns compile."""

import re
from collections.abc import Collection, Mapping
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from warroom.domain.policy import Calendar, Pack, SeverityId, SeverityRule
from warroom.domain.slots import slots
from warroom.packs.action_references import check_actions
from warroom.packs.calendar import known_calendars
from warroom.packs.condition_references import check_when
from warroom.packs.detection_references import check_detections
from warroom.packs.document import Path
from warroom.packs.escalation_references import check_escalation
from warroom.packs.field_references import check_fields
from warroom.packs.names import FIRST_ON_CALL, ON_CALL, Findings, defined, is_below
from warroom.packs.platform_references import check_probes, check_urls
from warroom.packs.problems import nearest
from warroom.packs.procedure_references import check_procedures

SECTIONS = (
    "urls",
    "channels",
    "groups",
    "roles",
    "severities",
    "playbooks",
    "probes",
    "probe_groups",
    "actions",
    "tools",
    "databases",
    "fields",
    "audiences",
    "teams",
    "checklists",
    "gates",
    "watches",
    "routines",
    "storms",
)
CHANNEL = re.compile(r"#[a-z0-9][a-z0-9_-]{0,79}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check(pack: Pack, data: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Everything that is wrong between the parts of `pack`; `data` is the whole document it was read from."""
    f = Findings(defined(data, SECTIONS), frozenset(s for s in SECTIONS if not isinstance(data.get(s, {}), dict)))
    if not _NAME.fullmatch(pack.id):
        f.add(("id",), "write the id with small letters, digits and _, a letter first")
    for missing in sorted(set(get_args(SeverityId)) - f.names["severities"]):
        f.add(("severities",), f"{missing} is missing; define all of P0, P1, P2 and P3")
    for index, rule in enumerate(pack.severity_rules):
        _check_rule(f, ("severity_rules", index), rule)
    for word in pack.urgencies:
        if word not in ("high", "low"):
            f.add(("urgencies", word), f"PagerDuty's urgencies are high and low{nearest(word, ('high', 'low'))}")
    _check_people(f, pack)
    _check_playbooks(f, pack)
    _check_calendar(f, pack.calendar)
    _check_records(f, pack)
    _check_after(f, pack)
    check_fields(f, pack)
    check_urls(f, pack)
    check_probes(f, pack)
    check_actions(f, pack)
    check_escalation(f, pack)
    check_procedures(f, pack)
    check_detections(f, pack)
    return f.found


def _check_rule(f: Findings, at: Path, rule: SeverityRule) -> None:
    if not rule.all and not rule.any:
        f.add(at, "this rule fits every alert; give it `all` or `any`")
    for part, conditions in (("all", rule.all), ("any", rule.any)):
        for index, when in enumerate(conditions):
            check_when(f, (*at, part, index), when)


def _check_people(f: Findings, pack: Pack) -> None:
    if ON_CALL not in f.names["groups"]:
        f.add(("groups",), f"{ON_CALL} is missing; it stands for whoever PagerDuty has on call")
    if "commander" not in f.names["roles"]:
        f.add(("roles",), "commander is missing; an incident needs somebody who leads")
    held: dict[str, str] = {}
    for name, role in pack.roles.items():
        if role.milestone and role.milestone in held:
            said = f"{held[role.milestone]} reaches {role.milestone} already; one role can"
            f.add(("roles", name, "milestone"), said)
        held[role.milestone or ""] = name
        if role.group is not None:
            f.name(("roles", name, "group"), role.group, "groups")
        if role.group == FIRST_ON_CALL:
            f.add(("roles", name, "group"), f"{FIRST_ON_CALL} is for pages only; write {ON_CALL}")
    for name, channel in pack.channels.items():
        check_channel(f, ("channels", name), channel)
    for index, contact in enumerate(pack.contacts):
        at: Path = ("contacts", index)
        if contact.channel is not None:
            f.name((*at, "channel"), contact.channel, "channels")
        if contact.group is not None:
            f.name((*at, "group"), contact.group, "groups")
        if not (contact.channel or contact.phone or contact.group or contact.note):
            f.add(at, "say how to reach them: channel, phone, group or note")


def check_channel(f: Findings, at: Path, channel: str) -> None:
    """A Slack channel as it is written: #, then small letters, digits, - and _."""
    if not CHANNEL.fullmatch(channel):
        f.add(at, f"{channel!r} is no channel; write #name with small letters, digits, - and _, in quotes")


def _check_playbooks(f: Findings, pack: Pack) -> None:
    for name, playbook in pack.playbooks.items():
        at: Path = ("playbooks", name)
        for index, when in enumerate(playbook.match):
            check_when(f, (*at, "match", index), when)
        f.all_names((*at, "diagnosis"), playbook.diagnosis, "probes")
        for index, step in enumerate(playbook.resolution):
            here: Path = (*at, "resolution", index)
            if step.action is not None:
                f.name((*here, "action"), step.action, "actions")
            elif not step.how:
                f.add(here, "say `how` this is done by hand, or name its `action`")


def _check_calendar(f: Findings, calendar: Calendar) -> None:
    at: Path = ("calendar",)
    try:
        ZoneInfo(calendar.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        f.add((*at, "timezone"), f"{calendar.timezone!r} is no time zone; write one such as America/New_York")
    if calendar.open >= calendar.close:
        f.add((*at, "close"), "the market closes after it opens; both are local times of one day")
    if calendar.business_open >= calendar.business_close:
        f.add((*at, "business_close"), "the office closes after it opens; both are local times of one day")
    for name, phase in calendar.phases.items():
        if phase.start == phase.end:
            f.add((*at, "phases", name, "end"), "this phase has no time in it; write when it ends")
    for index, day in enumerate(calendar.weekdays):
        if not 0 <= day <= 6:
            f.add((*at, "weekdays", index), "a weekday is 0 (Monday) to 6 (Sunday)")
    known: Collection[str] = known_calendars()
    if calendar.holidays and calendar.holidays not in known:
        said = f"there is no calendar {calendar.holidays!r} (NYSE is one, and it may be left empty)"
        f.add((*at, "holidays"), said + nearest(calendar.holidays, known))


def _check_records(f: Findings, pack: Pack) -> None:
    """What is kept of an incident beside the facts: evidence, its timeline, its bridge."""
    for key, group in (("evidence", pack.evidence), ("validation", pack.validation)):
        if group:
            f.name((key,), group, "probe_groups")
    if pack.bridge and not _NAME.fullmatch(pack.bridge):
        f.add(("bridge",), "name a contact setting, such as bridge_url; its address is given in warroom.yaml")
    if not pack.timeline_file:
        return
    at: Path = ("timeline_file",)
    if not is_below(pack.timeline_file):
        f.add(at, "write a path below the data folder: relative and without `..`")
    if "id" not in slots(pack.timeline_file):
        f.add(at, "write {id} in it: each incident has a file of its own")
    for slot in sorted(slots(pack.timeline_file) - {"id", "date"}):
        f.add(at, f"{{{slot}}} is not filled in here; only {{id}} and {{date}} are")


def _check_after(f: Findings, pack: Pack) -> None:
    f.unique(("follow_ups",), [x.id for x in pack.follow_ups])
    for index, follow_up in enumerate(pack.follow_ups):
        f.positive(("follow_ups", index, "within"), follow_up.within)
    for name, objective in pack.objectives.items():
        f.positive(("objectives", name, "target"), objective.target)
    f.positive(("storm_window",), pack.storm_window)
