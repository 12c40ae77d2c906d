"""The filters that templates use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.rendering.support import blocks, elements, rendered, write

from warroom.rendering import Catalog

AT = datetime(2026, 3, 2, 14, 31, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "value", "element"),
    [
        ("v | mention", "U0AA1", {"type": "user", "user_id": "U0AA1"}),
        ("v | mention", "W0AA1", {"type": "user", "user_id": "W0AA1"}),
        ("v | channel", "C0AA1", {"type": "channel", "channel_id": "C0AA1"}),
        ("v | usergroup", "S0AA1", {"type": "usergroup", "usergroup_id": "S0AA1"}),
        ("v | broadcast", "here", {"type": "broadcast", "range": "here"}),
        ("v | mention", "here", {"type": "text", "text": "here"}),
        ("v | mention", "U0AA1> <!channel", {"type": "text", "text": "U0AA1> <!channel"}),
        ("v | mention", "U0AA1\n", {"type": "text", "text": "U0AA1\n"}),
        ("v | channel", "U0AA1", {"type": "text", "text": "U0AA1"}),
        ("v | usergroup", "C0AA1", {"type": "text", "text": "C0AA1"}),
        ("v | broadcast", "all", {"type": "text", "text": "all"}),
        ("v | link('PD')", "https://x.example/a", {"type": "link", "url": "https://x.example/a", "text": "PD"}),
        ("v | link", "http://x.example", {"type": "link", "url": "http://x.example", "text": "http://x.example"}),
        ("v | link('PD')", "javascript:alert(1)", {"type": "text", "text": "javascript:alert(1)"}),
        ("v | link('PD')", "https://x.example/|<!here>", {"type": "text", "text": "https://x.example/|<!here>"}),
        ("v | mention", None, {"type": "text", "text": "—"}),
        ("v | when", "soon", {"type": "text", "text": "soon"}),
    ],
)
def test_ids_and_addresses_are_checked_before_they_mean_anything(
    tmp_path: Path, expression: str, value: Any, element: dict[str, Any]
) -> None:
    assert elements(tmp_path, f"{{{{ {expression} }}}}\n", v=value) == [element]


def test_a_constant_in_the_template_can_be_a_broadcast(tmp_path: Path) -> None:
    assert elements(tmp_path, '{{ "channel" | broadcast }}\n') == [{"type": "broadcast", "range": "channel"}]


@pytest.mark.parametrize(
    ("expression", "value", "text"),
    [
        ("v | duration", 0, "0 s"),
        ("v | duration", 45, "45 s"),
        ("v | duration", 120, "2 m"),
        ("v | duration", 151, "2 m 31 s"),
        ("v | duration", 151.9, "2 m 31 s"),
        ("v | duration", 3900, "1 h 5 m"),
        ("v | duration", 3605, "1 h"),
        ("v | duration", 273_600, "3 d 4 h"),
        ("v | duration", -151, "-2 m 31 s"),
        ("v | duration", -0.5, "0 s"),
        ("v | duration", float("nan"), "nan"),
        ("v | duration", None, "—"),
        ("v | clock", AT, "14:31 UTC"),
        ("v | clock", AT.astimezone(timezone(timedelta(hours=9))), "14:31 UTC"),
        ("v | day", AT, "Mon 2 Mar 2026"),
        ("v | number", 1234567, "1,234,567"),
        ("v | number", 1234567.5, "1,234,567.5"),
        ("v | number(2)", -10_000, "-10,000.00"),
        ("v | number", "many", "many"),
        ("v | and_list", ["a"], "a"),
        ("v | and_list", ["a", "b", "c"], "a, b and c"),
        ("v | and_list | otherwise('nobody')", [], "nobody"),
        ("v | join(' / ')", ["a", 2], "a / 2"),
        ("v | map(attribute='id') | join", [{"id": "x"}, {"id": "y"}], "x, y"),
        ("v | plain_title", "  a\n  b ", "a b"),
        ("v | clip(5)", "abcdefgh", "abcd…"),
        ("v | clip(8)", "abcdefgh", "abcdefgh"),
        ("v | otherwise('not known yet')", None, "not known yet"),
        ("v | otherwise('not known yet')", "", "not known yet"),
        ("v | otherwise('not known yet')", 0, "0"),
        ("v.missing | otherwise('not known yet')", {}, "not known yet"),
        ("v.missing | mention | otherwise('nobody')", {}, "nobody"),
        ("v.missing | default('x')", {}, "x"),
        ("v | when | otherwise('not set')", None, "not set"),
        ("v | upper", "a<b", "A<B"),
        ("v | lower", "A", "a"),
        ("v | length", [1, 2], "2"),
        ("v | first", ["a", "b"], "a"),
        ("v | last", ["a", "b"], "b"),
        ("v.items", {"items": 3}, "3"),
        ("v[0]", ["a"], "a"),
        ("v", None, "—"),
        ("v", True, "yes"),
        ("v | counted('reading')", 1, "1 reading"),
        ("v | counted('other person')", 1, "1 other person"),
        ("v | counted('other person')", 2, "2 other people"),
        ("v | counted('gate')", 0, "0 gates"),
        ("v | clock", "2026-03-02T15:31:05.858872+01:00", "14:31 UTC"),
        ("v | clock", "2026-13-02T14:31:05Z", "2026-13-02T14:31:05Z"),
        ("v | clock", "about noon", "about noon"),
        ("v", 12.0, "12"),
        ("v", ["a", None], "a, —"),
        ("v", {"a": 1}, "a: 1"),
        ("v", AT, "2026-03-02 14:31 UTC"),
    ],
)
def test_values_read_well(tmp_path: Path, expression: str, value: Any, text: str) -> None:
    assert rendered(tmp_path, f"{{{{ {expression} }}}}\n", v=value).plain == text


def test_a_moment_is_shown_in_utc_and_in_the_zone_of_the_reader(tmp_path: Path) -> None:
    assert elements(tmp_path, "at {{ at | when }}\n", at=AT) == [
        {"type": "text", "text": "at 14:31 UTC ("},
        {
            "type": "date",
            "timestamp": int(AT.timestamp()),
            "format": "{time}",
            "fallback": "2026-03-02 14:31 UTC",
        },
        {"type": "text", "text": ")"},
    ]


@pytest.mark.parametrize("now", [datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)])
def test_a_moment_of_the_same_utc_day_is_a_time(tmp_path: Path, now: datetime) -> None:
    assert elements(tmp_path, "at {{ at | clock }}\n", now, at=AT) == [{"type": "text", "text": "at 14:31 UTC"}]


@pytest.mark.parametrize("now", [datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)])
def test_a_moment_of_another_utc_day_names_its_day_in_every_zone(tmp_path: Path, now: datetime) -> None:
    moment, local = "Mon 2 Mar 2026, 14:31 UTC", "{date_short} at {time}"
    header, section, small = blocks(
        tmp_path, "# {{ at | clock }}\n\n{{ at | when }} {{ at | clock }}\n\n###### {{ at | when }}\n", now, at=AT
    )
    assert header["text"]["text"] == moment
    before, date, after = section["elements"][0]["elements"]
    assert (before["text"], date["format"], after["text"]) == (f"{moment} (", local, f") {moment}")
    slack = f"<!date^{int(AT.timestamp())}^{local}^2026-03-02 14:31 UTC>"
    assert small["elements"] == [{"type": "mrkdwn", "text": f"{moment} ({slack})", "verbatim": True}]


def test_the_notification_names_another_day_as_the_blocks_do(tmp_path: Path) -> None:
    write(tmp_path, "x\n")
    path = tmp_path / "common" / "sample.md"
    path.write_text("---\nsummary: 'due {{ at | clock }}, {{ at | when }}'\nfields: [at]\n---\nx\n")
    catalog = Catalog.load(tmp_path)
    slack = f"<!date^{int(AT.timestamp())}^{{date_short}} at {{time}}^2026-03-02 14:31 UTC>"
    (part,) = catalog.render("sample", {"at": AT}, now=AT + timedelta(days=1)).parts
    assert part.text == f"due Mon 2 Mar 2026, 14:31 UTC, Mon 2 Mar 2026, 14:31 UTC ({slack})"


def test_a_list_of_mentions_mentions_everybody(tmp_path: Path) -> None:
    found = elements(tmp_path, "**{{ v | map('mention') | and_list }}**\n", v=["U0AA1", "U0AA2", "Ana"])
    assert [element["type"] for element in found] == ["user", "text", "user", "text"]
    assert found[0]["style"] == {"bold": True}
    assert found[-1]["text"] == " and Ana"


def test_a_mention_in_code_is_text(tmp_path: Path) -> None:
    assert elements(tmp_path, "`{{ v | mention }}`\n", v="U0AA1") == [
        {"type": "text", "text": "@U0AA1", "style": {"code": True}}
    ]


def test_the_summary_can_mention_date_and_link(tmp_path: Path) -> None:
    folder = tmp_path / "common"
    folder.mkdir()
    (folder / "sample.md").write_text(
        "---\n"
        "summary: \"{{ 'here' | broadcast }} {{ who | mention }} {{ at | when }} {{ url | link(title) }}"
        " {{ room | channel }} {{ team | usergroup('on-call') }}\"\n"
        "fields: [who, at, url, title, room, team]\n---\nx\n"
    )
    context = {"who": "U0AA1", "at": AT, "url": "https://x.example/?a&b", "title": "<PD>", "room": "C0AA1"}
    message = Catalog.load(tmp_path).render("sample", context | {"team": "S0AA1"}, now=AT)
    moment = f"<!date^{int(AT.timestamp())}^{{time}}^2026-03-02 14:31 UTC>"
    assert message.parts[0].text == (
        f"<!here> <@U0AA1> 14:31 UTC ({moment}) <https://x.example/?a&amp;b|&lt;PD&gt;> <#C0AA1> <!subteam^S0AA1>"
    )
    assert message.summary == ("@here @U0AA1 2026-03-02 14:31 UTC <PD> (https://x.example/?a&b) #C0AA1 @on-call")
