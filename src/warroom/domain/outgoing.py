"""Makes effects for one incident: keys, lanes and priorities in one place."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from warroom.domain import halts, views
from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.policy import SeverityId

PRIORITY: Mapping[SeverityId, int] = {"P0": 0, "P1": 10, "P2": 30, "P3": 40}
FIRST, SETUP, ACT, POST, EDIT, PANEL = 0, 1, 1, 3, 6, 8
SOON = 2
"""Where the first word about a P1 stands: after the room of a P0, before the follow-ups of one."""
OUR_NOTE = "[warroom] "
ONCE_IN = 60.0
"""Seconds in which nobody's phone rings twice for what one incident wants of everybody: to come."""


class Out:
    """Makes effects for one incident at one moment, so that each line below says only what is special."""

    def __init__(self, incident: Incident, pack: LoadedPack, now: datetime) -> None:
        self.i = incident
        self.pack = pack
        self.now = now
        self.base = PRIORITY[incident.severity]

    def effect(
        self,
        key: str,
        kind: str,
        data: Mapping[str, Any],
        *,
        lane: str = "",
        rank: int = POST,
        after: tuple[str, ...] = (),
        coalesce: str = "",
    ) -> Effect:
        """Any effect; `rank` is added to the priority of the incident's severity."""
        first_word = rank == FIRST and self.i.severity == "P1"
        return Effect(
            key=key,
            kind=kind,
            data=data,
            at=self.now,
            lane=lane,
            priority=SOON if first_word else self.base + rank,
            after=after,
            coalesce=coalesce,
        )

    def say(
        self, key: str, message: str, context: Mapping[str, Any] | None = None, *, button: str | None = None
    ) -> Effect:
        """A message in the incident's room, in order."""
        data: dict[str, Any] = {"context": views.base(self.i, self.pack, self.now) | dict(context or {})}
        return self.post(key, "room", message, data | ({"button": button} if button else {}))

    def replaced(self, post: str, message: str, context: Mapping[str, Any], turn: int = 0) -> Effect:
        """Another message in the place of a post in the room that is out of date; once a `turn`."""
        data = {"of": post, "message": message, "context": views.base(self.i, self.pack, self.now) | dict(context)}
        key = f"replaced:{post}:{turn}"
        return self.effect(key, "slack.edit", data, lane="room", rank=EDIT, after=(post,), coalesce=f"replaced:{post}")

    def post(self, key: str, to: str, message: str, data: Mapping[str, Any], *, rank: int = POST) -> Effect:
        """A message in a channel, in order; the room's wait until the room exists."""
        after = ("room",) if to == "room" else ()
        lane = "room" if to == "room" else f"channel:{to}"
        return self.effect(key, "slack.post", {"to": to, "message": message, **data}, lane=lane, rank=rank, after=after)

    def with_room(self, post: str, data: Mapping[str, Any]) -> Effect:
        """Brings a post up to date as soon as the room exists, which it links then; `data` is that of the post."""
        now = {"view": "announcement", **data, "of": post}
        if "context" in data:
            now["context"] = {
                name: value for name, value in data["context"].items() if name not in ("room", "room_name")
            }
        return self.effect(views.ROOM_EDIT + post, "slack.edit", now, rank=EDIT, after=(post, "room"))

    def panel(self) -> Effect:
        """The live panel, brought up to date; only the newest waits."""
        return self.effect(
            f"panel.edit:{self.i.count}:{self.now.isoformat()}",
            "slack.edit",
            {"of": "panel", "message": "panel", "view": "panel"},
            lane="panel",
            rank=PANEL,
            after=("panel",),
            coalesce="panel",
        )

    def timeline(self) -> Effect:
        """The timeline file, written anew; only the newest waits."""
        return self.effect(
            f"timeline:{self.i.count}", "timeline.write", {}, lane="timeline", rank=PANEL, coalesce="timeline"
        )

    def announcements(self) -> Iterator[Effect]:
        """The announcement, and those of every raise of the severity, brought up to date."""
        message = self.pack.pack.severities[self.i.severity].announce.message
        for post in self.announced():
            yield self.effect(
                f"{post}.edit:{self.i.count}",
                "slack.edit",
                {"of": post, "message": message, "view": "announcement"},
                lane="announce",
                rank=EDIT,
                after=(post,),
                coalesce=post,
            )

    def announced(self) -> Mapping[str, SeverityId]:
        """The keys of the announcement and of that of every raise, with the severity that was announced."""
        changes = enumerate(pairwise(self.i.severities), 2)
        raises = {f"announce:{count}": new for count, ((_, old), (_, new)) in changes if PRIORITY[new] < PRIORITY[old]}
        return {"announce": self.i.severities[0][1], **raises}

    def topic(self) -> Effect:
        """The room's topic, for people: it is never read back. Only the newest waits."""
        key, data = f"topic:{self.i.count}", {"topic": self.topic_text()}
        return self.effect(key, "slack.topic", data, lane="topic", rank=EDIT, after=("room",), coalesce="topic")

    def topic_text(self) -> str:
        """Severity, halts, status, commander and title in one line."""
        halted = ", ".join(dict.fromkeys(str(run.scope) for run in halts.in_force(self.i)))
        unsure = ", ".join(dict.fromkeys(str(run.scope) for run in halts.unsettled(self.i) if run.outcome == "unknown"))
        parts = [
            self.i.severity,
            f"HALTED ({halted})" if halted else "",
            f"HALT UNKNOWN ({unsure})" if unsure else "",
            self.i.status if self.i.is_open else "resolved",
            f"Commander: {self.i.commander.name}" if self.i.commander else "No commander yet",
            self.i.title,
        ]
        return " · ".join(filter(None, parts))[:250]

    def page(self, key: str, groups: Iterable[str], message: str) -> Effect:
        """PagerDuty asks the people of these groups to come, as far as their phones do not ring for it already."""
        data = {"groups": list(groups), "message": message, "once_in": ONCE_IN}
        return self.effect(key, "pagerduty.page", data, lane="pager", rank=SETUP)

    def note(self, key: str, text: str) -> Effect:
        """A note on the PagerDuty incident."""
        return self.effect(key, "pagerduty.note", {"text": OUR_NOTE + text}, lane="pager", rank=EDIT)
