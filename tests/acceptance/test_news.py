"""PagerDuty's news late, doubled and disordered; health; text that would like to be more than text."""

import pytest
from tests.acceptance.world import World

HOSTILE = "<!channel> <@U0SANDBX06> *bold* @here <https://evil.example|click> Market Sentinel down"


@pytest.mark.row("S1")
async def test_the_same_webhook_three_times_is_one_incident(world: World) -> None:
    world.sandbox.webhooks.copies = 3
    incident = await world.alert()
    world.sandbox.pagerduty.acknowledge(incident, "PUSRANA")
    await world.settles()
    assert len(world.rooms) == 1
    assert world.count("war-room", "P0 INCIDENT") == 1
    assert world.count(world.room, "acknowledged at") == 1
    assert all(status == 200 for event in world.sandbox.webhooks.events for status in event.statuses)


@pytest.mark.row("S1")
async def test_an_acknowledgement_that_comes_before_its_trigger(world: World) -> None:
    world.sandbox.webhooks.hold()
    incident = await world.alert()
    world.clock.advance(world.clock.now() - world.began)
    world.sandbox.pagerduty.acknowledge(incident, "PUSRMEI")
    world.sandbox.webhooks.release("reversed", copies=2)
    await world.settles()
    assert len(world.rooms) == 1
    assert world.count("war-room", "P0 INCIDENT") == 1
    world.saw(world.room, "Mei Tanaka acknowledged at 14:31 UTC in PagerDuty")
    await world.at("6:00")
    assert world.count(world.room, "SLA missed: Acknowledge") == 0


@pytest.mark.row("S1")
async def test_an_incident_whose_end_comes_before_its_trigger_opens_only_when_it_is_reopened(world: World) -> None:
    world.sandbox.webhooks.hold()
    incident = await world.alert()
    world.sandbox.pagerduty.resolve(incident, None)
    world.sandbox.webhooks.release("reversed", copies=2)
    await world.settles()
    assert world.rooms == []
    assert world.said("war-room") == []
    world.sandbox.pagerduty.reopen(incident, None)
    await world.settles()
    assert world.count("war-room", "P0 INCIDENT") == 1


@pytest.mark.row("L1")
async def test_a_breach_told_because_the_news_came_late_is_corrected_in_sight(world: World) -> None:
    incident = await world.alert()
    await world.types("rita", world.room, "/incident step skip p0_circuit_breakers Exposure is flat")
    await world.at("2:00")
    world.sandbox.webhooks.hold()
    world.sandbox.pagerduty.acknowledge(incident, "PUSRANA")
    await world.at("4:30")
    world.saw(world.room, "Acknowledge: 1 m left of 5 m")
    await world.at("5:00")
    world.saw(world.room, "SLA missed: Acknowledge. 5 m ran out at 14:36 UTC")
    await world.at("6:30")
    world.sandbox.webhooks.release()
    await world.settles()
    assert world.count(world.room, "SLA missed: Acknowledge") == 0  # the notice itself was corrected
    corrections = [t for t in world.said(world.room) if "Correction: Acknowledge was kept." in t]
    assert len(corrections) == 2
    assert "PagerDuty has it at 14:33 UTC, 2 m of 5 m." in corrections[-1]
    row = next(line for line in world.panel.splitlines() if "Acknowledge " in line)
    assert row.split()[-1] == "corrected"
    world.sandbox.webhooks.redeliver(world.sandbox.webhooks.events[-1].id)
    await world.at("9:00")
    assert world.count(world.room, "Correction: Acknowledge was kept.") == 2


async def test_an_acknowledgement_that_times_out_starts_the_clock_again(world: World) -> None:
    incident = await world.alert()
    world.sandbox.pagerduty.acknowledge(incident, "PUSRANA")
    await world.at("1:00")
    world.sandbox.pagerduty.unacknowledge(incident)
    await world.settles()
    world.saw(world.room, "No longer acknowledged since 14:32 UTC")
    await world.at("6:00")
    world.saw(world.room, "SLA missed: Acknowledge. 5 m ran out at 14:37 UTC")


async def test_reopened_in_pagerduty_it_is_open_again_everywhere(world: World) -> None:
    incident = await world.alert()
    await world.types("raj", world.room, "/incident resolve")
    await world.fills("raj", summary="over", root_cause="a leak")
    await world.at("5:00")
    world.sandbox.pagerduty.reopen(incident)
    await world.settles()
    world.saw("war-room", "Market regime feed down is open again since 14:36 UTC")
    assert "investigating" in world.panel
    await world.at("20:00")
    assert world.count("war-room", "P0 update") == 1


async def test_notes_and_answers_in_pagerduty_reach_the_room_and_our_own_do_not_come_back(world: World) -> None:
    incident = await world.alert()
    world.sandbox.pagerduty.note(incident, "The vendor confirms an outage", "PUSRMEI")
    world.sandbox.pagerduty.reply(incident, "PUSRRIT")
    await world.settles()
    world.saw(world.room, "The vendor confirms an outage")
    await world.clicks("raj", "Take command", "war-room")
    assert any("[warroom]" in note["content"] for note in incident.notes)
    assert world.count(world.room, "[warroom]") == 0


@pytest.mark.row("S4")
async def test_text_from_an_alert_pings_nobody_and_formats_nothing_anywhere(world: World) -> None:
    await world.alert(HOSTILE, details={"description": HOSTILE, "trading_down_minutes": 9})
    await world.at("2:00")
    sentinel = await world.types("ana", world.room, f"/incident note {HOSTILE}")
    assert sentinel.ok
    await world.types("raj", world.room, f"/incident update {HOSTILE}")
    await world.types("rita", world.room, f"/halt all {HOSTILE}")
    await world.clicks("rita", "Halt trading now")
    await world.types("raj", world.room, f"/incident severity P1 {HOSTILE}")
    await world.at("20:00")
    await world.types("raj", world.room, "/incident resolve")
    await world.fills("raj", summary=HOSTILE, root_cause=HOSTILE, actions_taken=HOSTILE, impact=HOSTILE)
    await world.types("dana", world.room, "/incident timeline")

    assert "U0SANDBX06" not in world.pings()
    shouted = [s for s in world.seen if "channel" in s.get("pings", ()) or "everyone" in s.get("pings", ())]
    assert len(shouted) == 1  # the announcement of the P0, by its template
    assert [s for s in world.seen if "here" in s.get("pings", ())] == []
    for channel in ("war-room", world.room):
        for message in world.posts(channel):
            assert "<!channel>" not in message.text
            assert "<https://evil.example" not in message.text
            assert "evil.example" not in [e.get("url") for e in elements(message.blocks)]
    assert "<!channel>" not in world.room.topic["value"]
    assert "<!channel>" in world.said(world.room)[0].replace("‹", "<").replace("›", ">")
    draft = world.file("postmortem.md")
    assert "<!channel>" not in draft
    assert "[click](https://evil.example)" not in draft


def elements(blocks: list[dict[str, object]]) -> list[dict[str, object]]:
    """Every element of blocks, at any depth."""
    found: list[dict[str, object]] = []
    for block in blocks:
        found.append(block)
        inner = block.get("elements")
        if isinstance(inner, list):
            found += elements(inner)
    return found


async def test_health_readiness_and_metrics(world: World) -> None:
    assert (await world.asks("/healthz")).json() == {"ok": True}
    ready = await world.asks("/readyz")
    assert (ready.status_code, ready.json()["database"]) == (200, "ok")
    await world.alert()
    metrics = (await world.asks("/metrics")).text
    assert 'warroom_inputs_total{fate="decided",source="pagerduty"}' in metrics
    assert 'warroom_effects_total{kind="slack.post",outcome="done"}' in metrics
