"""{name}s in a pack's paths, bodies and arguments, and :name in its SQL: found, and filled in."""

import re
from collections.abc import Mapping

SLOT = re.compile(r"\{(\w+)\}")
BIND = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|(?<![:\w]):([A-Za-z_]\w*)""")
"""A quoted part of a statement, or a bound parameter, whose name is the group; `::type` of PostgreSQL is neither."""


def slots(value: object) -> frozenset[str]:
    """The names of the {slots} in a text, or in everything within a list or mapping."""
    match value:
        case str():
            return frozenset(SLOT.findall(value))
        case Mapping():
            return frozenset().union(*(slots(inner) for inner in value.values()))
        case list() | tuple():
            return frozenset().union(*(slots(inner) for inner in value))
        case _:
            return frozenset()


def binds(sql: str) -> frozenset[str]:
    """The names of the bound parameters of a statement."""
    return frozenset(name for name in BIND.findall(sql) if name)


def fill(value: object, values: Mapping[str, object]) -> object:
    """A value with its {slots} filled in, those without a value left as they are.

    A slot that is the whole text keeps its value's type: a number stays one.
    """
    match value:
        case str():
            alone = SLOT.fullmatch(value)
            if alone and alone[1] in values:
                return values[alone[1]]
            return SLOT.sub(lambda slot: str(values.get(slot[1], slot[0])), value)
        case Mapping():
            return {name: fill(inner, values) for name, inner in value.items()}
        case list() | tuple():
            return [fill(inner, values) for inner in value]
        case _:
            return value
