"""The values an action is ordered with: defaults filled in, bounds checked, every mistake a sentence."""

import re
from collections.abc import Mapping
from math import isfinite

from warroom.domain.policy import Parameter
from warroom.domain.slots import fill, slots
from warroom.domain.words import nearest


def check(
    wanted: Mapping[str, Parameter], given: Mapping[str, object], fields: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, str]]:
    """Values by parameter, and a sentence for each that cannot be used.

    A parameter that is not given takes its default; {name} in the default is the incident's field of that name.
    """
    values: dict[str, object] = {}
    errors = {name: f"There is no parameter {name} here. {_near(name, wanted)}" for name in given if name not in wanted}
    for name, parameter in wanted.items():
        value = given.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            value = fill(parameter.default, fields)
            if missing := sorted(slots(value)):
                errors[name] = f"{parameter.title} is needed, and {missing[0]} is not known yet: {hint(parameter)}."
                continue
        if value is None:
            errors[name] = f"{parameter.title} is needed: {hint(parameter)}."
            continue
        fitted = number(value) if parameter.type == "number" else text(value)
        complaint = _complaint(parameter, value, fitted)
        if complaint:
            errors[name] = complaint
        else:
            values[name] = fitted
    return values, errors


def hint(parameter: Parameter) -> str:
    """What may be given."""
    if parameter.choices:
        return f"give one of {', '.join(parameter.choices)}"
    if parameter.type == "text":
        return "give a text" + (f" that matches {parameter.pattern}" if parameter.pattern else "")
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return f"give a number from {low:g} to {high:g}"
    if low is not None:
        return f"give a number of at least {low:g}"
    if high is not None:
        return f"give a number of at most {high:g}"
    return "give a number, such as 0.5"


def number(value: object) -> int | float | None:
    """A finite number, whole ones as int; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if not isfinite(found):
        return None
    return int(found) if found.is_integer() else found


def text(value: object) -> str | None:
    """A text that every database and JSON reader takes: no NUL, no lone surrogates; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8").strip()


def _complaint(parameter: Parameter, value: object, fitted: str | float | None) -> str:
    """Why the value cannot be used; "" when it can."""
    wrong = f"{parameter.title} cannot be {str(value)[:60]!r}: {hint(parameter)}."
    if fitted is None:
        return wrong
    if isinstance(fitted, str):
        if parameter.choices and fitted not in parameter.choices:
            return f"{wrong} {_near(fitted, parameter.choices)}".rstrip()
        return wrong if parameter.pattern and not re.fullmatch(parameter.pattern, fitted) else ""
    low = parameter.minimum is not None and fitted < parameter.minimum
    high = parameter.maximum is not None and fitted > parameter.maximum
    listed = not parameter.choices or any(number(choice) == fitted for choice in parameter.choices)
    return wrong if low or high or not listed else ""


def _near(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    near = nearest(word, known, most=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"There are {', '.join(known)}." if known else "It takes none."
