"""Slack and PagerDuty fail in every way they can; nothing is lost, nothing is said twice."""

from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

POST = "chat.postMessage"


def announcements(world: World) -> int:
    return world.count("war-room", "P0 INCIDENT")


@pytest.mark.row("S1")
async def test_a_rate_limit_is_obeyed_and_the_post_goes_out_once_after_it(world: World) -> None:
    world.sandbox.faults.add("slack", POST, "429", retry_after=30, times=1)
    await world.alert()
    world.saw(world.room, "PagerDuty is calling")  # another channel has a limit of its own
    tried = world.times("slack", POST)
    await world.at("0:29")
    assert announcements(world) == 0
    assert world.times("slack", POST) == tried
    await world.at("0:31")
    assert announcements(world) == 1
    assert "War room: #" in world.said("war-room")[0]


@pytest.mark.row("S1")
async def test_errors_of_slack_itself_are_outlived(world: World) -> None:
    world.sandbox.faults.add("slack", "*", "500", times=12)
    await world.alert()
    await world.at("4:00")
    assert announcements(world) == 1
    assert len(world.rooms) == 1
    for words in ("Playbook", "PagerDuty is calling", "Engage the circuit breakers (Risk manager), due"):
        assert world.count(world.room, words) == 1
    assert len(world.room.bookmarks) == 1
    assert "This was not done" not in "".join(world.said(world.room))


@pytest.mark.row("S1")
async def test_what_took_effect_although_the_answer_was_lost_is_not_done_again(world: World) -> None:
    for method in (
        POST,
        "conversations.create",
        "conversations.invite",
        "pins.add",
        "bookmarks.add",
        "chat.update",
        "files.completeUploadExternal",
    ):
        world.sandbox.faults.add("slack", method, "drop_after", times=2)
    await world.alert()
    await world.types("ana", world.room, "/diagnostics health")
    await world.at("1:30")
    assert announcements(world) == 1
    assert len(world.rooms) == 1
    assert [m.pinned for m in world.posts(world.room)].count(True) == 1
    for words in ("Playbook", "PagerDuty is calling", "Diagnostics: health"):
        assert world.count(world.room, words) == 1
    assert len(world.room.bookmarks) == 1
    assert sum(bool(m.files) for m in world.posts(world.room)) == 1
    assert len(world.room.members) == 7
    assert (await world.asks("/readyz")).json()["dead_letters"] == []


@pytest.mark.row("S6")
async def test_slack_away_for_ten_minutes_pagerduty_calls_all_the_same_and_everything_is_caught_up(
    world: World,
) -> None:
    outage = world.sandbox.faults.add("slack", "*", "outage")
    incident = await world.alert()
    assert {"Rita Okafor", "Clara Jensen", "Ana Souza"} <= set(world.paged())
    await world.at("2:30")
    world.sandbox.pagerduty.acknowledge(incident, "PUSRANA")
    await world.at("10:00")
    assert {"Rita Okafor", "Clara Jensen"} <= set(world.paged("5:00"))  # the escalation happened as well
    assert world.rooms == []
    ready = (await world.asks("/readyz")).json()
    assert ready["waiting"]["slack.post"] > 0
    assert ready["oldest_waiting_seconds"] == 600

    world.sandbox.faults.clear(rule_id=outage.id)
    await world.at("12:00")
    assert announcements(world) == 1
    order = (
        "Playbook",
        "PagerDuty is calling Ana Souza, Clara Jensen",
        "Engage the circuit breakers (Risk manager), due by 14:36",
        "Ana Souza acknowledged",
        "LATE: Engage",
    )
    said = world.said(world.room)
    assert world.panel == said[0]
    places = [next(n for n, text in enumerate(said) if words in text) for words in order]
    assert places == sorted(places)
    for words in (*order, "SLA missed: Announce in the war room"):
        assert world.count(world.room, words) == 1
    assert world.count("risk-alerts", "LATE: Engage the circuit breakers") == 1
    assert (await world.asks("/readyz")).json()["waiting"] == {}
    await world.at("16:00")
    assert world.count("war-room", "P0 update 1") == 1


@pytest.mark.row("S6")
async def test_pagerduty_away_slack_carries_on_and_pagerduty_is_caught_up(world: World) -> None:
    incident = await world.alert()
    outage = world.sandbox.faults.add("pagerduty", "*", "outage")
    await world.at("0:20")
    answer = await world.clicks("ana", "Acknowledge", "war-room")
    assert "You acknowledged it" in answer.text
    world.saw(world.room, "@Ana Souza acknowledged at 14:31 UTC")
    await world.at("5:30")
    world.saw(world.room, "LATE: Engage the circuit breakers")
    assert world.count(world.room, "PagerDuty cannot be reached: nobody is being called") == 1
    world.saw(world.room, "Risk management: +1-202-555-0105")
    assert incident.status == "triggered"
    world.sandbox.faults.clear(rule_id=outage.id)
    await world.at("8:00")
    done = [entry["type"] for entry in incident.log]
    assert "acknowledge_log_entry" in done
    assert {"Rita Okafor", "Clara Jensen"} <= set(world.paged("5:30"))
    assert world.count(world.room, "acknowledged at") == 1


@pytest.mark.row("S6")
async def test_declared_while_pagerduty_is_away_the_alert_is_raised_later_once(world: World) -> None:
    world.sandbox.faults.add("events", "*", "outage")
    world.sandbox.faults.add("pagerduty", "*", "outage")
    answer = await world.types("ana", "war-room", "/incident declare P0 Orders are rejected")
    assert "INC-2026-0001 is open" in answer.text
    assert announcements(world) == 1
    assert world.sandbox.pagerduty.incidents == {}
    await world.at("1:00")
    world.sandbox.faults.clear()
    await world.at("3:00")
    (incident,) = world.sandbox.pagerduty.incidents.values()
    assert incident.key == "INC-2026-0001"
    assert {"Rita Okafor", "Clara Jensen"} <= set(world.paged())
    assert world.stored()["incident"] == 1


@pytest.mark.row("S6")
async def test_a_webhook_that_never_came_heals_itself(world: World) -> None:
    world.sandbox.webhooks.drop_next = 2
    incident = await world.alert()
    world.sandbox.pagerduty.acknowledge(incident, "PUSRRAJ")
    await world.settles()
    assert world.stored()["incident"] == 0
    await world.at("3:00")
    await world.reconciles()
    assert announcements(world) == 1
    world.saw(world.room, "Raj Patel acknowledged at 14:31 UTC in PagerDuty")
    assert world.count(world.room, "SLA missed: Acknowledge") == 0
    world.saw(world.room, "SLA missed: Announce in the war room")
    world.sandbox.webhooks.redeliver(world.sandbox.webhooks.events[0].id)
    await world.settles()
    await world.reconciles()
    assert announcements(world) == 1
    assert world.count(world.room, "acknowledged at") == 1


@pytest.mark.row("S1")
async def test_a_refused_channel_is_said_in_the_room_and_in_readyz_and_the_lane_goes_on(world: World) -> None:
    world.sandbox.slack.find("risk-alerts").archived = True
    await world.alert()
    await world.at("5:00")
    letters = [text for text in world.said(world.room) if "This was not done: posting a message" in text]
    assert len(letters) == 2  # what risk is told at the beginning, and that the halt is late
    assert all("is_archived" in text and "unarchive the channel" in text for text in letters)
    dead = (await world.asks("/readyz")).json()["dead_letters"]
    assert [(d["incident"], d["state"]) for d in dead] == [("INC-2026-0001", "refused")] * 2
    assert "Could not be done" in world.panel
    world.sandbox.slack.find("risk-alerts").archived = False
    await world.at("6:00")
    await world.types("raj", world.room, "/incident resolve")
    await world.fills("raj", summary="over", root_cause="a leak")
    assert world.count("risk-alerts", "RESOLVED") == 1


@pytest.mark.row("S1")
async def test_a_room_that_cannot_be_made_is_said_where_the_alert_was_announced(world: World) -> None:
    world.sandbox.faults.add("slack", "conversations.create", "refuse", error="restricted_action", times=50)
    await world.alert()
    await world.at("0:30")
    world.saw("war-room", "This was not done: opening the room")
    assert set(world.paged()) >= {"Ana Souza", "Rita Okafor", "Clara Jensen"}
    await world.at("5:00")
    assert world.count("risk-alerts", "LATE: Engage the circuit breakers") == 1


@pytest.mark.row("S3")
async def test_a_p0_is_announced_before_lesser_posts_that_wait_for_slack_s_limits(folder: Path) -> None:
    async with a_world(folder, change=lambda environ: environ.update(WARROOM_SLACK_LIMITS="on")) as world:
        for number in range(12):
            await world.types("ana", "war-room", f"/incident declare P3 Report {number} is late")
        waiting = 12 - world.count("war-room", "P3 incident")
        assert waiting >= 8
        await world.alert()
        for _ in range(30):
            await world.passes(seconds=1)
        said = [text.splitlines()[0] for text in world.said("war-room")]
        place = next(n for n, text in enumerate(said) if "P0 INCIDENT" in text)
        assert place <= 12 - waiting
        assert len(said) == 13


@pytest.mark.row("S1")
async def test_after_a_stop_everything_goes_on_and_what_fell_due_meanwhile_is_done_late_once(world: World) -> None:
    await world.alert()
    await world.clicks("raj", "Take command", "war-room")
    await world.at("4:00")
    before = world.said(world.room)
    await world.restarts(minutes=30)
    said = world.said(world.room)
    assert said[1 : len(before)] == before[1:]  # the panel has moved on
    assert world.count(world.room, "LATE: Engage the circuit breakers") == 1
    assert world.count("war-room", "P0 update") == 1
    await world.at("60:00")
    assert [n for n in range(1, 6) if world.count("war-room", f"P0 update {n}:") == 1] == [1, 2]
    assert announcements(world) == 1
    assert await world.audited()


@pytest.mark.row("S1")
async def test_what_pagerduty_tells_while_we_are_down_is_heard_at_the_start(world: World) -> None:
    incident = await world.alert()
    await world.at("1:00")
    await world.stops()
    world.sandbox.pagerduty.acknowledge(incident, "PUSRMEI")
    other = world.sandbox.pagerduty.service("lav-adaf-executioner")
    world.sandbox.pagerduty.trigger(other, "Executioner down: no fills")
    await world.settles()
    await world.starts()
    assert announcements(world) == 2
    world.saw(world.rooms[0], "Mei Tanaka acknowledged at 14:32 UTC in PagerDuty")


async def test_the_result_of_a_halt_that_slack_refuses_to_post_is_told_with_the_refusal(world: World) -> None:
    await world.alert()
    await world.types("rita", world.room, "/halt all stale signals")
    world.sandbox.faults.add("slack", "chat.postMessage", "refuse", times=3, error="restricted_action")
    await world.clicks("rita", "Halt trading now")
    told = world.saw(world.room, "This was not done", "What it should have told")
    assert "Trading halt (all): CONFIRMED by reading back" in told
