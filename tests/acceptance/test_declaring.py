"""Incidents that people declare in Slack."""

import pytest
from tests.acceptance.world import World


def only_incident(world: World) -> str:
    (incident,) = world.sandbox.pagerduty.incidents.values()
    return incident.key


@pytest.mark.row("L1")
@pytest.mark.row("S1")
async def test_declare_opens_one_incident_on_both_sides_linked_by_pagerduty_s_webhook(world: World) -> None:
    answer = await world.types("ana", "war-room", "/incident declare P0 Orders are rejected everywhere")
    assert "INC-2026-0001 is open as P0: Orders are rejected everywhere" in answer.text
    assert world.room.name == "inc-2026-0001-orders-are-rejected-everywhere"
    assert only_incident(world) == "INC-2026-0001"
    assert world.stored()["incident"] == 1
    assert world.rows("SELECT pagerduty_id FROM incident") == [(next(iter(world.sandbox.pagerduty.incidents)),)]
    assert len(world.room.bookmarks) == 1
    # the steps that need PagerDuty's incident wait for the link and then happen
    assert {"Rita Okafor", "Clara Jensen"} <= set(world.paged())
    assert world.count(world.room, "This was not done") == 0

    await world.clicks("ana", "Acknowledge", "war-room")
    (incident,) = world.sandbox.pagerduty.incidents.values()
    assert incident.status == "acknowledged"


@pytest.mark.row("L1")
async def test_the_declare_form_asks_for_what_is_missing(world: World) -> None:
    answer = await world.types("ana", "war-room", "/incident declare")
    assert answer.view is not None
    assert answer.view["callback_id"] == "declare"
    refused = await world.fills("ana", title="   ", severity="P1")
    assert not refused.ok
    sent = await world.fills("ana", title="Fills are slow", severity="P1", description="Since the open, on two venues.")
    assert "INC-2026-0001 is open" in str(sent.view)
    assert "P1 incident" in world.said("war-room")[0]
    assert "Since the open, on two venues." in world.said("war-room")[0]
    assert only_incident(world) == "INC-2026-0001"


@pytest.mark.row("S1")
async def test_the_same_form_sent_twice_opens_one_incident(world: World) -> None:
    answer = await world.types("ana", "war-room", "/incident declare")
    assert answer.view is not None
    (view,) = world.sandbox.slack.surfaces.open_of("U0SANDBX01")
    form, hash = view.content, view.hash
    for _ in range(2):
        view.content, view.hash, view.open = form, hash, True  # the answer was lost: the same form is sent again
        await world.sandbox.submit("ana", view.id, {"title": "Fills are slow", "severity": "P1"})
    await world.settles()
    assert world.stored()["incident"] == 1


async def test_unknown_words_get_the_nearest_real_ones(world: World) -> None:
    await world.alert()
    before = world.stored()["fact"]
    answer = await world.types("mei", world.room, "/incident stauts")
    assert "There is no /incident stauts." in answer.text
    assert "/incident status" in answer.text
    assert "There is no scope “al”" in (await world.types("rita", world.room, "/halt al too risky")).text
    assert "/diagnostics sentinel-health" in (await world.types("ana", world.room, "/diagnostics sentinel-helth")).text
    assert "“P9” is no severity" in (await world.types("ana", world.room, "/incident severity P9")).text
    assert "There is no incident “99”" in (await world.types("ana", "war-room", "/incident ack 99")).text
    assert world.stored()["fact"] == before


async def test_two_incidents_at_once_stay_apart(world: World) -> None:
    one = await world.alert(key="one")
    two = await world.alert("Executioner down: no fills", "lav-adaf-executioner", key="two")
    sentinel, executioner = world.rooms
    assert "market-sentinel" in sentinel.name
    assert "executioner" in executioner.name

    asked = await world.types("ana", "war-room", "/incident ack")
    assert "Which incident?" in asked.text
    assert (one.status, two.status) == ("triggered", "triggered")
    await world.types("ana", "war-room", "/incident ack 2")
    assert (one.status, two.status) == ("triggered", "acknowledged")
    assert world.count(sentinel, "acknowledged at") == 0
    world.saw(executioner, "@Ana Souza acknowledged at")

    await world.types("raj", sentinel, "/incident update Restarting the feed")
    world.saw("war-room", "P0 update 1: Market regime feed down", "Restarting the feed")
    assert world.count(executioner, "Restarting the feed") == 0
    await world.types("raj", executioner, "/incident resolve")
    await world.fills("raj", summary="Fills are back", root_cause="A dead session")
    assert (one.status, two.status) == ("triggered", "resolved")
    await world.at("15:00")
    assert world.count(executioner, "P0 update") == 0
    assert world.count(sentinel, "LATE: Assign the incident commander") == 1
    listed = await world.types("mei", "war-room", "/incident list")
    assert "INC-2026-0001" in listed.text
    assert "INC-2026-0002" not in listed.text


async def test_status_and_timeline_are_told_privately(world: World) -> None:
    await world.alert()
    await world.clicks("ana", "Acknowledge", "war-room")
    await world.at("2:31")
    status = await world.types("dana", "war-room", "/incident-status")
    assert "Acknowledge" in status.text
    assert "Engage the circuit breakers" in status.text
    await world.types("ana", world.room, "/incident note The vendor is informed")
    timeline = await world.types("dana", world.room, "/incident timeline")
    assert "The vendor is informed" in timeline.text
    contacts = await world.types("dana", world.room, "/incident contacts")
    assert "+1-202-555-0105" in contacts.text
    assert {m["ephemeral_to"] for m in (*status.messages, *timeline.messages, *contacts.messages)} == {"Dana Brooks"}
