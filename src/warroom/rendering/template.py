"""One message file: front matter and body, checked and compiled once."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import jinja2
import yaml
from jinja2 import meta, nodes

from warroom.rendering import markdown
from warroom.rendering.environment import the_environment
from warroom.rendering.filters import MENTIONS
from warroom.rendering.message import Message, build
from warroom.rendering.problems import MissingFieldsError, Problem, RenderError, did_you_mean
from warroom.rendering.resolve import resolve, resolve_inlines
from warroom.rendering.skeleton import Skeleton, skeletons
from warroom.rendering.slots import MARK, NOW_KEY, SLOTS_KEY, Slots
from warroom.rendering.syntax import check
from warroom.rendering.values import plain

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KEYS = ("summary", "about", "fields")
_FRONT = re.compile(r"---\n(?P<yaml>.*?)^---[ ]*\n(?P<body>.*)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r" {0,3}#{1,2} ")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Template:
    """A usable message template. `fields` are the context variables it needs, all of them."""

    name: str
    path: Path
    about: str
    fields: frozenset[str]
    _body: jinja2.Template
    _summary: jinja2.Template
    _before_body: int
    _before_summary: int

    def render(self, context: Mapping[str, object], now: datetime, button_value: str = "") -> Message:
        """The message as read at `now`; keys of the context that are not in `fields` are ignored.

        Raises MissingFieldsError, TypeError for a value that is not plain, RenderError when the template
        fails.
        """
        missing = self.fields - context.keys()
        if missing:
            raise MissingFieldsError(self.name, missing)
        values: dict[str, object] = {field: plain(context[field], field) for field in self.fields}
        slots = Slots()
        values[SLOTS_KEY] = slots
        values[NOW_KEY] = now
        reading = markdown.read(self._fill(self._body, values, self._before_body))
        line = self._fill(self._summary, values, self._before_summary)
        summary = resolve_inlines(markdown.literal(line), slots)
        return build(resolve(reading.document, slots), summary, button_value)

    def _fill(self, template: jinja2.Template, values: dict[str, object], before: int) -> str:
        try:
            return template.render(values)
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno or 1 for frame in frames if frame.filename == template.filename]
            raise RenderError(self.path, before + (lines[-1] if lines else 1), str(error)) from error


@dataclass(frozen=True, slots=True)
class _Front:
    summary: str = ""
    summary_line: int = 1
    about: str = ""
    fields: tuple[str, ...] = ()
    fields_line: int = 1


def read_template(path: Path) -> tuple[Template | None, tuple[Problem, ...]]:
    """The template in a file, or None and everything that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, (Problem(path, 1, f"cannot be read as UTF-8 text: {error}"),)
    return _loaded(path, text.removeprefix("\ufeff"))


@lru_cache(maxsize=1024)
def _loaded(path: Path, text: str) -> tuple[Template | None, tuple[Problem, ...]]:
    """The same text at the same place is checked and compiled once."""
    loader = _Loader(path)
    return loader.load(text), tuple(loader.problems)


class _Loader:
    def __init__(self, path: Path) -> None:
        self.path, self.environment = path, the_environment()
        self.problems: list[Problem] = []

    def load(self, text: str) -> Template | None:
        for number, line in enumerate(text.split("\n"), 1):
            if re.search("[\ue000-\uf8ff\U000f0000-\U0010fffd]", line):
                self._wrong(number, "holds a private-use character; take it out")
        parts = _FRONT.match(text)
        if parts is None:
            self._wrong(1, "begin the file with front matter: ---, then summary: and fields:, then ---")
            return None
        before = text[: parts.start("body")].count("\n")
        front = self._front(parts["yaml"])
        summary = self._parse(front.summary, front.summary_line - 1)
        known = len(self.problems)
        body = self._parse(parts["body"], before)
        if body is not None and len(self.problems) == known:
            for skeleton in skeletons(body):
                self._check_markdown(skeleton, before)
        if body is not None and summary is not None:
            self._check_fields(front, body, before, summary)
        if self.problems or body is None or summary is None:
            return None
        return Template(
            name=self.path.stem,
            path=self.path,
            about=front.about,
            fields=frozenset(front.fields),
            _body=self._compile(body, str(self.path)),
            _summary=self._compile(summary, f"{self.path} (summary)"),
            _before_body=before,
            _before_summary=front.summary_line - 1,
        )

    def _wrong(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.path, line, text))

    def _front(self, source: str) -> _Front:
        try:
            root = yaml.compose(source, Loader=LOADER)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 2 if error.problem_mark else 2
            self._wrong(line, f"front matter is not YAML: {error.problem}; put quotes around the text")
            return _Front()
        if not isinstance(root, yaml.MappingNode):
            self._wrong(2, f"front matter must hold the keys {', '.join(KEYS)}")
            return _Front()
        return self._front_values(root)

    def _front_values(self, root: yaml.MappingNode) -> _Front:
        found: dict[str, yaml.Node] = {}
        for key, value in root.value:
            line = key.start_mark.line + 2
            if key.value not in KEYS:
                known = did_you_mean(str(key.value), KEYS) or f"; the keys are {', '.join(KEYS)}"
                self._wrong(line, f"there is no key {key.value!r}{known}")
            elif key.value in found:
                self._wrong(line, f"the key {key.value!r} is there twice; keep one")
            found[str(key.value)] = value
        summary, about = self._text(found, "summary"), self._text(found, "about")
        if not summary.strip():
            self._wrong(1, "summary: is missing; it is the line shown in notifications")
        if "fields" not in found:
            self._wrong(1, "fields: is missing; list the variables the message needs, or write []")
        return _Front(
            summary=summary,
            summary_line=found["summary"].start_mark.line + 2 if "summary" in found else 1,
            about=about,
            fields=tuple(self._names(found.get("fields"))),
            fields_line=found["fields"].start_mark.line + 2 if "fields" in found else 1,
        )

    def _text(self, found: Mapping[str, yaml.Node], key: str) -> str:
        node = found.get(key)
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self._wrong(node.start_mark.line + 2, f'{key}: must be text; put quotes around it: "{{{{ … }}}}"')
            return "-"
        return str(node.value)

    def _names(self, node: yaml.Node | None) -> Iterator[str]:
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node.start_mark.line + 2, "fields: must be a list of names: [title, started_at]")
            return
        seen: set[str] = set()
        for item in node.value:
            name = item.value if isinstance(item, yaml.ScalarNode) else ""
            if not _IDENTIFIER.fullmatch(name):
                self._wrong(item.start_mark.line + 2, f"{name!r} is not a field name; write small_letters")
            elif name in seen:
                self._wrong(item.start_mark.line + 2, f"field {name!r} is listed twice; keep one")
            else:
                yield name
            seen.add(name)

    def _parse(self, source: str, before: int) -> nodes.Template | None:
        try:
            tree = self.environment.parse(source, filename=str(self.path))
        except jinja2.TemplateSyntaxError as error:
            self._wrong(before + error.lineno, f"Jinja: {error.message}")
            return None
        for line, text in check(tree):
            self._wrong(before + line, text)
        for call in tree.find_all((nodes.Filter, nodes.Test)):  # so that its fields can be read all the same
            known = self.environment.filters if isinstance(call, nodes.Filter) else self.environment.tests
            call.name = call.name if call.name in known else next(iter(known))
        return tree

    def _check_fields(self, front: _Front, body: nodes.Template, before: int, summary: nodes.Template) -> None:
        used: dict[str, int] = {}
        for tree, offset in ((summary, front.summary_line - 1), (body, before)):
            names = meta.find_undeclared_variables(tree)
            for node in tree.find_all(nodes.Name):
                if node.name in names:
                    used.setdefault(node.name, offset + node.lineno)
        declared = set(front.fields)
        for name in sorted(used.keys() - declared):
            hint = did_you_mean(name, declared) or "; add it, or take it out here"
            self._wrong(used[name], f"{name!r} is not in fields{hint}")
        for name in sorted(declared - used.keys()):
            hint = did_you_mean(name, used.keys() - declared) or "; take it out, or use it"
            self._wrong(front.fields_line, f"field {name!r} is never used{hint}")

    def _check_markdown(self, skeleton: Skeleton, before: int) -> None:
        def line_of(index: int) -> int:
            return before + skeleton.lines[min(index, len(skeleton.lines) - 1)]

        for index, text in markdown.read(skeleton.text).mistakes:
            self._wrong(line_of(index), MARK.sub("{{ … }}", text))
        for index, row in enumerate(skeleton.text.split("\n")):
            if not _HEADING.match(row):
                continue
            for found in MARK.finditer(row):
                name = skeleton.filters[int(found[1])]
                if name in MENTIONS:
                    self._wrong(line_of(index), f"headings hold text only; put the {name} in a paragraph")

    def _compile(self, tree: nodes.Template, filename: str) -> jinja2.Template:
        code = self.environment.compile(tree, self.path.stem, filename)
        return jinja2.Template.from_code(self.environment, code, {})
