"""Who took part, and what the record shows of it. No judgement, only what was done."""

from collections import Counter
from collections.abc import Sequence

from warroom.domain import fact_lines
from warroom.domain import facts as f
from warroom.domain.people import PAGERDUTY, WARROOM, By
from warroom.domain.policy import Pack
from warroom.postmortem.lines import Line
from warroom.postmortem.messages import spoken
from warroom.postmortem.model import Participant

MACHINES = frozenset({WARROOM.id, PAGERDUTY.id})


def participants(facts: Sequence[f.Fact], lines: Sequence[Line], pack: Pack) -> tuple[Participant, ...]:
    """Everybody who did or said something, in the order they came in.

    Somebody known to Slack and PagerDuty under the same name is one person.
    """
    did: dict[str, Counter[str]] = {}
    names: dict[str, str] = {}
    came = [(fact.at, person, words) for fact in facts for person, words in _deeds(fact, pack)]
    said = [line for line in spoken(lines) if not line.by_bot]
    came += [(line.at, By(f"slack:{line.author_id}", line.author), "message") for line in said]
    for _, person, words in sorted(came, key=lambda deed: deed[0]):
        if person.id in MACHINES:
            continue
        key = " ".join(person.name.split()).casefold()
        names.setdefault(key, person.name)
        did.setdefault(key, Counter())[words] += 1
    return tuple(Participant(name=names[key], did=_words(deeds)) for key, deeds in did.items())


def _deeds(fact: f.Fact, pack: Pack) -> list[tuple[By, str]]:
    """Who did what by this fact."""
    match fact.what:
        case f.IncidentOpened():
            return [(fact.by, "declared the incident")]
        case f.MilestoneReached(milestone="acknowledged"):
            return [(fact.by, "acknowledged")]
        case f.RoleAssigned() as what:
            role = pack.roles.get(what.role)
            return [(what.person, role.title if role else what.role)]
        case f.UpdateGiven(human=True):
            return [(fact.by, "update")]
        case f.NoteAdded():
            return [(fact.by, "note for the timeline")]
        case f.ProbesRequested():
            return [(fact.by, "run of diagnostics")]
        case f.ActionRequested() as what:
            action = pack.actions.get(what.action)
            return [(fact.by, f"ordered “{action.title if action else what.action}”")]
        case f.ApprovalGiven():
            return [(fact.by, "approved a request")]
        case f.ApprovalClosed(how="rejected"):
            return [(fact.by, "rejected a request")]
        case f.GlassBroken():
            return [(fact.by, "broke the glass")]
        case f.Resolved():
            return [(fact.by, "resolved the incident")]
        case f.ItemDone():
            return [(fact.by, "checklist item")]
        case f.SignedOff() as what:
            return [(fact.by, f"signed off “{fact_lines.criterion_title(pack, what.gate, what.criterion)}”")]
        case f.GateOverridden(via="slack") as what:
            gate = pack.gates.get(what.gate)
            return [(fact.by, f"overrode “{gate.title if gate else what.gate}”")]
        case f.StepDone() | f.StepSkipped():
            return [(fact.by, "protocol step")]
        case f.SeverityChanged():
            return [(fact.by, "set the severity")]
    return []


COUNTED = ("update", "run of diagnostics", "protocol step", "checklist item", "note for the timeline", "message")
PLURALS = {"run of diagnostics": "runs of diagnostics", "note for the timeline": "notes for the timeline"}


def _words(deeds: Counter[str]) -> tuple[str, ...]:
    """Deeds as words: what was done once or more, then what is counted."""
    single = [words for words in deeds if words not in COUNTED]
    counted = [
        f"{deeds[words]} {words if deeds[words] == 1 else PLURALS.get(words, words + 's')}"
        for words in COUNTED
        if deeds[words]
    ]
    return (*single, *counted)
