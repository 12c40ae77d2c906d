"""Actions on the platform and diagnostics, with what came of them."""

from warroom.domain.incident import Incident, Run
from warroom.domain.policy import Pack
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
            by=run.by.name,
            reason=run.reason,
            outcome=OUTCOMES[run.outcome],
            took=run.settled - run.at if run.settled else None,
            read_back=run.detail,
        )
        for run in incident.runs
    )


def action_title(run: Run, pack: Pack) -> str:
    """The action's title, with the scope of a halt."""
    action = pack.actions.get(run.action)
    title = action.title if action else run.action
    return f"{title} ({run.scope})" if run.scope else title


def halts_left(incident: Incident, pack: Pack) -> tuple[Run, ...]:
    """Halts that were confirmed and of whose undoing the record knows nothing."""
    left: list[Run] = []
    for halt in incident.halts:
        action = pack.actions.get(halt.action)
        undo = action.undo if action else None
        undone = any(r.action == undo and r.outcome == "confirmed" and r.at > halt.at for r in incident.runs)
        if halt.outcome == "confirmed" and not undone:
            left.append(halt)
    return tuple(left)


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
