"""Prints a story as it happens: who said what where, whom PagerDuty called, what the platform did."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.text import Text

from warroom.rendering.emoji import picture
from warroom.sandbox.feed import Seen, Subscription
from warroom.sandbox.people import BOT_USER_ID
from warroom.sandbox.slack_state import Workspace

BODY = 4
"""columns before what was said"""
DEED = 10
"""columns before what was done: as wide as the time and what is between it and the place"""
NARROWEST = 20
"""columns of text there are at least, whatever the terminal says"""

_EMOJI = re.compile(r":([a-z0-9_+-]+):")
_BULLET = re.compile(r"\s*(?:[•>]|\d+\.) ")
_COLUMNS = re.compile(r"\S {2,}\S")
_PREFORMATTED = "    "
"""begins the lines of a table or a listing in a message's text"""
_RULE = re.compile(rf"{_PREFORMATTED}-+(?:  -+)+")
"""the line below the heads of a table's columns, as wide as they are"""
_LEAST = 4
"""columns of a table's column there are at least"""


@dataclass
class Teller:
    """Writes what becomes visible in `workspace` and around it to `console`, fitted to its width."""

    console: Console
    workspace: Workspace
    _called: list[Seen] = field(default_factory=list)
    _posted: dict[tuple[str, str], str] = field(default_factory=dict)

    async def tell(self, seen: Subscription) -> None:
        """Prints everything that is published, for ever."""
        async for thing in seen:
            self.show(thing)
            if seen.empty:
                self.flush()

    def show(self, thing: Seen) -> None:
        """Prints one thing; a call of PagerDuty waits for those that follow for the same reason."""
        match thing["kind"]:
            case "page":
                if self._called and _reason(self._called[0]) != _reason(thing):
                    self.flush()
                self._called.append(thing)
            case (
                "message" | "ephemeral" | "edit" | "command" | "press" | "submit" | "halt" | "platform" | "mail" as kind
            ):
                self.flush()
                self._tell(kind, thing)

    def flush(self) -> None:
        """Prints the calls that have been waiting."""
        if self._called:
            names = list(dict.fromkeys(str(page["to"]) for page in self._called))
            self._deed(f"PagerDuty calls {_and(names)}: {_reason(self._called[0])}", "magenta")
            self._called.clear()

    def _tell(self, kind: str, thing: Seen) -> None:
        match kind:
            case "message" | "ephemeral":
                self._posted[thing["channel_id"], thing["ts"]] = thing["text"]
                private = f" (only {thing['ephemeral_to']} sees this)" if thing.get("ephemeral_to") else ""
                self._said(thing, " (in a thread)" if thing.get("thread_ts") else private, thing["text"])
            case "edit":
                self._edited(thing)
            case "command":
                self._deed(
                    f"{thing['author']} types in {self._place(thing['channel'])}: {thing['text'].strip()}", "yellow"
                )
            case "press":
                where = f" in {self._place(thing['channel'])}" if thing["channel"] else ""
                self._deed(f"{thing['author']} presses [{thing['text']}]{where}", "yellow")
            case "submit":
                self._deed(f"{thing['author']} fills in the form “{thing['text']}”", "yellow")
            case "mail":
                self._deed(f"E-mail to {_and([str(to) for to in thing['to']])}: {thing['subject']}", "magenta")
            case _:
                self._deed(f"The platform: {thing['text']}", "red")

    def _edited(self, thing: Seen) -> None:
        """The bot's post outside the rooms has got a link to a room. Other edits are not told: there are many."""
        before = self._posted.get((thing["channel_id"], thing["ts"]))
        rooms = [f"#{c.name}" for c in self.workspace.channels.values() if c.creator == BOT_USER_ID and not c.im_with]
        if before is None or f"#{thing['channel']}" in rooms:
            return
        new = [room for room in rooms if room in thing["text"] and room not in before]
        if not new:
            return
        self._posted[thing["channel_id"], thing["ts"]] = thing["text"]
        added = [line for line in thing["text"].splitlines() if any(room in line for room in new)]
        self._said(thing, " (edited)", "\n".join(added), at=thing["edited_at"])

    def _said(self, thing: Seen, remark: str, text: str, at: str | None = None) -> None:
        time = datetime.fromisoformat(at or thing["at"]).strftime("%H:%M:%S")
        room = self.console.width - DEED - len(remark) - len(thing["author"]) - 2
        place = self._place(thing["channel"], room)
        head = Text.assemble((time, "dim"), "  ", (place + remark, "cyan"), "  ", (thing["author"], "bold"))
        self._print(head, DEED, first=0)
        for line in _narrowed(text.strip("\n").split("\n"), self.console.width):
            self._body(_pictured(line))
        self.console.print()

    def _body(self, line: str) -> None:
        if line.startswith(_PREFORMATTED) and _COLUMNS.search(line.strip()):  # a table would be no table when wrapped
            shown = Text(" " * BODY + line[len(_PREFORMATTED) :].rstrip())
            shown.truncate(self.console.width, overflow="ellipsis")
            self.console.print(shown, no_wrap=True, crop=True)
            return
        line = line.removeprefix(_PREFORMATTED)
        bullet = _BULLET.match(line)
        self._print(Text(line.rstrip()), BODY + (len(bullet[0]) if bullet else 0), first=BODY)

    def _deed(self, text: str, style: str) -> None:
        self._print(Text(_pictured(text), style), DEED + 2, first=DEED)

    def _print(self, text: Text, indent: int, *, first: int) -> None:
        """Wraps a line to the width: the first one is indented by `first` columns, the others by `indent`."""
        for number, line in enumerate(_wrapped(self.console, text, indent, first)):
            shown = Text(" " * (indent if number else first)) + line
            shown.rstrip()
            self.console.print(shown, no_wrap=True, crop=False)

    def _place(self, channel: str, room: int = 40) -> str:
        """The channel's name in at most `room` columns, if that leaves enough of it to know it."""
        name, most = f"#{channel}", max(room, NARROWEST)
        return name if len(name) <= most else f"{name[: most - 1]}…"


def _wrapped(console: Console, text: Text, indent: int, first: int) -> Iterator[Text]:
    width = max(console.width - first, NARROWEST)
    begin, *_ = text.wrap(console, width) or [Text()]
    yield begin
    if len(begin.plain.rstrip()) < len(text.plain.rstrip()):
        rest = text[len(begin.plain) :]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
        yield from rest.wrap(console, max(console.width - indent, NARROWEST))


def _narrowed(lines: list[str], width: int) -> Iterator[str]:
    """The lines, with the widest columns of each table narrowed until it is no wider than `width`, if it can be."""
    table: list[str] = []
    for number, line in enumerate(lines):
        begins = number + 1 < len(lines) and _RULE.fullmatch(lines[number + 1]) is not None
        if begins or (table and line.startswith(_PREFORMATTED)):
            table.append(line)
            continue
        yield from _fitted(table, width)
        table = []
        yield line
    yield from _fitted(table, width)


def _fitted(table: list[str], width: int) -> list[str]:
    """A table: heads, rule and rows."""
    if not table:
        return []
    spans = [found.span() for found in re.finditer("-+", table[1])]
    widths = [end - begin for begin, end in spans]
    between = len(_PREFORMATTED) + 2 * (len(spans) - 1)
    while sum(widths) + between > width and max(widths) > _LEAST:
        widths[widths.index(max(widths))] -= 1
    return [
        _PREFORMATTED + "  ".join(_cell(line[begin:end], w) for (begin, end), w in zip(spans, widths, strict=True))
        for line in table
    ]


def _cell(text: str, width: int) -> str:
    """`text`, a cell filled up to its column's width, in `width` columns."""
    if len(text.rstrip()) <= width or set(text) == {"-"}:
        return text[:width]
    return f"{text[: width - 1]}…"


def _reason(page: Seen) -> str:
    why, title = str(page["why"]), str(page["title"])
    return why if title in why else f"{title} ({why})"


def _pictured(text: str) -> str:
    return _EMOJI.sub(lambda name: picture(name[1]), text)


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
