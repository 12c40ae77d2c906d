"""What must hold for the fields of an incident."""

import re

from warroom.domain.policy import Pack
from warroom.domain.procedures import Field
from warroom.packs.condition_references import ALERT_FIELDS, is_alert_field
from warroom.packs.document import Path
from warroom.packs.names import Findings
from warroom.packs.problems import nearest
from warroom.packs.slots import GIVEN

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_fields(f: Findings, pack: Pack) -> None:
    """Every field can be read, asked for and filled in."""
    for name, field in pack.fields.items():
        at: Path = ("fields", name)
        if not _NAME.fullmatch(name):
            f.add(at, "write the name with small letters, digits and _, a letter first: it is used as {name}")
        if name in GIVEN:
            f.add(at, f"{{{name}}} means the {name} of an order already; give the field another name")
        for index, source in enumerate(field.read):
            if not is_alert_field(source):
                known = (*ALERT_FIELDS, "details.NAME")
                f.add((*at, "read", index), f"an alert has no {source!r}{nearest(source, known)}")
        _check_values(f, at, field)
        if field.ask and field.default:
            f.add((*at, "ask"), "with a `default` it is never unknown; take `ask` or `default` away")


def _check_values(f: Findings, at: Path, field: Field) -> None:
    f.regex((*at, "pattern"), field.pattern)
    for index, choice in enumerate(field.choices):
        if not fits(choice, field.pattern):
            f.add((*at, "choices", index), f"{choice!r} does not match `pattern`")
    if not field.default:
        return
    if field.choices and field.default not in field.choices:
        f.add((*at, "default"), f"the default is not a choice{nearest(field.default, field.choices)}")
    elif not fits(field.default, field.pattern):
        f.add((*at, "default"), f"{field.default!r} does not match `pattern`")


def fits(value: str, pattern: str | None) -> bool:
    """Whether `value` matches `pattern` as a whole; a pattern that does not compile is told elsewhere."""
    if pattern is None:
        return True
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True
