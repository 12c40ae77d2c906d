"""What must hold between the parts of a pack: every name exists, times make sense, patterns compile."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from itertools import combinations, pairwise
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from warroom.domain.policy import (
    Cadence,
    Calendar,
    Clock,
    Do,
    Milestone,
    Pack,
    Severity,
    SeverityId,
    SeverityRule,
    Step,
    When,
)
from warroom.packs.calendar import known_calendars
from warroom.packs.document import Path
from warroom.packs.durations import format_duration
from warroom.packs.names import ON_CALL, ROOM, SYSTEM, Findings, defined
from warroom.packs.platform_references import check_actions, check_probes, check_urls
from warroom.packs.problems import nearest

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
MILESTONES: tuple[str, ...] = get_args(Milestone)
ALERT_FIELDS = ("title", "description", "service", "priority", "urgency", "market")
CHANNEL = re.compile(r"#[a-z0-9][a-z0-9_-]{0,79}")
_NONE = timedelta()


def check(pack: Pack, data: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Everything that is wrong between the parts of `pack`; `data` is the whole document it was read from."""
    f = Findings(defined(data, SECTIONS))
    if not re.fullmatch(r"[a-z][a-z0-9_]*", pack.id):
        f.add(("id",), "write the id with small letters, digits and _, a letter first")
    for missing in sorted(set(get_args(SeverityId)) - f.names["severities"]):
        f.add(("severities",), f"{missing} is missing; define all of P0, P1, P2 and P3")
    for name, severity in pack.severities.items():
        _check_severity(f, ("severities", name), severity)
    for index, rule in enumerate(pack.severity_rules):
        _check_rule(f, ("severity_rules", index), rule)
    for word in pack.urgencies:
        if word not in ("high", "low"):
            f.add(("urgencies", word), f"PagerDuty's urgencies are high and low{nearest(word, ('high', 'low'))}")
    _check_step_ids(f, pack)
    _check_people(f, pack)
    _check_playbooks(f, pack)
    _check_calendar(f, pack.calendar)
    _check_after(f, pack)
    check_urls(f, pack)
    check_probes(f, pack)
    check_actions(f, pack)
    return f.found


def messages_used(pack: Pack) -> Iterator[tuple[Path, str]]:
    """Every message that the pack names, and where. The post-mortem is a document, not one of them."""
    for name, severity in pack.severities.items():
        at: Path = ("severities", name)
        yield (*at, "announce", "message"), severity.announce.message
        for index, step in enumerate(severity.steps):
            for part, does in (("does", step.does), ("if_late", step.if_late)):
                for n, do in enumerate(does):
                    if do.message is not None:
                        yield (*at, "steps", index, part, n, "message"), do.message
        for index, cadence in enumerate(severity.cadences):
            yield (*at, "cadences", index, "message"), cadence.message
        for index, communication in enumerate(severity.communications):
            yield (*at, "communications", index, "message"), communication.message


def _check_severity(f: Findings, at: Path, severity: Severity) -> None:
    f.name((*at, "announce", "channel"), severity.announce.channel, "channels")
    for name, clock in severity.clocks.items():
        _check_clock(f, (*at, "clocks", name), clock)
    for index, step in enumerate(severity.steps):
        _check_step(f, (*at, "steps", index), step)
    _check_order(f, (*at, "steps"), severity.steps)
    f.unique((*at, "cadences"), [c.id for c in severity.cadences])
    for index, cadence in enumerate(severity.cadences):
        _check_cadence(f, (*at, "cadences", index), cadence)
    f.unique((*at, "communications"), [c.id for c in severity.communications])
    for index, communication in enumerate(severity.communications):
        f.all_names((*at, "communications", index, "channels"), communication.channels, "channels", ROOM)
    f.all_names((*at, "invite"), severity.invite, "groups")


def _check_step_ids(f: Findings, pack: Pack) -> None:
    """A step is known by its id alone, also after the severity has changed."""
    seen: dict[str, str] = {}
    for name, severity in pack.severities.items():
        for index, step in enumerate(severity.steps):
            if step.id in seen:
                said = f"{step.id!r} is the id of a step of {seen[step.id]}; give this one another id"
                f.add(("severities", name, "steps", index, "id"), said)
            seen[step.id] = name


def _check_clock(f: Findings, at: Path, clock: Clock) -> None:
    _in_order(f, at, clock.start, clock.end)
    if clock.within <= _NONE:
        f.add((*at, "within"), "a clock needs some time; write 15m or more than 0s")
    if clock.warn_before is not None and not _NONE < clock.warn_before < clock.within:
        f.add((*at, "warn_before"), f"warn less than `within` ({format_duration(clock.within)}) before the end")
    f.all_names((*at, "tell"), clock.tell, "groups")


def _in_order(f: Findings, at: Path, start: str, end: str) -> None:
    if MILESTONES.index(start) >= MILESTONES.index(end):
        f.add((*at, "end"), f"{end} does not come after {start}; the order is {', '.join(MILESTONES)}")


def _check_step(f: Findings, at: Path, step: Step) -> None:
    f.name((*at, "owner"), step.owner, "roles", SYSTEM)
    if step.end is not None and step.end <= step.start:
        f.add((*at, "end"), f"the step ends before it begins; write more than {format_duration(step.start)}")
    if step.end is None and step.if_late:
        f.add((*at, "if_late"), "a step without `end` is never late; add `end`")
    for part, does in (("does", step.does), ("if_late", step.if_late)):
        for index, do in enumerate(does):
            _check_do(f, (*at, part, index), do)
    if step.owner == SYSTEM and not step.does:
        f.add((*at, "does"), "a step of the system needs `does`; or give it to a role")
    for index, word in enumerate(step.done_on):
        _check_done_on(f, (*at, "done_on", index), word, step)


def _check_done_on(f: Findings, at: Path, word: str, step: Step) -> None:
    kind, colon, name = word.partition(":")
    sections = {"action": "actions", "probes": "probe_groups"}
    if colon and kind in sections:
        f.name(at, name, sections[kind])
    elif word == "effects":
        if not step.does:
            f.add(at, "`effects` are done when everything in `does` is; add `does`")
    elif word not in MILESTONES:
        forms = {*MILESTONES, "effects", "action:NAME", "probes:GROUP"}
        said = f"{word!r} is neither a milestone, effects, action:NAME nor probes:GROUP"
        f.add(at, said + nearest(word, forms))


def _check_do(f: Findings, at: Path, do: Do) -> None:
    given = {
        "groups": bool(do.groups),
        "probes": do.probes is not None,
        "message": do.message is not None,
        "channels": bool(do.channels),
        "audiences": bool(do.audiences),
        "action": do.action is not None,
        "parameters": bool(do.parameters),
    }
    needs = {"page": {"groups"}, "probes": {"probes"}, "tell": {"message"}, "act": {"action"}}.get(do.kind, set())
    may = {"tell": {"channels", "audiences"}, "act": {"parameters"}}.get(do.kind, set())
    for name, there in given.items():
        if name in needs and not there:
            f.add((*at, name), f"`{do.kind}` needs `{name}`")
        if there and name not in needs | may:
            f.add((*at, name), f"`{do.kind}` makes no use of `{name}`; take it away")
    if do.kind == "tell" and not (do.channels or do.audiences):
        f.add((*at, "channels"), "`tell` needs `channels` or `audiences`")
    if do.action is not None:
        f.name((*at, "action"), do.action, "actions")
    f.all_names((*at, "audiences"), do.audiences, "audiences")
    f.all_names((*at, "groups"), do.groups, "groups")
    f.all_names((*at, "channels"), do.channels, "channels", ROOM)
    if do.probes is not None:
        f.name((*at, "probes"), do.probes, "probe_groups")


def _check_order(f: Findings, at: Path, steps: tuple[Step, ...]) -> None:
    """Steps stand in the order in which they begin, and nobody has two at a time."""
    for index, (one, two) in enumerate(pairwise(steps)):
        if one.after == two.after and two.start < one.start:
            begins = format_duration(two.start)
            f.add((*at, index + 1, "start"), f"this step begins at {begins}, before the one above; put it first")
    for (_, one), (index, two) in combinations(enumerate(steps), 2):
        same = one.owner == two.owner != SYSTEM and one.after == two.after
        if same and one.start <= two.start < (one.end or one.start):
            said = f"{two.owner} is still busy with {one.id!r} until {format_duration(one.end or one.start)}"
            f.add((*at, index, "start"), f"{said}; begin later, or give the step to another role")


def _check_cadence(f: Findings, at: Path, cadence: Cadence) -> None:
    _in_order(f, at, cadence.start, cadence.end)
    if cadence.every <= _NONE:
        f.add((*at, "every"), "a cadence needs some time; write 15m or more than 0s")
    elif not _NONE <= cadence.ask_before < cadence.every:
        f.add((*at, "ask_before"), f"ask less than `every` ({format_duration(cadence.every)}) before it is due")
    f.all_names((*at, "channels"), cadence.channels, "channels", ROOM)


def _check_rule(f: Findings, at: Path, rule: SeverityRule) -> None:
    if not rule.all and not rule.any:
        f.add(at, "this rule fits every alert; give it `all` or `any`")
    for part, conditions in (("all", rule.all), ("any", rule.any)):
        for index, when in enumerate(conditions):
            _check_when(f, (*at, part, index), when)


def _check_when(f: Findings, at: Path, when: When) -> None:
    if when.field not in ALERT_FIELDS and not re.fullmatch(r"details\.\S+", when.field):
        known = (*ALERT_FIELDS, "details.NAME")
        f.add((*at, "field"), f"an alert has no {when.field!r}{nearest(when.field, known)}")
    tests = {"matches": when.matches, "equals": when.equals, "over": when.over, "under": when.under}
    f.one_of(at, tests, "a condition")
    f.regex((*at, "matches"), when.matches)
    if when.field == "market" and when.equals not in ("open", "closed"):
        f.add(at, "the market is compared with `equals: open` or `equals: closed`")


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
            _check_when(f, (*at, "match", index), when)
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
    for index, day in enumerate(calendar.weekdays):
        if not 0 <= day <= 6:
            f.add((*at, "weekdays", index), "a weekday is 0 (Monday) to 6 (Sunday)")
    known: Collection[str] = known_calendars()
    if calendar.holidays and calendar.holidays not in known:
        said = f"there is no calendar {calendar.holidays!r}{nearest(calendar.holidays, known)}"
        f.add((*at, "holidays"), said + "; write NYSE, or leave it empty")


def _check_after(f: Findings, pack: Pack) -> None:
    f.unique(("follow_ups",), [x.id for x in pack.follow_ups])
    spans = [(("follow_ups", n, "within"), x.within) for n, x in enumerate(pack.follow_ups)]
    spans += [(("objectives", name, "target"), x.target) for name, x in pack.objectives.items()]  # type: ignore[misc]
    for path, span in (*spans, (("storm_window",), pack.storm_window)):
        if span <= _NONE:
            f.add(path, "this needs some time; write more than 0s")
