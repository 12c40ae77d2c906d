"""Domain objects to text and back. The text is canonical: the same object always gives the same characters."""

import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, TypeVar, cast, get_args

from pydantic import TypeAdapter

from warroom.domain.decision import StandingHalt
from warroom.domain.effects import Answer
from warroom.domain.facts import What
from warroom.domain.inputs import Body

T = TypeVar("T")


def text(value: object) -> str:
    """Canonical JSON of plain values and dataclasses: sorted keys, no spaces, UTC ISO times, durations in seconds.

    Half characters (lone surrogates), which no database takes, become "?". Raises TypeError or ValueError for what
    JSON cannot say.
    """
    dumped = json.dumps(
        value, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return clean(dumped)


def clean(words: str) -> str:
    """`words` without the characters that a database column refuses (NUL and lone surrogates)."""
    return words.replace("\0", "").encode("utf-8", "replace").decode()


def kind(value: object) -> str:
    """The tag under which a fact, an input's body or an answer is stored."""
    return type(value).__name__


def fact_body(tag: str, body: str) -> What:
    """The content of a fact."""
    return cast(What, _adapter(_named(What)[tag]).validate_json(body))


def input_body(tag: str, body: str) -> Body:
    """The body of an input."""
    return cast(Body, _adapter(_named(Body)[tag]).validate_json(body))


def halts(stored: str) -> tuple[StandingHalt, ...]:
    """The halts that `text` wrote."""
    return tuple(_adapter(StandingHalt).validate_python(item) for item in json.loads(stored))


def answer_text(answer: Answer | None) -> str | None:
    """An answer with its tag."""
    return None if answer is None else text([kind(answer), answer])


def answer(stored: str | None) -> Answer | None:
    """The answer that `answer_text` wrote."""
    if stored is None:
        return None
    tag, value = json.loads(stored)
    return cast(Answer, _adapter(_named(Answer)[tag]).validate_python(value))


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


@cache
def _adapter(cls: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(cls)


@cache
def _named(union: Any) -> Mapping[str, Any]:
    return {cls.__name__: cls for cls in get_args(union)}
