"""The post-mortem as values, ready to be written down. All text is plain; the renderer escapes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the timeline at `at` (UTC): what happened, what was done about it, by whom, where it is said."""

    at: datetime
    event: str = ""
    action: str = ""
    who: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Rows in time order; `left_out` is the number of messages that were not worth a row."""

    rows: tuple[Row, ...]
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class ClockRow:
    """One run of an SLA clock. `ok` is None while it cannot be told."""

    title: str
    limit: timedelta
    used: timedelta
    result: str
    ok: bool | None


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """One step of the protocol. `ok` is None when it was not needed, or not due before the end, `left_out`
    when people skipped it."""

    title: str
    owner: str
    due: datetime | None
    done: datetime | None
    by: str
    result: str
    ok: bool | None
    left_out: bool = False


@dataclass(frozen=True, kw_only=True)
class ItemRow:
    """One item of a checklist that was begun. `ok` is None while it is open and not late."""

    checklist: str
    item: str
    due: datetime | None
    done: datetime | None
    by: str
    result: str
    ok: bool | None


@dataclass(frozen=True, kw_only=True)
class OverrideRow:
    """A gate that somebody went past although these criteria were not met."""

    at: datetime
    gate: str
    unmet: tuple[str, ...]
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """How long after the declaration something was reached."""

    what: str
    took: timedelta


@dataclass(frozen=True, kw_only=True)
class UpdateRow:
    """How one cadence of updates was kept. `unwritten` are the due times that no person answered."""

    title: str
    every: timedelta
    written: int
    unwritten: tuple[datetime, ...]
    longest_gap: timedelta


@dataclass(frozen=True, kw_only=True)
class Participant:
    """Somebody who took part, and what the record shows of it."""

    name: str
    did: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ActionRow:
    """An ordered action and what became of it."""

    at: datetime
    title: str
    mode: str
    by: str
    reason: str
    outcome: str
    took: timedelta | None
    read_back: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One probe's answer."""

    title: str
    state: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class DiagnosisRow:
    """One run of probes; no readings: it never reported."""

    at: datetime
    what: str
    by: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a person told at `at`."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """A line of the action items. `due` is None while it cannot be told."""

    action: str
    due: datetime | None
    priority: str


@dataclass(frozen=True, kw_only=True)
class ObjectiveRow:
    """A figure the platform holds itself to. `measured` is None when only people know, `ok` None while it is open."""

    title: str
    target: timedelta
    measured: timedelta | None
    result: str
    ok: bool | None


@dataclass(frozen=True, kw_only=True)
class Question:
    """What only people know, and the section that waits for it."""

    section: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A blameless post-mortem, filled in as far as the record goes. `notices` say what is missing of the sources."""

    id: str
    number: int
    title: str
    platform: str
    drafted: datetime
    reason: str
    notices: tuple[str, ...]
    severity: str
    severity_reason: str
    started: datetime
    ended: datetime | None
    duration: timedelta
    services: tuple[str, ...]
    playbook: str
    description: str
    fields: tuple[tuple[str, str], ...]
    commander: str
    summary: str
    pagerduty_url: str
    room: str
    timeline: Timeline
    impact: Said | None
    sla: str
    clocks: tuple[ClockRow, ...]
    steps: tuple[StepRow, ...]
    checklists: tuple[ItemRow, ...]
    overrides: tuple[OverrideRow, ...]
    reactions: tuple[Reaction, ...]
    updates: tuple[UpdateRow, ...]
    participants: tuple[Participant, ...]
    actions: tuple[ActionRow, ...]
    actions_said: str
    diagnoses: tuple[DiagnosisRow, ...]
    root_cause: str
    well: tuple[str, ...]
    improve: tuple[str, ...]
    items: tuple[Item, ...]
    objectives: tuple[ObjectiveRow, ...]
    questions: tuple[Question, ...]
