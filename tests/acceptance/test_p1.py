"""The P1 story: a single critical service is down after the market has closed."""

import pytest
from tests.acceptance.world import World

from warroom.sandbox.people import person


@pytest.mark.row("L1")
@pytest.mark.row("L3")
@pytest.mark.row("L12")
async def test_a_p1_from_the_alert_to_the_post_mortem(evening: World) -> None:
    world = evening
    # 0:00 the monitoring raises the alert
    incident = await world.alert()
    first = next(s for s in world.seen if s["kind"] == "message")
    assert (first["channel"], first["pings"]) == ("war-room", ["here"])
    assert "P1 incident: Market regime feed down" in first["text"]
    assert "Why P1: a single critical service is down while the market is closed" in first["text"]
    assert "Status updates every 30 m until resolved, the next by 23:30 UTC" in first["text"]
    everybody_on_call = {"ana", "raj", "mei", "lukas"}
    assert {person(m).key for m in world.room.members if m != "U0WARROOM1"} == everybody_on_call
    assert world.paged() == ["Ana Souza"]  # L1, by the alert itself and not once more by us
    assert world.count(world.room, "PagerDuty is calling Ana Souza.") == 1

    # 0–15 the on-call team: nobody acknowledges, a warning at 10, late at 15
    await world.at("10:00")
    world.saw(world.room, "Acknowledge: 5 m left of 15 m")
    await world.at("14:59")
    assert world.count(world.room, "LATE") == 0
    await world.at("15:00")
    world.saw(world.room, "LATE: Alert the on-call team")
    world.saw(world.room, "SLA missed: Acknowledge. 15 m ran out at 23:15 UTC")
    assert incident.level == 2
    assert sorted(world.paged("15:00")) == ["Ana Souza", "Mei Tanaka", "Raj Patel"]  # L1 and L2, each once

    # 15–30 impact: somebody takes it and says what is affected
    world.saw(world.room, ":point_right:", "Assess the impact (Technical lead), due by 23:30 UTC")
    await world.at("17:00")
    await world.types("raj", world.room, "/incident take")
    assert incident.status == "acknowledged"
    assert "done 23:17 UTC, late (acknowledged)" in world.panel
    await world.at("25:00")
    world.saw(world.room, "The next update is due by 23:30 UTC")
    await world.clicks("raj", "Write update", world.room)
    await world.fills(
        "raj", summary="Regime updates have stopped.", next_steps="Restart\nWatch", eta="00:15 UTC", impact="None yet."
    )
    update = world.saw("war-room", "P1 incident update: INC-2026-0001")
    for field in (
        "Incident: Market regime feed down",
        "Time: 23:25 UTC",
        "Status: investigating",
        "• Regime updates have stopped.",
        "• Raj Patel is in command",
        "Next steps\n• Restart\n• Watch\n• ETA: 00:15 UTC",
        "Impact: None yet.",
        "next update by 23:55 UTC",
    ):
        assert field in update
    assert ":white_check_mark: Assess the impact · Technical lead · done 23:25 UTC (told in an update)" in world.panel

    # 30–60 mitigation and stakeholders
    await world.at("30:00")
    world.saw(world.room, ":point_right:", "Implement the mitigation")
    for channel in ("risk-alerts", "executive-emergency"):
        world.saw(channel, "P1 brief: Market regime feed down", "Incident commander: @Raj Patel")
    assert "Tell the stakeholders · Communications lead · done 23:30 UTC" in world.panel
    await world.at("54:59")
    assert world.count("war-room", "P1 incident update") == 1
    await world.at("55:00")
    world.saw("war-room", "Nothing new was reported since 23:25 UTC", "Last word, 23:25 UTC: Regime updates")
    await world.at("60:00")
    world.saw(world.room, "LATE: Implement the mitigation", "the senior engineers")

    # 65:00 resolved in PagerDuty itself
    await world.at("65:00")
    world.sandbox.pagerduty.acknowledge(incident, "PUSRMEI")
    world.sandbox.pagerduty.resolve(incident, {"id": "PUSRMEI", "type": "user_reference", "summary": "Mei Tanaka"})
    await world.settles()
    for told in ("war-room", world.room, "risk-alerts", "executive-emergency"):
        assert "Duration: 1 h 5 m" in world.saw(told, "RESOLVED: Market regime feed down")
    world.saw(world.room, "Resolved by Mei Tanaka in PagerDuty. What was the root cause")
    await world.clicks("mei", "Tell cause and actions", world.room)
    await world.fills("mei", summary="Restarted.", root_cause="A full heap.", actions_taken="Restarted it")
    assert world.count("war-room", "RESOLVED") == 1
    draft = world.file("postmortem.md")
    assert "A full heap." in draft
    assert "P1 HIGH" in draft
    assert world.count(world.room, "The post-mortem draft of INC-2026-0001 is ready") == 2
    await world.clicks("mei", "Compile again", world.room)
    assert world.count(world.room, "The post-mortem draft of INC-2026-0001 is ready") == 3
    assert await world.audited()


@pytest.mark.row("L1")
async def test_raising_a_p1_to_p0_announces_it_and_starts_the_clocks_of_p0(evening: World) -> None:
    world = evening
    incident = await world.alert()
    await world.types("raj", world.room, "/incident take")
    await world.at("20:00")
    answer = await world.types("raj", world.room, "/incident severity P0 positions are corrupt")
    assert "It is P0 now" in answer.text
    world.saw(world.room, "P0 now, it was P1: positions are corrupt")
    loud = [s for s in world.seen if s["kind"] == "message" and "channel" in s["pings"]]
    assert [s["channel"] for s in loud] == ["war-room"]
    assert "P0 INCIDENT" in loud[0]["text"]
    assert incident.priority is not None
    assert incident.priority.name == "P0"
    await world.at("22:00")
    world.saw(world.room, ":point_right:", "Engage the circuit breakers")
    await world.at("35:00")
    assert world.count("war-room", "P0 update") == 1
