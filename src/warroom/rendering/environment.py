"""The Jinja environment: sandboxed, strict about missing names, with our filters only.

Jinja's own sandbox still lets a template call methods of what it is given and run `'x' * 10**8`. So
attributes resolve to dictionary keys and nothing else, and `syntax.check` refuses the rest when a template
is loaded.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import StrictUndefined
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from warroom.rendering.filters import FILTERS
from warroom.rendering.slots import finalize

LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth"})
TESTS = frozenset(
    {"defined", "undefined", "none", "true", "false", "boolean", "number", "integer", "float", "string"}
    | {"mapping", "sequence", "odd", "even", "divisibleby", "in", "eq", "equalto", "==", "ne", "!="}
    | {"lt", "lessthan", "<", "le", "<=", "gt", "greaterthan", ">", "ge", ">="}
)


class Environment(ImmutableSandboxedEnvironment):
    """Reads keys of dicts, items of lists and the counters of `loop`; nothing else has attributes."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict | list | str):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj, name=argument)
        return self.undefined(obj=obj, name=argument)


@cache
def the_environment() -> Environment:
    """The one environment that all templates are compiled in."""
    environment = Environment(
        undefined=StrictUndefined,
        finalize=finalize,
        autoescape=False,  # HTML is the wrong escape here; `slots.finalize` is the right one
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.clear()
    environment.filters.update(FILTERS)
    environment.globals.clear()
    for name in set(environment.tests) - TESTS:
        del environment.tests[name]
    return environment
