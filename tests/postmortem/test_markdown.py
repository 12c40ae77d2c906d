"""Text from outside can only ever be text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from warroom.postmortem.markdown import clean, inline, link, plain, prose

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKS = "|`*_~[]()<>#!&;\\-+=:@/.$\n\r\u2028 \t1aé"
HOSTILE = st.text(st.one_of(st.sampled_from(MARKS), st.characters()), max_size=60)


def tokens(text: str) -> list[Token]:
    return [t for block in PARSER.parse(text) for t in (block, *(block.children or ()))]


def shown(text: str) -> str:
    return "".join(t.content for t in tokens(text) if t.type in ("text", "code_inline", "text_special"))


@given(HOSTILE)
def test_a_line_of_any_text_is_one_paragraph_that_reads_as_it_was_written(text: str) -> None:
    markdown = inline(text)
    kinds = {t.type for t in tokens(markdown)}
    assert kinds <= {"paragraph_open", "inline", "paragraph_close", "text", "text_special", "code_inline"}
    assert shown(markdown) == " ".join(clean(text).split())


@given(HOSTILE, HOSTILE)
def test_any_text_keeps_a_table_its_rows_and_columns(one: str, other: str) -> None:
    rows = f"| a | b |\n|---|---|\n| {inline(one)} | {inline(other)} |\n| x | y |\n"
    found = [t.type for t in tokens(rows) if t.type in ("tr_open", "th_open", "td_open")]
    assert found == ["tr_open", "th_open", "th_open", "tr_open", "td_open", "td_open", "tr_open", "td_open", "td_open"]


@given(HOSTILE)
def test_a_multi_line_text_becomes_paragraphs_and_flat_lists_only(text: str) -> None:
    allowed = {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "code_inline"}
    allowed |= {"bullet_list_open", "list_item_open", "list_item_close", "bullet_list_close", "softbreak"}
    assert {t.type for t in tokens(prose(text))} <= allowed


@given(HOSTILE)
def test_what_was_escaped_can_be_read_back(text: str) -> None:
    assert plain(inline(text)) == " ".join(clean(text).split())


@pytest.mark.row("S4")
@pytest.mark.parametrize(
    "text", ["@here look", "mail ana@firm.example now", "see https://evil.example/x", "www.evil.example"]
)
def test_addresses_and_names_stand_in_code_where_nothing_links_or_mentions_them(text: str) -> None:
    word = next(w for w in text.split() if "@" in w or "." in w)
    assert f"`{word}`" in inline(text)


@pytest.mark.parametrize(
    "text", ["market_sentinel is down", "P&L is -3 %, 5 of 6 venues (83%)", "INC-2026-0042: halted!"]
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert inline(text) == text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.example/a b", "https://x.example/)[y](z", ""])
def test_only_a_plain_web_address_becomes_a_link(url: str) -> None:
    assert link("14:31", url) == "14:31"


def test_a_list_that_people_typed_stays_a_list() -> None:
    assert prose("- restarted\n2. watched\n\nDone.") == "- restarted\n- watched\n\nDone."
