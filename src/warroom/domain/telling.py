"""Communications: which are due, and when; and by which ways a message reaches its channels and audiences."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from warroom.domain import facts as f
from warroom.domain import milestones, protocol
from warroom.domain.decision import LoadedPack
from warroom.domain.due import Due
from warroom.domain.incident import Incident
from warroom.domain.policy import Communication, Milestone, Pack

MAIL, PAGERDUTY, STATUS_PAGE, WIKI = "@mail", "@pagerduty", "@status_page", "@wiki"
"""What an effect's key ends with where a message leaves Slack; no channel is called so."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way a message goes out: the key and kind of its effect, and the channel or the groups it leads to."""

    key: str
    kind: str
    channel: str = ""
    groups: tuple[str, ...] = ()
    audience: str = ""


def due(i: Incident, pack: LoadedPack) -> Iterator[Due]:
    """Communications that are still to go out. What was withdrawn before its moment is not told."""
    if i.routine:
        return
    for communication in protocol.communications(i, pack):
        reached, turn = i.reached(communication.at), turn_of(i, communication.at)
        if reached is None or (communication.id, turn) in i.told:
            continue
        at = _moment(i, pack, communication, reached)
        if at is not None:
            what = f.CommunicationDue(communication=communication.id, turn=turn)
            yield Due(at, f"comm:{communication.id}:{turn}", what)


def turn_of(i: Incident, milestone: Milestone) -> int:
    """How often the milestone has been reached anew: once, and again after every withdrawal."""
    return len(milestones.held(i.history, milestone))


def _moment(i: Incident, pack: LoadedPack, communication: Communication, reached: datetime) -> datetime | None:
    """When it goes out (UTC). Where the severity was raised since, not before that: its audiences learn of it late.
    Where it was lowered, what would have been told before stays untold (None)."""
    at = reached + communication.after
    if communication.hours == "next_business_day":
        at = pack.sessions.business.next_day(at)
    if at < i.severity_since and len(i.severities) > 1:
        (_, before), (_, now) = i.severities[-2:]
        return i.severity_since if now < before else None
    return at


def ways(pack: Pack, key: str, channels: Iterable[str], audiences: Iterable[str]) -> tuple[Way, ...]:
    """The ways to these channels and audiences, each channel and each group of people once."""
    named = [(name, pack.audiences[name]) for name in dict.fromkeys(audiences)]
    wanted = dict.fromkeys([*channels, *(channel for _, audience in named for channel in audience.channels)])
    found = [Way(key=f"{key}:{channel}", kind="slack.post", channel=channel) for channel in wanted]
    written: set[str] = set()
    for name, audience in named:
        groups = tuple(group for group in dict.fromkeys(audience.mail) if group not in written)
        written.update(groups)
        if groups:
            found.append(Way(key=f"{key}:{MAIL}:{name}", kind="mail.send", groups=groups, audience=name))
    if any(audience.pagerduty for _, audience in named):
        found.append(Way(key=f"{key}:{PAGERDUTY}", kind="pagerduty.update"))
    if any(audience.status_page for _, audience in named):
        found.append(Way(key=f"{key}:{STATUS_PAGE}", kind="status_page.post"))
    if any(audience.wiki for _, audience in named):
        found.append(Way(key=f"{key}:{WIKI}", kind="wiki.page"))
    return tuple(found)


def inside(pack: Pack, audiences: Iterable[str]) -> tuple[str, ...]:
    """Those of the audiences that are told without anybody's approval."""
    return tuple(name for name in audiences if not pack.audiences[name].external)


def outside(pack: Pack, audiences: Iterable[str]) -> tuple[str, ...]:
    """Those of the audiences that nothing reaches before it is approved."""
    return tuple(name for name in dict.fromkeys(audiences) if pack.audiences[name].external)
