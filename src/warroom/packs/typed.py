"""From a YAML document to a frozen dataclass, with every mistake said in a sentence.

pydantic decides what fits; this module says it in words, and reads on around a mistake so that the checks that
come later see the rest.
"""

import dataclasses
import json
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from warroom.packs.document import Document, Path
from warroom.packs.problems import Problem, nearest

T = TypeVar("T")

_WANTED = {
    "string_type": "write text here; put it in quotes if it looks like a number or a length of time",
    "int_type": "write a whole number here",
    "int_from_float": "write a whole number here",
    "float_type": "write a number here",
    "bool_type": "write true or false here",
    "tuple_type": "write a list here: [a, b] or lines that begin with `-`",
    "dict_type": "write `key: value` lines here",
    "mapping_type": "write `key: value` lines here",
    "dataclass_type": "write `key: value` lines here",
    "time_delta_type": "write a length of time such as 90s, 15m, 1h 30m or 2d",
    "time_delta_parsing": "write a length of time such as 90s, 15m, 1h 30m or 2d",
    "time_type": 'write a time of day such as "09:30"',
    "time_parsing": 'write a time of day such as "09:30"',
}


_PLAIN: Mapping[Any, Any] = {
    str: "",
    bool: False,
    int: 1,
    float: 1.0,
    timedelta: timedelta(minutes=1),
    time: "12:00",
}
"""a value of each kind that stands in for one that is wrong"""

_ADAPTERS: dict[type, Any] = {}


def adapter(cls: type[T]) -> TypeAdapter[T]:
    """The strict validator of a dataclass, built once."""
    if cls not in _ADAPTERS:
        _ADAPTERS[cls] = TypeAdapter(cls)
    found: TypeAdapter[T] = _ADAPTERS[cls]
    return found


def read(document: Document, cls: type[T]) -> tuple[T | None, list[Problem]]:
    """The document as `cls`, and what is wrong with it.

    Where a value is wrong that the schema needs, another stands in for it, so that what is around it can be checked;
    what it can do without is left out. None when neither helps. The document is left so, too.
    """
    problems: list[Problem] = []
    if not document.plain():
        return None, problems
    first, tried = True, set[Path]()
    while True:
        try:
            value = adapter(cls).validate_json(_json(document.plain()), strict=True)
        except ValidationError as error:
            paths = [(_path(document, e), e) for e in error.errors(include_url=False)]
        else:
            return value, problems + _misread(document, value)
        if first:
            problems += sorted({document.problem(path, _sentence(cls, path, e)) for path, e in paths})
            if not document.plain().keys() & set(_fields(cls)):
                return None, problems
        first = False
        # Deepest and last first, so that the paths before it stay true.
        order = sorted({path for path, _ in paths}, key=lambda p: [str(x).zfill(6) for x in p], reverse=True)
        changed = [
            (path not in tried and _stand_in(document, cls, path)) or _leave_out(document, cls, path) for path in order
        ]
        tried |= set(order)
        if not any(changed):
            return None, problems


def _json(data: Mapping[str, Any]) -> str:
    def encode(value: object) -> str:
        if isinstance(value, timedelta):
            return f"PT{value.total_seconds():f}S"
        raise TypeError(f"a document holds no {type(value).__name__}")

    return json.dumps(data, default=encode)


def _path(document: Document, error: ErrorDetails) -> Path:
    """Where the error is: pydantic's location without its marks for union members and keys."""
    loc = error["loc"]
    if error["type"] in {"missing", "unexpected_keyword_argument"}:
        return loc
    while loc and document.at(loc[:-1]) is not None and not _has(document.at(loc[:-1]), loc[-1]):
        loc = loc[:-1]
    return loc


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _sentence(cls: type, path: Path, error: ErrorDetails) -> str:
    kind = error["type"]
    name = str(path[-1]) if path else ""
    if kind == "missing":
        return f"this is missing; add `{name}:`"
    if kind == "unexpected_keyword_argument":
        return f"there is no key {name!r} here{nearest(name, _fields(type_at(cls, path[:-1])))}"
    if kind == "literal_error":
        choices = [str(c) for c in _choices(cls, path)]
        given = str(error["input"])
        return f"{given!r} is not possible here{nearest(given, choices)}"
    if _is_union(type_at(cls, path)):
        return "write text, a number, true or false here"
    return _WANTED.get(kind, f"this does not fit: {error['msg']}")


def _choices(cls: type, path: Path) -> tuple[Any, ...]:
    for hint in (type_at(cls, path), *get_args(type_at(cls, path[:-1]))[:1]):
        for option in (hint, *get_args(hint)):
            if get_origin(option) is Literal:
                return get_args(option)
    return ()


def _stand_in(document: Document, cls: type, path: Path) -> bool:
    """Put some value of the right kind at `path`, if the schema needs one there; False when nothing was."""
    around = _bare(type_at(cls, path[:-1]))
    needed = dataclasses.is_dataclass(around) and not _is_optional(cls, path)
    if not path or not (needed or get_origin(around) is Mapping):
        return False
    hint = _bare(type_at(cls, path))
    value, tells = _some(hint), needed and (get_origin(hint) is Literal or hint in (int, float, timedelta, time))
    return value is not None and document.stand_in(path, value, tells=tells)


def _some(hint: Any) -> Any:
    """A plain value that the schema takes for `hint`; None when there is no simple one."""
    bare = _bare(hint)
    if dataclasses.is_dataclass(bare):
        hints = get_type_hints(bare)
        return {f.name: _some(hints[f.name]) for f in dataclasses.fields(bare) if _is_needed(f)}
    if get_origin(bare) is Literal:
        return get_args(bare)[0]
    if get_origin(bare) in (tuple, Mapping):
        return [] if get_origin(bare) is tuple else {}
    return _PLAIN.get(bare, "" if _is_union(bare) else None)


def _leave_out(document: Document, cls: type, path: Path) -> bool:
    """Take away the smallest part around `path` that the schema can do without; False when nothing was."""
    for length in range(len(path), 0, -1):
        part = path[:length]
        if _is_optional(cls, part):
            return document.drop(part)
    return False


def _is_optional(cls: type, path: Path) -> bool:
    around = type_at(cls, path[:-1])
    if not dataclasses.is_dataclass(around):
        return True
    found = next((f for f in dataclasses.fields(around) if f.name == path[-1]), None)
    if found is None:
        return True
    return not _is_needed(found)


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _misread(document: Document, value: object) -> list[Problem]:
    """Lengths of time that were taken for text."""
    problems: list[Problem] = []

    def walk(plain: Any, typed: Any, path: Path) -> None:
        if isinstance(plain, dict):
            for key, item in plain.items():
                walk(item, typed[key] if isinstance(typed, dict) else getattr(typed, key), (*path, key))
        elif isinstance(plain, list):
            for index, item in enumerate(plain):
                walk(item, typed[index], (*path, index))
        elif isinstance(plain, timedelta) and isinstance(typed, str):
            problems.append(document.problem(path, _WANTED["string_type"]))
        elif isinstance(plain, str) and isinstance(typed, timedelta):
            problems.append(document.problem(path, _WANTED["time_delta_type"]))
        elif isinstance(typed, time) and (typed.tzinfo or len(str(plain)) != len("09:30")):
            problems.append(document.problem(path, _WANTED["time_type"]))

    walk(document.plain(), value, ())
    return problems


def type_at(cls: type, path: Path) -> Any:
    """The type that the schema has at `path`; None where it has none."""
    hint: Any = cls
    for part in path:
        hint = _bare(hint)
        if dataclasses.is_dataclass(hint):
            hint = get_type_hints(hint).get(str(part))
        elif isinstance(part, int) and get_origin(hint) is tuple:
            hint = get_args(hint)[0]
        elif len(get_args(hint)) == 2:
            hint = get_args(hint)[1]
        else:
            return None
    return hint


def _bare(hint: Any) -> Any:
    """The type without `| None`."""
    args = get_args(hint)
    return next(a for a in args if a is not type(None)) if len(args) == 2 and type(None) in args else hint


def _is_union(hint: Any) -> bool:
    return {str, float, bool} <= set(get_args(hint)) or {str, float} <= set(get_args(hint))


def _fields(hint: Any) -> list[str]:
    hint = _bare(hint)
    return [f.name for f in dataclasses.fields(hint)] if dataclasses.is_dataclass(hint) else []
