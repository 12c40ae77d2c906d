"""Which automatic acts a further detection calls for in an incident that has acted already."""

import hashlib
from dataclasses import replace

from warroom.domain import facts as f
from warroom.domain import halts
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.policy import Do
from warroom.domain.slots import slots

UNDER_WAY = "requested"


def uncovered(i: Incident, do: Do, joined: f.DetectionJoined, pack: LoadedPack) -> Incident | None:
    """The incident as this act must see it, its fields those of the detection; None when the act is not called for."""
    name = do.action or ""
    action = pack.pack.actions.get(name)
    if action is None:
        return None
    if action.scope is not None:
        stands = any(run.action == name for run in halts.in_force(i))
        stands = stands or any((run.action, run.outcome) == (name, UNDER_WAY) for run in i.runs)
        return i if joined.details.get("breaker") and not stands else None
    return _of_another(i, do, name, joined, pack)


def mark(joined: f.DetectionJoined) -> str:
    """What makes the run of an act for this detection its own."""
    return hashlib.sha256(joined.key.encode()).hexdigest()[:8]


def _of_another(i: Incident, do: Do, name: str, joined: f.DetectionJoined, pack: LoadedPack) -> Incident | None:
    """For an act with fields of the incident: the incident about the detection's own, when they are new to the act."""
    used = slots(do.parameters)
    read = {field: spec.read for field, spec in pack.pack.fields.items() if field in used}
    told = {
        field: str(value)
        for field, paths in read.items()
        for path in paths
        if (value := joined.details.get(path.removeprefix("details.")))
    }
    levels = pack.pack.violations.levels if pack.pack.violations else {}
    severity = levels.get(joined.details.get("level"), "P3")  # type: ignore[call-overload]
    if not told or set(told) != set(read) or severity > i.severity:
        return None
    covered = any(
        run.action == name and all(str(run.parameters.get(field)) == value for field, value in told.items())
        for run in i.runs
    )
    return None if covered else replace(i, fields={**i.fields, **told})
