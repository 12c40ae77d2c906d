"""What is written is read back as it was, and always as the same characters."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.domain.effects import FieldErrors, Form, Reply
from warroom.domain.facts import NoteAdded, What
from warroom.domain.inputs import Body
from warroom.store import codec

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
moments = st.integers(0, 2**52).map(lambda us: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    origin, args = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{f.name: values(hints[f.name]) for f in fields(hint)})
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, args))
    if origin is tuple:
        return st.lists(values(args[0]), max_size=2).map(tuple)
    if origin is frozenset:
        return st.frozensets(values(args[0]), max_size=3)
    if origin is Mapping:
        return st.dictionaries(words, values(args[1]), max_size=2)
    simple = {str: words, bool: st.booleans(), int: st.integers(0, 99), datetime: moments, object: plain}
    return simple.get(hint, st.none())


@pytest.mark.parametrize("cls", get_args(What))
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_fact_comes_back_as_it_was(cls: type, data: st.DataObject) -> None:
    fact = data.draw(values(cls))
    stored = codec.text(fact)
    assert codec.fact_body(cls.__name__, stored) == fact
    assert codec.text(codec.fact_body(cls.__name__, stored)) == stored


@pytest.mark.parametrize("cls", get_args(Body))
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_an_input_comes_back_as_it_was(cls: type, data: st.DataObject) -> None:
    body = data.draw(values(cls))
    assert codec.input_body(cls.__name__, codec.text(body)) == body


@pytest.mark.parametrize("answer", [None, Reply("m", {"a": 1}), Form("f", "INC", {}), FieldErrors({"a": "no"})])
def test_an_answer_comes_back_as_it_was(answer: Any) -> None:
    assert codec.answer(codec.answer_text(answer)) == answer


def test_the_text_does_not_depend_on_order_or_time_zone() -> None:
    at = datetime(2026, 3, 2, 15, 30, tzinfo=timezone(timedelta(hours=1)))
    assert codec.text({"b": at, "a": {2, 1}}) == '{"a":[1,2],"b":"2026-03-02T14:30:00Z"}'


def test_characters_that_no_database_takes_are_replaced() -> None:
    stored = codec.text(NoteAdded(text="half \ud800 and nil \0"))
    assert codec.fact_body("NoteAdded", stored) == NoteAdded(text="half ? and nil \0")
    assert "\0" not in stored
    assert codec.clean("a\0b\ud800") == "ab?"


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        codec.text({"a": value})
