"""YAML with its line numbers kept, and without YAML 1.1's surprises.

`on`, `yes` and `16:00` stay text, dates stay text, keys may not repeat, and `15m` or `1h 30m` is a length of time.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from warroom.packs.durations import PATTERN, format_duration, parse_duration
from warroom.packs.problems import Problem

Path = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_DURATION = "!duration"
_LONGEST = 64


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader (libyaml's where it is, ten times as fast) with the plain scalars of YAML 1.2 and durations."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own class attribute)


for _tag, _regex, _first in (
    (_TAG + "null", r"~|null|", ["~", "n", ""]),
    (_TAG + "bool", r"true|false", ["t", "f"]),
    (_TAG + "int", r"[-+]?[0-9]+", list("-+0123456789")),
    (_TAG + "float", r"[-+]?[0-9]+\.[0-9]+(?:e[-+]?[0-9]+)?", list("-+0123456789")),
    (_DURATION, PATTERN, list("0123456789")),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_regex})\Z"), _first)


class Document:
    """One YAML file whose root is a mapping. `problems` holds what is wrong with it as YAML."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._labels: dict[int, str] = {}
        self._beside: set[Path] = set()
        self._holed: set[Path] = set()
        self._out: list[Node] = []  # what was taken out: its ids must not come again
        self._root = self._compose(text)
        self._check(self._root, "")

    def plain(self) -> dict[str, Any]:
        """The content as dicts, lists, str, int, float, bool, None and timedelta."""
        return dict(_plain(self._root))

    def at(self, path: Path) -> Any:
        """The plain value at `path`; None where there is nothing."""
        found = self._find(path)
        return _plain(found[1]) if found else None

    def problem(self, path: Path, sentence: str) -> Problem:
        """`sentence` about the value at `path`, with its line, or that of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if found := self._find(path[:length]):
                key, node = found
                where = self._labels[id(node)]
                for part in path[length:]:
                    where = _join(where, part)
                return Problem(self.file, key.start_mark.line + 1, where, sentence)
        raise AssertionError("the root is always found")

    def stand_in(self, path: Path, value: Any, *, tells: bool) -> bool:
        """Put a plain value where the right one is missing or wrong; False where there is no room for it.

        `tells`: what is beside it may be judged by it (see `unsure`).
        """
        parent = self._find(path[:-1])
        if not path or not parent or not isinstance(parent[1], MappingNode):
            return False
        at, mapping = parent
        self._out += [item for key, item in mapping.value if key.value == path[-1]]
        node = _node(value)
        self._check(node, _join(self._labels[id(mapping)], path[-1]))
        others = [pair for pair in mapping.value if pair[0].value != path[-1]]
        key = next((key for key, _ in mapping.value if key.value == path[-1]), None)
        mapping.value = [*others, (key or ScalarNode(_TAG + "str", str(path[-1]), at.start_mark), node)]
        self._holed.add(path[:-1])
        if tells:
            self._beside.add(path[:-1])
        return True

    def unsure(self, path: Path) -> bool:
        """Whether a mistake found at `path` may come of a value in it that was left out or is stood in for, or of one
        beside it that tells."""
        return len(path) > 0 and (path in self._holed or path[:-1] in self._beside)

    def drop(self, path: Path) -> bool:
        """Take the value at `path` out; False when it is not there."""
        parent = self._find(path[:-1])
        found = self._find(path)
        if not path or not parent or not found:
            return False
        node = parent[1]
        self._out.append(found[1])
        self._holed.add(path[:-1])
        if isinstance(node, MappingNode):
            node.value = [pair for pair in node.value if pair[1] is not found[1]]
        else:
            node.value = [item for item in node.value if item is not found[1]]
        return True

    def _compose(self, text: str) -> MappingNode:
        empty = MappingNode(_TAG + "map", [], yaml.Mark(self.file, 0, 0, 0, None, 0))
        try:
            root = yaml.compose(text, _Loader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            said = " ".join(part for part in (error.context, error.problem) if part)
            self.problems.append(Problem(self.file, line, "", f"this is not YAML: {said}"))
            return empty
        except yaml.YAMLError as error:
            self.problems.append(Problem(self.file, 1, "", f"this is not YAML: {error}"))
            return empty
        if root is None or not isinstance(root, MappingNode):
            self.problems.append(Problem(self.file, 1, "", "write `key: value` lines; there are none"))
            return empty
        return root

    def _check(self, node: Node, label: str, key: Node | None = None) -> bool:
        """Note what is wrong in `node`, the value of `key`; False when it cannot stay."""
        line = node.start_mark.line + 1
        if id(node) in self._labels:
            said = f"this is a reference (*name) to the value in line {line}; write it out here"
            self.problems.append(Problem(self.file, (key or node).start_mark.line + 1, label, said))
            return False
        self._labels[id(node)] = label
        if not _tag_is_ours(node):
            said = f"take the tag {node.tag} away; plain values only"
            self.problems.append(Problem(self.file, line, label, said))
            node.tag = _TAG + "str"
        if isinstance(node, SequenceNode):
            node.value = [item for n, item in enumerate(node.value) if self._check(item, _join(label, n))]
        elif isinstance(node, MappingNode):
            self._check_keys(node, label)
            node.value = [(key, value) for key, value in node.value if self._check(value, _join(label, key.value), key)]
        return True

    def _check_keys(self, node: MappingNode, label: str) -> None:
        seen: dict[str, int] = {}
        kept = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.problems.append(Problem(self.file, line, label, "a key must be a word"))
            elif key.value in seen:
                said = f"this key is there already, in line {seen[key.value]}; keep one of them"
                self.problems.append(Problem(self.file, line, _join(label, key.value), said))
            else:
                seen[key.value] = line
                kept.append((key, value))
        node.value = kept

    def _find(self, path: Path) -> tuple[Node, Node] | None:
        """The node that marks the line of `path`, and the node of its value."""
        key: Node = self._root
        node: Node = self._root
        for part in path:
            step = next((pair for pair in _children(node) if pair[0] == part), None)
            if step is None:
                return None
            _, key, node = step
        return key, node


def _children(node: Node) -> Iterator[tuple[str | int, Node, Node]]:
    if isinstance(node, MappingNode):
        yield from ((key.value, key, value) for key, value in node.value)
    elif isinstance(node, SequenceNode):
        yield from ((index, item, item) for index, item in enumerate(node.value))


def _plain(node: Node) -> Any:
    if isinstance(node, MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    return _scalar(node)


def _node(value: Any) -> Node:
    """A plain value as the node that stands for it."""
    mark = yaml.Mark("", 0, 0, 0, None, 0)
    if isinstance(value, dict):
        pairs = [(ScalarNode(_TAG + "str", name, mark), _node(item)) for name, item in value.items()]
        return MappingNode(_TAG + "map", pairs, mark)
    if isinstance(value, list):
        return SequenceNode(_TAG + "seq", [_node(item) for item in value], mark)
    kind = {bool: "bool", int: "int", float: "float", type(None): "null"}.get(type(value), "str")
    tag = _DURATION if isinstance(value, timedelta) else _TAG + kind
    text = format_duration(value) if isinstance(value, timedelta) else str(value)
    return ScalarNode(tag, text.lower() if kind == "bool" else text, mark)


def _scalar(node: Node) -> str | int | float | bool | timedelta | None:
    text = str(node.value)
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int" if len(text) <= _LONGEST:
            return int(text)
        case "float" if len(text) <= _LONGEST:
            return float(text)
        case "!duration" if len(text) <= _LONGEST:
            return parse_duration(text)
        case _:
            return text


def _tag_is_ours(node: Node) -> bool:
    if isinstance(node, ScalarNode):
        return node.tag in {_DURATION, *(_TAG + t for t in ("null", "bool", "int", "float", "str"))}
    return node.tag in {_TAG + "map", _TAG + "seq"}


def _join(label: str, part: str | int) -> str:
    if isinstance(part, int):
        return f"{label}[{part}]"
    return f"{label}.{part}" if label else part
