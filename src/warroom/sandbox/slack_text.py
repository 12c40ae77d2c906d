"""What a reader sees of a message, as plain text, and whom it notifies."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

Names = Callable[[str], str]
"""Slack id → the name people see (a user's, a group's handle, a channel's)"""

_MARKUP = re.compile(r"<([^<>\n]+)>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_TOKEN = re.compile(r"\{(\w+)\}")
_TWICE = re.compile(r"(\d\d:\d\d(?::\d\d)?)(?: UTC)? ?\((?:\1) UTC\)")
_LINKED_NAME = re.compile(r"(?<![\w<&])@(channel|here|everyone)\b")


def _unescape(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def date_text(timestamp: int, form: str) -> str:
    """A Slack date format at ``timestamp`` (seconds), for a reader in UTC."""
    at = datetime.fromtimestamp(timestamp, UTC)
    day = f"{at:%B} {at.day}, {at.year}"
    tokens = {
        "date_num": f"{at:%Y-%m-%d}",
        "date": day,
        "date_pretty": day,
        "date_short": f"{at:%b} {at.day}, {at.year}",
        "date_short_pretty": f"{at:%b} {at.day}, {at.year}",
        "date_long": f"{at:%A}, {day}",
        "date_long_pretty": f"{at:%A}, {day}",
        "day_divider_pretty": f"{at:%A}, {day}",
        "time": f"{at:%H:%M} UTC",
        "time_secs": f"{at:%H:%M:%S} UTC",
        "ago": f"{at:%Y-%m-%d %H:%M} UTC",
    }
    return _TOKEN.sub(lambda m: tokens.get(m[1], m[0]), form)


def mrkdwn_text(text: str, names: Names) -> str:
    """A mrkdwn string as it reads: mentions by name, links by label, entities decoded."""

    def shown(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            return "@" + names(target[1:])
        if target.startswith("#"):
            return "#" + names(target[1:])
        if target.startswith("!date^"):
            parts = target.split("^")
            return date_text(int(parts[1]), parts[2]) if len(parts) > 2 and parts[1].isdigit() else label
        if target.startswith("!subteam^"):
            return "@" + names(target.removeprefix("!subteam^"))
        if target.startswith("!"):
            return "@" + target[1:]
        return f"{label} ({target})" if label and label != target else target

    return _tidy(_unescape(_MARKUP.sub(shown, text)))


def mrkdwn_pings(text: str) -> Iterator[str]:
    """Whom a mrkdwn string notifies: ``channel``, ``here``, ``everyone``, user ids, user group ids."""
    for match in _MARKUP.finditer(text):
        target = match[1].partition("|")[0]
        if target.startswith("@") or target in ("!channel", "!here", "!everyone"):
            yield target[1:]
        elif target.startswith("!subteam^"):
            yield target.removeprefix("!subteam^")


def _tidy(text: str) -> str:
    """A time given in the reader's zone and again in UTC says it once to a reader in UTC."""
    return _TWICE.sub(r"\1 UTC", text)


def _object_text(thing: Any, names: Names) -> str:
    if not isinstance(thing, dict):
        return ""
    text = str(thing.get("text", ""))
    return mrkdwn_text(text, names) if thing.get("type") == "mrkdwn" else text


def _inline(elements: list[dict[str, Any]], names: Names) -> str:
    out = ""
    for item in elements:
        match item.get("type"):
            case "text":
                out += str(item["text"])
            case "link":
                label = item.get("text")
                out += f"{label} ({item['url']})" if label and label != item["url"] else str(item["url"])
            case "user":
                out += "@" + names(str(item["user_id"]))
            case "usergroup":
                out += "@" + names(str(item["usergroup_id"]))
            case "channel":
                out += "#" + names(str(item["channel_id"]))
            case "broadcast":
                out += f"@{item['range']}"
            case "emoji":
                out += _emoji(item)
            case "date":
                out += date_text(int(item["timestamp"]), str(item["format"]))
    return _tidy(out)


def _emoji(item: dict[str, Any]) -> str:
    code = item.get("unicode")
    if code:
        return "".join(chr(int(part, 16)) for part in str(code).split("-"))
    return f":{item['name']}:"


def _rich_text(block: dict[str, Any], names: Names) -> str:
    parts: list[str] = []
    for part in block.get("elements", []):
        items = part.get("elements", [])
        match part.get("type"):
            case "rich_text_list":
                start = int(part.get("offset") or 0) + 1
                indent = "  " * int(part.get("indent") or 0)
                for number, item in enumerate(items, start):
                    mark = f"{number}." if part.get("style") == "ordered" else "•"
                    parts.append(f"{indent}{mark} {_inline(item.get('elements', []), names)}")
            case "rich_text_quote":
                parts += [f"> {line}" for line in _inline(items, names).splitlines()]
            case "rich_text_preformatted":
                parts += [f"    {line}" for line in _inline(items, names).splitlines()]
            case _:
                parts.append(_inline(items, names).rstrip("\n"))
    return "\n".join(parts)


def _element(item: dict[str, Any], names: Names) -> str:
    match item.get("type"):
        case "button":
            return f"[{_object_text(item.get('text'), names)}]"
        case "image":
            return f"({item.get('alt_text', 'image')})"
        case "overflow":
            return "[⋯]"
        case "plain_text" | "mrkdwn":
            return _object_text(item, names)
        case _:
            return f"[{_object_text(item.get('placeholder'), names) or 'Choose'} ▾]"


def _block(block: dict[str, Any], names: Names) -> str:
    match block.get("type"):
        case "header":
            return _object_text(block.get("text"), names)
        case "section":
            lines = [_object_text(block.get("text"), names)] if block.get("text") else []
            lines += [_object_text(field, names).replace("\n", " ") for field in block.get("fields", [])]
            if isinstance(block.get("accessory"), dict):
                lines.append(_element(block["accessory"], names))
            return "\n".join(lines)
        case "context":
            return " ".join(_element(item, names).strip() for item in block.get("elements", []))
        case "actions":
            return " ".join(_element(item, names) for item in block.get("elements", []))
        case "divider":
            return "———"
        case "image":
            return f"(image: {block.get('alt_text', '')})"
        case "input":
            return f"{_object_text(block.get('label'), names)}: [          ]"
        case "markdown":
            return str(block.get("text", ""))
        case "rich_text":
            return _rich_text(block, names)
        case "table":
            return "\n".join(" | ".join(_cell(cell, names) for cell in row) for row in block.get("rows", []))
        case _:
            return ""


def _cell(cell: dict[str, Any], names: Names) -> str:
    return _rich_text(cell, names) if cell.get("type") == "rich_text" else str(cell.get("text", ""))


def plain(blocks: list[dict[str, Any]], names: Names = str) -> str:
    """The blocks as a reader sees them, one below the other; buttons as ``[Acknowledge]``."""
    return "\n".join(text for text in (_block(block, names) for block in blocks) if text)


def _walk(thing: Any) -> Iterator[dict[str, Any]]:
    if isinstance(thing, dict):
        yield thing
        for value in thing.values():
            yield from _walk(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _walk(value)


def pings(text: str, blocks: list[dict[str, Any]], *, link_names: bool = False) -> list[str]:
    """Whom the message notifies, each once: broadcast ranges, user ids, user group ids."""
    found = list(mrkdwn_pings(text))
    if link_names:
        found += [match[1] for match in _LINKED_NAME.finditer(text)]
    for thing in _walk(blocks):
        match thing.get("type"):
            case "mrkdwn" | "markdown":
                found += mrkdwn_pings(str(thing.get("text", "")))
            case "broadcast":
                found.append(str(thing.get("range")))
            case "user":
                found.append(str(thing.get("user_id")))
            case "usergroup":
                found.append(str(thing.get("usergroup_id")))
    return list(dict.fromkeys(found))
