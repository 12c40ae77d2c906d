"""What the post-mortem asks of a message of the room. `slack.history.Line` is one; nothing of Slack is known here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Line(Protocol):
    """One message, readable as it is.

    `ts` names it in its channel, `thread_ts` the message it answers (its own `ts` for the head of a thread). `at` is
    UTC. `effect_id` is the id of our effect in its metadata: then the message is ours. `reactions` are names with
    counts. `subtype` is Slack's, "" for an ordinary message. `permalink` is "" when it is not known.
    """

    @property
    def ts(self) -> str: ...
    @property
    def thread_ts(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...
    @property
    def author_id(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def by_bot(self) -> bool: ...
    @property
    def files(self) -> Sequence[str]: ...
    @property
    def reactions(self) -> Sequence[tuple[str, int]]: ...
    @property
    def effect_id(self) -> str | None: ...
    @property
    def edited(self) -> bool: ...
    @property
    def subtype(self) -> str: ...
    @property
    def permalink(self) -> str: ...


def is_reply(line: Line) -> bool:
    """Whether the message answers another one in a thread."""
    return line.thread_ts is not None and line.thread_ts != line.ts
