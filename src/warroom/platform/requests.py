"""What an action sends: parameters checked, then the request exactly as it will go out."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast
from urllib.parse import quote

from warroom.domain import parameters as checks
from warroom.domain.policy import Action, Expect, Probe
from warroom.domain.slots import binds, fill, slots
from warroom.platform.http_probe import ONCE
from warroom.platform.redaction import HIDDEN, printable
from warroom.platform.surroundings import NoAnswerError, Surroundings


class ParametersError(ValueError):
    """One or more values an action cannot be run with; `errors` holds a sentence for each, by parameter.

    What concerns no parameter (the platform has no address) is under "action".
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, kw_only=True)
class Order:
    """An action somebody authorised, with its values, and the probe that shows whether it took effect (None for a
    record, which is read back from its file).

    `incident` is its id, `fields` are the incident's, `run` names this order for ever.
    """

    action: Action
    read_back: Probe | None
    parameters: Mapping[str, object]
    reason: str
    operator: str
    incident: str = ""
    run: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """An action as people are shown it: the bearer token is hidden, the rest is what is sent.

    `method` is the HTTP verb, RUN for a command, SQL for a statement, APPEND for a record; `url` is the address, the
    command, the statement or the file; `body` is what is sent along: JSON, bound parameters, the line.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, object] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def preview(order: Order, surroundings: Surroundings) -> Request:
    """The request this order would send. Raises ParametersError with all mistakes at once."""
    action = order.action
    values, errors = checks.check(action.parameters, order.parameters, order.fields)
    known = _known(order, values)
    unknown = sorted(_used(action) - set(known) - set(action.parameters))
    if unknown:
        errors["action"] = f"{{{unknown[0]}}} is not known: set it with /incident set {unknown[0]} VALUE."
    redactor = surroundings.redactor(action.auth)
    url = ""
    try:
        url = redactor.text(address(action, known, surroundings))
    except NoAnswerError as exc:
        errors["action"] = f"{exc}"
    if errors:
        raise ParametersError(errors)
    if action.sql is not None:
        bound = {name: str(known[name]) for name in sorted(binds(action.sql))}
        return Request(method="SQL", url=url, headers={"database": action.database}, body=bound)
    body = cast(dict[str, object], fill(action.body, known)) if action.body else None
    if action.command is not None:
        return Request(method="RUN", url=url, headers={}, body=body)
    if action.record is not None:
        return Request(method="APPEND", url=url, headers={}, body=body)
    headers = {"Accept": "application/json", **ONCE}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if action.auth is not None:
        headers["Authorization"] = f"Bearer {HIDDEN}"
    return Request(method=action.method, url=url, headers=headers, body=body)


def values_of(order: Order) -> dict[str, object]:
    """Every {name} the order can fill. Raises ParametersError."""
    values, errors = checks.check(order.action.parameters, order.parameters, order.fields)
    if errors:
        raise ParametersError(errors)
    return _known(order, values)


def address(action: Action, known: Mapping[str, object], surroundings: Surroundings) -> str:
    """Where it goes: the URL, the command line, the statement or the file. Raises NoAnswerError."""
    if action.http is not None:
        return surroundings.url(str(fill(action.http, {n: quote(str(v), safe="") for n, v in known.items()})))
    if action.command is not None:
        return shlex.join(arguments(action.command, known, surroundings))
    if action.sql is not None:
        surroundings.database(action.database)
        return " ".join(action.sql.split())
    return action.record or ""


def arguments(command: tuple[str, ...], known: Mapping[str, object], surroundings: Surroundings) -> tuple[str, ...]:
    """A command of the pack as an argument list of this deployment; a value is never more than a part of one
    argument. Raises NoAnswerError."""
    return surroundings.tool(tuple(str(fill(part, known)) for part in command))


def expected(probe: Probe, known: Mapping[str, object]) -> Probe:
    """The read-back probe with the {slots} of its expectations filled."""
    return replace(probe, expect=tuple(_filled(e, known) for e in probe.expect))


def _known(order: Order, values: Mapping[str, object]) -> dict[str, object]:
    given = {"reason": printable(order.reason), "operator": printable(order.operator), "incident": order.incident}
    return {**order.fields, **values, **given}


def _used(action: Action) -> frozenset[str]:
    return slots((action.http, action.command, action.body)) | binds(action.sql or "")


def _filled(expect: Expect, values: Mapping[str, object]) -> Expect:
    equals = cast(str | float | bool | None, fill(expect.equals, values))
    contains = None if expect.contains is None else str(fill(expect.contains, values))
    return replace(expect, equals=equals, contains=contains)
