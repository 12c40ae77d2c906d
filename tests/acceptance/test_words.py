"""What stands written anywhere stays true while the incident moves on."""

from tests.acceptance.world import World


async def test_every_announcement_is_brought_up_to_date_also_those_of_a_raise(world: World) -> None:
    await world.types("ana", "war-room", "/incident declare P1 Orders are slow")
    await world.types("ana", world.room, "/incident severity P0 it spreads")
    await world.types("ana", world.room, "/incident severity P2 calmer")
    first, raised = [m for m in world.said("war-room") if "Incident: INC-2026-0001" in m][:2]
    for text in (first, raised):
        assert "MEDIUM · investigating" in text, text
    await world.types("ana", world.room, "/incident resolve")
    await world.fills("ana", summary="It is over.")
    first, raised = [m for m in world.said("war-room") if "Incident: INC-2026-0001" in m][:2]
    for text in (first, raised):
        assert "resolved" in text, text
        assert "[Acknowledge]" not in text


async def test_a_lowered_severity_is_said_where_more_was_promised_and_stands_in_the_topic(world: World) -> None:
    await world.types("ana", "war-room", "/incident declare P0 Orders are slow")
    await world.types("ana", world.room, "/incident severity P2 false alarm")
    world.saw("war-room", "P2 now, it was P0: false alarm")
    assert world.room.topic["value"].startswith("P2 · investigating")


async def test_who_was_told_of_a_p0_is_told_of_its_end_also_when_it_ends_as_a_p2(world: World) -> None:
    await world.types("ana", "war-room", "/incident declare P0 Orders are slow")
    await world.types("ana", world.room, "/incident severity P2 calmer")
    await world.types("ana", world.room, "/incident resolve")
    await world.fills("ana", summary="It is over.")
    for channel in ("war-room", "risk-alerts", "executive-emergency"):
        assert world.count(channel, "RESOLVED") == 1, channel


async def test_reopening_makes_topic_and_announcement_open_again(world: World) -> None:
    incident = await world.alert()
    world.sandbox.pagerduty.resolve(incident, None)
    await world.settles()
    assert world.room.topic["value"].startswith("P0 · resolved")
    await world.passes(minutes=1)
    world.sandbox.pagerduty.reopen(incident)
    await world.settles()
    assert world.room.topic["value"].startswith("P0 · investigating")
    assert "P0 CRITICAL · investigating" in world.said("war-room")[0]


async def test_a_page_that_is_refused_says_whom_to_call(world: World) -> None:
    world.sandbox.faults.add("pagerduty", "POST *responder_requests", "refuse", times=9)
    await world.alert()
    told = world.saw(world.room, "This was not done:", "calling people through PagerDuty")
    assert "Call them yourselves now:" in told
    assert "Risk management: +1-202-555-0105" in told


async def test_a_command_typed_outside_a_room_is_not_lost(world: World) -> None:
    await world.alert()
    answer = await world.types("ana", "war-room", "/incident note the desk is on the phone")
    assert "/incident note INC-2026-0001 the desk is on the phone" in answer.text
