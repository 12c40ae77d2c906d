"""Fields: what an incident is about, read from its alert or told by people."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from warroom.domain import facts as f
from warroom.domain import protocol
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.procedures import Field
from warroom.domain.words import listed


@dataclass(frozen=True)
class Reading:
    """What the alert says of a field: `value` as it can be used, or the `text` that cannot be, and why (`mistake`)."""

    text: str
    value: str
    mistake: str


def settled(i: Incident, pack: LoadedPack) -> Iterator[f.What]:
    """Fields that the alert or the pack's default fills."""
    for name, field in pack.pack.fields.items():
        if name in i.fields:
            continue
        reading = read(i, field)
        if reading is not None and not reading.mistake:
            yield f.FieldSet(field=name, value=reading.value, source="alert")
        elif field.default:
            yield f.FieldSet(field=name, value=field.default, source="default")


def refused(i: Incident, pack: LoadedPack) -> tuple[tuple[Field, Reading], ...]:
    """Fields of which the alert says something that they cannot hold."""
    found = ((field, read(i, field)) for field in pack.pack.fields.values())
    return tuple((field, reading) for field, reading in found if reading is not None and reading.mistake)


def missing(i: Incident, pack: LoadedPack) -> tuple[str, ...]:
    """Fields that the room is asked for and that neither the alert, a default nor a person has filled."""
    known = {*i.fields, *(what.field for what in settled(i, pack) if isinstance(what, f.FieldSet))}
    return tuple(name for name, field in pack.pack.fields.items() if field.ask and name not in known)


def read(i: Incident, field: Field) -> Reading | None:
    """What the first of the field's alert paths that the alert has says; None when it has none of them."""
    alert = protocol.alert_of(i)
    text = next((text for path in field.read if (text := _text(alert.value(path)))), "")
    if not text:
        return None
    value, mistake = check(field, text)
    return Reading(text, value, mistake)


def check(field: Field, text: str) -> tuple[str, str]:
    """The value as the field holds it, and what is wrong with it in a sentence ("": nothing)."""
    value = " ".join(text.split())
    if field.choices:
        known = next((choice for choice in field.choices if choice.casefold() == value.casefold()), "")
        return known, "" if known else f"{field.title} is one of {listed(field.choices)}."
    if re.fullmatch(field.pattern, value):
        return value, ""
    return value, f"{field.title} cannot be “{value[:100]}”: it must look like {field.pattern}"


def _text(value: object) -> str:
    """A value of an alert in one line: items of a list joined, whole numbers without a point; "" for what is none."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float():
            return " ".join(str(value).split())
        case list() | tuple():
            return ", ".join(text for item in value if not isinstance(item, list | tuple) and (text := _text(item)))
    return ""
