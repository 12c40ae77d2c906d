"""The result of a probe, as it is shown, stored with the incident, and sealed as evidence."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from warroom.platform.answers import ANSWER_LIMIT, Seen, State
from warroom.platform.redaction import Redactor

RAW_LIMIT = 64 * 1024
"""Bytes of the raw answer that are kept."""
SUMMARY_LIMIT = 200
"""Characters a summary may have."""
VALUE_LIMIT = 4 * 1024
"""Characters of JSON that a displayed value may have."""
TAIL = 2 * 1024
"""Characters read beyond the limit and dropped again: a secret may be cut in half where reading ends."""


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What one probe found. `state` is ok, failed (answered, not as expected) or error (no usable answer).

    `summary` is one short line for people, `value` what the probe shows (plain JSON), `elapsed_s` real seconds,
    `started` ISO (UTC), `raw` the answer without secrets and at most 64 KiB, marked when cut, `status` the HTTP
    status or exit code. `judged`: a value was really compared with what is expected.
    """

    probe: str
    title: str
    state: State
    summary: str
    value: object
    elapsed_s: float
    started: str
    raw: str
    status: int | None
    judged: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in `ProbesReported`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The result that `to_dict` gave. Raises TypeError when fields are missing or unknown."""
        return cls(**data)


def raw_text(seen: Seen, redactor: Redactor) -> str:
    """The answer as evidence: secrets hidden first, then cut to 64 KiB with a mark."""
    whole = seen.text
    begin = whole[: RAW_LIMIT + TAIL]
    cut = len(begin) < len(whole) or seen.out.cut or seen.err.cut
    text = redactor.text(begin)
    if cut:
        text = text[:-TAIL]
    data = text.encode()
    if len(data) <= RAW_LIMIT and not cut:
        return text
    mark = f"\n[cut: the beginning of {_size(seen)}]"
    return data[: RAW_LIMIT - len(mark.encode())].decode("utf-8", "ignore") + mark


def one_line(summary: str, redactor: Redactor) -> str:
    """The summary without secrets and line breaks, at most 200 characters."""
    line = " ".join(redactor.text(summary).split())
    return line if len(line) <= SUMMARY_LIMIT else line[: SUMMARY_LIMIT - 1] + "…"


def shown_value(value: object, redactor: Redactor) -> object:
    """The value without secrets; when it is too big to show, the beginning of its JSON as text."""
    clean = redactor.value(value)
    text = json.dumps(clean, ensure_ascii=False)
    return clean if len(text) <= VALUE_LIMIT else text[: VALUE_LIMIT - 8] + " … (cut)"


def _size(seen: Seen) -> str:
    if seen.out.cut or seen.err.cut:
        return f"more than {ANSWER_LIMIT:,} bytes"
    return f"{len(seen.out.data) + len(seen.err.data):,} bytes"
