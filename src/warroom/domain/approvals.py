"""Approvals and the time limits of actions: how many people it takes, requests that expire, acts that lapse."""

from collections.abc import Iterator
from datetime import datetime

from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Approval, Incident, Run
from warroom.domain.policy import Pack
from warroom.domain.words import spell

IN_FORCE = "confirmed"


def needed(pack: Pack, name: str) -> int:
    """How many others must approve an action. What is extreme, what lifts a halt and what a playbook calls a last
    resort takes two people, whatever the pack says."""
    action = pack.actions[name]
    return max(action.approvals, 1 if two_people(pack, name) else 0)


def needed_of_a_rule(pack: Pack, name: str) -> int:
    """The same where an automatic rule asks, which is no person: two people are two people."""
    return max(needed(pack, name), 2 if two_people(pack, name) else 0)


def two_people(pack: Pack, name: str) -> bool:
    """Whether an action takes two people in any case."""
    action = pack.actions[name]
    last_resort = any(r.action == name and r.last_resort for b in pack.playbooks.values() for r in b.resolution)
    return action.danger == "extreme" or last_resort or bool(undoes(pack, name))


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


def settled(i: Incident) -> Iterator[f.What]:
    """Requests for actions that are void because of what has happened since they were made."""
    for approval in pending(i):
        why = _overtaken(i, approval)
        if why:
            asked = approval.request
            yield f.ApprovalClosed(run=asked.run, how="void", why=why, title=asked.title)


def _overtaken(i: Incident, approval: Approval) -> str:
    """What has happened since that makes this another act than the one asked for; "" for nothing."""
    asked = approval.request
    if asked.kind != "action":
        return ""
    if asked.lifts:
        if any(r.scope in asked.lifts for r in i.runs[approval.runs :]):
            return "a halt was ordered again since it was asked for"
        left = ("confirmed", "unknown", "requested", *(("dry_run",) if asked.mode == "dry_run" else ()))
        standing = any(r.scope in asked.lifts and r.outcome in left and i.lifted(r) is None for r in i.halts)
        return "" if standing else "no halt is left to lift"
    return "the incident was resolved meanwhile" if approval.while_open and not i.is_open else ""


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Expiry of open requests; reminder and end of time-limited actions in force."""
    for approval in pending(i):
        run, expires = approval.request.run, approval.request.expires
        why = f"nobody else approved it within {spell(expires - approval.at)}"
        yield Due(
            expires, f"approval:{run}", f.ApprovalClosed(run=run, how="expired", why=why, title=approval.request.title)
        )
    for standing, end in lasting(i, pack):
        action = pack.pack.actions[standing.action]
        before = action.remind_before
        if standing.reminded is None and standing.settled and end - before > standing.settled:
            yield Due(end - before, f"lapsing:{standing.run}", f.ActionLapsing(run=standing.run, title=action.title))
        yield Due(end, f"lapsed:{standing.run}", f.ActionLapsed(run=standing.run, title=action.title))
