"""A storm of alerts through the whole product: one room, whatever is missed, acknowledged and resolved as one."""

import pytest
from tests.acceptance.world import World

WARDEN = "lav-adaf-risk-warden"


@pytest.mark.row("L8")
async def test_a_storm_of_risk_alerts_is_one_room_one_message_and_one_playbook(evening: World) -> None:
    world = evening
    pages = [await world.alert(f"VaR limit touched in portfolio {n}", WARDEN, urgency="low") for n in range(21)]
    assert len(world.rooms) == 1
    told = world.saw(world.room, "They are one incident", "21 alerts within 5 m")
    assert "P1 from now on" in told
    assert world.count(world.room, "Related alert") == 1
    assert "20 related alerts" in world.panel
    assert "Risk alerts in large numbers" in world.panel
    assert len(world.posts("war-room")) == 2  # the first word, and the raise to P1
    world.saw(world.room, "More than 20 risk alerts in 5 minutes", "Emergency risk reduction")
    await world.types("ana", world.room, "/incident ack")
    assert {p.status for p in pages} == {"acknowledged"}
    await world.reconciles()
    assert len(world.rooms) == 1
    await world.types("raj", world.room, "/incident resolve")
    await world.fills("raj", summary="s", root_cause="r", actions_taken="a")
    assert {p.status for p in pages} == {"resolved"}
    await world.reconciles()
    assert len(world.rooms) == 1


@pytest.mark.row("L8")
async def test_a_storm_whose_webhooks_never_came_is_still_one_room(evening: World) -> None:
    world = evening
    await world.stops()
    for n in range(22):
        pagerduty = world.sandbox.pagerduty
        pagerduty.trigger(pagerduty.service(WARDEN), f"VaR limit touched in portfolio {n}", urgency="low")
    await world.starts()
    assert len(world.rooms) == 1
    world.saw(world.room, "They are one incident", "21 alerts within")
