"""Violation reports through the whole product: signed, stored once, weighed, and what follows for people."""

import hashlib
import hmac
import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.world import World, a_world

from warroom.sandbox.pit_reporter import signed


@pytest.fixture
async def pit(folder: Path) -> AsyncIterator[World]:
    """The point-in-time platform with its bot, actions live."""
    async with a_world(folder, packs=["pit"]) as world:
        yield world


def stored(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM violation")[0][0])


@pytest.mark.row("P1")
async def test_a_signed_critical_violation_is_a_p0_with_room_page_and_announcement(pit: World) -> None:
    answer = await pit.reports(pit.violation())
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "duplicates": 0})
    told = pit.saw("pit-incidents", "P0 VIOLATION", "momentum_20d")
    assert "Critical violation: future information leakage in momentum_20d" in told
    assert "the circuit breaker tripped" in told
    (paged,) = pit.sandbox.pagerduty.incidents.values()
    assert "momentum_20d" in paged.title
    assert pit.rows("SELECT count(*) FROM incident WHERE pagerduty_id IS NOT NULL")[0][0] == 1


@pytest.mark.row("P1")
@pytest.mark.parametrize(
    ("kind", "severity"),
    [("regulatory_violation", "P0"), ("contract_violation", "P1"), ("arrival_delay", "P2")],
)
async def test_the_type_of_a_violation_decides_its_level(pit: World, kind: str, severity: str) -> None:
    await pit.reports(pit.violation(type=kind))
    pit.saw("pit-incidents", f"{severity} VIOLATION")


@pytest.mark.row("P2")
@pytest.mark.row("P3")
async def test_low_violations_are_logged_and_nothing_else_until_there_are_fifty_in_an_hour(pit: World) -> None:
    hours = [(pit.clock.now() - timedelta(minutes=m)).isoformat() for m in (0, 61)]
    low = [pit.violation(f"low-{n}", type="documentation_gap", detected_at=hours[n % 2]) for n in range(98)]
    assert (await pit.reports(*low)).json()["accepted"] == 98
    assert (stored(pit), pit.rooms, pit.stored()["incident"]) == (98, [], 0)
    metrics = (await pit.asks("/metrics")).text
    assert 'warroom_violations_total{fate="new",level="low",pack="pit"} 98.0' in metrics
    await pit.reports(pit.violation("low-98", type="monitoring_alert"))
    pit.saw("pit-incidents", "P1 VIOLATION", "50 low violations", "the circuit breaker tripped")


@pytest.mark.row("P3")
async def test_violations_reported_one_by_one_trip_the_breaker_when_the_window_is_full(pit: World) -> None:
    await pit.reports(pit.violation("h-1", type="contract_violation"))
    await pit.at("2:30")
    await pit.reports(pit.violation("h-2", type="contract_violation"))
    assert pit.count(pit.room, "circuit breaker has tripped") == 0
    await pit.at("5:00")
    await pit.reports(pit.violation("h-3", type="contract_violation"))
    assert len(pit.rooms) == 1
    pit.saw(pit.room, "More violations", "3 high violations", "The circuit breaker has tripped")


@pytest.mark.row("P11")
async def test_three_high_violations_page_the_engineering_team_and_one_does_not(pit: World) -> None:
    await pit.reports(pit.violation("h-1", type="contract_violation"))
    await pit.at("0:30")
    assert "Lukas Weber" not in pit.paged()
    await pit.reports(*(pit.violation(f"h-{n}", type="contract_violation") for n in (2, 3)))
    await pit.at("1:00")
    assert {"Raj Patel", "Mei Tanaka"} <= set(pit.paged("0:30"))


@pytest.mark.row("P11")
async def test_a_rise_of_half_within_an_hour_pages_the_data_platform_team(pit: World) -> None:
    before = (pit.clock.now() - timedelta(minutes=90)).isoformat()
    old = [pit.violation(f"old-{n}", type="documentation_gap", detected_at=before) for n in range(10)]
    await pit.reports(*old)
    await pit.reports(*(pit.violation(f"new-{n}", type="documentation_gap") for n in range(14)))
    assert pit.rooms == []
    await pit.reports(pit.violation("new-14", type="documentation_gap"))
    told = pit.saw("pit-incidents", "P2 VIOLATION", "50% more violations than in the hour before")
    assert "15 violations in the last hour, 50% more than the 10 of the hour before" in told
    assert {"Lukas Weber", "Mei Tanaka"} <= set(pit.paged())
    await pit.at("29:59")
    assert "Raj Patel" not in pit.paged()
    await pit.at("30:00")
    assert "Raj Patel" in pit.paged("30:00")


async def test_the_same_violation_counts_once_however_often_it_is_reported(pit: World) -> None:
    for _ in range(3):
        answer = await pit.reports(pit.violation())
    assert answer.json() == {"accepted": 0, "duplicates": 1}
    assert (stored(pit), len(pit.rooms)) == (1, 1)


async def test_one_cause_in_many_features_is_one_room(pit: World) -> None:
    await pit.reports(*(pit.violation(f"v-{n}", feature=f"feature_{n}") for n in range(5)))
    await pit.at("3:00")
    await pit.reports(pit.violation("v-9", feature="feature_9"))
    assert len(pit.rooms) == 1
    pit.saw(pit.room, "More violations", "feature_9")


async def test_a_violation_after_the_incident_is_resolved_opens_another(pit: World) -> None:
    await pit.reports(pit.violation("v-1"))
    await pit.at("3:00")
    await pit.types("raj", pit.rooms[0], "/incident resolve")
    await pit.fills("raj", summary="Fixed", root_cause="A window", actions_taken="Fixed")
    await pit.at("4:00")
    await pit.reports(pit.violation("v-2"))
    assert len(pit.rooms) == 2


async def test_what_was_written_and_not_weighed_is_weighed_after_a_restart(pit: World) -> None:
    await pit.stops()
    connection = sqlite3.connect(pit.folder / "warroom.db")
    at = pit.clock.now().isoformat(sep=" ").removesuffix("+00:00")
    connection.execute(
        "INSERT INTO violation (pack, id, type, level, service, feature, at, received, description, more)"
        " VALUES ('pit', 'v-1', 'trading_decision_impact', 'critical', 's', 'alpha', ?, ?, '', '{}')",
        (at, at),
    )
    connection.commit()
    connection.close()
    await pit.starts()
    pit.saw("pit-incidents", "P0 VIOLATION", "alpha")
    await pit.restarts(minutes=1)
    assert len(pit.rooms) == 1


@pytest.mark.parametrize("secrets", [("wrong",), ("",)])
async def test_a_report_with_another_signature_is_refused(pit: World, secrets: tuple[str, ...]) -> None:
    body, headers = signed(pit.sandbox, [pit.violation()], *secrets)
    answer = await pit.sends("/violations", body, headers)
    assert answer.status_code == 401
    assert "compare WARROOM_VIOLATION_SECRET" in answer.json()["error"]
    assert stored(pit) == 0


async def test_while_the_secret_is_rotated_either_one_opens(pit: World) -> None:
    body, headers = signed(pit.sandbox, [pit.violation()], "next", pit.sandbox.secrets["violation_secret"])
    assert (await pit.sends("/violations", body, headers)).status_code == 200


async def test_without_a_secret_reports_are_not_taken(folder: Path) -> None:
    async with a_world(folder, packs=["pit"], change=lambda e: e.pop("WARROOM_VIOLATION_SECRET")) as world:
        answer = await world.reports(world.violation())
        assert answer.status_code == 403
        assert "set WARROOM_VIOLATION_SECRET" in answer.json()["error"]


async def test_a_pack_without_violations_takes_no_reports(folder: Path) -> None:
    async with a_world(folder) as world:
        answer = await world.reports(world.violation())
        assert answer.status_code == 404
        assert "No pack in use takes violation reports" in answer.json()["error"]


async def test_every_mistake_of_a_report_is_named_and_nothing_is_stored(pit: World) -> None:
    good: dict[str, Any] = pit.violation("good")
    answer = await pit.reports(
        good,
        pit.violation("b1", type="future_information_leakag"),
        pit.violation("b2", type="unheard_of", level="grave"),
        pit.violation("", detected_at="2026-11-17T14:31:00", feature=7),
        pit.violation("b4", detected_at=(pit.clock.now() + timedelta(minutes=6)).isoformat()),
        "no object",  # type: ignore[arg-type]
        pit.violation("b6", detected_at="0001-01-01T00:00:00+00:00"),
    )
    assert answer.status_code == 400
    said = answer.json()
    assert "6 of 7 violations are wrong" in said["error"]
    assert "Nothing was stored" in said["error"]
    wrong = {w["index"]: " ".join(w["problems"]) for w in said["violations"]}
    assert "did you mean future_information_leakage?" in wrong[1]
    assert "critical, high, medium, low" in wrong[2]
    assert "id is missing" in wrong[3]
    assert "feature is missing" in wrong[3]
    assert "with its offset" in wrong[3]
    assert "in the future" in wrong[4]
    assert wrong[5] == "a violation is an object"
    assert "ten years back" in wrong[6]
    assert stored(pit) == 0


async def test_a_type_of_its_own_is_taken_with_a_level(pit: World) -> None:
    await pit.reports(pit.violation(type="clock_skew", level="medium", region="eu"))
    pit.saw("pit-incidents", "P2 VIOLATION", "clock skew")
    assert json.loads(pit.rows("SELECT more FROM violation")[0][0]) == {"level": "medium", "region": "eu"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"violations": []}', b'{"violations": 7}', b"NaN"])
async def test_what_is_no_report_is_refused_with_a_sentence(pit: World, body: bytes) -> None:
    _, headers = signed(pit.sandbox, [])
    secret = pit.sandbox.secrets["violation_secret"].encode()
    headers["X-Warroom-Signature"] = "v1=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    answer = await pit.sends("/violations", body, headers)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(("A violation report", "No pack"))


async def test_a_report_over_a_megabyte_is_refused(pit: World) -> None:
    body, headers = signed(pit.sandbox, [pit.violation(description="x" * 1_100_000)])
    assert (await pit.sends("/violations", body, headers)).status_code == 413
    body, headers = signed(pit.sandbox, [{"id": str(n)} for n in range(5_001)])
    answer = await pit.sends("/violations", body, headers)
    assert (answer.status_code, "at most 5,000" in answer.json()["error"]) == (413, True)
