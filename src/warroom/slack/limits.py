"""Which of Slack's rate limits an effect draws on, and how much they hold."""

from collections.abc import Mapping

from warroom.engine.ports import Job
from warroom.slack.methods import METHODS

KINDS: Mapping[str, tuple[str, ...]] = {
    "slack.post": ("chat.postMessage",),
    "slack.edit": ("chat.update",),
    "slack.answer": (),
    "slack.room": ("conversations.create",),
    "slack.topic": ("conversations.setTopic",),
    "slack.invite": ("conversations.invite",),
    "slack.pin": ("pins.add",),
    "slack.bookmark": ("bookmarks.add",),
    "slack.file": ("files.getUploadURLExternal", "files.completeUploadExternal"),
}
"""The methods each kind of effect calls at least."""


def _tier(per_minute: int) -> tuple[float, float]:
    """A bucket that never lets more than `per_minute` through in any minute: a burst of two fifths, then evenly."""
    burst = per_minute * 2 // 5
    return float(burst), (per_minute - burst) / 60


LIMITS: Mapping[str, tuple[float, float]] = {
    "slack:chat.postMessage": (30.0, 4.5),
    "slack:chat.postMessage:*": (3.0, 1.0),
    **{f"slack:{name}": _tier(m.per_minute) for name, m in METHODS.items() if m.per_minute},
}
"""Bucket name or pattern (`*` stands for anything) → capacity and tokens regained per second of Slack's time.

Several hundred posts a minute in the whole workspace, about one a second in each channel.
"""


def buckets(job: Job) -> tuple[str, ...]:
    """The buckets of `LIMITS` this effect needs a token of."""
    names = tuple(f"slack:{method}" for method in KINDS[job.effect.kind])
    if job.effect.kind == "slack.post":
        return (*names, f"slack:chat.postMessage:{destination(job)}")
    if job.effect.data.get("mark"):
        return (*names, "slack:conversations.setPurpose")
    return names


def destination(job: Job) -> str:
    """Where the effect's `to` leads: the room's id, or the channel as the pack or the effect names it."""
    to = str(job.effect.data.get("to", "room"))
    if to == "room":
        return job.incident.room or "room"
    return job.pack.pack.channels.get(to, to)
