"""What the machine can prove about how it went, what follows from it, and what it has to ask people.

Blameless: findings name steps, clocks and messages, never persons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.words import listed
from warroom.postmortem.deeds import action_title, halts_left
from warroom.postmortem.markdown import clock, span, stamp
from warroom.postmortem.model import (
    ClockRow,
    Item,
    ItemRow,
    ObjectiveRow,
    OverrideRow,
    Question,
    StepRow,
    UpdateRow,
)

SLACK_IN_GAP = timedelta(minutes=1)  # an update goes out at its minute, not at its second


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of the response."""

    clocks: tuple[ClockRow, ...]
    steps: tuple[StepRow, ...]
    checklists: tuple[ItemRow, ...]
    overrides: tuple[OverrideRow, ...]
    updates: tuple[UpdateRow, ...]
    objectives: tuple[ObjectiveRow, ...]


@dataclass(frozen=True)
class Finding:
    """Something that did not go as the pack wants it, and what to do about it ("": nothing by itself)."""

    text: str
    todo: str = ""


def sla(rows: Sequence[ClockRow]) -> str:
    """Whether a clock ran out, in a sentence."""
    late = [row for row in rows if row.ok is False]
    running = sum(row.ok is None for row in rows)
    if late:
        return f"yes, {len(late)} of {len(rows)} clocks: " + ", ".join(f"{row.title} ({row.result})" for row in late)
    if not rows:
        return "this severity has no clocks"
    if running:
        return f"none so far, {_count(running, 'clock')} still running"
    return f"none, {'the one clock' if len(rows) == 1 else f'all {len(rows)} clocks'} ended in time"


def well(i: Incident, pack: LoadedPack, m: Measured) -> tuple[str, ...]:
    """What went as it should, with figures."""
    said: list[str] = []
    kept = [f"{row.title} ({span(row.used)} of {span(row.limit)})" for row in m.clocks if row.ok]
    if kept:
        said.append(f"In time: {', '.join(kept)}.")
    due = [row for row in m.steps if row.ok is not None]
    done = [row for row in due if row.ok]
    if done:
        every = len(done) == len(due)
        said.append(f"{'All' if every else f'{len(done)} of'} {_count(len(due), 'protocol step')} in time.")
    for update in m.updates:
        if update.written and not update.unwritten and not _silent(update):
            said.append(f"{update.title}: none was missed, all {update.written} written by people.")
    for run in i.runs:
        if run.outcome == "confirmed" and run.settled:
            said.append(
                f"{action_title(run, pack.pack)} was confirmed by reading back {span(run.settled - run.at)} "
                "after the order."
            )
    return tuple(said)


def findings(i: Incident, pack: LoadedPack, m: Measured, first_news: datetime) -> tuple[Finding, ...]:
    """What did not go as the pack wants it."""
    found: list[Finding] = []
    for row in m.clocks:
        if row.ok is False:
            text = f"{row.title}: {row.result} ({span(row.used)} of {span(row.limit)})."
            found.append(Finding(text, f"Find out what delayed “{row.title}” and change it"))
    for step in m.steps:
        if step.ok is False:
            text = f"Protocol step “{step.title}” ({step.owner}): {step.result}."
            todo = f"Find out what kept “{step.title}” from being done in time and change it"
            found.append(Finding(text, "" if step.left_out else todo))
    found += _procedures(m)
    found += _updates(m.updates, first_news)
    found += _actions(i, pack)
    if i.failed:
        kinds = listed(dict.fromkeys(e.kind for e in i.failed.values()))
        text = f"{_count(len(i.failed), 'delivery', 'deliveries')} by warroom failed or may have failed ({kinds})."
        found.append(Finding(text, "Repair what kept warroom from delivering (see the timeline)"))
    unanswered = [d for d in i.diagnoses if d.reported is None]
    if unanswered:
        found.append(Finding(f"{_count(len(unanswered), 'run')} of diagnostics never answered."))
    for objective in m.objectives:
        if objective.ok is False:
            found.append(Finding(f"Objective {objective.title}: {objective.result}."))
    return tuple(found)


def _procedures(m: Measured) -> Iterator[Finding]:
    for item in m.checklists:
        if item.ok is False:
            yield Finding(f"“{item.item}” ({item.checklist}): {item.result}.")
    for passed in m.overrides:
        text = f"“{passed.gate}” was passed although not met: {listed(passed.unmet)}."
        yield Finding(text, f"Find out why “{passed.gate}” could not be met, and change the gate or the way to it")


def _updates(rows: Sequence[UpdateRow], first_news: datetime) -> Iterator[Finding]:
    for row in rows:
        if row.unwritten:
            due = listed(clock(at, first_news)[:-3] for at in row.unwritten)
            times = "The update" if len(row.unwritten) == 1 else "The updates"
            verb = "was" if len(row.unwritten) == 1 else "were"
            text = f"{times} due {due} ({row.title}) {verb} not written by a person."
            yield Finding(text, f"Make sure that somebody holds the pen for “{row.title}”")
        if _silent(row):
            yield Finding(
                f"{row.title}: {span(row.longest_gap)} passed without an update, planned is every {span(row.every)}."
            )


def _silent(row: UpdateRow) -> bool:
    return row.longest_gap > row.every + SLACK_IN_GAP


def _actions(i: Incident, pack: LoadedPack) -> Iterator[Finding]:
    for run in i.runs:
        title = action_title(run, pack.pack)
        if run.outcome in ("unknown", "requested"):
            yield Finding(f"{title}: nobody knows whether it took effect.", f"Make “{title}” verifiable")
        elif run.outcome == "failed":
            yield Finding(f"{title} failed.", f"Repair “{title}” and rehearse it")


def items(i: Incident, pack: LoadedPack, found: Sequence[Finding]) -> tuple[Item, ...]:
    """What the pack owes after an incident, then what follows from the findings and the playbook."""
    high = "High" if i.severity in ("P0", "P1") else "Medium"
    rows: list[Item] = []
    for follow_up in pack.pack.follow_ups:
        since = i.reached(follow_up.after)
        detail = f": {', '.join(follow_up.items)}" if follow_up.items else ""
        due = since + follow_up.within if since else None
        rows.append(Item(action=follow_up.title + detail, due=due, priority=high))
    rows += [Item(action=f"{owed.title} ({owed.why})", due=owed.due, priority="High") for owed in i.owed]
    last = max((row.due for row in rows if row.due), default=None)
    rows += [Item(action=todo, due=last, priority=high) for todo in _todos(found)]
    playbook = pack.pack.playbooks.get(i.playbook or "")
    if playbook and playbook.prevention:
        prevention = f"Prevention from the playbook: {'; '.join(playbook.prevention)}"
        rows.append(Item(action=prevention, due=last, priority="Medium"))
    return tuple(rows)


def _todos(found: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.todo for finding in found if finding.todo))


def questions(i: Incident, pack: LoadedPack, m: Measured, first_news: datetime) -> tuple[Question, ...]:
    """What only people know, in the order of the sections."""
    asked: list[tuple[str, str]] = [
        ("Timeline", f"When did the trouble begin? The first this record knows of it is {stamp(first_news)}."),
        ("Impact", "Who was affected and how many: desks, clients, counterparties, regulators?"),
        ("Impact", "What did it cost: P&L, missed trades, fees, reputation?"),
    ]
    for run in i.runs:
        if run.outcome in ("unknown", "requested"):
            asked.append(
                ("Actions", f"Did {action_title(run, pack.pack)} ordered at {clock(run.at, first_news)} take effect?")
            )
    for run in halts_left(i):
        title = action_title(run, pack.pack)
        asked.append(
            ("Actions", f"When did trading resume after {title} at {clock(run.at, first_news)}, and who approved it?")
        )
    said = i.resolution.root_cause.strip() if i.resolution else ""
    asked += [
        ("Root Cause", "What else contributed: technical conditions, process, what people could not know?")
        if said
        else ("Root Cause", "What was the technical root cause, and what contributed to it?"),
        ("What Went Well", "What else helped, and would it help again or was it luck?"),
        ("What Could Be Improved", "What was slow, confusing or missing: alerts, runbook, tools, access?"),
        ("Action Items", "Who owns each of these, and which fixes are missing?"),
        ("Lessons Learned", "What should a team that was not here take from this?"),
    ]
    for row in m.objectives:
        if row.measured is None:
            asked.append(("Objectives", f"{row.title}: what was it this time (target {span(row.target)})?"))
    return tuple(Question(section=section, text=text) for section, text in asked)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
