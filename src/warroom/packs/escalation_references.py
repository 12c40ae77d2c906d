"""What must hold for what a severity or a playbook sets going: clocks, steps, cadences, communications."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import combinations, pairwise

from warroom.domain.policy import Cadence, Clock, Communication, Do, Pack, Severity, Step
from warroom.domain.slots import slots
from warroom.domain.teams import SYSTEM
from warroom.packs.condition_references import check_done_on, check_span, check_when
from warroom.packs.document import Path
from warroom.packs.durations import format_duration
from warroom.packs.names import FIRST_ON_CALL, ON_CALL, ROOM, Findings
from warroom.packs.problems import nearest

_NONE = timedelta()
_NEEDS = {"page": {"groups"}, "probes": {"probes"}, "tell": {"message"}, "act": {"action"}}
_MAY = {"tell": {"channels", "audiences"}, "act": {"parameters"}}


def check_escalation(f: Findings, pack: Pack) -> None:
    """Everything that the severities and the playbooks set going."""
    for name, severity in pack.severities.items():
        _check_severity(f, ("severities", name), severity, pack)
    for key, book in pack.playbooks.items():
        at: Path = ("playbooks", key)
        _check_clocks(f, (*at, "clocks"), book.clocks)
        _check_steps(f, (*at, "steps"), book.steps, pack)
        _check_communications(f, (*at, "communications"), book.communications)
    _check_step_ids(f, pack)
    _check_communication_ids(f, pack)


def _check_severity(f: Findings, at: Path, severity: Severity, pack: Pack) -> None:
    f.name((*at, "announce", "channel"), severity.announce.channel, "channels")
    _check_clocks(f, (*at, "clocks"), severity.clocks)
    _check_steps(f, (*at, "steps"), severity.steps, pack)
    f.unique((*at, "cadences"), [c.id for c in severity.cadences])
    for index, cadence in enumerate(severity.cadences):
        _check_cadence(f, (*at, "cadences", index), cadence)
    _check_communications(f, (*at, "communications"), severity.communications)
    f.all_names((*at, "invite"), severity.invite, "groups")
    if FIRST_ON_CALL in severity.invite:
        f.add((*at, "invite"), f"{FIRST_ON_CALL} is for pages only; write {ON_CALL}: nobody is woken by an invitation")


def _check_step_ids(f: Findings, pack: Pack) -> None:
    """A step is known by its id alone, also after severity and playbook have changed."""
    seen: dict[str, str] = {}
    severities = [(("severities", name, "steps"), name, s.steps) for name, s in pack.severities.items()]
    books = [(("playbooks", name, "steps"), name, b.steps) for name, b in pack.playbooks.items()]
    for at, where, steps in (*severities, *books):
        for index, step in enumerate(steps):
            if step.id in seen:
                said = f"{step.id!r} is the id of a step of {seen[step.id]}; give this one another id"
                f.add((*at, index, "id"), said)
            seen[step.id] = where


def _check_communication_ids(f: Findings, pack: Pack) -> None:
    """What a playbook tells is told beside what the severity tells: their ids differ."""
    taken = {c.id: name for name, severity in pack.severities.items() for c in severity.communications}
    for name, book in pack.playbooks.items():
        for index, told in enumerate(book.communications):
            if told.id in taken:
                said = f"{told.id!r} is the id of a communication of {taken[told.id]}; give this one another id"
                f.add(("playbooks", name, "communications", index, "id"), said)


def _check_clocks(f: Findings, at: Path, clocks: Mapping[str, Clock]) -> None:
    for name, clock in clocks.items():
        _check_clock(f, (*at, name), clock)


def _check_clock(f: Findings, at: Path, clock: Clock) -> None:
    check_span(f, at, clock.start, clock.end)
    if clock.within <= _NONE:
        f.add((*at, "within"), "a clock needs some time; write 15m or more than 0s")
    if clock.warn_before is not None and not _NONE < clock.warn_before < clock.within:
        f.add((*at, "warn_before"), f"warn less than `within` ({format_duration(clock.within)}) before the end")
    f.all_names((*at, "tell"), clock.tell, "groups")


def _check_steps(f: Findings, at: Path, steps: tuple[Step, ...], pack: Pack) -> None:
    for index, step in enumerate(steps):
        _check_step(f, (*at, index), step, pack)
    _check_order(f, at, steps)


def _check_step(f: Findings, at: Path, step: Step, pack: Pack) -> None:
    f.name((*at, "owner"), step.owner, "roles", SYSTEM)
    if step.end is not None and step.end <= step.start:
        f.add((*at, "end"), f"the step ends before it begins; write more than {format_duration(step.start)}")
    if step.end is None and step.if_late:
        f.add((*at, "if_late"), "a step without `end` is never late; add `end`")
    _check_reminder(f, (*at, "remind_before"), step)
    for index, when in enumerate(step.when):
        check_when(f, (*at, "when", index), when, incident=True)
    for part, does in (("does", step.does), ("if_late", step.if_late)):
        for index, do in enumerate(does):
            _check_do(f, (*at, part, index), do, pack)
    if step.owner == SYSTEM and not step.does:
        f.add((*at, "does"), "a step of the system needs `does`; or give it to a role")
    for index, word in enumerate(step.done_on):
        check_done_on(f, (*at, "done_on", index), word, effects=bool(step.does))
    _check_call(f, (*at, "call"), step, pack)


def _check_reminder(f: Findings, at: Path, step: Step) -> None:
    if step.remind_before is None:
        return
    if step.end is None:
        f.add(at, "a step without `end` has nothing to remind of; add `end`")
    elif not _NONE < step.remind_before < step.end - step.start:
        lasts = format_duration(max(step.end - step.start, _NONE))
        f.add(at, f"remind less before the end than the step lasts ({lasts})")


def _check_call(f: Findings, at: Path, step: Step, pack: Pack) -> None:
    if step.call is None:
        return
    if step.owner == SYSTEM:
        f.add(at, "a person makes the call: give the step to a role")
    titles = [contact.title for contact in pack.contacts]
    if step.call.whom not in titles:
        said = f"{step.call.whom!r} is the title of no contact{nearest(step.call.whom, titles)}"
        f.add((*at, "whom"), said)


def _check_do(f: Findings, at: Path, do: Do, pack: Pack) -> None:
    given = {
        "groups": bool(do.groups),
        "probes": do.probes is not None,
        "message": do.message is not None,
        "channels": bool(do.channels),
        "audiences": bool(do.audiences),
        "action": do.action is not None,
        "parameters": bool(do.parameters),
    }
    needs = _NEEDS.get(do.kind, set())
    for name, there in given.items():
        if name in needs and not there:
            f.add((*at, name), f"`{do.kind}` needs `{name}`")
        if there and name not in needs | _MAY.get(do.kind, set()):
            f.add((*at, name), f"`{do.kind}` makes no use of `{name}`; take it away")
    if do.kind == "tell":
        _check_reaches(f, at, do.channels, do.audiences, "`tell`")
    else:
        f.all_names((*at, "channels"), do.channels, "channels", ROOM)
        f.all_names((*at, "audiences"), do.audiences, "audiences")
    f.all_names((*at, "groups"), do.groups, "groups")
    if do.probes is not None:
        f.name((*at, "probes"), do.probes, "probe_groups")
    if do.action is not None:
        f.name((*at, "action"), do.action, "actions")
        _check_order_given(f, at, do, pack)


def _check_order_given(f: Findings, at: Path, do: Do, pack: Pack) -> None:
    """What is ordered by itself needs a value for each parameter, and nobody who confirms or approves."""
    action = pack.actions.get(do.action or "")
    if action is None:
        return
    for name, value in do.parameters.items():
        here: Path = (*at, "parameters", name)
        if name not in action.parameters:
            f.add(here, f"{do.action} has no parameter {name!r}{nearest(name, action.parameters)}")
        for slot in sorted(slots(value)):
            if slot not in f.names["fields"]:
                f.add(here, f"{{{slot}}} is no field{nearest(slot, f.names['fields'])}")
    for name, parameter in action.parameters.items():
        if parameter.default is None and name not in do.parameters:
            f.add((*at, "parameters"), f"{do.action} needs {name}, which has no default; add `{name}:`")


def _check_reaches(f: Findings, at: Path, channels: tuple[str, ...], audiences: tuple[str, ...], what: str) -> None:
    if not (channels or audiences):
        f.add((*at, "channels"), f"{what} needs `channels` or `audiences`")
    f.all_names((*at, "channels"), channels, "channels", ROOM)
    f.all_names((*at, "audiences"), audiences, "audiences")


def _check_order(f: Findings, at: Path, steps: tuple[Step, ...]) -> None:
    """Steps stand in the order in which they begin, and nobody has two at a time (unless on different occasions)."""
    for index, (one, two) in enumerate(pairwise(steps)):
        if one.after == two.after and two.start < one.start:
            begins = format_duration(two.start)
            f.add((*at, index + 1, "start"), f"this step begins at {begins}, before the one above; put it first")
    always = [(n, step) for n, step in enumerate(steps) if not step.when and step.hours == "always"]
    for (_, one), (index, two) in combinations(always, 2):
        same = one.owner == two.owner != SYSTEM and one.after == two.after
        if same and one.start <= two.start < (one.end or one.start):
            said = f"{two.owner} is still busy with {one.id!r} until {format_duration(one.end or one.start)}"
            f.add((*at, index, "start"), f"{said}; begin later, or give the step to another role")


def _check_cadence(f: Findings, at: Path, cadence: Cadence) -> None:
    check_span(f, at, cadence.start, cadence.end)
    if cadence.every <= _NONE:
        f.add((*at, "every"), "a cadence needs some time; write 15m or more than 0s")
    elif not _NONE <= cadence.ask_before < cadence.every:
        f.add((*at, "ask_before"), f"ask less than `every` ({format_duration(cadence.every)}) before it is due")
    _check_reaches(f, at, cadence.channels, cadence.audiences, "a cadence")


def _check_communications(f: Findings, at: Path, communications: tuple[Communication, ...]) -> None:
    f.unique(at, [c.id for c in communications])
    for index, told in enumerate(communications):
        here: Path = (*at, index)
        _check_reaches(f, here, told.channels, told.audiences, "a communication")
        for n, when in enumerate(told.when):
            check_when(f, (*here, "when", n), when, incident=True)
