"""What must hold for conditions over an alert, and for what a step or an item waits for."""

import re
from typing import get_args

from warroom.domain.terms import Milestone, When
from warroom.packs.document import Path
from warroom.packs.names import Findings
from warroom.packs.problems import nearest

MILESTONES: tuple[str, ...] = get_args(Milestone)
ALERT_FIELDS = ("title", "description", "service", "priority", "urgency", "market")
_DETAIL = re.compile(r"details\.\S+")
_WAITS = {"action": "actions", "probes": "probe_groups", "checklist": "checklists"}


def check_when(f: Findings, at: Path, when: When, *, incident: bool = False) -> None:
    """One condition. With `incident` it is asked of an incident, which has a playbook and fields as well."""
    _check_asked(f, (*at, "field"), when.field, incident=incident)
    tests = {"matches": when.matches, "equals": when.equals, "over": when.over, "under": when.under}
    f.one_of(at, tests, "a condition")
    f.regex((*at, "matches"), when.matches)
    if when.field == "market" and when.equals not in ("open", "closed"):
        f.add(at, "the market is compared with `equals: open` or `equals: closed`")
    if when.field == "playbook" and incident and isinstance(when.equals, str):
        f.name((*at, "equals"), when.equals, "playbooks")


def _check_asked(f: Findings, at: Path, asked: str, *, incident: bool) -> None:
    if is_alert_field(asked):
        return
    if asked == "playbook" or asked.startswith("fields."):
        if not incident:
            f.add(at, f"{asked} is known only once there is an incident: in steps and communications, not here")
        elif asked != "playbook":
            f.name(at, asked.removeprefix("fields."), "fields")
        return
    known = (*ALERT_FIELDS, "details.NAME", *(("playbook", "fields.NAME") if incident else ()))
    f.add(at, f"an alert has no {asked!r}{nearest(asked, known)}")


def is_alert_field(name: str) -> bool:
    """Whether every alert can be asked for `name`."""
    return name in ALERT_FIELDS or _DETAIL.fullmatch(name) is not None


def check_done_on(f: Findings, at: Path, word: str, *, effects: bool) -> None:
    """One of the words that say when a step or an item is done; `effects` are possible where something is sent."""
    kind, colon, name = word.partition(":")
    if colon and kind in _WAITS:
        f.name(at, name, _WAITS[kind])
    elif word == "effects":
        if not effects:
            f.add(at, "`effects` are done when everything in `does` is; add `does`")
    elif word not in (*MILESTONES, "update"):
        forms = {*MILESTONES, "effects", "update", "action:NAME", "probes:GROUP", "checklist:NAME"}
        said = f"{word!r} is neither a milestone, update, effects, action:NAME, probes:GROUP nor checklist:NAME"
        f.add(at, said + nearest(word, forms))


def check_span(f: Findings, at: Path, start: str, end: str) -> None:
    """Milestone `end` comes after `start`."""
    if MILESTONES.index(start) >= MILESTONES.index(end):
        f.add((*at, "end"), f"{end} does not come after {start}; the order is {', '.join(MILESTONES)}")
