"""What can be wrong with a message, and how it is said.

MessageErrors(ValueError)       found when templates are loaded: every mistake, with file and line
UnknownMessageError(KeyError)   nobody wrote a template of that name
MissingFieldsError(TypeError)   the caller did not hand in what the template needs
RenderError(RuntimeError)       a template failed on these values, e.g. a key missing in a nested dict
TypeError                       a value is not plain (str, int, float, bool, None, aware datetime,
                                list, dict)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in one template file; `text` says what to do about it. Lines count from 1."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class MessageErrors(ValueError):
    """The templates cannot be used as they are; `problems` lists every mistake found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnknownMessageError(KeyError):
    """There is no template of that name, neither in the pack nor in common."""

    def __init__(self, name: str, pack: str | None, known: Iterable[str]) -> None:
        self.name, self.pack = name, pack
        where = f"messages/{pack}/ or messages/common/" if pack else "messages/common/"
        super().__init__(f"no message {name!r} in {where}{did_you_mean(name, known)}")

    def __str__(self) -> str:
        return str(self.args[0])


class MissingFieldsError(TypeError):
    """A render call lacks context variables that the template declares in `fields`."""

    def __init__(self, name: str, missing: Iterable[str]) -> None:
        self.name, self.missing = name, sorted(missing)
        super().__init__(f"message {name!r} needs the field(s) {', '.join(self.missing)}")


class RenderError(RuntimeError):
    """A template that passed every check failed on the values it was given."""

    def __init__(self, path: Path, line: int, text: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path}:{line}: {text}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'title'?"` for the nearest known word, or an empty string."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
