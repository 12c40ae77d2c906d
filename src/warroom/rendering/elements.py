"""Slack's smaller parts (plain text, buttons, modal inputs), each within Slack's limits by clipping with
`…`.

What must not be clipped (a button's value, a modal's private metadata, ids) raises ValueError when it is
too long: cut short it would act on something else. Inputs all have the action id `value`, so a submitted
form reads `state["values"][block_id]["value"]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from warroom.rendering.values import UNKNOWN, clean, clip, is_web_url, one_line

Json: TypeAlias = dict[str, Any]

HEADER, SECTION, BUTTON, OPTION, OPTION_VALUE, OPTIONS = 150, 3000, 75, 75, 150, 100
LABEL, HINT, MODAL_TITLE, MODAL_BLOCKS, METADATA, VALUE, ID = 2000, 2000, 24, 100, 3000, 2000, 255
INPUT = 3000
ACTION = "value"


def plain_text(text: str, limit: int = SECTION, *, emoji: bool = False) -> Json:
    """A plain_text object of at most `limit` characters. With `emoji`, `:names:` in it become pictures."""
    return {"type": "plain_text", "text": clip(clean(text), limit).strip() or UNKNOWN, "emoji": emoji}


def text_section(text: str) -> Json:
    """A section of inert text, clipped at 3,000 characters."""
    return {"type": "section", "text": plain_text(text)}


def button(
    label: str,
    action_id: str,
    *,
    value: str = "",
    style: str = "",
    url: str = "",
    emoji: bool = False,
) -> Json:
    """A button; `style` is `primary`, `danger` or nothing. Raises ValueError for a value over 2,000
    characters, an action id over 255, another style, or an address that is not http(s).
    """
    if style not in ("", "primary", "danger"):
        raise ValueError(f"a button's style is primary or danger, not {style!r}")
    if url and not is_web_url(url):
        raise ValueError(f"a button opens http(s) addresses only, not {url!r}")
    found: Json = {
        "type": "button",
        "text": plain_text(one_line(label), BUTTON, emoji=emoji),
        "action_id": _whole(action_id, ID, "action id"),
    }
    if value:
        found["value"] = _whole(value, VALUE, "value of a button")
    if style:
        found["style"] = style
    if url:
        found["url"] = url
    return found


def input_text(
    block_id: str,
    label: str,
    initial: str | None = None,
    *,
    multiline: bool = False,
    optional: bool = False,
    max_length: int = INPUT,
    hint: str | None = None,
    placeholder: str | None = None,
) -> Json:
    """A text field of at most `max_length` characters (1 to 3,000); `initial` is clipped to fit."""
    limit = min(max(max_length, 1), INPUT)
    element: Json = {"type": "plain_text_input", "multiline": multiline, "max_length": limit}
    if initial:
        element["initial_value"] = clip(clean(initial), limit)
    if placeholder:
        element["placeholder"] = plain_text(placeholder, 150)
    return _input(block_id, label, element, optional=optional, hint=hint)


def input_select(
    block_id: str,
    label: str,
    options: Sequence[tuple[str, str]],
    initial: str | None = None,
    *,
    optional: bool = False,
    hint: str | None = None,
) -> Json:
    """A choice between `(value, label)` pairs, the first 100 of them; `initial` is a value.

    Raises ValueError without options, as Slack refuses an empty choice, and for a value over 150 characters.
    """
    if not options:
        raise ValueError(f"the choice {block_id!r} has no options")
    shown = [
        {
            "text": plain_text(one_line(text), OPTION),
            "value": _whole(value, OPTION_VALUE, "option's value"),
        }
        for value, text in options[:OPTIONS]
    ]
    element: Json = {"type": "static_select", "options": shown}
    chosen = [option for option in shown if option["value"] == initial]
    if chosen:
        element["initial_option"] = chosen[0]
    return _input(block_id, label, element, optional=optional, hint=hint)


def input_users(
    block_id: str,
    label: str,
    initial: Sequence[str] = (),
    *,
    multiple: bool = True,
    optional: bool = False,
    hint: str | None = None,
) -> Json:
    """People of the workspace, one or (by default) several; `initial` are user ids."""
    element: Json
    if multiple:
        element = {"type": "multi_users_select"} | ({"initial_users": list(initial)} if initial else {})
    else:
        element = {"type": "users_select"} | ({"initial_user": initial[0]} if initial else {})
    return _input(block_id, label, element, optional=optional, hint=hint)


def input_datetime(
    block_id: str,
    label: str,
    initial: datetime | None = None,
    *,
    optional: bool = False,
    hint: str | None = None,
) -> Json:
    """A moment, picked in the reader's own time zone; Slack returns Unix seconds."""
    element: Json = {"type": "datetimepicker"}
    if initial is not None:
        element["initial_date_time"] = int(initial.timestamp())
    return _input(block_id, label, element, optional=optional, hint=hint)


def modal(
    callback_id: str,
    title: str,
    blocks: Sequence[Json],
    submit: str | None = None,
    private_metadata: str = "",
    *,
    close: str = "Cancel",
) -> Json:
    """A modal view of at most 100 blocks; without `submit` it only shows something.

    Raises ValueError for a callback id over 255 or private metadata over 3,000 characters.
    """
    shown = list(blocks)
    if len(shown) > MODAL_BLOCKS:
        left = len(shown) - MODAL_BLOCKS + 1
        shown = [*shown[: MODAL_BLOCKS - 1], text_section(f"… and {left} more that do not fit here")]
    view: Json = {
        "type": "modal",
        "callback_id": _whole(callback_id, ID, "callback id"),
        "title": plain_text(one_line(title), MODAL_TITLE),
        "close": plain_text(one_line(close), MODAL_TITLE),
        "blocks": shown,
        "private_metadata": _whole(private_metadata, METADATA, "private metadata"),
    }
    if submit:
        view["submit"] = plain_text(one_line(submit), MODAL_TITLE)
    return view


def _input(block_id: str, label: str, element: Json, *, optional: bool, hint: str | None) -> Json:
    block: Json = {
        "type": "input",
        "block_id": _whole(block_id, ID, "block id"),
        "label": plain_text(one_line(label), LABEL),
        "element": element | {"action_id": ACTION},
        "optional": optional,
    }
    if hint:
        block["hint"] = plain_text(hint, HINT)
    return block


def _whole(text: str, limit: int, what: str) -> str:
    if len(text) > limit:
        raise ValueError(f"{what} has {len(text)} characters, Slack takes {limit}")
    return text
