"""Buttons, inputs and modals within Slack's limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from warroom.rendering.elements import (
    button,
    input_datetime,
    input_select,
    input_text,
    input_users,
    modal,
    plain_text,
    text_section,
)


def test_text_is_clean_clipped_and_never_empty() -> None:
    assert plain_text("a" * 30, 24) == {"type": "plain_text", "text": "a" * 23 + "…", "emoji": False}
    assert plain_text("a\u202eb\x1b", 24)["text"] == "ab"
    assert plain_text("  ", 24)["text"] == "—"
    assert len(text_section("x" * 4000)["text"]["text"]) == 3000


def test_a_button_is_clipped_in_what_it_says_and_never_in_what_it_does() -> None:
    made = button("x" * 100, "incident.ack", value="inc-1", style="primary")
    assert len(made["text"]["text"]) == 75
    assert (made["action_id"], made["value"], made["style"]) == ("incident.ack", "inc-1", "primary")
    assert "style" not in button("x", "y")
    mistakes: list[dict[str, Any]] = [{"value": "v" * 2001}, {"style": "blue"}, {"url": "javascript:x"}]
    for wrong in mistakes:
        with pytest.raises(ValueError):
            button("x", "y", **wrong)
    with pytest.raises(ValueError, match="action id has 256 characters"):
        button("x", "y" * 256)


def test_a_text_input_keeps_its_length() -> None:
    made = input_text("note", "Note", "x" * 500, multiline=True, optional=True, max_length=200, hint="h" * 3000)
    assert made["element"] == {
        "type": "plain_text_input",
        "multiline": True,
        "max_length": 200,
        "initial_value": "x" * 199 + "…",
        "action_id": "value",
    }
    assert (made["block_id"], made["optional"], len(made["hint"]["text"])) == ("note", True, 2000)
    assert input_text("note", "Note", max_length=9000)["element"]["max_length"] == 3000
    assert input_text("note", "Note", placeholder="p" * 200)["element"]["placeholder"]["text"].endswith("p…")


def test_a_choice_shows_a_hundred_options_and_its_initial_one() -> None:
    options = [(f"v{number}", f"Label {number} " + "x" * 90) for number in range(150)]
    element = input_select("severity", "Severity", options, initial="v3")["element"]
    assert len(element["options"]) == 100
    assert all(len(option["text"]["text"]) <= 75 for option in element["options"])
    assert element["initial_option"] == element["options"][3]
    assert "initial_option" not in input_select("severity", "Severity", options, initial="v149")["element"]
    with pytest.raises(ValueError, match="no options"):
        input_select("severity", "Severity", [])


def test_people_and_moments_can_be_asked_for() -> None:
    assert input_users("who", "Who", ["U1"])["element"] == {
        "type": "multi_users_select",
        "initial_users": ["U1"],
        "action_id": "value",
    }
    assert input_users("who", "Who", multiple=False)["element"]["type"] == "users_select"
    assert input_datetime("due", "Due", datetime(2026, 3, 2, tzinfo=UTC))["element"] == {
        "type": "datetimepicker",
        "initial_date_time": 1772409600,
        "action_id": "value",
    }


def test_a_modal_fits_whatever_it_is_given() -> None:
    view = modal("halt", "Halt the trading of everything", [text_section("x")] * 120, "Halt everything and everyone")
    assert view["type"] == "modal"
    assert len(view["title"]["text"]) <= 24
    assert len(view["submit"]["text"]) <= 24
    assert len(view["blocks"]) == 100
    assert view["blocks"][-1]["text"]["text"] == "… and 21 more that do not fit here"
    assert "submit" not in modal("show", "Show", [])
    with pytest.raises(ValueError, match="private metadata"):
        modal("halt", "Halt", [], "Halt", "x" * 3001)
