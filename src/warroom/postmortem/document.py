"""A post-mortem: compiled from an incident, its facts and the messages of its room, and written as Markdown.

The sections are those of the blameless template (lav-adaf-playbook.md, Post-Incident Review Process), with what was
measured of the response between Impact and Root Cause. What only people know is left as a marked question.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from warroom.domain.decision import LoadedPack
from warroom.domain.facts import Fact
from warroom.domain.incident import Incident, Update
from warroom.postmortem import markdown, procedures, response, review
from warroom.postmortem.deeds import action_rows, diagnosis_rows
from warroom.postmortem.lines import Line
from warroom.postmortem.model import Document, Question, Said
from warroom.postmortem.participants import participants
from warroom.postmortem.timeline import timeline

TEMPLATES = Path(__file__).parent / "templates"
STANDARD = "postmortem"
QUESTION = "> **Question:** "


def compile(
    incident: Incident,
    facts: Sequence[Fact],
    lines: Sequence[Line],
    pack: LoadedPack,
    now: datetime,
    *,
    number: int = 1,
    reason: str = "",
    notices: Sequence[str] = (),
) -> Document:
    """Everything the record can tell, as of `now` (UTC).

    `facts` are the incident's, in recorded order; `lines` its room's messages. `number` counts drafts, `reason` says
    why this one was made, `notices` are sentences about what could not be read.
    """
    measured = review.Measured(
        clocks=response.clock_rows(incident, pack, now),
        steps=response.step_rows(incident, pack, now),
        checklists=procedures.item_rows(incident, pack, now),
        overrides=procedures.override_rows(incident, pack),
        updates=response.update_rows(incident, pack, now),
        objectives=response.objective_rows(incident, pack, now),
    )
    severity = pack.pack.severities[incident.severity]
    playbook = pack.pack.playbooks.get(incident.playbook or "")
    start, end = response.started(incident), incident.reached("resolved")
    found = review.findings(incident, pack, measured, start)
    said = incident.resolution
    return Document(
        id=incident.id,
        number=number,
        title=incident.title,
        platform=pack.pack.title,
        drafted=now,
        reason=reason,
        notices=(*notices, *_notices(incident)),
        severity=f"{incident.severity} {severity.title}".strip(),
        severity_reason=incident.severity_reason,
        started=start,
        ended=end,
        duration=max(end or now, start) - start,
        services=playbook.systems if playbook and playbook.systems else tuple(filter(None, [incident.service])),
        playbook=playbook.title if playbook else "",
        description=incident.description,
        fields=tuple((x.title, incident.fields[n]) for n, x in pack.pack.fields.items() if n in incident.fields),
        commander=incident.commander.name if incident.commander else "",
        summary=said.summary if said else "",
        pagerduty_url=incident.pagerduty_url or "",
        room=incident.room_name or "",
        timeline=timeline(incident, facts, lines, pack.pack),
        impact=_impact(incident),
        sla=review.sla(measured.clocks),
        clocks=measured.clocks,
        steps=measured.steps,
        checklists=measured.checklists,
        overrides=measured.overrides,
        reactions=response.reactions(incident),
        updates=measured.updates,
        participants=participants(facts, lines, pack.pack),
        actions=action_rows(incident, pack.pack),
        actions_said=said.actions_taken if said else "",
        diagnoses=diagnosis_rows(incident, pack.pack),
        root_cause=said.root_cause.strip() if said else "",
        well=review.well(incident, pack, measured),
        improve=tuple(finding.text for finding in found),
        items=review.items(incident, pack, found),
        objectives=measured.objectives,
        questions=review.questions(incident, pack, measured, start),
    )


def _notices(incident: Incident) -> list[str]:
    return [] if incident.reached("resolved") else ["The incident is not resolved yet: every figure is as of now."]


def _impact(incident: Incident) -> Said | None:
    """What people said of the impact: when they resolved it, else in the last update that spoke of it."""
    resolved = incident.reached("resolved")
    if incident.resolution and incident.resolution.impact and resolved:
        return Said(at=resolved, by="", text=incident.resolution.impact)
    told: Update | None = next((u for u in reversed(incident.updates) if u.human and u.impact), None)
    return Said(at=told.at, by=told.by.name, text=told.impact) if told else None


def templates() -> frozenset[str]:
    """The names a pack may give as its `postmortem`."""
    return frozenset(path.stem for path in TEMPLATES.glob("*.md"))


def render(document: Document, template: str = STANDARD) -> str:
    """The document as Markdown, each question a line that begins with QUESTION. `template` is one of `templates()`."""
    text = _environment().get_template(f"{template}.md").render(d=document)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def questions_in(text: str) -> list[str]:
    """The questions that a rendered document leaves to people, as plain text."""
    return [markdown.plain(line.removeprefix(QUESTION)) for line in text.splitlines() if line.startswith(QUESTION)]


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        finalize=markdown.written,
        autoescape=False,  # HTML is the wrong escape here; `markdown.written` is the right one
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    filters: dict[str, Any] = {
        "clock": markdown.clock,
        "commas": markdown.commas,
        "link": markdown.link,
        "prose": markdown.prose,
        "asked": _asked,
        "anchor": lambda section: markdown.Safe(f"[{section}](#{section.lower().replace(' ', '-')})"),
    }
    environment.filters.update(filters)
    return environment


def _asked(questions: Sequence[Question], section: str) -> markdown.Safe:
    """The questions of a section, each a paragraph of its own; empty when there are none."""
    return markdown.Safe("\n\n".join(QUESTION + markdown.inline(q.text) for q in questions if q.section == section))
