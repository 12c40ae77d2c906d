"""The named moments of an incident, however late and in whatever order their news arrive.

The history of a milestone is kept in the order in which things happened, not in which we heard of them: the same
news in any order gives the same history. PagerDuty's word on a moment replaces our own.
"""

from dataclasses import dataclass
from datetime import datetime

from warroom.domain.policy import Milestone


@dataclass(frozen=True, order=True)
class Moment:
    """Milestone `milestone` was reached (or withdrawn) at `at`, as `source` says."""

    at: datetime
    reached: bool
    milestone: Milestone
    source: str


@dataclass(frozen=True)
class Span:
    """From `start` to `end` (UTC); None: it goes on."""

    start: datetime
    end: datetime | None


History = tuple[Moment, ...]


def add(history: History, moment: Moment) -> History:
    """`history` with `moment` in its place in time; a repeat changes nothing."""
    if moment in history:
        return history
    return tuple(sorted({*history, moment}))


def of(history: History, milestone: Milestone) -> History:
    """The moments of one milestone, with our own claims left out where PagerDuty speaks of the same turn.

    A turn is what lies between two withdrawals. Within it PagerDuty's times count if there are any.
    """
    moments = tuple(m for m in history if m.milestone == milestone)
    if len(moments) < 2:
        return moments
    turns: list[list[Moment]] = [[]]
    for moment in moments:
        turns[-1].append(moment)
        if not moment.reached:
            turns.append([])
    kept: list[Moment] = []
    for turn in turns:
        theirs = any(m.reached and m.source == "pagerduty" for m in turn)
        kept += [m for m in turn if not m.reached or not theirs or m.source == "pagerduty"]
    return tuple(kept)


def held(history: History, milestone: Milestone) -> tuple[Span, ...]:
    """Each turn of the milestone: from when it was reached until it was withdrawn."""
    turns: list[Span] = []
    for moment in of(history, milestone):
        holds = bool(turns) and turns[-1].end is None
        if moment.reached and not holds:
            turns.append(Span(moment.at, None))
        elif holds and not moment.reached:
            turns[-1] = Span(turns[-1].start, moment.at)
    return tuple(turns)


def words(milestone: str) -> str:
    """Its name in a sentence."""
    return milestone.replace("_", " ")


def reached(history: History, milestone: Milestone) -> datetime | None:
    """When the milestone was reached for the current turn (UTC); None while it is not."""
    return next((turn.start for turn in held(history, milestone)[-1:] if turn.end is None), None)


def first(history: History, milestone: Milestone) -> datetime | None:
    """When the milestone was first reached (UTC), whether or not it was withdrawn later."""
    return next((m.at for m in of(history, milestone) if m.reached), None)


def spans(history: History, start: Milestone, end: Milestone) -> tuple[Span, ...]:
    """Each stretch of waiting for `end` while `start` holds: from every time `start` is reached anew, and again from
    every withdrawal of `end`. What was waited for in vain when `start` was withdrawn is not told."""
    moments = sorted([*of(history, start), *of(history, end)], key=lambda m: (m.at, m.milestone != start))
    found: list[Span] = []
    open_since: datetime | None = None
    holds = begun = ended = False
    for moment in moments:
        if moment.milestone == end:
            if moment.reached and open_since is not None:
                found.append(Span(open_since, moment.at))
                open_since = None
            elif not moment.reached and holds and open_since is None:
                open_since = moment.at
            ended = moment.reached
        elif not moment.reached:
            holds, open_since = False, None
        elif not holds:
            if ended and not begun:  # news of the end came from before the beginning: it took no time
                found.append(Span(moment.at, moment.at))
            else:
                open_since = moment.at
            holds = begun = True
    if open_since is not None:
        found.append(Span(open_since, None))
    return tuple(found)
