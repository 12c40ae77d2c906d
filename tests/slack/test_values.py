"""Plain values on their way out."""

from datetime import UTC, datetime
from types import MappingProxyType

from warroom.slack.values import clip, escape, revive

NOON = datetime(2026, 10, 19, 12, tzinfo=UTC)


def test_moments_are_revived_wherever_they_stand() -> None:
    stored = MappingProxyType({"a": {"utc": "2026-10-19T14:00:00+02:00"}, "b": ({"utc": NOON.isoformat()}, 1)})
    assert revive(stored) == {"a": NOON, "b": [NOON, 1]}


def test_what_only_looks_like_a_moment_stays_what_it_is() -> None:
    for value in ({"utc": "noon"}, {"utc": 3}, {"utc": NOON.isoformat(), "x": 1}, {"utc": "2026-10-19T12:00:00"}):
        assert revive(value) == value


def test_escaped_text_can_neither_mention_nor_link() -> None:
    assert escape("<!channel> & <http://x|y>") == "&lt;!channel&gt; &amp; &lt;http://x|y&gt;"


def test_clipped_text_says_that_it_is() -> None:
    assert clip("abcdef", 4) == "abc…"
    assert clip("abcd", 4) == "abcd"
