"""What a probe brought back, and whether it is what a healthy platform says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import jmespath
from jmespath.exceptions import JMESPathError

from warroom.domain.policy import Expect, Probe
from warroom.platform.surroundings import NoAnswerError
from warroom.platform.words import figure, label, plain

ANSWER_LIMIT = 1 << 20
"""Bytes of an answer that are read; the rest is left unread."""

State = Literal["ok", "failed", "error"]


@dataclass
class Captured:
    """Bytes as they come in, up to the limit. `cut` says that there were more."""

    data: bytearray = field(default_factory=bytearray)
    cut: bool = False

    def add(self, more: bytes) -> bool:
        """Keep what there is room for; False when there is no room for more."""
        room = ANSWER_LIMIT - len(self.data)
        self.data += more[:room]
        self.cut = self.cut or len(more) > room
        return not self.cut

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


@dataclass
class Seen:
    """Everything the other side said so far, so that a time limit does not lose it. `status` is the HTTP
    status or exit code."""

    out: Captured = field(default_factory=Captured)
    err: Captured = field(default_factory=Captured)
    status: int | None = None

    @property
    def text(self) -> str:
        if not self.err.data:
            return self.out.text
        return f"{self.out.text.rstrip()}\n--- standard error ---\n{self.err.text}".lstrip()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer. `said` is its status in words ("HTTP 200"), `good` whether that is a success, `note` a
    line that explains a bad one.

    `rows` is set by SQL alone: a list with an object for each row; other answers are JSON when asked for a path.
    `cut` says that the answer went on after what was read.
    """

    said: str
    good: bool
    text: str
    note: str = ""
    rows: list[dict[str, object]] | None = None
    cut: bool = False

    def document(self) -> object:
        """The answer as JSON. Raises NoAnswerError when it is none."""
        if self.rows is not None:
            return self.rows
        if self.cut:
            raise NoAnswerError("the answer is too long to be read as JSON (over 1 MiB)")
        try:
            return json.loads(self.text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as exc:
            raise NoAnswerError(f"{self.said}, but the answer is not JSON") from exc

    def whole(self) -> object:
        """The answer as one value: the single cell of a table, a JSON scalar, or the text."""
        if self.rows is not None:
            cells = [cell for row in self.rows for cell in row.values()]
            return cells[0] if len(cells) == 1 else self.text
        try:
            value = self.document()
        except NoAnswerError:
            return self.text.strip()
        return self.text.strip() if isinstance(value, list | dict) else value

    def at(self, path: str | None) -> object:
        """The value at a JMESPath, the whole answer for None. Raises NoAnswerError when there is no JSON to look in."""
        if path is None:
            return self.whole()
        document = self.document()
        try:
            return jmespath.search(path, document)
        except JMESPathError as exc:
            raise NoAnswerError(f"{path} cannot be looked up in this answer: {' '.join(str(exc).split())}") from exc


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a reading comes to. `judged` says that a value was really compared with what is expected, so that
    "ok" and "failed" are statements about the platform's state and not about its being reachable."""

    state: State
    summary: str
    value: object = None
    judged: bool = False


def judge(probe: Probe, answer: Answer, took: str) -> Verdict:
    """Hold an answer against the probe's expectations; `took` is the elapsed time in words.

    A bad status decides before any expectation is looked at. Raises NoAnswerError when a value is asked for and the
    answer cannot be searched.
    """
    said = f"{answer.said} in {took}"
    name, value = _shown(probe, answer)
    if not answer.good:
        summary = f"{said}: {plain(answer.note)}" if answer.note else said
        return Verdict(state="failed", summary=summary, value=value)
    compared = [_compare(expect, answer) for expect in probe.expect]
    for complaint, comparable in compared:
        if complaint:
            return Verdict(state="failed", summary=complaint, value=value, judged=comparable)
    judged = any(comparable for _, comparable in compared)
    told = "" if value is None or isinstance(value, list | dict) else f"{name} {plain(value)}, "
    return Verdict(state="ok", summary=told + said, value=value, judged=judged)


def _shown(probe: Probe, answer: Answer) -> tuple[str, object]:
    """What to display: `shows`, else the first value that is expected, else a table's single cell."""
    path = probe.shows or next((e.value for e in probe.expect if e.value), None)
    if path is None:
        if answer.rows is not None and len(answer.rows) == 1 and len(answer.rows[0]) == 1:
            return next(iter(answer.rows[0].items()))
        return "", None
    try:
        return label(path), answer.at(path)
    except NoAnswerError:
        return "", None


def _compare(expect: Expect, answer: Answer) -> tuple[str, bool]:
    """The complaint ("" for none), and whether a value was there to be compared."""
    if expect.contains is not None and expect.value is None:
        found = expect.contains in answer.text
        return ("" if found else f"the answer does not contain {plain(expect.contains)!r}"), found or not answer.cut
    if expect.contains is None and expect.equals is None and expect.over is None and expect.under is None:
        return "", False
    value = answer.at(expect.value)
    name = label(expect.value or "")
    if value is None:
        return f"{name} is missing from the answer", False
    if expect.contains is not None:
        return _contains(name, value, expect.contains)
    if expect.equals is not None:
        same = _same(value, expect.equals)
        return ("" if same else f"{name} is {plain(value)}, expected {plain(expect.equals)}"), True
    return _limits(name, value, expect)


def _contains(name: str, value: object, wanted: str) -> tuple[str, bool]:
    if not isinstance(value, str | list | Mapping):
        return f"{name} is {plain(value)}, which cannot contain {plain(wanted)!r}", False
    return ("" if wanted in value else f"{name} does not contain {plain(wanted)!r}"), True


def _limits(name: str, value: object, expect: Expect) -> tuple[str, bool]:
    number = _number(value)
    if number is None:
        return f"{name} is {plain(value)}, which is no number", False
    if expect.under is not None and number >= expect.under:
        return f"{name} {figure(number)} is {_beyond('over', number, expect.under)}", True
    if expect.over is not None and number <= expect.over:
        return f"{name} {figure(number)} is {_beyond('under', number, expect.over)}", True
    return "", True


def _beyond(side: str, number: float, limit: float) -> str:
    return f"exactly at the limit of {figure(limit)}" if number == limit else f"{side} {figure(limit)}"


def _same(value: object, wanted: str | float | bool) -> bool:
    """Equality as in JSON: true is not 1. A text that reads as the number wanted equals it."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(wanted, int | float):
        return _number(value) == wanted
    return value == wanted


def _number(value: object) -> int | float | None:
    """A finite number, also one written as text (some services send figures in quotes)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return value if value - value == 0 else None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
