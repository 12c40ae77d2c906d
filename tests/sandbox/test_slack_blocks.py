"""Block Kit: what Slack refuses, and what a reader sees of what it takes."""

from typing import Any

import pytest

from warroom.sandbox.slack_blocks import check_message_blocks, check_view
from warroom.sandbox.slack_errors import SlackError
from warroom.sandbox.slack_text import date_text, plain

Json = dict[str, Any]


def text(value: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": value}


def button(action_id: str = "a", **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": text("Go"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def rich(*parts: Json) -> Json:
    return {"type": "rich_text", "elements": list(parts)}


def section(*elements: Json, kind: str = "rich_text_section", **more: Any) -> Json:
    return {"type": kind, "elements": list(elements), **more}


def words(value: str, **style: bool) -> Json:
    return {"type": "text", "text": value, **({"style": style} if style else {})}


REFUSED: dict[str, list[Json]] = {
    "51 blocks": [{"type": "divider"}] * 51,
    "a section text of 3001": [{"type": "section", "text": text("x" * 3001, "mrkdwn")}],
    "an empty section text": [{"type": "section", "text": text("", "mrkdwn")}],
    "a header of 151": [{"type": "header", "text": text("x" * 151)}],
    "a header in mrkdwn": [{"type": "header", "text": text("x", "mrkdwn")}],
    "eleven context elements": [{"type": "context", "elements": [text("x")] * 11}],
    "an empty context": [{"type": "context", "elements": []}],
    "26 actions": [actions(*(button(str(n)) for n in range(26)))],
    "a button text of 76": [actions(button(text=text("x" * 76)))],
    "a button value of 2001": [actions(button(value="x" * 2001))],
    "a button of a made-up style": [actions(button(style="warning"))],
    "an action id of 256": [actions(button("x" * 256))],
    "the same action id twice in a block": [actions(button("a"), button("a"))],
    "the same block id twice": [{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}],
    "a block id of 256": [{"type": "divider", "block_id": "x" * 256}],
    "an unknown block": [{"type": "banner"}],
    "an unknown property": [{"type": "divider", "colour": "red"}],
    "an option text of 76": [actions({"type": "static_select", "options": [{"text": text("x" * 76), "value": "v"}]})],
    "an input without a label": [{"type": "input", "element": {"type": "plain_text_input"}}],
    "a button in an input": [{"type": "input", "label": text("L"), "element": button()}],
    "an empty text in rich text": [rich(section(words("")))],
    "an unknown inline element": [rich(section({"type": "mention", "text": "x"}))],
    "a mention in preformatted text": [rich(section({"type": "user", "user_id": "U1"}, kind="rich_text_preformatted"))],
    "a list of no style": [rich(section(section(words("x")), kind="rich_text_list"))],
    "a list whose item is not a section": [rich(section(words("x"), kind="rich_text_list", style="bullet"))],
    "a broadcast to nobody": [rich(section({"type": "broadcast", "range": "all"}))],
    "a made-up text style": [rich(section(words("x", blink=True)))],
    "an image without a description": [{"type": "image", "image_url": "https://example.com/a.png"}],
}


@pytest.mark.parametrize("what", REFUSED)
def test_slack_refuses(what: str) -> None:
    with pytest.raises(SlackError) as caught:
        check_message_blocks(REFUSED[what])
    assert caught.value.code == "invalid_blocks"
    assert caught.value.more["response_metadata"]["messages"][0].startswith("[ERROR] ")


def test_a_refusal_points_at_the_mistake() -> None:
    with pytest.raises(SlackError) as caught:
        check_message_blocks([{"type": "divider"}, {"type": "header", "text": text("x" * 151)}])
    assert caught.value.more["errors"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/1/text/text]"
    ]


def test_limits_are_inclusive() -> None:
    largest = [{"type": "section", "text": text("x" * 3000, "mrkdwn")}] * 48
    check_message_blocks([*largest, {"type": "header", "text": text("x" * 150)}, actions(button(value="x" * 2000))])


def modal(**more: Any) -> Json:
    field = {"type": "input", "block_id": "reason", "label": text("Reason")}
    field["element"] = {"type": "plain_text_input", "action_id": "value"}
    base = {"type": "modal", "title": text("Halt"), "submit": text("Halt"), "blocks": [field]}
    return {**base, **more}


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": text("x" * 25)},
        {"submit": text("x" * 25)},
        {"close": text("x" * 25)},
        {"submit": None},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"blocks": [{"type": "divider"}] * 101},
        {"type": "dialog"},
    ],
)
def test_slack_refuses_a_modal(wrong: Json) -> None:
    check_view(modal())
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view(modal(**wrong))


def test_plain_text_reads_as_the_message_looks() -> None:
    blocks = [
        {"type": "header", "text": text("P0 incident")},
        rich(
            section(words("Since "), {"type": "date", "timestamp": 1792416660, "format": "{time}"}),
            section(section(words("one", bold=True)), section(words("two")), kind="rich_text_list", style="bullet"),
            section(section(words("first")), kind="rich_text_list", style="ordered", indent=1),
            section(words("said"), kind="rich_text_quote"),
            section(words("$ ping"), kind="rich_text_preformatted"),
            section({"type": "link", "url": "https://example.com", "text": "runbook"}),
        ),
        {"type": "divider"},
        {"type": "section", "text": text("Hi <@U1>, see <https://example.com|this> &amp; that", "mrkdwn")},
        {"type": "context", "elements": [text("a"), text("b")]},
        actions(button(), button("b", text=text("Take command"))),
    ]
    check_message_blocks(blocks)
    assert plain(blocks, {"U1": "Ana"}.__getitem__).splitlines() == [
        "P0 incident",
        "Since 13:31 UTC",
        "• one",
        "• two",
        "  1. first",
        "> said",
        "    $ ping",
        "runbook (https://example.com)",
        "———",
        "Hi @Ana, see this (https://example.com) & that",
        "a b",
        "[Go] [Take command]",
    ]


def test_dates_follow_slacks_tokens_in_utc() -> None:
    assert date_text(1792416660, "{date_short} at {time}") == "Oct 19, 2026 at 13:31 UTC"
    assert date_text(1792416660, "{date_num} {time_secs}") == "2026-10-19 13:31:00 UTC"
