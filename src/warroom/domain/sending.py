"""What an action sends, in words: the request as people are shown it before anything goes out.

The platform's own addresses belong to the deployment, so a path begins with the name of its base ("executioner/api").
Everything else stands here as it will be sent, and a digest stands for all of it.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from warroom.domain.policy import Action
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
    reason: str,
    operator: str,
    incident: str,
) -> Sending:
    """The request of an action with these values of its parameters."""
    given = {"reason": reason, "operator": operator, "incident": incident}
    known: dict[str, object] = {**fields, **values, **given}
    used = slots((action.http, action.command, action.body)) | binds(action.sql or "")
    lines = [_first(action, known)]
    if action.sql is not None:
        lines += [f":{name} = {known.get(name, '')}" for name in sorted(binds(action.sql))]
    if action.body:
        lines.append(json.dumps(fill(action.body, known), ensure_ascii=False))
    if action.auth is not None:
        lines.append(f"with the bearer token {action.auth}")
    return Sending(lines=tuple(lines), unknown=tuple(sorted(used - set(known))))


def _first(action: Action, known: Mapping[str, object]) -> str:
    if action.http is not None:
        path = fill(action.http, {name: quote(str(value), safe="") for name, value in known.items()})
        return f"{action.method} {path}"
    if action.command is not None:
        return "RUN " + shlex.join(str(fill(part, known)) for part in action.command)
    if action.sql is not None:
        return f"SQL on {action.database}: {' '.join(action.sql.split())}"
    return f"APPEND a line to {action.record}"
