"""`warroom demo`: the whole story on this machine, without Slack and PagerDuty."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from warroom.demo import play
from warroom.sandbox.stories import SCENARIOS


@pytest.mark.slow
@pytest.mark.row("S9")
async def test_the_demo_tells_its_story_and_leaves_its_files(folder: Path) -> None:
    told = StringIO()
    console = Console(file=told, width=200)
    report = await play(SCENARIOS["market-sentinel-down"], speed=150, out=folder, port=0, stay=False, console=console)
    assert report.missing == []
    rows = [json.loads(line) for line in (folder / "transcript.jsonl").read_text().splitlines()]
    assert {"at", "channel", "author", "text", "ts", "thread_ts"} == set(rows[0])
    for words in ("P0 INCIDENT", "is Incident commander", "CONFIRMED", "P0 update 2", "LATE:", "RESOLVED"):
        assert words in told.getvalue()
    for words in ("P0, resolved: ", "is Incident commander", "CONFIRMED", "P0 update 2", "It was LATE", "RESOLVED"):
        assert any(words in row["text"] for row in rows), words
    assert "## Timeline" in (folder / "postmortem.md").read_text()
    assert json.loads((folder / "incident.json").read_text())["incident"] == "INC-2026-0001"


@pytest.mark.slow
@pytest.mark.row("P3")
@pytest.mark.row("P9")
@pytest.mark.row("P13")
async def test_the_story_of_a_leak_is_complete(folder: Path) -> None:
    told = StringIO()
    console = Console(file=told, width=200)
    report = await play(SCENARIOS["pit-leakage"], speed=150, out=folder, port=0, stay=False, console=console)
    assert report.missing == []
    rows = [json.loads(line) for line in (folder / "transcript.jsonl").read_text().splitlines()]
    for words in (
        "P0 violation, resolved: ",
        "Stop all trading signals: CONFIRMED",
        "P0 for the executives",
        "RESOLVED",
    ):
        assert any(words in row["text"] for row in rows), words


@pytest.mark.slow
@pytest.mark.row("T8")
async def test_the_demo_of_a_data_feed_stall_tells_all_five_stages_of_the_plan(folder: Path) -> None:
    told = StringIO()
    console = Console(file=told, width=200)
    report = await play(SCENARIOS["data-feed-stall"], speed=60, out=folder, port=0, stay=False, console=console)
    assert report.missing == []
    rows = [json.loads(line)["text"] for line in (folder / "transcript.jsonl").read_text().splitlines()]
    for words in ("detected", "Ingestion paused for XNYS", "Backfill initiated", "Data restored and validated"):
        assert any(words in row for row in rows), words


@pytest.mark.slow
@pytest.mark.row("X10")
@pytest.mark.row("X12")
async def test_the_story_of_stuck_orders_is_complete(folder: Path) -> None:
    told = StringIO()
    console = Console(file=told, width=200)
    story = SCENARIOS["order-execution-failure"]
    report = await play(story, speed=150, out=folder, port=0, stay=False, console=console)
    assert report.missing == []
    rows = [json.loads(line) for line in (folder / "transcript.jsonl").read_text().splitlines()]
    for words in ("What to say", "Stop all trading: CONFIRMED", "Resume trading: CONFIRMED", "RESOLVED"):
        assert any(words in row["text"] for row in rows), words


@pytest.mark.slow
@pytest.mark.row("L8")
async def test_the_demo_of_a_storm_of_risk_alerts_is_one_incident_and_two_people_reduce_positions(folder: Path) -> None:
    console = Console(file=StringIO(), width=200)
    report = await play(SCENARIOS["risk-alert-storm"], speed=60, out=folder, port=0, stay=False, console=console)
    assert report.missing == []
    rows = [json.loads(line)["text"] for line in (folder / "transcript.jsonl").read_text().splitlines()]
    assert any("They are one incident" in row for row in rows)
    assert any("Approved: Reduce positions by 50%" in row for row in rows)


@pytest.mark.slow
@pytest.mark.row("L16")
async def test_the_demo_of_a_security_breach_goes_through_its_three_phases(folder: Path) -> None:
    console = Console(file=StringIO(), width=200)
    report = await play(SCENARIOS["security-breach"], speed=100, out=folder, port=0, stay=False, console=console)
    assert report.missing == []
    rows = [json.loads(line)["text"] for line in (folder / "transcript.jsonl").read_text().splitlines()]
    for words in ("Security breach", "Determine the scope of the breach", "Notify authorities if required"):
        assert any(words in row for row in rows), words
