"""What must hold for checklists, gates, watches, audiences, teams and routines."""

import re
from datetime import timedelta

from warroom.domain.policy import Pack
from warroom.domain.procedures import Audience, Checklist, Criterion, Gate, Routine, Watch
from warroom.packs.condition_references import MILESTONES, check_done_on, check_span
from warroom.packs.document import Path
from warroom.packs.durations import format_duration
from warroom.packs.names import FROM_PAGERDUTY, ROOM, Findings
from warroom.packs.platform_references import check_readable
from warroom.packs.slots import asked_with

_NONE = timedelta()

_ITEM = re.compile(r"[a-z][a-z0-9_-]{0,60}")


def check_procedures(f: Findings, pack: Pack) -> None:
    """What people are asked for beside the clocks."""
    for name, checklist in pack.checklists.items():
        _check_checklist(f, ("checklists", name), name, checklist)
    for name, gate in pack.gates.items():
        _check_gate(f, ("gates", name), name, gate, pack)
    for name, watch in pack.watches.items():
        _check_watch(f, ("watches", name), watch, pack)
    for name, audience in pack.audiences.items():
        _check_audience(f, ("audiences", name), audience)
    _check_teams(f, pack)
    for name, routine in pack.routines.items():
        _check_routine(f, ("routines", name), routine, pack)


def _check_checklist(f: Findings, at: Path, name: str, checklist: Checklist) -> None:
    if not checklist.items:
        f.add((*at, "items"), "write at least one item")
    f.unique((*at, "items"), [item.id for item in checklist.items])
    f.all_names((*at, "playbooks"), checklist.playbooks, "playbooks")
    for index, item in enumerate(checklist.items):
        here: Path = (*at, "items", index)
        if not _ITEM.fullmatch(item.id):
            f.add(
                (*here, "id"),
                f"{item.id!r} cannot be typed as one word; write small letters, digits, _ and -, a letter first",
            )
        if item.owner:
            f.name((*here, "owner"), item.owner, "roles")
        if item.within is not None:
            f.positive((*here, "within"), item.within)
        for n, word in enumerate(item.done_on):
            if word in ("effects", "update", f"checklist:{name}"):
                f.add((*here, "done_on", n), "an item is not done by that; name a milestone, an action or probes")
            else:
                check_done_on(f, (*here, "done_on", n), word, effects=False)
        if item.probes is not None:
            f.name((*here, "probes"), item.probes, "probe_groups")


def _check_gate(f: Findings, at: Path, name: str, gate: Gate, pack: Pack) -> None:
    if not gate.criteria:
        f.add((*at, "criteria"), "write at least one criterion: without any the gate is open to everybody")
    f.all_names((*at, "playbooks"), gate.playbooks, "playbooks")
    for index, criterion in enumerate(gate.criteria):
        _check_criterion(f, (*at, "criteria", index), criterion, gate, pack)
    if gate.before == "action" and not any(action.gate == name for action in pack.actions.values()):
        f.add((*at, "before"), f"no action has `gate: {name}`; name it there, or write `before: resolve`")


def _check_criterion(f: Findings, at: Path, criterion: Criterion, gate: Gate, pack: Pack) -> None:
    tests = {
        "probes": criterion.probes,
        "checklist": criterion.checklist,
        "sign_off": criterion.sign_off or None,
        "milestone": criterion.milestone,
        "watch": criterion.watch,
        "fields": criterion.fields or None,
        "action": criterion.action,
    }
    f.one_of(at, tests, "a criterion")
    sections = {"probes": "probe_groups", "checklist": "checklists", "watch": "watches", "action": "actions"}
    for test, section in sections.items():
        word = getattr(criterion, test)
        if word is not None:
            f.name((*at, test), word, section)
    f.all_names((*at, "sign_off"), criterion.sign_off, "groups")
    f.all_names((*at, "fields"), criterion.fields, "fields")
    f.positive((*at, "fresh"), criterion.fresh)
    watch = pack.watches.get(criterion.watch or "")
    if watch is not None and watch.steady_for is None:
        f.add((*at, "watch"), f"{criterion.watch} is never steady; give it `steady_for`")
    late = MILESTONES[MILESTONES.index("resolved") :]
    if gate.before == "resolve" and criterion.milestone in late:
        f.add((*at, "milestone"), f"{criterion.milestone} comes with resolving or after it: this would never open")


def _check_watch(f: Findings, at: Path, watch: Watch, pack: Pack) -> None:
    f.name((*at, "probe"), watch.probe, "probes")
    check_readable(f, (*at, "probe"), watch.probe, pack)
    check_span(f, at, watch.start, watch.end)
    f.positive((*at, "every"), watch.every)
    if watch.steady_for is not None and watch.steady_for < watch.every:
        f.add((*at, "steady_for"), f"it is read every {format_duration(watch.every)}; write at least that")
    if watch.moves_over is not None and watch.moves_over <= 0:
        f.add((*at, "moves_over"), "write a number over 0: by how much the value moves before people hear of it")
    f.all_names((*at, "playbooks"), watch.playbooks, "playbooks")
    f.all_names((*at, "channels"), watch.channels, "channels", ROOM)
    if not watch.channels:
        f.add((*at, "channels"), "name a channel, or leave `channels` out: then it speaks in the room")


def _check_audience(f: Findings, at: Path, audience: Audience) -> None:
    f.all_names((*at, "channels"), audience.channels, "channels", ROOM)
    f.all_names((*at, "mail"), audience.mail, "groups")
    f.all_names((*at, "approvers"), audience.approvers, "groups")
    for part, groups in (("mail", audience.mail), ("approvers", audience.approvers)):
        for name in FROM_PAGERDUTY.intersection(groups):
            said = f"{name} is whoever PagerDuty has on call, without an address here; name a group of warroom.yaml"
            f.add((*at, part), said)
    if not (audience.channels or audience.mail or audience.pagerduty or audience.status_page or audience.wiki):
        f.add(at, "nothing reaches this audience; give it channels, mail, pagerduty, status_page or wiki")
    if audience.external and not audience.approvers:
        f.add((*at, "approvers"), "an external audience needs `approvers`: the groups that approve the text")
    if audience.approvers and not audience.external:
        f.add((*at, "approvers"), "only external audiences are approved; add `external: true`, or take this away")


def _check_teams(f: Findings, pack: Pack) -> None:
    taken: dict[str, str] = {}
    for name, team in pack.teams.items():
        at: Path = ("teams", name)
        f.all_names((*at, "roles"), team.roles, "roles")
        if not team.roles:
            f.add((*at, "roles"), "name the roles that are filled")
        for index, severity in enumerate(team.severities):
            if severity in taken:
                f.add((*at, "severities", index), f"{severity} has the team {taken[severity]} already")
            taken[severity] = name


def _check_routine(f: Findings, at: Path, routine: Routine, pack: Pack) -> None:
    f.name((*at, "probes"), routine.probes, "probe_groups")
    f.name((*at, "channel"), routine.channel, "channels")
    if routine.checklist is not None:
        f.name((*at, "checklist"), routine.checklist, "checklists")
    unknown = {name for name in f.names["fields"] if name not in pack.fields or not pack.fields[name].default}
    for probe in pack.probe_groups.get(routine.probes, ()):
        for slot in sorted(asked_with(pack.probes[probe]) & unknown) if probe in pack.probes else ():
            said = f"{probe} needs the field {slot!r}, and a routine has no incident; give the field a default"
            f.add((*at, "probes"), said)
