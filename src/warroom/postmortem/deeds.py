"""Actions on the platform and diagnostics, with what came of them."""

from warroom.domain import approvals, halts
from warroom.domain.incident import Incident, Run
from warroom.domain.policy import Pack
from warroom.domain.words import listed
from warroom.postmortem.model import ActionRow, DiagnosisRow, Reading

OUTCOMES = {
    "requested": "NO RESULT",
    "confirmed": "confirmed",
    "failed": "FAILED",
    "unknown": "UNKNOWN",
    "dry_run": "rehearsed",
}
MODES = {"live": "live", "dry_run": "dry run"}


def action_rows(incident: Incident, pack: Pack) -> tuple[ActionRow, ...]:
    """Every ordered action, oldest first; `read_back` is what the platform was seen to say afterwards."""
    return tuple(
        ActionRow(
            at=run.at,
            title=action_title(run, pack),
            mode=MODES.get(run.mode, run.mode),
            by=ordered_by(incident, run),
            reason=run.reason,
            outcome=OUTCOMES[run.outcome],
            took=run.settled - run.at if run.settled else None,
            read_back=run.detail,
        )
        for run in incident.runs
    )


def ordered_by(incident: Incident, run: Run) -> str:
    """Who ordered it, who approved it, and whether they broke the glass for it."""
    asked = approvals.named(incident, run.run)
    given = listed(by.name for by in asked.given) if asked else ""
    glass = any(getattr(fact.what, "run", "") == run.run for fact in incident.glass)
    return run.by.name + (f", approved by {given}" if given else "") + (", BY BREAKING THE GLASS" if glass else "")


def action_title(run: Run, pack: Pack) -> str:
    """The action's title, with the scope of a halt."""
    action = pack.actions.get(run.action)
    title = action.title if action else run.action
    return f"{title} ({run.scope})" if run.scope else title


def halts_left(incident: Incident) -> tuple[Run, ...]:
    """Halts that were confirmed and of whose undoing the record knows nothing."""
    return halts.in_force(incident)


def diagnosis_rows(incident: Incident, pack: Pack) -> tuple[DiagnosisRow, ...]:
    """Every run of probes, oldest first; what is not healthy comes first in a run."""
    rows: list[DiagnosisRow] = []
    for run in incident.diagnoses:
        readings = [
            Reading(
                title=str(r.get("title") or r.get("probe") or ""),
                state=str(r.get("state") or "error"),
                summary=str(r.get("summary") or ""),
            )
            for r in run.results
        ]
        readings.sort(key=lambda reading: reading.state == "ok")
        book = pack.playbooks.get(run.what)
        what = book.title if book else run.what.replace("_", " ")
        rows.append(DiagnosisRow(at=run.at, what=what, by=run.by.name, readings=tuple(readings)))
    return tuple(rows)
