"""The P0 story: an alert in market hours, from PagerDuty's webhook to the post-mortem."""

import pytest
from tests.acceptance.world import DOWN, World

from warroom.platform.evidence import check
from warroom.sandbox import NotOnScreenError
from warroom.sandbox.people import person


@pytest.mark.row("L4")
@pytest.mark.row("L7")
@pytest.mark.row("L12")
async def test_an_alert_is_announced_to_everybody_and_its_room_is_ready_at_once(world: World) -> None:
    # 0:00 the monitoring raises the alert
    await world.alert()

    first = next(s for s in world.seen if s["kind"] == "message")
    assert (first["channel"], first["pings"]) == ("war-room", ["channel"])
    for field in (
        "P0 INCIDENT: Market regime feed down",
        "@channel Immediate attention required.",
        "Impact: The market regime is not being updated",
        "Incident: INC-2026-0001 · P0 CRITICAL · investigating",
        "Started: 14:31 UTC",
        "Systems affected: Market Sentinel, Kafka topic market-regime and Redis",
        "Why P0: a critical service is down while the market is open",
        "Immediate actions taken\n• Nobody has acknowledged it yet",
        "Incident commander: nobody yet",
        "War room: opening now",
        "Trading desk: treat quotes and fills",
        "[Acknowledge] [Take command] [Halt trading]",
        "Status updates every 15 m until resolved, the next by 14:46 UTC",
        f"Alert: {DOWN}",
    ):
        assert field in first["text"]
    # edited with the room's link, without calling everybody again
    assert f"War room: #{world.room.name}" in world.said("war-room")[0]
    assert world.announcement.pings == []

    assert world.room.name == "inc-2026-0001-market-sentinel-down-no-regime-updates"
    assert world.room.topic["value"] == f"P0 · investigating · No commander yet · {DOWN}"
    assert [b["link"] for b in world.room.bookmarks] == ["https://sandbox-trading.pagerduty.com/incidents/Q00000002"]
    invited = {"ana", "mei", "raj", "lukas", "rita", "clara"}
    assert {person(m).key for m in world.room.members if m != "U0WARROOM1"} == invited
    for line in ("P0 investigating: Market regime feed down", "Acknowledge", "Engage the circuit breakers", "14:33"):
        assert line in world.panel
    playbook = world.saw(world.room, "Playbook: Market Sentinel down")
    for part in ("Symptoms", "Diagnosis", "1. Quick restart", "3. Fall back to a manual regime", "to prevent it"):
        assert part in playbook

    # PagerDuty calls all on call, the risk manager and the CTO, which is SMS and phone there
    everybody = {"Ana Souza", "Mei Tanaka", "Raj Patel", "Lukas Weber", "Rita Okafor", "Clara Jensen"}
    assert set(world.paged()) == everybody
    assert all(name in world.saw(world.room, "PagerDuty is calling") for name in everybody)
    assert ":white_check_mark: Alert the war room · warroom · done 14:31 UTC (sent)" in world.panel


@pytest.mark.row("L1")
async def test_the_severity_comes_from_the_details_of_the_alert_which_its_webhook_leaves_out(world: World) -> None:
    await world.alert("Orders are failing", details={"trading_down_minutes": 6})
    assert "Why P0: the trading system is completely down for more than 5 minutes" in world.said("war-room")[0]
    assert [c.method.endswith("/alerts") for c in world.sandbox.journal.of("pagerduty")].count(True) == 1


@pytest.mark.row("S3")
async def test_the_first_alert_of_what_is_a_p0_already_waits_for_no_answer_of_pagerduty(world: World) -> None:
    await world.alert(details={"ping": "no answer"})
    assert "P0 INCIDENT" in world.said("war-room")[0]
    assert [c.method.endswith("/alerts") for c in world.sandbox.journal.of("pagerduty")].count(True) == 0
    await world.alert("Orders are slow", "lav-adaf-database", details={"degradation_pct": 60})
    assert "P1 incident" in world.said("war-room")[1]
    await world.alert("A disk fills up", "lav-adaf-database", urgency="low")
    assert "P3 incident" in world.said("war-room")[2]


async def test_a_click_acknowledges_in_pagerduty_on_behalf_of_the_clicker(world: World) -> None:
    incident = await world.alert()
    await world.at("0:40")
    answer = await world.clicks("mei", "Acknowledge", "war-room")
    assert "You acknowledged it" in answer.text
    assert incident.status == "acknowledged"
    assert [who for who, _ in incident.acknowledgers] == [person("mei").pagerduty_id]
    # said once, although PagerDuty tells it back
    assert "@Mei Tanaka acknowledged at 14:31 UTC." in world.saw(world.room, "acknowledged at")
    assert "Acknowledged after 40 s" in world.said("war-room")[0]
    with pytest.raises(NotOnScreenError):  # done is done: the button is gone everywhere
        world.button("ana", "Acknowledge")
    again = await world.types("ana", world.room, "/incident ack")
    assert "was acknowledged already" in again.text
    assert world.count(world.room, "acknowledged at") == 1
    assert len(incident.acknowledgers) == 1


async def test_an_acknowledgement_in_pagerduty_shows_in_slack(world: World) -> None:
    incident = await world.alert()
    await world.at("1:00")
    world.sandbox.pagerduty.acknowledge(incident, "PUSRRAJ")
    await world.settles()
    assert "Raj Patel acknowledged at 14:32 UTC in PagerDuty." in world.saw(world.room, "acknowledged at")
    assert "[Acknowledge]" not in world.panel
    await world.at("6:00")
    assert world.count(world.room, "SLA missed") == 0


@pytest.mark.row("L2")
@pytest.mark.row("L6")
async def test_the_protocol_asks_escalates_and_calls_at_the_minutes_of_the_document(world: World) -> None:
    incident = await world.alert()
    await world.clicks("ana", "Acknowledge", "war-room")

    await world.at("1:59")
    assert world.count(world.room, "Engage the circuit breakers") == 1  # the panel
    await world.at("2:00")
    world.saw(world.room, ":point_right:", "Engage the circuit breakers (Risk manager), due by 14:36 UTC")

    await world.at("4:59")
    assert world.count(world.room, "LATE") == 0
    await world.at("5:00")
    late = world.saw(world.room, "LATE: Engage the circuit breakers")
    assert "Escalated to: the risk managers and the CTO" in late
    assert world.count("risk-alerts", "LATE: Engage the circuit breakers") == 1
    # the risk managers and the CTO are called; the level stays, as raising it would undo the acknowledgement
    assert set(world.paged("5:00")) == {"Rita Okafor", "Clara Jensen"}
    assert (incident.level, incident.status) == (1, "acknowledged")
    # the evidence of 5 to 10 minutes is collected by itself
    world.saw(world.room, "Diagnostics: evidence", "Incident snapshot", "Trading halted")
    assert "snapshot/metrics.json" in world.file("step-p0_evidence.txt")
    assert check(world.attachment("step-p0_evidence.zip")) == []  # sealed: every hash of its manifest holds
    assert ":white_check_mark: Preserve the evidence · warroom · done 14:36 UTC" in world.panel
    assert ":red_circle: Engage the circuit breakers · Risk manager · LATE, was due 14:36 UTC" in world.panel

    skipped = await world.types("rita", world.room, "/incident step skip p0_circuit_breakers Exposure is flat")
    assert "is skipped" in skipped.text
    assert "skipped: Exposure is flat" in world.panel

    await world.at("10:00")
    world.saw(world.room, ":point_right:", "Assign the incident commander (Technical lead), due by 14:46 UTC")
    brief = world.saw("executive-emergency", "P0 brief: Market regime feed down")
    assert "Incident commander: not assigned yet" in brief
    await world.at("15:00")
    for channel in (world.room, "lav-adaf-engineering", "executive-emergency"):
        assert world.count(channel, "LATE: Assign the incident commander") == 1
    assert {"Raj Patel", "Mei Tanaka"} <= set(world.paged("15:00"))

    taken = await world.clicks("raj", "Take command", "war-room")
    assert "@Raj Patel is Incident commander" in taken.text
    assert ":white_check_mark: Assign the incident commander · Technical lead · done 14:46 UTC, late" in world.panel
    assert "Commander: Raj Patel" in world.room.topic["value"]
    assert "Incident commander: @Raj Patel" in world.said("war-room")[0]


@pytest.mark.row("L2")
@pytest.mark.row("L5")
async def test_a_halt_in_time_finishes_the_circuit_breaker_step(world: World) -> None:
    await world.alert()
    await world.at("3:00")
    await world.types("rita", world.room, "/halt all Signals are stale")
    await world.clicks("rita", "Halt trading now")
    assert "Engage the circuit breakers · Risk manager · done 14:34 UTC (halt-all confirmed)" in world.panel
    await world.at("6:00")
    assert world.count(world.room, "LATE") == 0
    assert world.count("risk-alerts", "LATE") == 0


@pytest.mark.row("L7")
async def test_diagnostics_come_as_a_table_and_the_raw_answers_as_a_file(world: World) -> None:
    world.sandbox.platform.switch("sentinel_down", True)
    await world.alert()
    await world.at("3:00")
    answer = await world.types("ana", world.room, "/diagnostics")
    assert "Taking 6 readings (market sentinel down)" in answer.text
    table = world.saw(world.room, "Diagnostics: market sentinel down")
    assert "not healthy. Asked for by @Ana Souza" in table
    assert "Redis answers PING" in table
    raw = world.file(".txt")
    assert "Heap" in raw or "heap" in raw
    assert "=== Redis answers PING (ok)\n+PONG" in raw
    world.sandbox.platform.switch("sentinel_down", False)
    await world.clicks("mei", "Run again", world.room)
    assert "ok (changed)" in world.said(world.room)[-2]


@pytest.mark.row("L12")
async def test_updates_go_out_every_fifteen_minutes_and_a_missed_one_says_so(world: World) -> None:
    await world.alert()
    await world.clicks("raj", "Take command", "war-room")
    await world.at("11:59")
    assert world.count(world.room, "next update is due") == 0
    await world.at("12:00")
    asked = world.saw(world.room, "The next update is due by 14:46 UTC.")
    assert "@Raj Patel, what should the desk know?" in asked
    await world.at("14:00")
    await world.clicks("raj", "Write update", world.room)
    await world.fills(
        "raj",
        status="identified",
        summary="Release 4.12 leaks memory.",
        next_steps="Roll back to 4.11.",
        eta="20 minutes",
        impact="No orders on stale signals.",
    )
    update = world.saw("war-room", "P0 update 1")
    assert update == world.saw(world.room, "P0 update 1")
    for field in (
        "Time: 14:45 UTC",
        "Status: identified",
        "Progress: Release 4.12 leaks memory.",
        "Next steps\n• Roll back to 4.11.\n• ETA: 20 minutes",
        "Impact: No orders on stale signals.",
        "@Raj Patel",
        "next update by 15:00 UTC",
    ):
        assert field in update
    assert "Impact: No orders on stale signals." in world.said("war-room")[0]

    await world.at("28:59")
    assert world.count("war-room", "P0 update") == 1
    assert world.count(world.room, "The next update is due by 15:00 UTC.") == 1
    await world.at("29:00")
    missed = world.saw("war-room", "P0 update 2")
    assert "nothing new was reported since 14:45 UTC.\n• Last word, 14:45 UTC: Release 4.12 leaks memory." in missed
    assert "ETA (said 14:45 UTC): 20 minutes" in missed
    assert "written by warroom: nobody answered the request for this update" in missed
    await world.at("44:00")
    assert world.count("war-room", "P0 update") == 3


@pytest.mark.row("L12")
@pytest.mark.row("L14")
async def test_resolving_tells_everybody_resolves_in_pagerduty_and_leaves_a_post_mortem(world: World) -> None:
    incident = await world.alert()
    await world.clicks("raj", "Take command", "war-room")
    await world.at("3:00")
    await world.says("ana", world.room, "Heap out of memory in the feed handler")
    await world.types("rita", world.room, "/halt all Signals are stale")
    await world.clicks("rita", "Halt trading now")
    await world.at("20:00")
    await world.types("raj", world.room, "/incident resolve")
    await world.fills(
        "raj",
        summary="Market Sentinel was down for 20 minutes.",
        root_cause="Release 4.12 leaks memory.",
        actions_taken="Halted trading\nRolled back to 4.11",
    )
    assert incident.status == "resolved"
    (resolved,) = [entry for entry in incident.log if entry["type"] == "resolve_log_entry"]
    assert resolved["agent"]["id"] == person("raj").pagerduty_id
    for channel in ("war-room", world.room, "risk-alerts", "executive-emergency"):
        notice = world.saw(channel, "RESOLVED: Market regime feed down")
        for field in (
            "Incident: INC-2026-0001",
            "Resolution time: 14:51 UTC",
            "Duration: 20 m",
            "Root cause: Release 4.12 leaks memory.",
            "How it ended: Market Sentinel was down for 20 minutes.",
            "Actions taken\n• Halted trading\n• Rolled back to 4.11",
            "a halt is still in force (Trading halt (all): CONFIRMED by reading back)",
            "Post-incident review: due by",
            "Follow-up items: 18, listed in the post-mortem draft",
        ):
            assert field in notice
    assert "resolved" in world.room.topic["value"]
    assert "[Acknowledge]" not in world.said("war-room")[0]

    world.saw(world.room, "The post-mortem draft of INC-2026-0001 is ready")
    draft = world.file("postmortem.md")
    assert draft == (world.folder / "data" / "INC-2026-0001" / "postmortem-1.md").read_text()
    for section in (
        "## Incident Summary",
        "## Timeline",
        "## Impact",
        "## Response",
        "## Actions",
        "## Root Cause",
        "## What Went Well",
        "## What Could Be Improved",
        "## Action Items",
        "## Lessons Learned",
    ):
        assert section in draft
    assert "Heap out of memory in the feed handler" in draft
    assert "Halt all trading (all) | live | Rita Okafor | Signals are stale | confirmed" in draft
    assert "Release 4.12 leaks memory." in draft
    assert "**Question:**" in draft
    assert f"/archives/{world.room.id}/p" in draft

    # afterwards it is quiet: no clock, no update, no page; only its halt is not forgotten
    before = len(world.seen)
    await world.at("90:00")
    later = [s for s in world.seen[before:] if s["kind"] in ("message", "page")]
    assert len(later) == 4
    assert all("its halt still stands" in str(s) for s in later)
    assert (world.folder / "data" / "INC-2026-0001" / "incident.json").exists()
    assert await world.audited()


async def test_rows_of_the_draft_s_timeline_link_to_where_people_read_them(world: World) -> None:
    await world.alert()
    await world.at("1:00")
    await world.clicks("ana", "Acknowledge", "war-room")
    await world.at("2:00")
    await world.says("ana", world.room, "The feed handler died")
    await world.at("3:00")
    await world.types("ana", world.room, "/diagnostics")
    await world.at("4:00")
    await world.types("raj", world.room, "/incident take")
    await world.at("8:00")
    await world.types("raj", world.room, "/incident update Rolling back")
    await world.at("20:00")
    await world.types("raj", world.room, "/incident resolve")
    await world.fills("raj", summary="over", root_cause="a leak", actions_taken="rolled back")
    rows = [r for r in world.file("postmortem.md").splitlines() if r.startswith(("| 14:", "| [14:"))]
    linked = "\n".join(r for r in rows if f"/archives/{world.room.id}/p" in r.split("|")[1])
    for words in ("Acknowledged", "The feed handler died", "Diagnostics", "is Incident commander", "Rolling back"):
        assert words in linked, rows
    assert "Step late: Engage the circuit breakers" in linked
