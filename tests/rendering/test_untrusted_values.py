"""Text that comes from an alert can neither mention, link nor format (row S4)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.rendering.support import assert_slack_accepts, shape, texts, write

from warroom.rendering import Catalog, Message
from warroom.rendering.values import clean, one_line

AT = datetime(2026, 3, 2, 14, 31, tzinfo=UTC)
BODY = """
# :warning: {{ value }}

{{ value }} begins, *leans {{ value }}*, **{{ value }}**, `{{ value }}`, [{{ value }}](https://example.org) ends.
{{ value }}

- {{ value }}
  - {{ value }}
- {{ at | when }} {{ value }}

1. {{ value }}

> {{ value }}

| head | {{ value }} |
|------|------------:|
| cell | {{ value }} |

```
{{ value }}
```

[{{ value }}](action:incident.ack "value={{ value }}")
[{{ value }}](open:{{ value }})

###### {{ value }} small

###### {{ value }} {{ at | when }}
"""
NASTY = [
    "<!channel>",
    "<!here|x> <!everyone>",
    "<@U0AAAA1> <#C0AAAA1> <!subteam^S0AAAA1>",
    "*b* _i_ ~s~ **b** `c` ~~~",
    "[x](http://evil.example)",
    "[x](action:halt.confirm)",
    "<http://evil.example|PagerDuty>",
    "# h",
    "a\n# h\n\n- x\n1. y\n> q\n---\n| a | b |\n|---|---|\n```\n",
    "a\n\n    code\n\n```\n~~~",
    "\ue0000\ue001",
    "\ue0001\ue001 \ue000999\ue001",
    "\u202egnp.exe\u2066",
    ":skull: :rotating_light:",
    "<b>bold</b><script>alert(1)</script>&amp;&lt;",
    "{{ 7 - 7 }} {% if x %}",
    "\\*b\\* \\",
    "\x1b[31mred\x07",
    "-",
    "1.",
    "![x](y)",
    "a|b||c",
    "a\r\nb\u2028c\x0bd",
    "\ud800",
    '" value=x "',
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root: Path = tmp_path_factory.mktemp("messages")
    (root / "common").mkdir()
    front = '---\nsummary: "P0 {{ value }}"\nfields: [value, at]\n---\n'
    (root / "common" / "sample.md").write_text(front + BODY, encoding="utf-8")
    return Catalog.load(root)


def _render(catalog: Catalog, value: str) -> Message:
    return catalog.render("sample", {"value": value, "at": AT}, now=AT, button_value="inc-1")


def _tags(fragment: str) -> list[tuple[str, str, list[tuple[str, str | None]]]]:
    found: list[tuple[str, str, list[tuple[str, str | None]]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag != "br":
                found.append(("open", tag, attrs))

        def handle_endtag(self, tag: str) -> None:
            found.append(("close", tag, []))

    Reader().feed(fragment)
    return found


def _with_examples(test: Callable[..., None]) -> Callable[..., None]:
    for value in NASTY:
        test = example(value)(test)
    return test


# Mostly from the characters that mean something to Slack, Markdown, Jinja or HTML.
VALUES = st.text(max_size=40) | st.text(alphabet="*_~`<>@!#&|[]()-+=:\"'\\\n\t {}%1.aU\ue000\ue001\u202e", max_size=40)


@pytest.mark.row("S4")
@_with_examples
@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_any_value_is_only_ever_text(catalog: Catalog, value: str) -> None:
    cleaned = clean(value)
    assume(cleaned.strip())
    assume(not re.match(r"\s*https?://", cleaned))  # an address is allowed to be a button's address
    harmless = _render(catalog, "harmless")
    message = _render(catalog, value)
    assert_slack_accepts(message)

    wanted, got = shape(harmless.parts[0].blocks), shape(message.parts[0].blocks)
    for blocks in (wanted, got):  # the value of the button is the value itself
        assert blocks[2]["elements"][0].pop("value")
    assert got == wanted

    said = texts(message)
    assert said.count(cleaned) >= 9
    header = message.parts[0].blocks[0]["text"]["text"]
    assert header.replace("\N{WORD JOINER}", "") == f":warning: {one_line(cleaned)}".replace("\N{WORD JOINER}", "")
    assert _tags(message.html) == _tags(harmless.html)
    assert html.escape(cleaned) in message.html


@pytest.mark.row("S4")
@_with_examples
@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_the_fallback_text_holds_the_value_escaped_and_no_markup(catalog: Catalog, value: str) -> None:
    message = _render(catalog, value)
    text = message.parts[0].text
    assert "<" not in text
    assert ">" not in text
    unescaped = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert unescaped == re.sub(r"\s+", " ", f"P0 {clean(value)}").strip()


@pytest.mark.row("S4")
def test_an_emoji_name_in_a_title_is_not_a_picture(catalog: Catalog) -> None:
    header = _render(catalog, "db:skull:down").parts[0].blocks[0]["text"]
    assert header["emoji"] is True
    assert header["text"] == ":warning: db:\N{WORD JOINER}skull:down"


@pytest.mark.row("S4")
def test_a_newline_in_a_value_stays_in_its_place(tmp_path: Path) -> None:
    root = write(tmp_path, "- {{ value }}\n- next\n", "value")
    message = Catalog.load(root).render("sample", {"value": "one\n- two"}, now=AT)
    (block,) = message.parts[0].blocks
    items = block["elements"][0]["elements"]
    assert [item["elements"] for item in items] == [
        [{"type": "text", "text": "one\n- two"}],
        [{"type": "text", "text": "next"}],
    ]
    assert message.plain == "- one\n  - two\n- next"
    assert message.html == "<ul><li>one<br>\n- two</li><li>next</li></ul>"


@pytest.mark.row("S4")
def test_invisible_and_control_characters_are_taken_out(tmp_path: Path) -> None:
    root = write(tmp_path, "{{ value }}\n", "value")
    message = Catalog.load(root).render("sample", {"value": "a\u202eb\u200bc\x1b[0m\ue000d\U000e0041\ud800"}, now=AT)
    assert message.plain == "abc[0md"
    message.plain.encode()
