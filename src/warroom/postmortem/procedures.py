"""What became of checklists and gates: every item of a checklist that was begun, and every gate gone past."""

from datetime import datetime

from warroom.domain import checklists
from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.postmortem.markdown import span
from warroom.postmortem.model import ItemRow, OverrideRow


def item_rows(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[ItemRow, ...]:
    """The items of every checklist that was begun, in the pack's order."""
    return tuple(
        _item(checklist.title, row, now)
        for name, checklist in pack.pack.checklists.items()
        for row in checklists.rows(incident, checklist, name)
    )


def _item(checklist: str, row: checklists.Row, now: datetime) -> ItemRow:
    mark = row.mark
    result, ok = "open", None
    if mark.done and mark.at:
        late = row.due is not None and mark.at > row.due
        ok = not late
        result = f"late by {span(mark.at - row.due)}" if late and row.due else "done"
        result += f" ({mark.how})" if mark.how else ""
    elif mark.late is not None or (row.due and row.due <= now):
        result, ok = "late, never done", False
    return ItemRow(
        checklist=checklist,
        item=row.item.title,
        due=row.due,
        done=mark.at if mark.done else None,
        by=mark.by.name if mark.done and mark.by else "",
        result=result,
        ok=ok,
    )


def override_rows(incident: Incident, pack: LoadedPack) -> tuple[OverrideRow, ...]:
    """Every time somebody went past a gate, in order."""
    rows: list[OverrideRow] = []
    for fact in incident.overrides:
        if isinstance(fact.what, f.GateOverridden):
            known = pack.pack.gates.get(fact.what.gate)
            rows.append(
                OverrideRow(
                    at=fact.at,
                    gate=known.title if known else fact.what.gate,
                    unmet=fact.what.unmet,
                    by=fact.by.name,
                    reason=fact.what.reason,
                )
            )
    return tuple(rows)
