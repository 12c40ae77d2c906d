"""A violation report: who sent it, what it says, and everything that is wrong with it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, NoReturn, cast, get_args

from warroom import signatures
from warroom.domain.decision import LoadedPack
from warroom.domain.procedures import Level, Violations
from warroom.domain.violation import Violation
from warroom.errors import BadRequest
from warroom.store.violations import Reported

HEADER = "X-Warroom-Signature"
VARIABLE = "WARROOM_VIOLATION_SECRET"
LARGEST = 1024 * 1024
MOST = 5_000
"""Violations of one report."""

LONGEST = {"id": 200, "type": 100, "service": 200, "feature": 200, "description": 2_000}
NEEDED = ("id", "type", "service", "feature")
AHEAD = timedelta(minutes=5)
"""So far may the reporter's clock be ahead of ours."""

OLDEST = timedelta(days=3650)
"""Older ones are a mistake of the reporter's clock or format."""

SHOWN = 20
"""So many mistakes are named in an answer."""

LEVELS: tuple[str, ...] = get_args(Level)


class BadReport(BadRequest):
    """A report with mistakes in its violations; nothing of it was stored. `problems` names them."""

    def __init__(self, problems: Sequence[Mapping[str, object]], count: int) -> None:
        some = f", the first {SHOWN} are listed" if len(problems) > SHOWN else ""
        super().__init__(
            f"{len(problems)} of {count} violations are wrong{some}. Nothing was stored: correct them and send the "
            "whole report again."
        )
        self.problems = list(problems[:SHOWN])


def verify(body: bytes, header: str, secrets: Sequence[str]) -> None:
    """Accept `body` only with a v1 signature by one of our secrets. Raises BadRequest: 413, 403 or 401."""
    if len(body) > LARGEST:
        raise BadRequest(f"A violation report is at most {LARGEST // 1024} KiB long: split it.", 413)
    signatures.verify(body, header, secrets, header=HEADER, variable=VARIABLE, whose="Violation reports")


def parse(body: bytes, packs: Mapping[str, LoadedPack], received: datetime) -> list[Reported]:
    """The violations of a report, `{"pack"?: id, "violations": [{"id", "type", "service", "feature", "detected_at"}]}`.

    A type decides the level; one that the pack does not know needs a `level` of its own. `detected_at` is ISO 8601
    with its offset. What else an item says is kept. Raises BadRequest for what is no report, BadReport for mistakes in
    items.
    """
    document = _document(body)
    pack = _pack(document.get("pack"), packs)
    policy = cast(Violations, packs[pack].pack.violations)
    items = document.get("violations")
    if not isinstance(items, list) or not items:
        raise BadRequest('A violation report needs a list "violations" with at least one of them.')
    if len(items) > MOST:
        raise BadRequest(f"A report holds at most {MOST:,} violations and this one {len(items):,}: split it.", 413)
    found: list[Reported] = []
    problems: list[Mapping[str, object]] = []
    for index, item in enumerate(items):
        said, level, at = _read(item, policy, received)
        if said:
            problems.append({"index": index, "id": _text(item, "id")[:200], "problems": said})
        elif at is not None:
            more = {k: v for k, v in item.items() if k not in (*LONGEST, "detected_at")}
            named = {name: _text(item, name) for name in LONGEST}
            violation = Violation(level=cast(Level, level), at=at, **named)
            found.append(Reported(pack, violation, received, json.dumps(more, ensure_ascii=False)))
    if problems:
        raise BadReport(problems, len(items))
    return found


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise BadRequest("A violation report must be UTF-8.") from None
    except (ValueError, RecursionError):
        raise BadRequest("A violation report must be JSON.") from None
    if not isinstance(document, dict):
        raise BadRequest('A violation report must be an object with a list "violations".')
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _pack(wanted: object, packs: Mapping[str, LoadedPack]) -> str:
    able = [name for name, loaded in packs.items() if loaded.pack.violations is not None]
    if wanted in able:
        return str(wanted)
    if wanted is None and len(able) == 1:
        return able[0]
    if not able:
        raise BadRequest("No pack in use takes violation reports: add one, such as pit, to warroom.yaml.", 404)
    names = ", ".join(able)
    said = "The report names no pack" if wanted is None else f"No pack {str(wanted)[:100]!r} takes violation reports"
    raise BadRequest(f'{said}: write "pack" with one of {names}.')


def _read(item: object, policy: Violations, received: datetime) -> tuple[list[str], str, datetime | None]:
    """What is wrong with an item, its level and its time."""
    if not isinstance(item, dict):
        return ["a violation is an object"], "", None
    said = [f"{name} is missing: write a text" for name in NEEDED if not _text(item, name).strip()]
    for name, longest in LONGEST.items():
        if len(_text(item, name)) > longest:
            said.append(f"{name} is longer than {longest:,} characters")
        elif name not in NEEDED and not isinstance(item.get(name, ""), str):
            said.append(f"{name} is no text")
    level = _level(item, policy, said)
    return said, level, _moment(item.get("detected_at"), received, said)


def _level(item: Mapping[str, Any], policy: Violations, said: list[str]) -> str:
    kind, level = _text(item, "type"), item.get("level")
    if kind in policy.types:
        return policy.types[kind].level
    if level in LEVELS:
        return str(level)
    if kind.strip():
        close = get_close_matches(kind, policy.types, 1)
        near = f"; did you mean {close[0]}?" if close else ""
        said.append(f"type {kind[:100]!r} is unknown{near}; or give the item a level: {', '.join(LEVELS)}")
    return ""


def _moment(value: object, received: datetime, said: list[str]) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is None or at.utcoffset() is None:
            said.append("detected_at needs an ISO 8601 time with its offset, e.g. 2026-11-17T14:31:00+00:00")
            return None
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        said.append("detected_at is no ISO 8601 time")
        return None
    if at > received + AHEAD:
        said.append("detected_at lies more than 5 minutes in the future: set the reporter's clock")
        return None
    if at < received - OLDEST:
        said.append("detected_at lies more than ten years back: set the reporter's clock")
        return None
    return at


def _text(item: object, name: str) -> str:
    value = item.get(name) if isinstance(item, dict) else None
    return value if isinstance(value, str) else ""
