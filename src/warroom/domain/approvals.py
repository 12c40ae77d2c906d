"""Approvals and the time limits of actions: how many people it takes, requests that expire, acts that lapse."""

from collections.abc import Iterator
from datetime import datetime

from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Approval, Incident, Run
from warroom.domain.policy import Pack

IN_FORCE = "confirmed"


def needed(pack: Pack, name: str) -> int:
    """How many others must approve an action. What is extreme, what lifts a halt and what a playbook calls a last
    resort takes two people, whatever the pack says."""
    action = pack.actions[name]
    last_resort = any(r.action == name and r.last_resort for b in pack.playbooks.values() for r in b.resolution)
    two_people = action.danger == "extreme" or last_resort or bool(undoes(pack, name))
    return max(action.approvals, 1 if two_people else 0)


def approvers(pack: Pack, name: str) -> tuple[str, ...]:
    """The groups whose members may approve an action: those of the pack, else those that may order it."""
    return pack.actions[name].approvers or pack.actions[name].who


def undoes(pack: Pack, name: str) -> tuple[str, ...]:
    """The scopes of the halts that an action takes back."""
    return tuple(a.scope for a in pack.actions.values() if a.scope and a.undo == name)


def named(i: Incident, run: str) -> Approval | None:
    """The request with this run id."""
    return next((a for a in i.approvals if a.request.run == run), None)


def pending(i: Incident) -> tuple[Approval, ...]:
    """Requests that wait for approval, oldest first."""
    return tuple(a for a in i.approvals if a.state == "pending")


def lasting(i: Incident, pack: LoadedPack) -> tuple[tuple[Run, datetime], ...]:
    """Time-limited actions in force, each with the end of its time (UTC): confirmed, the newest of its kind, not taken
    back and not lapsed."""
    found = []
    for number, run in enumerate(i.runs):
        action = pack.pack.actions.get(run.action)
        if action is None or action.lasts is None or run.outcome != IN_FORCE or run.settled is None or run.lapsed:
            continue
        over = {run.action, action.undo}
        if not any(r.action in over and r.outcome == IN_FORCE for r in i.runs[number + 1 :]):
            found.append((run, run.settled + action.lasts))
    return tuple(found)


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Expiry of open requests; reminder and end of time-limited actions in force."""
    for approval in pending(i):
        run, expires = approval.request.run, approval.request.expires
        why = f"nobody else approved it by {expires:%H:%M} UTC"
        yield Due(
            expires, f"approval:{run}", f.ApprovalClosed(run=run, how="expired", why=why, title=approval.request.title)
        )
    for standing, end in lasting(i, pack):
        action = pack.pack.actions[standing.action]
        before = action.remind_before
        if standing.reminded is None and standing.settled and end - before > standing.settled:
            yield Due(end - before, f"lapsing:{standing.run}", f.ActionLapsing(run=standing.run, title=action.title))
        yield Due(end, f"lapsed:{standing.run}", f.ActionLapsed(run=standing.run, title=action.title))
