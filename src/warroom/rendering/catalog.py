"""All message templates, read and checked at start."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from warroom.rendering.message import Message
from warroom.rendering.problems import MessageErrors, Problem, UnknownMessageError
from warroom.rendering.template import Template, read_template

COMMON = "common"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Catalog:
    """Templates by name: a pack's own comes before `messages/common/<name>.md`.

    A pack's own lie in `messages/<pack>/`, or in a folder that the deployment names, which goes before that.
    """

    def __init__(self, templates: Mapping[tuple[str, str], Template], broken: Collection[tuple[str, str]] = ()) -> None:
        self._templates = dict(templates)
        self._broken = frozenset(broken)

    @classmethod
    def load(cls, root: Path, own: Mapping[str, Path] | None = None, packs: Collection[str] | None = None) -> Catalog:
        """As `read`. Raises MessageErrors with all mistakes of all files."""
        catalog, problems = cls.read(root, own, packs)
        if problems:
            raise MessageErrors(problems)
        return catalog

    @classmethod
    def read(
        cls, root: Path, own: Mapping[str, Path] | None = None, packs: Collection[str] | None = None
    ) -> tuple[Catalog, list[Problem]]:
        """Every `<folder>/<name>.md` under `root`, and for each pack of `own` every `<name>.md` of that folder; what is
        wrong with them, and those that are right.

        With `packs` only the common ones and theirs are read: a pack that is not in use costs nothing. A README.md
        next to the folders, or in one of `own`, is not a message.
        """
        templates: dict[tuple[str, str], Template] = {}
        problems: list[Problem] = []
        broken: list[tuple[str, str]] = []
        if not root.is_dir():
            return cls({}), [Problem(root, 1, "there is no such folder; it should hold common/")]
        for path in sorted(root.rglob("*.md")):
            if path == root / "README.md":
                continue
            if packs is not None and path.parent.parent == root and path.parent.name not in (COMMON, *packs):
                continue
            template, found = _read(path, root)
            problems += found
            if template is not None:
                templates[path.parent.name, path.stem] = template
            else:
                broken.append((path.parent.name, path.stem))
        for pack, folder in (own or {}).items():
            for path in sorted(p for p in folder.glob("*.md") if p.name != "README.md"):
                template, found = _read_named(path)
                problems += found
                if template is not None:
                    templates[pack, path.stem] = template
                else:
                    broken.append((pack, path.stem))
        return cls(templates, broken), problems

    def render(
        self,
        name: str,
        context: Mapping[str, object],
        pack: str | None = None,
        *,
        now: datetime,
        button_value: str = "",
    ) -> Message:
        """The message with these values, from the pack's own template or the common one.

        `now` is when it is shown: a moment of another UTC day names its day.
        `button_value` is the value of every button that has none of its own, e.g. the incident's id.
        Raises UnknownMessageError, MissingFieldsError, TypeError for a value that is not plain, RenderError
        when the template fails on the values, ValueError for a button value over 2,000 characters.
        """
        return self._find(name, pack).render(context, now, button_value)

    def names(self, pack: str | None = None) -> frozenset[str]:
        """The messages that can be rendered: the common ones and, with `pack`, that pack's own."""
        return frozenset(name for folder, name in self._templates if folder in (COMMON, pack))

    def written(self, pack: str | None = None) -> frozenset[str]:
        """As `names`, and those whose file has mistakes."""
        return self.names(pack) | {name for folder, name in self._broken if folder in (COMMON, pack)}

    def packs(self) -> frozenset[str]:
        """The packs that have messages of their own."""
        return frozenset(folder for folder, _ in self._templates if folder != COMMON)

    def fields(self, name: str, pack: str | None = None) -> frozenset[str]:
        """The context variables the message needs. Raises UnknownMessageError."""
        return self._find(name, pack).fields

    def about(self, name: str, pack: str | None = None) -> str:
        """What the template's `about:` says, or an empty string. Raises UnknownMessageError."""
        return self._find(name, pack).about

    def _find(self, name: str, pack: str | None) -> Template:
        for folder in (pack, COMMON):
            if folder is not None and (folder, name) in self._templates:
                return self._templates[folder, name]
        raise UnknownMessageError(name, pack, self.names(pack))


def _read(path: Path, root: Path) -> tuple[Template | None, tuple[Problem, ...]]:
    if path.parent.parent != root:
        return None, (Problem(path, 1, f"messages lie in {root}/common/ or {root}/<pack>/; move it there"),)
    return _read_named(path)


def _read_named(path: Path) -> tuple[Template | None, tuple[Problem, ...]]:
    if not _NAME.fullmatch(path.stem):
        return None, (Problem(path, 1, "name the file with small letters, digits, _ and -"),)
    return read_template(path)
