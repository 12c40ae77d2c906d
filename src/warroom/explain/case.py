"""The incident that is explained: which parts of the pack it has, and when they come due."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from warroom.domain.market import Sessions
from warroom.domain.policy import Clock, Hours, Pack, Playbook, Severity, SeverityId
from warroom.domain.terms import Market, Milestone, When
from warroom.explain.words import condition, either
from warroom.packs.durations import format_duration

Later = Hours | Literal["at_once", "next_business_day"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An incident of `severity`, with `playbook` matched if any. `begins` (UTC) is when it is declared; None: at any
    time, so that everything is shown that could exist."""

    pack: Pack
    sessions: Sessions
    severity: SeverityId
    playbook: str | None = None
    begins: datetime | None = None

    @property
    def about(self) -> Severity:
        """What the severity means and sets going."""
        return self.pack.severities[self.severity]

    @property
    def book(self) -> Playbook | None:
        """The matched playbook."""
        return self.pack.playbooks.get(self.playbook or "")

    @property
    def market(self) -> Literal["open", "closed"] | None:
        """Whether the market is open when it is declared; None when nobody said when that is."""
        if self.begins is None:
            return None
        return "open" if self.sessions.is_open(self.begins) else "closed"

    @property
    def zone(self) -> ZoneInfo:
        """The pack's time zone."""
        return ZoneInfo(self.pack.calendar.timezone)

    def concerns(self, severities: Iterable[SeverityId], playbooks: Iterable[str]) -> bool:
        """Whether a part for these severities and playbooks (none: all) is for this incident."""
        levels, books = tuple(severities), tuple(playbooks)
        return (not levels or self.severity in levels) and (not books or self.playbook in books)

    def provided(self, market: Market = "always", when: Iterable[When] = ()) -> str | None:
        """On which condition a part exists, in words; "" when it does anyway, None when it does not."""
        said = []
        if market != "always":
            if self.market not in (None, market):
                return None
            if self.market is None:
                said.append(f"the market is {market}")
        conditions = tuple(when)
        open_questions = [w for w in conditions if self._answer(w) is None]
        if conditions and not any(self._answer(w) for w in conditions):
            if not open_questions:
                return None
            said.append(either(condition(w) for w in open_questions))
        return ", and ".join(said)

    def _answer(self, when: When) -> bool | None:
        """Whether a condition holds; None when that depends on the alert."""
        known = {"market": self.market, "playbook": self.playbook}.get(when.field)
        if known is None or when.equals is None:
            return None
        return known == when.equals

    def wait(self, after: Milestone, at: timedelta, hours: Later = "always") -> timedelta:
        """How long after milestone `after` something comes that comes `at` after it, but not before `hours`.

        What is put off is known only when the incident's own beginning is.
        """
        if self.begins is None or after != "declared":
            return at
        moment = self.begins + at
        match hours:
            case "business":
                moment = self.sessions.business.next_open(moment)
            case "market":
                moment = self.sessions.next_open(moment)
            case "next_business_day":
                moment = self.sessions.business.next_day(moment)
        return moment - self.begins

    def label(self, after: Milestone, span: timedelta) -> str:
        """When something comes that comes `span` after milestone `after`: the local time where it is known (with the
        day when that is another one, with the date when it is a week away), else the span."""
        if self.begins is None or after != "declared":
            return format_duration(span)
        begins, moment = self.begins.astimezone(self.zone), (self.begins + span).astimezone(self.zone)
        if moment.date() == begins.date():
            return f"{moment:%H:%M}"
        return f"{moment:%a %H:%M}" if span < timedelta(days=7) else f"{moment:%-d %b}"

    def limit(self, clock: Clock, span: timedelta) -> timedelta:
        """How long after its start `span` has passed as the clock counts; as it stands when nobody can know."""
        if self.begins is None or clock.start != "declared" or clock.counting == "always":
            return span
        return self.sessions.counted(clock.counting).after(self.begins, span) - self.begins


def against(case: Case, local: str, now: datetime) -> Case:
    """The case declared at local time `local` (HH:MM) of the first trading day after `now` (UTC).

    Raises ValueError for anything that is no time of day.
    """
    hour, colon, minute = local.partition(":")
    if not (colon and hour.isdigit() and minute.isdigit() and len(minute) == 2 and int(hour) < 24 and int(minute) < 60):
        raise ValueError(f"{local!r} is no time of day; write one such as 10:00")
    day = case.sessions.next_day(now).astimezone(case.zone)
    begins = day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return replace(case, begins=begins.astimezone(now.tzinfo))
