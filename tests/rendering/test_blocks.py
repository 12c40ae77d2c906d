"""Markdown → Slack blocks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rendering.support import NOW, assert_slack_accepts, blocks, elements, leaves, rendered, texts

from warroom.rendering.document import Date, Mention, Text
from warroom.rendering.markdown import read
from warroom.rendering.message import build
from warroom.rendering.resolve import resolve
from warroom.rendering.slots import Slots


def test_a_heading_is_a_header_of_at_most_150_characters(tmp_path: Path) -> None:
    (header,) = blocks(tmp_path, "# {{ title }}\n", title="x" * 200)
    assert header["type"] == "header"
    assert header["text"] == {"type": "plain_text", "text": "x" * 149 + "…", "emoji": False}


def test_a_heading_without_text_is_left_out(tmp_path: Path) -> None:
    assert [block["type"] for block in blocks(tmp_path, "# {{ title }}\n\nx\n", title=" ")] == ["rich_text"]


def test_inline_markdown_becomes_styles(tmp_path: Path) -> None:
    found = elements(tmp_path, "a **b *c*** ~~d~~ `e *f*` :warning:\nsecond\n")
    assert found == [
        {"type": "text", "text": "a "},
        {"type": "text", "text": "b ", "style": {"bold": True}},
        {"type": "text", "text": "c", "style": {"bold": True, "italic": True}},
        {"type": "text", "text": " "},
        {"type": "text", "text": "d", "style": {"strike": True}},
        {"type": "text", "text": " "},
        {"type": "text", "text": "e *f*", "style": {"code": True}},
        {"type": "text", "text": " "},
        {"type": "emoji", "name": "warning"},
        {"type": "text", "text": "\nsecond"},
    ]


def test_a_time_of_day_is_not_an_emoji(tmp_path: Path) -> None:
    assert elements(tmp_path, "at 12:30:45 or 12:ab:45\n") == [{"type": "text", "text": "at 12:30:45 or 12:ab:45"}]


def test_a_third_level_heading_is_a_bold_line(tmp_path: Path) -> None:
    assert elements(tmp_path, "### {{ a }} b\n", a="x") == [{"type": "text", "text": "x b", "style": {"bold": True}}]


def test_paragraphs_share_a_section_with_a_blank_line_between_them(tmp_path: Path) -> None:
    assert elements(tmp_path, "one\n\ntwo\n\n**three**\n") == [
        {"type": "text", "text": "one"},
        {"type": "text", "text": "\n\ntwo"},
        {"type": "text", "text": "\n\n"},
        {"type": "text", "text": "three", "style": {"bold": True}},
    ]


def test_links_keep_their_address_and_values_in_an_address_are_encoded(tmp_path: Path) -> None:
    body = "[a **b**](https://x.example/?a=1&b=2) [c](https://x.example/{{ id }}) [d]({{ url }}) [e]({{ bad }})\n"
    found = elements(tmp_path, body, id="a/b c", url="https://y.example/p", bad="javascript:alert(1)")
    assert [element for element in found if element["type"] == "link"] == [
        {"type": "link", "url": "https://x.example/?a=1&b=2", "text": "a b"},
        {"type": "link", "url": "https://x.example/a%2Fb%20c", "text": "c"},
        {"type": "link", "url": "https://y.example/p", "text": "d"},
    ]
    assert found[-1] == {"type": "text", "text": " e"}


def test_lists_nest_by_indent_and_ordered_ones_go_on_counting(tmp_path: Path) -> None:
    (block,) = blocks(tmp_path, "3. a\n   - b\n   - c\n4. d\n\n   more\n")
    found = [
        (
            each["style"],
            each["indent"],
            each.get("offset"),
            [[e["text"] for e in i["elements"]] for i in each["elements"]],
        )
        for each in block["elements"]
    ]
    assert found == [
        ("ordered", 0, 2, [["a"]]),
        ("bullet", 1, None, [["b"], ["c"]]),
        ("ordered", 0, 3, [["d\nmore"]]),
    ]


def test_a_fence_in_a_list_item_stands_between_the_items(tmp_path: Path) -> None:
    (block,) = blocks(tmp_path, "1. run\n\n   ```\n   ls -l\n   ```\n2. read\n")
    assert [element["type"] for element in block["elements"]] == [
        "rich_text_list",
        "rich_text_preformatted",
        "rich_text_list",
    ]
    assert block["elements"][2]["offset"] == 1


def test_a_quote_holds_its_lines_and_lists(tmp_path: Path) -> None:
    (block,) = blocks(tmp_path, "> one\n> two\n>\n> - a\n> - b\n")
    (quote,) = block["elements"]
    assert quote["type"] == "rich_text_quote"
    assert "".join(element["text"] for element in quote["elements"]) == "one\ntwo\n\n• a\n• b"


def test_a_table_is_aligned_text_whatever_is_in_it(tmp_path: Path) -> None:
    body = "| what | sum |\n|---|--:|\n{% for row in rows %}\n| {{ row.a }} | {{ row.b }} |\n{% endfor %}\n"
    rows = [{"a": "日本|x", "b": 7}, {"a": "e\u0301\nf", "b": 1234}]
    (block,) = blocks(tmp_path, body, rows=rows)
    (pre,) = block["elements"]
    assert pre["type"] == "rich_text_preformatted"
    assert pre["elements"][0]["text"].split("\n") == [
        "what     sum",
        "------  ----",
        "日本|x     7",
        "e\u0301 f     1234",
    ]


def test_a_divider_stands_alone_even_right_below_a_line(tmp_path: Path) -> None:
    assert [block["type"] for block in blocks(tmp_path, "a\n---\nb\n")] == ["rich_text", "divider", "rich_text"]


def test_buttons_take_style_value_and_address_from_the_template(tmp_path: Path) -> None:
    body = (
        '[Acknowledge](action:incident.ack "primary")\n[Halt {{ what }}](action:halt.ask "danger value={{ id }}")\n'
        "[Open room](open:{{ url }}) [Broken](open:{{ bad }}) [:eyes: Watch](action:watch.{{ id }})\n"
    )
    (actions,) = blocks(tmp_path, body, what="*all*", id="a b", url="https://x.example/r", bad="ftp://x")
    assert actions["type"] == "actions"
    made = [
        (b["text"]["text"], b["action_id"], b.get("style"), b.get("value"), b.get("url")) for b in actions["elements"]
    ]
    assert made == [
        ("Acknowledge", "incident.ack", "primary", "inc-1", None),
        ("Halt *all*", "halt.ask", "danger", "a b", None),
        ("Open room", "open.1", None, "inc-1", "https://x.example/r"),
        (":eyes: Watch", "watch.a b", None, "inc-1", None),
    ]
    assert [b["text"]["emoji"] for b in actions["elements"]] == [False, False, False, True]


def test_the_same_action_twice_goes_into_a_row_of_its_own(tmp_path: Path) -> None:
    body = '{% for step in steps %}\n[{{ step }}](action:step.done "value={{ step }}")\n{% endfor %}\n'
    rows = blocks(tmp_path, body, steps=["a", "b"])
    assert [[button["value"] for button in row["elements"]] for row in rows] == [["a"], ["b"]]


def test_buttons_that_all_lack_an_address_leave_no_empty_row(tmp_path: Path) -> None:
    assert [b["type"] for b in blocks(tmp_path, "x\n\n[Open](open:{{ url }})\n", url=None)] == ["rich_text"]


def test_small_print_is_plain_text_unless_it_needs_more(tmp_path: Path) -> None:
    plain, mixed = blocks(
        tmp_path,
        "###### {{ a }} *b* :eyes:\n\n###### by {{ user | mention }}: {{ a }} &c.\n",
        a="_x_ <!here>",
        user="U0AA1",
    )
    assert plain["elements"] == [
        {"type": "plain_text", "text": "_x_ <!here> b :eyes:", "emoji": True},
    ]
    assert mixed["elements"] == [
        {"type": "plain_text", "text": "by", "emoji": False},
        {"type": "mrkdwn", "text": "<@U0AA1>", "verbatim": True},
        {"type": "plain_text", "text": ": _x_ <!here> &c.", "emoji": False},
    ]


def test_small_print_with_too_many_pieces_is_plain_text(tmp_path: Path) -> None:
    body = "###### " + "{{ a }} {{ user | mention }} " * 8 + "\n"
    (context,) = blocks(tmp_path, body, a="x", user="U0AA1")
    assert [element["type"] for element in context["elements"]] == ["plain_text"]


def test_long_text_is_split_and_nothing_is_lost(tmp_path: Path) -> None:
    value = " ".join(f"word{number}" for number in range(3000))
    message = rendered(tmp_path, "# t\n\n{{ value }}\n\n[Go](action:go)\n\n###### small\n", value=value)
    assert_slack_accepts(message)
    rich = [block for part in message.parts for block in part.blocks if block["type"] == "rich_text"]
    assert "".join(leaf["text"] for block in rich for leaf in leaves(block)) == value
    assert len(message.parts) > 1
    assert [block["type"] for block in message.parts[0].blocks][-2:] == ["actions", "context"]
    assert [part.text for part in message.parts] == [
        "a summary",
        *(f"a summary ({number}/{len(message.parts)})" for number in range(2, len(message.parts) + 1)),
    ]


def test_a_long_log_is_split_into_fences_of_whole_lines(tmp_path: Path) -> None:
    log = "\n".join(f"line {number}" for number in range(1000))
    message = rendered(tmp_path, "```\n{{ log }}\n```\n", log=log)
    assert_slack_accepts(message)
    pieces = [leaf["text"] for part in message.parts for block in part.blocks for leaf in leaves(block)]
    assert len(pieces) > 3
    assert "\n".join(pieces) == log


def test_a_long_list_item_goes_on_below_its_bullet(tmp_path: Path) -> None:
    message = rendered(tmp_path, "1. {{ value }}\n2. next\n", value="x" * 7000)
    assert_slack_accepts(message)
    kinds = [element["type"] for block in message.parts[0].blocks for element in block["elements"]]
    assert kinds == ["rich_text_list", "rich_text_section", "rich_text_section", "rich_text_list"]
    assert texts(message) == "x" * 7000 + "next"


def test_more_than_fifty_blocks_become_several_parts(tmp_path: Path) -> None:
    body = "{% for item in items %}\n## {{ item }}\n\ntext\n\n{% endfor %}\n[Go](action:go)\n"
    message = rendered(tmp_path, body, items=[f"h{number}" for number in range(60)])
    assert_slack_accepts(message)
    assert [len(part.blocks) for part in message.parts] == [50, 50, 21]
    assert message.parts[0].blocks[-1]["type"] == "actions"


def test_buttons_between_other_blocks_keep_their_place_when_a_message_is_split(tmp_path: Path) -> None:
    body = "{% for item in items %}\n## {{ item }}\n\n[Done](action:done)\n\n{% endfor %}\nend\n"
    message = rendered(tmp_path, body, items=[f"h{number}" for number in range(40)])
    kinds = [block["type"] for part in message.parts for block in part.blocks]
    assert kinds == ["header", "actions"] * 40 + ["rich_text"]


def test_a_list_of_very_many_items_is_split(tmp_path: Path) -> None:
    message = rendered(tmp_path, "{% for i in items %}\n1. {{ i }}\n{% endfor %}\n", items=["x"] * 1000)
    assert_slack_accepts(message)
    lists = [element for part in message.parts for block in part.blocks for element in block["elements"]]
    assert sum(len(each["elements"]) for each in lists) == 1000
    assert [each.get("offset", 0) for each in lists] == [250 * number for number in range(4)]


PIECES = (
    *("# ", "###### ", "- ", "  - ", "1. ", "> ", "---", "```", "|a|b|", "|-|-:|", "\n", "\n\n", "    ", " "),
    *("*", "**", "_", "~~", "`", "[", "](", ")", "action:x", "open:", "https://x.example", '"primary"', "<b>"),
    *("![", ":eyes:", "word", "\\", "&amp;", "\ue0000\ue001", "\ue0001\ue001", "\ue0002\ue001", "\ue0003\ue001"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@settings(max_examples=200, deadline=None)
def test_whatever_a_template_comes_to_slack_accepts_it(markdown: str) -> None:
    slots = Slots()
    for value in ("", Text("a\n*b*"), Mention("user", "U0AA1"), Date(datetime(2026, 3, 2, tzinfo=UTC), NOW)):
        slots.add(value)
    message = build(resolve(read(markdown).document, slots), (Text("summary"),), "inc-1")
    if message.parts[0].blocks:
        assert_slack_accepts(message)
    assert isinstance(message.html, str)
    assert isinstance(message.plain, str)
