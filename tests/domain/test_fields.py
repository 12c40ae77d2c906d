"""Fields: read from the alert, defaulted, asked for, set by people; never anything but text."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.play import ANA, ID, PACK, Play, text_of

from warroom.domain import facts as f
from warroom.domain import fields
from warroom.domain.effects import FieldErrors, Form
from warroom.domain.fact_lines import tell
from warroom.domain.procedures import Field
from warroom.domain.views import VIEWS, base

FIELDS = {
    "markets": Field(title="Markets", read=("details.markets", "details.market"), ask=True),
    "range": Field(title="Time range", ask=True, pattern=r"\d\d:\d\d-\d\d:\d\d"),
    "kind": Field(title="Kind of feed", read=("details.kind",), default="stream", choices=("stream", "batch")),
    "lag": Field(title="Lag", read=("details.lag_s",), pattern=r"[0-9.]+"),
}


def a_play(**details: Any) -> Play:
    pack = replace(PACK, pack=replace(PACK.pack, fields=FIELDS))
    play = Play(packs={"lav_adaf": pack})
    play.alert(details=details)
    return play


@pytest.mark.row("T1")
def test_the_alert_fills_the_fields_from_the_first_of_its_paths() -> None:
    play = a_play(market="XLON", markets=["XNYS", "XNAS"], kind="BATCH", lag_s=90.0)
    assert play.incident.fields == {"markets": "XNYS, XNAS", "kind": "batch", "lag": "90"}
    assert "Markets: XNYS, XNAS\nKind of feed: batch\nLag: 90" in play.panel()
    assert play.posts("field_set") == []


def test_a_default_fills_what_the_alert_does_not_say() -> None:
    play = a_play()
    assert play.incident.fields == {"kind": "stream"}
    assert [w.source for w in play.whats(f.FieldSet)] == ["default"]


@pytest.mark.row("T1")
def test_the_room_is_asked_once_for_what_nobody_knows() -> None:
    play = a_play(market="XLON")
    (asked,) = play.seen("fields_request")
    assert "The alert does not tell: Time range." in asked
    play.at(10)
    assert len(play.posts("fields_request")) == 1
    known = a_play(market="XLON")
    known.type("/incident set range 09:30-10:15")
    assert fields.missing(known.incident, known.packs["lav_adaf"]) == ()


def test_a_value_that_the_field_cannot_hold_is_not_taken_and_told() -> None:
    play = a_play(markets="<!channel> *x*", kind="carrier pigeon")
    assert play.incident.fields == {"kind": "stream"}
    told = "\n".join(play.seen("field_refused"))
    assert "Markets could not be taken from the alert. It says “<!channel> *x*”" in told
    assert "Kind of feed is one of stream and batch." in told
    blocks = [play.render(post).parts[0].blocks for post in play.posts("field_refused")]
    assert '"type": "broadcast"' not in str(blocks).replace("'", '"')


@pytest.mark.row("T1")
def test_a_person_sets_a_field_and_the_room_is_told() -> None:
    play = a_play(market="XLON")
    assert "Time range is 09:30-10:15 now" in text_of(play.type("/incident set range 09:30-10:15", ANA))
    assert play.incident.fields["range"] == "09:30-10:15"
    assert "Time range: 09:30-10:15" in play.seen("field_set")[0]
    assert "Time range: 09:30-10:15" in play.panel()
    fact = next(x for x in play.facts[ID] if isinstance(x.what, f.FieldSet) and x.what.field == "range")
    assert (fact.by.name, tell(fact, play.packs["lav_adaf"])) == ("Ana", "Time range: 09:30-10:15")
    assert "was 09:30-10:15 before" in text_of(play.type("/incident set range 09:30-10:15"))
    assert len(play.posts("field_set")) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("rnge 1", "/incident set range VALUE"),
        ("range", "Say what Time range is."),
        ("range yesterday", r"Time range cannot be “yesterday”: it must look like \d\d:\d\d-\d\d:\d\d"),
        ("kind paper", "Kind of feed is one of stream and batch."),
    ],
)
def test_a_mistake_is_a_sentence_with_what_to_type(typed: str, said: str) -> None:
    play = a_play()
    assert said in text_of(play.type(f"/incident set {typed}"))
    assert [w for w in play.whats(f.FieldSet) if w.source == "person"] == []


def test_a_pack_without_fields_says_so() -> None:
    play = Play()
    play.alert()
    assert "asks for no fields" in text_of(play.type("/incident set market XLON"))


def names(form: Any) -> list[str]:
    assert isinstance(form, Form)
    assert (form.name, form.about) == ("fields", ID)
    return [row["name"] for row in form.context["fields"]]  # type: ignore[attr-defined, index]


def test_the_button_asks_for_what_is_unknown_and_the_command_shows_everything() -> None:
    play = a_play(market="XLON")
    assert names(play.click("fields.open")) == ["range"]
    assert names(play.type("/incident set")) == ["markets", "range", "kind", "lag"]
    play.type("/incident set range 09:30-10:15")
    assert names(play.click("fields.open")) == ["markets", "range", "kind", "lag"]


def test_the_form_says_what_is_wrong_by_field_and_takes_what_changed() -> None:
    play = a_play(market="XLON")
    wrong = play.send("fields", markets="XLON", range="now", kind="stream")
    assert isinstance(wrong, FieldErrors)
    assert list(wrong.errors) == ["range"]
    empty = play.send("fields", markets=" ", range="")
    assert isinstance(empty, FieldErrors)
    assert empty.errors == {"markets": "Fill in at least one of these."}
    assert "Written down" in text_of(play.send("fields", markets="XLON, XPAR", range="", kind="stream"))
    assert [w.value for w in play.whats(f.FieldSet) if w.source == "person"] == ["XLON, XPAR"]
    assert "known already" in text_of(play.send("fields", markets="XLON, XPAR"))


def test_messages_can_use_the_fields_by_name_and_as_a_list() -> None:
    play = a_play(market="XLON")
    shown = base(play.incident, play.packs["lav_adaf"], play.now)
    assert shown["about"] == {"markets": "XLON", "range": "", "kind": "stream", "lag": ""}
    assert shown["fields"] == [{"title": "Markets", "value": "XLON"}, {"title": "Kind of feed", "value": "stream"}]
    assert VIEWS["announcement"](play.incident, play.packs["lav_adaf"], play.now, {})["about"] == shown["about"]


AN_INCIDENT = replace(a_play().incident, fields={})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["markets", "market", "kind", "lag_s"]), JSON))
def test_whatever_the_alert_says_a_field_holds_only_what_its_pattern_allows(details: dict[str, Any]) -> None:
    incident = replace(AN_INCIDENT, details=details)
    pack = replace(PACK, pack=replace(PACK.pack, fields=FIELDS))
    for what in fields.settled(incident, pack):
        assert isinstance(what, f.FieldSet)
        assert fields.check(FIELDS[what.field], what.value) == (what.value, "")
