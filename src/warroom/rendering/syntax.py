"""What Jinja a template may contain: checked on the syntax tree when it is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TypeAlias

from jinja2 import nodes

from warroom.rendering.environment import LOOP, TESTS
from warroom.rendering.filters import FILTERS, MARKUP, RANGES
from warroom.rendering.problems import did_you_mean

Mistake: TypeAlias = tuple[int, str]
"""Line in the Jinja source, and what to do."""

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List, nodes.Tuple),
    *(nodes.If, nodes.For, nodes.CondExpr, nodes.Assign, nodes.Getattr, nodes.Getitem, nodes.Slice),
    *(nodes.Filter, nodes.Test, nodes.Keyword, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Concat, nodes.Add, nodes.Sub, nodes.Neg, nodes.Pos),
)
_ADVICE: dict[type[nodes.Node], str] = {
    nodes.Call: "calls are not allowed in messages; use a filter, or hand in the finished value",
    nodes.AssignBlock: "{% set %} takes a single expression: {% set name = … %}",
    nodes.FilterBlock: "put the filter on the value, {{ value | filter }}, not on a block",
    nodes.Dict: "dictionaries cannot be written in a message; hand in the finished value",
} | dict.fromkeys(
    (nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
    "only + and - are allowed in messages; hand in the finished number",
)


def check(tree: nodes.Template) -> list[Mistake]:
    """Every use of Jinja that messages do not allow."""
    return list(_walk(tree, tree))


def _walk(node: nodes.Node, parent: nodes.Node) -> Iterator[Mistake]:
    if type(node) not in _ALLOWED:
        word = type(node).__name__.lower()
        general = f"Jinja's {word} is not allowed in messages; use if, for and filters"
        yield node.lineno, _ADVICE.get(type(node), general)
        return
    match node:
        case nodes.Name(name="loop", ctx="load"):
            if not isinstance(parent, nodes.Getattr):
                yield node.lineno, f"of loop only its counters can be used: {_dotted_loop()}"
        case nodes.Getattr():
            yield from _attribute(node)
        case nodes.Getitem(arg=nodes.Const(value=str() as key)) if key.startswith("_"):
            yield node.lineno, f"{key!r} cannot be used; names must not begin with an underscore"
        case nodes.Filter():
            yield from _filter(node)
        case nodes.Test(name=name) if name not in TESTS:
            yield node.lineno, f"there is no test {name!r}{did_you_mean(name, TESTS)}"
        case nodes.For(recursive=True):
            yield node.lineno, "recursive loops are not allowed in messages"
        case nodes.Assign(target=target) if not isinstance(target, nodes.Name):
            yield node.lineno, "{% set %} takes a single name: {% set name = … %}"
        case nodes.Concat():
            yield from _concat(node)
    for child in node.iter_child_nodes():
        yield from _walk(child, node)


def _dotted_loop() -> str:
    return ", ".join(f"loop.{name}" for name in sorted(LOOP))


def _attribute(node: nodes.Getattr) -> Iterator[Mistake]:
    if node.attr.startswith("_"):
        yield node.lineno, f"{node.attr!r} cannot be used; names must not begin with an underscore"
    elif isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr not in LOOP:
        yield node.lineno, f"there is no loop.{node.attr}; of loop only these can be used: {_dotted_loop()}"


def _filter(node: nodes.Filter) -> Iterator[Mistake]:
    if node.name not in FILTERS:
        known = ", ".join(sorted(FILTERS))
        hint = did_you_mean(node.name, FILTERS) or f"; the filters are {known}"
        yield node.lineno, f"there is no filter {node.name!r}{hint}"
        return
    signature = inspect.signature(FILTERS[node.name])
    if getattr(FILTERS[node.name], "jinja_pass_arg", None):
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    named = {str(keyword.key): keyword.value for keyword in node.kwargs}
    try:
        bound = signature.bind(node.node, *node.args, **named)
    except TypeError as error:
        yield node.lineno, f"filter {node.name!r}: {error}"
        return
    if node.dyn_args or node.dyn_kwargs:
        yield node.lineno, f"filter {node.name!r}: * and ** are not allowed in messages"
    if node.name == "broadcast" and isinstance(node.node, nodes.Const) and node.node.value not in RANGES:
        yield node.lineno, f"broadcast reaches one of {', '.join(RANGES)}, not {node.node.value!r}"
    if node.name == "map":
        yield from _map(node, bound.arguments)


def _map(node: nodes.Filter, arguments: dict[str, nodes.Node]) -> Iterator[Mistake]:
    names = {key: child.value for key, child in arguments.items() if isinstance(child, nodes.Const)}
    name, attribute = names.get("filter"), names.get("attribute")
    if name is None and isinstance(attribute, str) and not attribute.startswith("_"):
        return
    if name in FILTERS and name != "map" and attribute is None:
        return
    yield node.lineno, 'write map("filter") with the name of a filter, or map(attribute="key")'


def _concat(node: nodes.Concat) -> Iterator[Mistake]:
    for child in node.nodes:
        if isinstance(child, nodes.Filter) and child.name in MARKUP:
            yield (
                child.lineno,
                f"~ would turn the {child.name} into plain text; put it in a {{{{ }}}} of its own",
            )
