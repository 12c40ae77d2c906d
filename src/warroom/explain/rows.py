"""The rows of the timeline: everything that an incident of this case sets going, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from warroom.domain.policy import Cadence, Clock, Communication, Step
from warroom.domain.procedures import Checklist, Watch
from warroom.domain.teams import SYSTEM, owner
from warroom.domain.terms import Milestone
from warroom.domain.words import reaching
from warroom.explain import words
from warroom.explain.case import Case
from warroom.packs.durations import format_duration

_ORDER = ("tell", "room", "team", "step", "call", "list", "watch", "ask", "update", "clock", "review")
_HOURS = {"business": "business hours", "market": "market hours"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """Something that happens `at` after milestone `after`: `what`, with `details`; `who` does it or hears of it, and
    what follows `if_late`."""

    after: Milestone
    at: timedelta
    kind: str
    what: str
    details: tuple[str, ...] = ()
    who: str = ""
    if_late: str = ""

    @property
    def place(self) -> tuple[timedelta, int]:
        """Where it stands among the rows after the same milestone."""
        return self.at, _ORDER.index(self.kind)


def rows(case: Case) -> tuple[Row, ...]:
    """Every row, in the order of time after its milestone."""
    found = [
        *_beginning(case),
        *_steps(case),
        *_clocks(case),
        *_cadences(case),
        *_communications(case),
        *_checklists(case),
        *_watches(case),
        *_follow_ups(case),
    ]
    return tuple(sorted(found, key=lambda row: row.place))


def _beginning(case: Case) -> Iterator[Row]:
    pack, announce = case.pack, case.about.announce
    ringing = f", ringing @{announce.broadcast}" if announce.broadcast else ""
    channel = pack.channels[announce.channel]
    what = f"Announced in {channel}{ringing} ({announce.message})"
    yield Row(after="declared", at=timedelta(), kind="tell", what=what, who=words.ITSELF)
    invited = words.groups(pack, case.about.invite)
    details = (f"invited: {invited}",) if invited else ()
    what = "The room opens, with the live panel pinned"
    yield Row(after="declared", at=timedelta(), kind="room", what=what, details=details, who=words.ITSELF)
    for team in pack.teams.values():
        if case.severity in team.severities:
            roles = words.listed(pack.roles[role].title for role in team.roles)
            yield Row(after="declared", at=timedelta(), kind="team", what=team.title, details=(roles,))


def _steps(case: Case) -> Iterator[Row]:
    for step in case.about.steps + (case.book.steps if case.book else ()):
        provided = case.provided(step.market, step.when)
        if provided is not None:
            yield _step(case, step, provided)


def _step(case: Case, step: Step, provided: str) -> Row:
    pack, at = case.pack, case.wait(step.after, step.start, step.hours)
    details = [f"only if {provided}"] if provided else []
    if step.hours != "always":
        details.append(f"begins in {_HOURS[step.hours]}")
    if step.ask and step.owner != SYSTEM:
        details.append(step.ask)
    if step.call is not None:
        details.append(f"calls {step.call.whom}, with the words of {step.call.script}")
    details += [words.does(pack, do) for do in step.does]
    reaches = f"; then {reaching(step.reaches)}" if step.reaches else ""
    details.append(f"done when {words.done(pack, step)}{reaches}")
    late = ""
    if step.end is not None:
        end = at + step.end - step.start
        follows = "; ".join(words.does(pack, do) for do in step.if_late)
        late = f"at {case.label(step.after, end)}: {follows or 'named as late'}"
        if step.remind_before is not None:
            late = f"reminded at {case.label(step.after, end - step.remind_before)}; {late}"
    return Row(
        after=step.after,
        at=at,
        kind="call" if step.call else "step",
        what=step.title,
        details=tuple(details),
        who=owner(pack, step.owner),
        if_late=late,
    )


_COUNTED = {
    "always": "",
    "market_hours": " of market time",
    "business_hours": " of business hours",
    "business_days": " of business days",
}


def _clocks(case: Case) -> Iterator[Row]:
    for clock in {**case.about.clocks, **(case.book.clocks if case.book else {})}.values():
        provided = case.provided(clock.market)
        if provided is not None:
            yield _clock(case, clock, provided)


def _clock(case: Case, clock: Clock, provided: str) -> Row:
    details = [f"only if {provided}"] if provided else []
    counted = _COUNTED[clock.counting]
    details.append(f"{words.plain(clock.end)} within {format_duration(clock.within)}{counted}")
    if clock.warn_before is not None:
        warned = case.limit(clock, clock.within - clock.warn_before)
        details.append(f"warned at {case.label(clock.start, warned)}{'' if case.begins else counted}")
    return Row(
        after=clock.start,
        at=case.limit(clock, clock.within),
        kind="clock",
        what=clock.title,
        details=tuple(details),
        who=words.answerable(case.pack, clock.end),
        if_late=f"page {words.groups(case.pack, clock.tell)}" if clock.tell else "said in the room",
    )


def _cadences(case: Case) -> Iterator[Row]:
    for cadence in case.about.cadences:
        if cadence.ask_before:
            yield Row(
                after=cadence.start,
                at=cadence.every - cadence.ask_before,
                kind="ask",
                what=f"The room is asked for the {_small(cadence.title)}",
                who="whoever knows best",
                if_late=f"at {case.label(cadence.start, cadence.every)}: it goes out with what is known",
            )
        yield _cadence(case, cadence)


def _cadence(case: Case, cadence: Cadence) -> Row:
    return Row(
        after=cadence.start,
        at=cadence.every,
        kind="update",
        what=f"{cadence.title} ({cadence.message})",
        details=(f"then every {format_duration(cadence.every)} until {words.plain(cadence.end)}",),
        who=f"to {words.reached(case.pack, cadence.channels, cadence.audiences)}",
    )


def _small(title: str) -> str:
    """A title in the middle of a sentence; what is written in capitals stays so."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _communications(case: Case) -> Iterator[Row]:
    for told in case.about.communications + (case.book.communications if case.book else ()):
        provided = case.provided(told.market, told.when)
        if provided is not None:
            yield _communication(case, told, provided)


def _communication(case: Case, told: Communication, provided: str) -> Row:
    details = [f"only if {provided}"] if provided else []
    later = told.hours == "next_business_day"
    if later:
        details.append("at the beginning of the next business day")
    return Row(
        after=told.at,
        at=case.wait(told.at, told.after, told.hours),
        kind="tell",
        what=told.message,
        details=tuple(details),
        who=f"to {words.reached(case.pack, told.channels, told.audiences)}",
    )


def _checklists(case: Case) -> Iterator[Row]:
    for checklist in case.pack.checklists.values():
        provided = case.provided(checklist.market)
        if checklist.at and provided is not None and case.concerns(checklist.severities, checklist.playbooks):
            yield _checklist(case, checklist, checklist.at, provided)


def _checklist(case: Case, checklist: Checklist, at: Milestone, provided: str) -> Row:
    details = [f"only if {provided}"] if provided else []
    details += [words.item(case.pack, line) for line in checklist.items]
    what = f"Checklist: {checklist.title}"
    late = "named as late" if any(line.within for line in checklist.items) else ""
    return Row(after=at, at=timedelta(), kind="list", what=what, details=tuple(details), who="the room", if_late=late)


def _watches(case: Case) -> Iterator[Row]:
    for watch in case.pack.watches.values():
        if case.concerns(watch.severities, watch.playbooks):
            yield _watch(case, watch)


def _watch(case: Case, watch: Watch) -> Row:
    speaks = ["its state changes"]
    speaks += [f"it moves by more than {watch.moves_over:g}"] if watch.moves_over is not None else []
    speaks += [f"it was healthy for {format_duration(watch.steady_for)}"] if watch.steady_for is not None else []
    return Row(
        after=watch.start,
        at=timedelta(),
        kind="watch",
        what=f"{watch.title}, read every {format_duration(watch.every)} until {words.plain(watch.end)}",
        details=(f"speaks when {words.either(speaks)}",),
        who=f"to {words.channels(case.pack, watch.channels)}",
    )


def _follow_ups(case: Case) -> Iterator[Row]:
    for owed in case.pack.follow_ups:
        yield Row(
            after=owed.after,
            at=owed.within,
            kind="review",
            what=owed.title,
            details=("; ".join(owed.items),) if owed.items else (),
            who="its owner",
            if_late="reminded",
        )


def gates(case: Case) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What must hold before it may be resolved: each gate's title and its criteria."""
    found = []
    for gate in case.pack.gates.values():
        provided = case.provided(gate.market)
        if gate.before == "resolve" and provided is not None and case.concerns(gate.severities, gate.playbooks):
            title = gate.title + (f" (only if {provided})" if provided else "")
            found.append((title, tuple(words.criterion(case.pack, must) for must in gate.criteria)))
    return tuple(found)


def conditional(case: Case) -> bool:
    """Whether anything depends on the market, on business hours, or on time that does not always count."""
    book = case.book
    steps = case.about.steps + (book.steps if book else ())
    told = case.about.communications + (book.communications if book else ())
    clocks = (*case.about.clocks.values(), *(book.clocks.values() if book else ()))
    lists = [c for c in case.pack.checklists.values() if c.at and case.concerns(c.severities, c.playbooks)]
    return (
        any(s.hours != "always" or s.market != "always" or any(w.field == "market" for w in s.when) for s in steps)
        or any(c.market != "always" or c.hours != "at_once" or any(w.field == "market" for w in c.when) for c in told)
        or any(c.market != "always" or c.counting != "always" for c in clocks)
        or any(c.market != "always" for c in lists)
    )
