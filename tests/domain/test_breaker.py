"""The breaker and the alert rules, exact at their edges, against a brute-force oracle."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warroom.domain.breaker import Seen, busiest, crowded, detections, rising
from warroom.domain.inputs import Detection
from warroom.domain.procedures import AlertRule, Level
from warroom.domain.violation import Violation
from warroom.packs.loader import shipped

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
POLICY = shipped("pit").violations
assert POLICY is not None
IDS = count(1)
SECONDS = st.lists(st.integers(0, 8000), max_size=70)
EDGES = [("high", 3, 300), ("medium", 10, 900), ("low", 50, 3600)]


def v(second: float, level: Level = "high", feature: str = "alpha") -> Violation:
    at = NOON + timedelta(seconds=second)
    return Violation(id=f"v{next(IDS)}", type="x", level=level, service="s", feature=feature, at=at)


def tripped(found: list[Detection]) -> list[str]:
    return [d.rule for d in found if d.details.get("breaker") == "tripped"]


def look(*new: Violation, old: tuple[Violation, ...] = (), **counts: tuple[int, int]) -> list[Detection]:
    assert POLICY is not None
    return list(detections("pit", POLICY, Seen(new=new, near=(*old, *new), counts=counts)))


@pytest.mark.row("P3")
def test_every_critical_violation_trips_at_once() -> None:
    (found,) = look(v(0, "critical"))
    assert (found.rule, found.severity, found.details["breaker"]) == ("critical", "P0", "tripped")


@pytest.mark.row("P3")
@pytest.mark.parametrize(("level", "many", "seconds"), EDGES)
def test_a_threshold_trips_at_its_edge_and_not_a_moment_beyond(level: Level, many: int, seconds: int) -> None:
    few = [v(0, level) for _ in range(many - 1)]
    assert tripped(look(*few)) == []
    assert tripped(look(v(seconds, level), old=tuple(few))) == [level]
    assert tripped(look(v(seconds + 0.001, level), old=tuple(few))) == []


@pytest.mark.row("P3")
@pytest.mark.parametrize(("level", "many", "seconds"), EDGES)
def test_violations_of_another_level_do_not_count(level: Level, many: int, seconds: int) -> None:
    others: dict[Level, Level] = {"high": "medium", "medium": "low", "low": "medium"}
    old = (*(v(0, level) for _ in range(many - 2)), v(0, others[level]))
    assert level not in tripped(look(v(1, level), old=old))


@pytest.mark.row("P3")
def test_a_late_report_trips_where_it_belongs() -> None:
    early, late = v(0), v(290)
    assert tripped(look(late, old=(early,))) == []
    assert tripped(look(v(100), old=(early, late))) == ["high"]


def test_what_tripped_before_does_not_trip_again_with_an_unrelated_violation() -> None:
    old = (v(0), v(1), v(2))
    assert tripped(look(v(1000), old=old)) == []


@pytest.mark.row("P3")
@given(times=SECONDS, within=st.integers(0, 4000), many=st.integers(1, 12))
def test_crowded_is_what_a_brute_force_look_at_every_window_finds(times: list[int], within: int, many: int) -> None:
    moments = [NOON + timedelta(seconds=t) for t in times]
    expected = set()
    for begin in times:
        inside = [t for t in times if begin <= t <= begin + within]
        if len(inside) >= many:
            expected |= set(inside)
    assert crowded(moments, timedelta(seconds=within), many) == {NOON + timedelta(seconds=t) for t in expected}


@given(times=SECONDS, within=st.integers(0, 4000))
def test_busiest_is_what_a_brute_force_count_finds(times: list[int], within: int) -> None:
    expected = max((sum(b <= t <= b + within for t in times) for b in times), default=0)
    assert busiest([NOON + timedelta(seconds=t) for t in times], timedelta(seconds=within)) == expected


@pytest.mark.row("P3")
@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(["high", "medium"])), max_size=25), st.randoms())
def test_in_whatever_order_reports_arrive_the_breaker_trips_when_a_window_is_full(
    reports: list[tuple[int, Level]], random: st.randoms
) -> None:
    random.shuffle(reports)
    heard: list[Violation] = []
    trips: set[str] = set()
    for second, level in reports:
        heard.append(v(second, level))
        trips |= set(tripped(look(heard[-1], old=tuple(heard[:-1]))))
    for level, many, seconds in EDGES[:2]:
        times = [s for s, of in reports if of == level]
        full = any(sum(t <= s <= t + seconds for s in times) >= many for t in times)
        assert (level in trips) == full


@pytest.mark.row("P11")
def test_any_critical_and_three_high_in_five_minutes_page() -> None:
    assert [d.details["alert"] for d in look(v(0, "critical"))] == ["critical_violations"]
    assert [d.details["alert"] for d in look(v(0))] == ["high_seen"]
    assert [d.details["alert"] for d in look(v(300), old=(v(0), v(1)))] == ["high_violations"]
    assert [d.details["alert"] for d in look(v(301), old=(v(0), v(0)))] == ["high_seen"]


@pytest.mark.row("P11")
@pytest.mark.parametrize(
    ("last", "before", "fires"),
    [(15, 10, True), (14, 10, False), (10, 0, True), (9, 0, False), (9, 6, False), (12, 8, True), (30, 21, False)],
)
def test_fifty_percent_more_than_in_the_hour_before_is_a_trend(last: int, before: int, fires: bool) -> None:
    found = [d for d in look(v(0, "low"), violation_trends=(last, before)) if d.rule == "violation_trends"]
    assert bool(found) == fires
    if found:
        assert (found[0].severity, found[0].details["count"]) == ("P2", last)


def test_a_trend_that_begins_with_nothing_is_told_as_that_and_not_in_percent() -> None:
    (found,) = [d for d in look(v(0, "low"), violation_trends=(12, 0)) if d.rule == "violation_trends"]
    assert found.title == "From none to 12 violations in the last hour"
    assert found.reason == "From none to 12 violations in the last hour; none in the hour before"
    (risen,) = [d for d in look(v(0, "low"), violation_trends=(12, 8)) if d.rule == "violation_trends"]
    assert risen.title == "50% more violations than in the hour before"
    assert risen.reason == "12 violations in the last hour, 50% more than the 8 of the hour before"


@given(last=st.integers(0, 200), before=st.integers(0, 200), rise=st.integers(1, 300), least=st.integers(1, 30))
def test_a_trend_is_a_rise_of_so_many_percent_of_enough(last: int, before: int, rise: int, least: int) -> None:
    rule = AlertRule(id="t", title="t", within=timedelta(hours=1), severity="P2", count=least, rise_pct=rise)
    enough = last >= least
    assert rising(last, before, rule) == (enough and (before == 0 or (last - before) / before * 100 >= rise - 1e-9))


def test_a_detection_names_the_feature_with_most_violations_and_lists_the_others() -> None:
    (found,) = look(v(0, feature="b"), v(1, feature="a"), v(2, feature="b"))
    assert (found.details["feature"], found.details["features"]) == ("b", ["b", "a"])
    assert "in b and 1 more" in found.title
    assert "the circuit breaker tripped" in found.reason
