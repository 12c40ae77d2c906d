"""SLA clocks: from one milestone to another within a limit, as the pack says.

PagerDuty's timestamps decide: a view is computed from the milestones' history, never from what was announced.
When the severity is raised, a clock still running starts anew with the new limit; one that had ended keeps the limit
it ended under. Resolving ends every clock that waits for something before it: nothing is late after the end. When the
incident is reopened, it goes on where it stood.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

from warroom.domain import milestones, pauses, protocol
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import ClockMark, Incident
from warroom.domain.latest import latest
from warroom.domain.market import Sessions
from warroom.domain.pauses import Pause
from warroom.domain.policy import Clock, SeverityId

State = Literal["running", "warned", "paused", "late", "met", "corrected"]
AFTER_RESOLVING = ("resolved", "resolution_announced", "reviewed", "closed")
WARN_FRACTION = 5  # a fifth of the limit is left when nothing else is said


@dataclass(frozen=True, kw_only=True)
class ClockView:
    """One run of a clock at a moment. `used` counts as the clock counts; `end` is None while it runs.

    State: running; warned (little is left); paused (outside the hours it counts); late (past its limit, ended or
    not); met; corrected (met, although a breach had been announced).
    """

    id: str
    title: str
    clock: Clock
    start: datetime
    end: datetime | None
    within: timedelta
    used: timedelta
    deadline: datetime
    warn_at: datetime
    state: State
    mark: ClockMark

    @property
    def left(self) -> timedelta:
        """What is left of the limit; negative when late."""
        return self.within - self.used


@latest
def views(incident: Incident, pack: LoadedPack, now: datetime) -> tuple[ClockView, ...]:
    """Every run of every clock of the incident, in the pack's order, as of `now` (UTC)."""
    found: list[ClockView] = []
    for severity_id in dict.fromkeys(s for _, s in incident.severities):
        for clock_id, clock in protocol.clocks_under(incident, pack, severity_id).items():
            found += _runs(incident, pack.sessions, severity_id, clock_id, clock, now)
    return tuple(found)


def kept(incident: Incident, pack: LoadedPack, clock_id: str, mark: ClockMark) -> datetime | None:
    """When the clock's end was reached (UTC) that we said was missing at `mark.deadline`; None: it was missing."""
    ends = {clock.end for name, clock in protocol.all_clocks(pack.pack) if name == clock_id}
    ends |= {"resolved"} if not ends & {*AFTER_RESOLVING} else set()
    if mark.deadline is None:
        return None
    before = tuple(m for m in incident.history if m.at <= mark.deadline)
    return min((at for end in ends if (at := milestones.reached(before, end))), default=None)


def away(i: Incident, clock: Clock, before: datetime | None) -> tuple[Pause, ...]:
    """The pauses, begun before that moment (UTC; None: so far), in which the clock stands still."""
    return () if clock.end in AFTER_RESOLVING else pauses.of(i.history, before)


def _runs(
    i: Incident, sessions: Sessions, severity: SeverityId, clock_id: str, clock: Clock, now: datetime
) -> Iterator[ClockView]:
    for span in milestones.spans(i.history, clock.start, clock.end):
        end = span.end
        if end is None and clock.end not in AFTER_RESOLVING:
            end = i.reached("resolved")
        since, in_force = _severity_at(i, end or now)
        if in_force != severity:
            continue
        start = max(span.start, _last_raise(i, since))
        mark = i.clocks.get((clock_id, start), ClockMark())
        yield _view(sessions, clock_id, clock, start, end and max(end, start), now, mark, away(i, clock, end))


def _severity_at(i: Incident, at: datetime) -> tuple[datetime, SeverityId]:
    current = i.severities[0]
    for change in i.severities[1:]:
        if change[0] <= at:
            current = change
    return current


def _last_raise(i: Incident, until: datetime) -> datetime:
    """When the severity was last raised, up to `until` (UTC); when it never was, the beginning of time."""
    raised = datetime.min.replace(tzinfo=UTC)
    for (_, before), (at, after) in pairwise(i.severities):
        if at <= until and after < before:  # P0 is above P1
            raised = at
    return raised


def _view(
    sessions: Sessions,
    clock_id: str,
    clock: Clock,
    start: datetime,
    end: datetime | None,
    now: datetime,
    mark: ClockMark,
    still: tuple[Pause, ...],
) -> ClockView:
    stop = end or max(now, start)
    warn_span = clock.within - (clock.warn_before or clock.within / WARN_FRACTION)
    hours = sessions.counted(clock.counting) if clock.counting != "always" else None
    deadline = pauses.after(start, clock.within, still, hours)
    return ClockView(
        id=clock_id,
        title=clock.title,
        clock=clock,
        start=start,
        end=end,
        within=clock.within,
        used=pauses.elapsed(start, stop, still, hours),
        deadline=deadline,
        warn_at=pauses.after(start, max(warn_span, timedelta()), still, hours),
        state=_state(sessions, clock, end, stop, deadline, mark),
        mark=mark,
    )


def _state(
    sessions: Sessions,
    clock: Clock,
    end: datetime | None,
    stop: datetime,
    deadline: datetime,
    mark: ClockMark,
) -> State:
    if end is not None:
        if end > deadline:
            return "late"
        return "corrected" if mark.breached else "met"
    if stop >= deadline:
        return "late"
    if clock.counting != "always" and not sessions.counted(clock.counting).is_open(stop):
        return "paused"
    return "warned" if mark.warned else "running"
