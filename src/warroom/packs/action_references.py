"""What must hold for a pack's actions."""

import re
from collections.abc import Iterator

from warroom.domain.policy import Action, Pack, Parameter
from warroom.domain.slots import binds, slots
from warroom.packs.document import Path
from warroom.packs.durations import format_duration
from warroom.packs.field_references import fits
from warroom.packs.names import Findings, is_below
from warroom.packs.platform_references import check_auth, check_path
from warroom.packs.problems import nearest
from warroom.packs.slots import GIVEN, asked_with, expected_with, sent_with

_CHANGES = re.compile(r"\s*(?:insert|update|delete)\b", re.IGNORECASE)


def check_actions(f: Findings, pack: Pack) -> None:
    """Every action can be sent, verified and authorised."""
    for name, action in pack.actions.items():
        at: Path = ("actions", name)
        _check_way(f, at, action, pack)
        _check_right(f, at, action)
        _check_read_back(f, at, action, pack)
        _check_end(f, at, name, action, pack)
        _check_slots(f, at, action)
        for parameter, about in action.parameters.items():
            _check_parameter(f, (*at, "parameters", parameter), about)
    _check_desk(f, pack)


def _check_way(f: Findings, at: Path, action: Action, pack: Pack) -> None:
    ways = {"http": action.http, "command": action.command, "sql": action.sql, "record": action.record}
    f.one_of(at, ways, "an action")
    if action.http is not None:
        check_path(f, (*at, "http"), action.http, pack)
    if action.command is not None:
        if not action.command:
            f.add((*at, "command"), "write the command, its first word a name of `tools`")
        f.all_names((*at, "command"), action.command[:1], "tools")
    if action.sql is not None:
        f.name((*at, "database"), action.database, "databases")
        if not _CHANGES.match(action.sql) or ";" in action.sql.rstrip().rstrip(";"):
            f.add((*at, "sql"), "an action changes rows: write one INSERT, UPDATE or DELETE")
    if action.record is not None:
        if not action.record or not is_below(action.record):
            f.add((*at, "record"), "write a path below the data folder: relative and without `..`")
        if not action.body:
            f.add((*at, "body"), "a record writes its `body`; add `body:`")
    if action.body and (action.command is not None or action.sql is not None):
        f.add((*at, "body"), "only http and record have a body; write {name} or :name where the value belongs")
    check_auth(f, (*at, "auth"), action.auth)
    if action.timeout.total_seconds() <= 0:
        f.add((*at, "timeout"), "an action needs some time; write 10s or more than 0s")


def _check_right(f: Findings, at: Path, action: Action) -> None:
    f.all_names((*at, "who"), action.who, "groups")
    if not action.who:
        f.add((*at, "who"), "name the groups that may do this")
    if action.scope is not None and action.danger != "contain":
        f.add((*at, "scope"), "a halt has `danger: contain` and a `scope`")
    if action.stops and action.scope is None:
        f.add((*at, "stops"), "only a halt stops something; give it a `scope`, or take `stops` away")
    f.all_names((*at, "approvers"), action.approvers, "groups")
    f.all_names((*at, "tell"), action.tell, "channels")
    f.positive((*at, "expires"), action.expires)
    if action.approvals < 0:
        f.add((*at, "approvals"), "write how many people must approve: 0 or more")
    elif action.danger == "extreme" and not (action.approvals and action.approvers):
        f.add((*at, "approvers"), "an extreme act takes two people: write `approvals: 1` or more, and `approvers`")
    elif action.approvals and not action.approvers:
        f.add((*at, "approvers"), "somebody must be able to approve; name the groups")
    elif action.approvers and not action.approvals:
        f.add((*at, "approvals"), "nobody is asked without it; write `approvals: 1`, or take `approvers` away")


def _check_read_back(f: Findings, at: Path, action: Action, pack: Pack) -> None:
    here: Path = (*at, "read_back")
    if action.record is None and not action.read_back.probe:
        f.add((*here, "probe"), "name the probe that shows whether it took effect")
    elif action.read_back.probe:
        f.name((*here, "probe"), action.read_back.probe, "probes")
    every, within = action.read_back.every.total_seconds(), action.read_back.within.total_seconds()
    if not 0 < every <= within:
        f.add((*here, "every"), "read back at least once within `within`, and not all the time")
    probe = pack.probes.get(action.read_back.probe)
    if probe is None:
        return
    if not probe.expect:
        said = f"{action.read_back.probe} takes any answer for a success; add `expect:` to that probe"
        f.add((*here, "probe"), f"{said}, with what it shows once this took effect")
    known = {*action.parameters, *f.names["fields"], *GIVEN}
    for place in sorted((expected_with(probe) | asked_with(probe)) - known):
        said = f"{action.read_back.probe} expects {{{place}}}, which is no parameter of this action"
        f.add((*here, "probe"), said + nearest(place, action.parameters))


def _check_desk(f: Findings, pack: Pack) -> None:
    """What the desk is asked for is told with a halt, and with the action that takes one back."""
    back = {action.undo for action in pack.actions.values() if action.scope is not None}
    for name, action in pack.actions.items():
        if action.desk and action.scope is None and name not in back:
            said = "the desk reads it only with a halt and with what takes a halt back; take it away"
            f.add(("actions", name, "desk"), said)


def _check_end(f: Findings, at: Path, name: str, action: Action, pack: Pack) -> None:
    """What must hold before, and what takes it back afterwards."""
    if action.gate is not None:
        f.name((*at, "gate"), action.gate, "gates")
        gate = pack.gates.get(action.gate)
        if gate is not None and gate.before != "action":
            f.add((*at, "gate"), f"{action.gate} stands before resolving; write `before: action` there")
    f.all_names((*at, "tell"), action.tell, "channels")
    if action.undo is not None:
        f.name((*at, "undo"), action.undo, "actions")
        if action.undo == name:
            f.add((*at, "undo"), "an action does not take itself back; name the one that does")
    if action.lasts is not None:
        f.positive((*at, "lasts"), action.lasts)
        if action.remind_before.total_seconds() > 0 and action.remind_before >= action.lasts:
            f.add((*at, "remind_before"), f"it lasts {format_duration(action.lasts)}; write a shorter `remind_before`")


def _texts(action: Action) -> Iterator[tuple[Path, frozenset[str]]]:
    """Where an action's request has {name}s or :names, and which."""
    yield ("http",), slots(action.http)
    for index, argument in enumerate(action.command or ()):
        yield ("command", index), slots(argument)
    yield ("sql",), binds(action.sql or "")
    yield ("record",), slots(action.record)
    for key, value in action.body.items():
        yield ("body", key), slots(value)


def _check_slots(f: Findings, at: Path, action: Action) -> None:
    known = {*action.parameters, *GIVEN, *f.names["fields"]}
    for path, places in _texts(action):
        for place in sorted(places - known):
            said = f"{{{place}}} is neither a parameter, a field, reason, operator nor incident"
            f.add((*at, *path), said + nearest(place, known))
    for name, parameter in action.parameters.items():
        here: Path = (*at, "parameters", name)
        if name not in sent_with(action):
            f.add(here, f"nothing uses this parameter; write {{{name}}} in the request, or take it away")
        for place in sorted(slots(parameter.default) - f.names["fields"]):
            f.add((*here, "default"), f"{{{place}}} is no field{nearest(place, f.names['fields'])}")


def _check_parameter(f: Findings, at: Path, parameter: Parameter) -> None:
    low, high, default = parameter.minimum, parameter.maximum, parameter.default
    number = parameter.type == "number"
    f.regex((*at, "pattern"), parameter.pattern)
    if number and parameter.pattern is not None:
        f.add((*at, "pattern"), "only a text has a pattern; a number has a minimum and a maximum")
    for index, choice in enumerate(parameter.choices):
        if not number and not fits(choice, parameter.pattern):
            f.add((*at, "choices", index), f"{choice!r} does not match `pattern`")
    if not number and (low is not None or high is not None):
        f.add(at, "only a number has a minimum and a maximum; write `type: number`")
    if low is not None and high is not None and low > high:
        f.add((*at, "minimum"), "the minimum is over the maximum")
    if default is None or slots(default):
        return
    if isinstance(default, str) == number:
        f.add((*at, "default"), f"the default is no {parameter.type}")
    elif parameter.choices and default not in parameter.choices:
        f.add((*at, "default"), f"the default is not a choice{nearest(str(default), parameter.choices)}")
    elif isinstance(default, str) and not fits(default, parameter.pattern):
        f.add((*at, "default"), f"{default!r} does not match `pattern`")
    elif isinstance(default, float) and ((low is not None and default < low) or (high is not None and default > high)):
        f.add((*at, "default"), "the default lies outside of minimum and maximum")
