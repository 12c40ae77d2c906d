"""What an action sends, in words: the request as people are shown it before anything goes out.

The platform's own addresses belong to the deployment, so a path begins with the name of its base ("executioner/api").
Everything else stands here as it will be sent, and a digest stands for all of it.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from warroom.domain.policy import Action, Pack
from warroom.domain.slots import binds, fill, slots


@dataclass(frozen=True, kw_only=True)
class Sending:
    """`lines` say what is sent; `unknown` are the {names} that nothing fills yet, for which it cannot be sent."""

    lines: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    def digest(self, *more: str) -> str:
        """Stands for these very lines, and for `more`: any change gives another one."""
        return hashlib.sha256(json.dumps([self.lines, more]).encode()).hexdigest()[:16]


def sending(
    action: Action,
    values: Mapping[str, object],
    *,
    fields: Mapping[str, str],
    reason: str = "<the reason>",
    operator: str = "<your name>",
    incident: str = "<the incident>",
    tools: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Sending:
    """The request of an action with these values of its parameters. `tools` are the argument lists that its command's
    first word stands for; what nobody has said yet stands in <>."""
    given = {"reason": reason, "operator": operator, "incident": incident}
    known: dict[str, object] = {**fields, **values, **given}
    used = slots((action.http, action.command, action.body)) | binds(action.sql or "")
    lines = [_first(action, known, tools)]
    if action.sql is not None:
        lines += [f":{name} = {known.get(name, '')}" for name in sorted(binds(action.sql))]
    if action.body:
        lines.append(json.dumps(fill(action.body, known), ensure_ascii=False))
    if action.auth is not None:
        lines.append(f"with the bearer token {action.auth}")
    return Sending(lines=tuple(lines), unknown=tuple(sorted(used - set(known))))


def by_hand(pack: Pack) -> tuple[str, ...]:
    """How trading is halted on the platform itself, a line for each scope, with the platform's own addresses."""
    lines = []
    for action in pack.actions.values():
        if action.scope:
            first, *more = sending(action, {}, fields={}, tools=pack.tools).lines
            base, slash, path = (action.http or "").partition("/")
            if slash and base in pack.urls:
                first = f"{action.method} {pack.urls[base].rstrip('/')}/{path}"
            lines.append(", ".join([f"{action.title}: {first}", *more]))
    return tuple(lines)


def _first(action: Action, known: Mapping[str, object], tools: Mapping[str, tuple[str, ...]]) -> str:
    if action.http is not None:
        path = fill(action.http, {name: quote(str(value), safe="") for name, value in known.items()})
        return f"{action.method} {path}"
    if action.command is not None:
        tool, *rest = action.command
        return "RUN " + shlex.join(str(fill(part, known)) for part in (*tools.get(tool, (tool,)), *rest))
    if action.sql is not None:
        return f"SQL on {action.database}: {' '.join(action.sql.split())}"
    return f"APPEND a line to {action.record}"
