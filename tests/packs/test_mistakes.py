"""Each file in bad/ has one mistake; its first lines say what people must be told about it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.packs.toys import HERE, MINIMAL, pack_with

from warroom.errors import ConfigError
from warroom.packs.loader import load_pack, read_pack
from warroom.packs.problems import Problem, without_consequences

BAD = sorted((HERE / "bad").glob("*.yaml"))


def expected(text: str) -> list[str]:
    marked = [line.removeprefix("# expect ") for line in text.splitlines() if line.startswith("# expect ")]
    return [f"pack.yaml:{line}" for line in marked]


def test_the_small_pack_that_the_others_are_made_from_is_right() -> None:
    assert read_pack(MINIMAL, "pack.yaml")[1] == []


@pytest.mark.parametrize("path", BAD, ids=[path.stem for path in BAD])
def test_a_mistake_is_told_with_its_line_its_place_and_what_to_do(path: Path) -> None:
    text = path.read_text()
    assert expected(text), "the file says what is expected"
    assert [str(problem) for problem in read_pack(pack_with(text), "pack.yaml")[1]] == expected(text)


def test_all_mistakes_are_told_at_once_whatever_their_kind() -> None:
    names = ["bad_channel", "unknown_milestone", "unknown_key", "probe_base", "follow_up_twice"]
    text = pack_with("".join((HERE / "bad" / f"{name}.yaml").read_text() for name in names))
    told = [str(problem).split(": ", 1)[1] for problem in read_pack(text, "pack.yaml")[1]]
    wanted = [e.split(": ", 1)[1] for name in names for e in expected((HERE / "bad" / f"{name}.yaml").read_text())]
    assert sorted(told) == sorted(wanted)


def test_a_mistake_hides_what_is_in_it_and_nothing_that_is_only_called_alike() -> None:
    first = [Problem("a.yaml", 1, "groups.risk", "write a list here")]
    inside, alike = Problem("a.yaml", 1, "groups.risk[0]", "x"), Problem("a.yaml", 2, "groups.risk_managers", "x")
    assert without_consequences(first, [inside, alike]) == [*first, alike]


def test_a_file_with_a_mistake_is_refused_with_the_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    path.write_text(pack_with("title: 15m\n"))
    with pytest.raises(ConfigError) as refused:
        load_pack(path)
    assert refused.value.problems == [
        f"{path}:1: title: write text here; put it in quotes if it looks like a number or a length of time"
    ]


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "\x00", "a: &a [*a]\n", "? [a]\n: b\n", "toy\n"])
def test_what_is_no_pack_at_all_is_refused_in_words(text: str) -> None:
    pack, problems = read_pack(text, "pack.yaml")
    assert pack is None
    assert problems


def test_a_file_that_is_missing_or_not_utf8_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    with pytest.raises(ConfigError, match="cannot be read"):
        load_pack(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_pack(path)


LINES = MINIMAL.splitlines()
WORDS = st.sampled_from(["", "15m", "1", "[]", "{}", "[a]", "{a: b}", "true", "null", '"09:30"', "room", "-1", "1.5"])


@settings(deadline=None)
@given(st.integers(0, len(LINES) - 1), WORDS, st.booleans())
def test_no_edit_of_one_line_crashes_the_reader(index: int, word: str, drop: bool) -> None:
    lines = list(LINES)
    if drop:
        del lines[index]
    else:
        lines[index] = lines[index].split(":")[0] + ": " + word
    pack, problems = read_pack("\n".join(lines), "pack.yaml")
    assert pack is not None or problems
