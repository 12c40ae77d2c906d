"""What the rendering tests share: a catalog from text, and Slack's own rules for blocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warroom.rendering import Catalog, Message, MessageErrors, Problem

NOW = datetime(2026, 3, 2, 14, 35, tzinfo=UTC)
"""when the messages are shown"""
FRONT = "---\nsummary: a summary\nfields: [{fields}]\n---\n"


def write(root: Path, body: str, fields: str = "", name: str = "sample", folder: str = "common") -> Path:
    path = root / folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FRONT.format(fields=fields) + body, encoding="utf-8")
    return root


def rendered(root: Path, body: str, now: datetime = NOW, **context: Any) -> Message:
    return Catalog.load(write(root, body, ", ".join(context))).render("sample", context, now=now, button_value="inc-1")


def blocks(root: Path, body: str, now: datetime = NOW, **context: Any) -> list[dict[str, Any]]:
    message = rendered(root, body, now, **context)
    assert len(message.parts) == 1
    assert_slack_accepts(message)
    return message.parts[0].blocks


def elements(root: Path, body: str, now: datetime = NOW, **context: Any) -> list[dict[str, Any]]:
    """The elements of the one section that the body makes."""
    (block,) = blocks(root, body, now, **context)
    (section,) = block["elements"]
    assert section["type"] == "rich_text_section"
    return list(section["elements"])


def problems(root: Path) -> list[tuple[int, str]]:
    found: list[Problem] = []
    try:
        Catalog.load(root)
    except MessageErrors as errors:
        found = errors.problems
    return [(problem.line, problem.text) for problem in found]


def assert_slack_accepts(message: Message) -> None:
    """The limits of Slack's reference for blocks, on every part."""
    for part in message.parts:
        assert 1 <= len(part.blocks) <= 50
        assert len(part.text) <= 40_000
        for block in part.blocks:
            _assert_block(block)


def _assert_block(block: dict[str, Any]) -> None:
    match block["type"]:
        case "header":
            assert 1 <= len(block["text"]["text"]) <= 150
        case "context":
            assert 1 <= len(block["elements"]) <= 10
            assert all(1 <= len(element["text"]) <= 3000 for element in block["elements"])
        case "actions":
            ids = [element["action_id"] for element in block["elements"]]
            assert 1 <= len(ids) <= 25
            assert len(set(ids)) == len(ids)
            assert all(1 <= len(element["text"]["text"]) <= 75 for element in block["elements"])
        case "rich_text":
            assert sum(len(element.get("text", "")) for element in leaves(block)) <= 4000
            for element in leaves(block):
                if element["type"] == "text":
                    assert 1 <= len(element["text"]) <= 3000
        case kind:
            assert kind == "divider"


def leaves(node: Any) -> Iterator[dict[str, Any]]:
    """Every innermost element of a block."""
    inner = node.get("elements")
    if inner is None:
        yield node
    else:
        for element in inner:
            yield from leaves(element)


def shape(node: Any) -> Any:
    """A block with all characters taken out: what formats, mentions and links, without what is said."""
    if isinstance(node, dict):
        return {
            key: "" if key in ("text", "fallback") and isinstance(value, str) else shape(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [shape(item) for item in node]
    return node


def texts(message: Message) -> str:
    """Everything that the blocks say, in order."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "text" and isinstance(value, str):
                    found.append(value)
                else:
                    walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    for part in message.parts:
        walk(part.blocks)
    return "".join(found)
