"""The names that a pack defines, and the collecting of mistakes about them."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from warroom.packs.document import Path
from warroom.packs.problems import nearest

ROOM = "room"
ON_CALL = "on_call"
"""whoever PagerDuty has on call, on every level"""
FIRST_ON_CALL = "first_on_call"
"""the same of the first level, for pages only"""
FROM_PAGERDUTY = frozenset({ON_CALL, FIRST_ON_CALL})
ENVIRONMENT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass
class Findings:
    """What is wrong, as (path, sentence); `names` holds what is defined, also where it is defined wrongly, and `unread`
    the sections of which nobody can tell what they define."""

    names: Mapping[str, frozenset[str]]
    unread: frozenset[str] = frozenset()
    found: list[tuple[Path, str]] = field(default_factory=list)

    def add(self, path: Path, sentence: str) -> None:
        """Note a mistake at `path`."""
        self.found.append((path, sentence))

    def name(self, path: Path, word: str, section: str, *also: str) -> None:
        """`word` must be defined in `section`, or be one of `also`."""
        known = self.names[section] | set(also)
        if word not in known and section not in self.unread:
            self.add(path, f"{word!r} is not defined under `{section}`{nearest(word, known)}")

    def all_names(self, path: Path, words: Iterable[str], section: str, *also: str) -> None:
        """Each of `words` must be defined in `section`, or be one of `also`."""
        for index, word in enumerate(words):
            self.name((*path, index), word, section, *also)

    def unique(self, path: Path, ids: Iterable[str]) -> None:
        """The `id` of each item of the list at `path` must be there once."""
        seen: set[str] = set()
        for index, word in enumerate(ids):
            if word in seen:
                self.add((*path, index, "id"), f"{word!r} is the id of an earlier one; give this one another id")
            seen.add(word)

    def regex(self, path: Path, text: str | None) -> None:
        """`text`, when given, must be a regular expression."""
        if text is None:
            return
        try:
            re.compile(text)
        except re.error as error:
            self.add(path, f"this is not a regular expression: {error}")

    def positive(self, path: Path, span: timedelta) -> None:
        """`span` must be some time."""
        if span <= timedelta():
            self.add(path, "this needs some time; write more than 0s")

    def jmespath(self, path: Path, text: str | None) -> None:
        """`text`, when given, must be a JMESPath."""
        if text is None:
            return
        try:
            jmespath.compile(text)
        except JMESPathError as error:
            reason = str(error).splitlines()[0].removesuffix(", for expression:")
            self.add(path, f"this is not a JMESPath: {reason}")

    def one_of(self, path: Path, given: Mapping[str, object], what: str) -> None:
        """Exactly one of the values must be given."""
        names = list(given)
        count = sum(value is not None for value in given.values())
        if count != 1:
            either = f"{', '.join(names[:-1])} or {names[-1]}"
            self.add(path, f"{what} needs exactly one of {either}; it has {count or 'none'}")


def defined(data: Mapping[str, Any], sections: Collection[str]) -> dict[str, frozenset[str]]:
    """The keys of each section of a document, right or wrong."""
    found = {}
    for section in sections:
        content = data.get(section)
        found[section] = frozenset(map(str, content)) if isinstance(content, dict) else frozenset()
    return found


def is_below(path: str) -> bool:
    """Whether the path stays below the folder it is added to."""
    return not PurePosixPath(path).is_absolute() and "\\" not in path and ".." not in PurePosixPath(path).parts
