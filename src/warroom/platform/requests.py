"""What an action sends: parameters checked, then the request exactly as it will go out."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any, cast

from warroom.domain.policy import Action, Expect, Parameter, Probe
from warroom.platform.http_probe import ONCE
from warroom.platform.redaction import HIDDEN, printable
from warroom.platform.surroundings import NoAnswerError, Surroundings
from warroom.platform.words import figure, nearest

SLOT = re.compile(r"\{(\w+)\}")


class ParametersError(ValueError):
    """One or more values an action cannot be run with; `errors` holds a sentence for each, by parameter.

    What concerns no parameter (the platform has no address) is under "action".
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, kw_only=True)
class Request:
    """An action's request as people are shown it: the bearer token is hidden, the rest is what is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, object] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def preview(
    action: Action, parameters: Mapping[str, object], reason: str, operator: str, surroundings: Surroundings
) -> Request:
    """The request this action would send with these values. Raises ParametersError with all mistakes at once."""
    values, errors = _checked(action.parameters, parameters)
    slots = {**values, "reason": printable(reason), "operator": printable(operator)}
    unknown = sorted({slot for slot in _slots(action.body) if slot not in slots and slot not in action.parameters})
    if unknown:
        errors["action"] = f"The pack's body names {{{unknown[0]}}}, which is no parameter of this action."
    url = ""
    try:
        url = surroundings.redactor(action.auth).text(surroundings.url(action.http or ""))
    except NoAnswerError as exc:
        errors["action"] = f"{exc}"
    if errors:
        raise ParametersError(errors)
    headers = {"Accept": "application/json", **ONCE}
    body = None
    if action.body:
        headers["Content-Type"] = "application/json"
        body = {name: _fill(value, slots) for name, value in action.body.items()}
    if action.auth is not None:
        headers["Authorization"] = f"Bearer {HIDDEN}"
    return Request(method=action.method, url=url, headers=headers, body=body)


def expected(probe: Probe, action: Action, parameters: Mapping[str, object]) -> Probe:
    """The read-back probe with the {slots} of its expectations filled from the parameters.

    Raises ParametersError as `preview` does.
    """
    values, errors = _checked(action.parameters, parameters)
    if errors:
        raise ParametersError(errors)
    return replace(probe, expect=tuple(_filled(e, values) for e in probe.expect))


def _filled(expect: Expect, values: Mapping[str, object]) -> Expect:
    equals = cast(str | float | bool | None, _fill(expect.equals, values))
    contains = None if expect.contains is None else str(_fill(expect.contains, values))
    return replace(expect, equals=equals, contains=contains)


def _checked(wanted: Mapping[str, Parameter], given: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Values by parameter, defaults filled in, and a sentence for each that cannot be used."""
    values: dict[str, object] = {}
    errors = {
        name: f"There is no parameter {name} here. {nearest(name, wanted)}" for name in given if name not in wanted
    }
    for name, parameter in wanted.items():
        value = given.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            value = parameter.default
        if value is None:
            errors[name] = f"{parameter.title} is needed: {_hint(parameter)}."
            continue
        fitted = _number(value) if parameter.type == "number" else _text(value)
        complaint = _complaint(parameter, value, fitted)
        if complaint:
            errors[name] = complaint
        else:
            values[name] = fitted
    return values, errors


def _complaint(parameter: Parameter, value: object, fitted: str | float | None) -> str:
    """Why the value cannot be used; "" when it can."""
    wrong = f"{parameter.title} cannot be {str(value)[:60]!r}: {_hint(parameter)}."
    if fitted is None:
        return wrong
    if isinstance(fitted, str):
        if parameter.choices and fitted not in parameter.choices:
            return f"{wrong} {nearest(fitted, parameter.choices)}"
        return ""
    low = parameter.minimum is not None and fitted < parameter.minimum
    high = parameter.maximum is not None and fitted > parameter.maximum
    listed = not parameter.choices or any(_number(choice) == fitted for choice in parameter.choices)
    return wrong if low or high or not listed else ""


def _hint(parameter: Parameter) -> str:
    if parameter.choices:
        return f"give one of {', '.join(parameter.choices)}"
    if parameter.type == "text":
        return "give a text"
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return f"give a number from {figure(low)} to {figure(high)}"
    if low is not None:
        return f"give a number of at least {figure(low)}"
    if high is not None:
        return f"give a number of at most {figure(high)}"
    return "give a number, such as 0.5"


def _number(value: object) -> int | float | None:
    """A finite number, whole ones as int; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return printable(str(value)).strip()


def _slots(value: object) -> set[str]:
    """Names of the {slots} in a body."""
    match value:
        case str():
            return set(SLOT.findall(value))
        case list() | tuple():
            return {name for inner in value for name in _slots(inner)}
        case _:
            return set()


def _fill(value: object, slots: Mapping[str, object]) -> object:
    """A value with its {slots} filled in. A slot that is the whole value keeps its type: a number stays one."""
    match value:
        case str():
            alone = SLOT.fullmatch(value)
            if alone and alone[1] in slots:
                return slots[alone[1]]
            return SLOT.sub(lambda slot: str(slots.get(slot[1], slot[0])), value)
        case list() | tuple():
            return [_fill(inner, slots) for inner in value]
        case _:
            return value
