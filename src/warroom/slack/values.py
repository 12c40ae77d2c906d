"""Plain values on their way out: moments revived, text made safe for mrkdwn."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def revive(value: object) -> Any:
    """A copy of `value` in which every `{"utc": ISO}` is an aware UTC datetime, mappings dicts, tuples lists."""
    match value:
        case Mapping():
            at = _moment(value)
            return at if at is not None else {str(key): revive(item) for key, item in value.items()}
        case list() | tuple():
            return [revive(item) for item in value]
        case _:
            return value


def _moment(value: Mapping[Any, object]) -> datetime | None:
    text = value.get("utc")
    if len(value) != 1 or not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def escape(text: str) -> str:
    """Text in which mrkdwn finds neither mention nor link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, the last one `…` if something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
