"""Loading templates: found by name, checked as a whole, rendered with plain values only."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.rendering.support import assert_slack_accepts, problems, write

from warroom.rendering import (
    Catalog,
    MessageErrors,
    MissingFieldsError,
    RenderError,
    UnknownMessageError,
    notice,
)
from warroom.rendering.emoji import picture

MESSAGES = Path(__file__).parent / "messages"
AT = datetime(2026, 3, 2, 14, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load(MESSAGES)


def test_a_pack_comes_before_common(catalog: Catalog) -> None:
    assert catalog.names() == {"announcement", "resolution"}
    assert catalog.packs() == {"eafix"}
    assert catalog.fields("announcement", "eafix") == {"title"}
    assert "severity" in catalog.fields("announcement")
    assert "severity" in catalog.fields("announcement", "lav_adaf")
    assert catalog.about("resolution") == "The last word, with the figures."
    assert catalog.render("announcement", {"title": "x"}, pack="eafix", now=AT).summary == "eafix: x"


def test_a_p0_announcement_reads_as_intended(catalog: Catalog) -> None:
    message = catalog.render(
        "announcement",
        {
            "severity": "P0",
            "title": "Market Sentinel down",
            "service": "market sentinel",
            "declared_at": AT,
            "commander": "U0AA1",
            "responders": ["U0AA1", "U0AA2"],
            "impact": None,
            "pagerduty_url": "https://pd.example/i/1",
            "room_url": "https://slack.example/r",
            "symptoms": ["no ticks", "lag 9000"],
            "age": 151,
            "not_a_field": object(),
        },
        now=AT,
        button_value="inc-2026-0042",
    )
    assert_slack_accepts(message)
    (part,) = message.parts
    assert [block["type"] for block in part.blocks] == ["header", "rich_text", "actions", "context"]
    assert part.text == ":rotating_light: P0 Market Sentinel down, declared 14:31 UTC"
    assert message.summary == "🚨 P0 Market Sentinel down, declared 14:31 UTC"
    assert [button["action_id"] for button in part.blocks[2]["elements"]] == [
        "incident.ack",
        "incident.take",
        "halt.ask",
        "open.1",
    ]
    assert message.plain == (
        "🚨 P0: Market Sentinel down\n"
        "===========================\n\n"
        "@channel market sentinel is affected since 2026-03-02 14:31 UTC, for 2 m 31 s.\n"
        "Impact: not known yet\n"
        "Incident commander: @Ana\n"
        "Responders: @U0AA1 and @U0AA2\n\n"
        "- no ticks\n"
        "- lag 9000\n\n"
        "Details are in PagerDuty (https://pd.example/i/1) and the runbook (https://runbooks.example/p0).\n\n"
        "Open room: https://slack.example/r\n\n"
        "The next update follows within 15 minutes, first word 2026-03-02 14:31 UTC."
    )


def test_a_resolution_is_complete_in_mail_and_terminal(catalog: Catalog) -> None:
    message = catalog.render(
        "resolution",
        {
            "title": "A & B",
            "seconds": 3900,
            "resolved_at": AT,
            "pnl": -1234.5,
            "commander": "U0AA1",
            "commander_name": "Ana",
            "rows": [{"name": "acknowledge", "limit": 300, "taken": 151}],
            "log": "a < b\n  c",
            "quote": "first\nsecond",
            "room": "C0AA1",
            "due": None,
        },
        now=AT,
    )
    assert_slack_accepts(message)
    assert message.html == (
        "<h2>✅ Resolved: A &amp; B</h2>\n"
        "<p>@Ana closed this on Mon 2 Mar 2026 at 14:31 UTC.<br>\n"
        "P&amp;L during the incident: <strong>-1,234.50 USD</strong>. The room is #inc-2026-0042.</p>\n"
        "<blockquote><p>first<br>\nsecond</p></blockquote>\n"
        '<table><thead><tr><th align="left">clock</th><th align="right">limit</th><th align="right">taken</th>'
        '</tr></thead><tbody><tr><td align="left">acknowledge</td><td align="right">5 m</td>'
        '<td align="right">2 m 31 s</td></tr></tbody></table>\n'
        "<ol><li>Follow-ups are due on a day not set yet<ul><li>nested, <code>A &amp; B</code></li></ul></li>"
        "<li>Done</li></ol>\n<hr>\n<pre>a &lt; b\n  c</pre>"
    )
    assert message.plain == (
        "✅ Resolved: A & B\n"
        "==================\n\n"
        "@Ana closed this on Mon 2 Mar 2026 at 14:31 UTC.\n"
        "P&L during the incident: -1,234.50 USD. The room is #inc-2026-0042.\n\n"
        "> first\n> second\n\n"
        "clock        limit     taken\n"
        "-----------  -----  --------\n"
        "acknowledge    5 m  2 m 31 s\n\n"
        "1. Follow-ups are due on a day not set yet\n   - nested, A & B\n2. Done\n\n"
        + "-" * 40
        + "\n\n    a < b\n      c"
    )


def test_an_unknown_message_names_the_nearest_one(catalog: Catalog) -> None:
    with pytest.raises(UnknownMessageError, match="did you mean 'announcement'"):
        catalog.render("anouncement", {}, now=AT)


def test_missing_fields_are_named(catalog: Catalog) -> None:
    with pytest.raises(MissingFieldsError, match=r"'announcement' needs the field\(s\) title"):
        catalog.render("announcement", {}, pack="eafix", now=AT)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), r"title is a object"),
        ({"a": [1, {2}]}, r"title\.a\[1\] is a set"),
        ({1: 2}, r"title has the key 1"),
        (datetime(2026, 3, 2), r"title is a datetime without a time zone"),  # noqa: DTZ001
    ],
)
def test_values_that_are_not_plain_are_refused_by_name(catalog: Catalog, value: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        catalog.render("announcement", {"title": value}, pack="eafix", now=AT)


def test_a_template_that_fails_on_its_values_says_where(tmp_path: Path) -> None:
    write(tmp_path, "fine\n\n{% if true %}\n{{ alert.missing }}\n{% endif %}\n", "alert")
    with pytest.raises(RenderError, match=r"sample\.md:8: .*has no attribute 'missing'"):
        Catalog.load(tmp_path).render("sample", {"alert": {}}, now=AT)


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("x\n{{ a.upper() }}", 6, "calls are not allowed"),
        ("{{ 'x' * 9 }}{{ a }}", 5, "only + and -"),
        ("{{ a ** 9 }}", 5, "only + and -"),
        ("{{ '%s' % a }}", 5, "only + and -"),
        ("{{ a }}\n{% include 'x' %}", 6, "include is not allowed"),
        ("{{ a }}\n{% extends 'x' %}", 6, "extends is not allowed"),
        ("{{ a }}\n{% import 'x' as y %}", 6, "import is not allowed"),
        ("{{ a }}{% macro m() %}{% endmacro %}", 5, "macro is not allowed"),
        ("{% set x %}y{% endset %}{{ a }}", 5, "{% set %} takes a single expression"),
        ("{% filter upper %}{{ a }}{% endfilter %}", 5, "not on a block"),
        ("{{ {'a': a} }}", 5, "dictionaries cannot be written"),
        ("{{ a.__class__ }}", 5, "underscore"),
        ("{{ a['_x'] }}", 5, "underscore"),
        ("{% for x in a %}{{ loop.cycle }}{% endfor %}", 5, "there is no loop.cycle"),
        ("{% for x in a %}{{ loop }}{% endfor %}", 5, "only its counters"),
        ("{% for x in a recursive %}{{ x }}{% endfor %}", 5, "recursive"),
        ("{{ a | mentoin }}", 5, "did you mean 'mention'?"),
        ("{{ a | clip }}", 5, "missing a required argument"),
        ("{{ a | clip(3, 4) }}", 5, "too many positional"),
        ("{{ a }}{{ 'all' | broadcast }}", 5, "one of here, channel, everyone"),
        ("{{ a | map('x') }}", 5, "with the name of a filter"),
        ("{{ a | mention ~ '!' }}", 5, "into plain text"),
        ("{% if a is callable %}x{% endif %}", 5, "there is no test 'callable'"),
        ("x\n\n{{ a }", 7, "Jinja: unexpected '}'"),
        ("x\n{% if a %}", 6, "Jinja: Unexpected end of template"),
        ("{{ a }}\n\n<div>\nx\n</div>", 7, "HTML is not shown"),
        ("{{ a }}\nx <b>y</b>", 6, "HTML is not shown"),
        ("{{ a }}\n\n#### x", 7, "use # or ##"),
        ("{{ a }} ![x](y)", 5, "pictures are not shown"),
        ("{{ a }} [x](ftp://y)", 5, "write an http(s) address"),
        ("{{ a }} [x](action:y)", 5, "paragraph of their own"),
        ('{{ a }} [x](https://y.example "z")', 5, "only buttons take a title"),
        ("{{ a }}\n\n[x](action:Y!)", 7, "write small letters"),
        ('{{ a }}\n\n[x](action:y "blue")', 7, "button title 'blue'"),
        ("# {{ a | mention }}", 5, "headings hold text only"),
        ("{% if a %}\nx\n{% elif a == 1 %}\n#### y\n{% else %}\nz\n{% endif %}", 8, "use # or ##"),
        ("{% if a %}\nx\n{% if a == 1 %}\ny\n{% else %}\n\n<p>\n{% endif %}\n{% endif %}", 11, "HTML"),
        ("{% for x in a %}\n{{ x }}\n{% else %}\n<p>\n{% endfor %}", 8, "HTML"),
        ("x {{ a }} \ue000", 5, "private-use"),
        ("{{ aa }}{{ a }}", 5, "'aa' is not in fields; did you mean 'a'?"),
        ("x", 3, "field 'a' is never used"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(tmp_path: Path, body: str, line: int, words: str) -> None:
    found = problems(write(tmp_path, body, "a"))
    assert [(number, text) for number, text in found if number == line and words in text], found


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# no front matter", 1, "begin the file with front matter"),
        ("---\nsummary: x\n", 1, "begin the file with front matter"),
        ("---\n- x\n---\n", 2, "must hold the keys"),
        ("---\nfields: []\n---\n", 1, "summary: is missing"),
        ("---\nsummary: x\n---\n", 1, "fields: is missing"),
        ("---\nsummary: x\nfields: []\nabuot: y\n---\n", 4, "did you mean 'about'?"),
        ("---\nsummary: x\nfields: []\nsummary: y\n---\n", 4, "there twice"),
        ("---\nsummary: x\nfields: title\n---\n", 3, "must be a list"),
        ("---\nsummary: x\nfields: [Title]\n---\n", 3, "not a field name"),
        ("---\nsummary: x\nfields: [a, a]\n---\n{{ a }}", 3, "listed twice"),
        ("---\nabout: x\nsummary: {{ a }}\nfields: [a]\n---\n", 3, "put quotes around it"),
        ('---\nsummary: "x\nfields: []\n---\n', 4, "not YAML"),
        ('---\nfields: [a]\nsummary: "{{ a() }}"\n---\n', 3, "calls are not allowed"),
        ('---\nfields: [a]\nsummary: "{{ b }}"\n---\n{{ a }}', 3, "'b' is not in fields"),
    ],
)
def test_front_matter_is_strict(tmp_path: Path, text: str, line: int, words: str) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "sample.md").write_text(text)
    found = problems(tmp_path)
    assert [(number, said) for number, said in found if number == line and words in said], found


def test_a_filter_that_is_not_there_hides_no_unknown_field(tmp_path: Path) -> None:
    found = problems(write(tmp_path, "{{ a | nofilter }}\n{{ nope }}", "a"))
    assert [(line, text.partition(";")[0]) for line, text in found] == [
        (5, "there is no filter 'nofilter'"),
        (6, "'nope' is not in fields"),
    ]


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "{{ a }}\n\n#### x\n\n<p>", "a", name="one")
    write(tmp_path, "{{ b }}", "", name="two", folder="eafix")
    write(tmp_path, "x", "", name="Three")
    write(tmp_path, "x", "", folder="eafix/deeper")
    (tmp_path / "root.md").write_text("x")
    (tmp_path / "README.md").write_text("not a message")
    (tmp_path / "common" / "latin.md").write_bytes(b"\xe9")
    with pytest.raises(MessageErrors) as caught:
        Catalog.load(tmp_path)
    told = [(str(p.path.relative_to(tmp_path)), p.line) for p in caught.value.problems]
    assert sorted(told) == [
        ("common/Three.md", 1),
        ("common/latin.md", 1),
        ("common/one.md", 7),
        ("common/one.md", 9),
        ("eafix/deeper/sample.md", 1),
        ("eafix/two.md", 5),
        ("root.md", 1),
    ]
    assert "one.md:7: use # or ##" in str(caught.value)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MessageErrors, match="there is no such folder"):
        Catalog.load(tmp_path / "nowhere")


def test_a_notice_needs_no_template() -> None:
    message = notice("<!channel> could not be\nrendered \u202e")
    assert_slack_accepts(message)
    assert message.parts[0].text == "&lt;!channel&gt; could not be rendered"
    assert message.plain == "<!channel> could not be\nrendered"


def test_every_emoji_of_our_messages_and_packs_has_a_picture_outside_slack() -> None:
    root = Path(__file__).parents[2]
    texts = [p.read_text() for p in (*root.glob("messages/*/*.md"), *root.glob("src/warroom/packs/*/pack.yaml"))]
    used = {name for text in texts for name in re.findall(r":([a-z][a-z0-9_+-]+):(?![\w/])", text)}
    assert len(used) > 20
    assert {name for name in used if picture(name) == f":{name}:"} == set()
