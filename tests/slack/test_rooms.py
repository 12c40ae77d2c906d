"""The incident's channel: made once, named, filled."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.slack.support import ANA, BOT, MEI, RAJ, RITA, SAM, Watch, a_job, an_incident, with_room

from warroom.errors import Refused, TryAgain, Uncertain
from warroom.sandbox import Sandbox
from warroom.sandbox.slack_conversations import check_name
from warroom.slack.gateway import Gateway
from warroom.slack.rooms import room_name

ROOM = {"name": "inc-2026-0042-market-sentinel-down"}
TOPIC = "P0 · investigating · <!channel> & co"


async def test_a_room_is_public_and_is_made_in_one_call(sandbox: Sandbox, gateway: Gateway) -> None:
    result = await gateway.perform(a_job("slack.room", **ROOM))
    room = sandbox.slack.channels[str(result["channel"])]
    assert (room.name, room.private) == (result["name"], False) == (ROOM["name"], False)
    assert [call.method for call in sandbox.journal.of("slack")] == ["conversations.create"]


async def test_a_name_that_somebody_else_has_gets_a_number(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.slack.add_channel(ROOM["name"], [ANA], creator=ANA)
    sandbox.slack.add_channel(ROOM["name"] + "-2", [ANA], creator=ANA)
    assert (await gateway.perform(a_job("slack.room", **ROOM)))["name"] == ROOM["name"] + "-3"


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
async def test_a_room_whose_making_is_uncertain_is_looked_up(sandbox: Sandbox, gateway: Gateway, kind: str) -> None:
    sandbox.faults.add("slack", "conversations.create", kind)  # type: ignore[arg-type]
    job = a_job("slack.room", **ROOM)
    with pytest.raises(Uncertain):
        await gateway.perform(job)
    found = await gateway.find(job)
    made = sandbox.slack.named(ROOM["name"])
    assert (found or {}).get("channel") == (made.id if made else None)
    assert (made is not None) == (kind == "drop_after")


async def test_a_room_made_by_an_earlier_attempt_is_not_made_again(sandbox: Sandbox, gateway: Gateway) -> None:
    first = await gateway.perform(a_job("slack.room", **ROOM))
    assert await gateway.perform(a_job("slack.room", attempt=2, **ROOM)) == first


async def test_the_first_topic_comes_with_a_purpose_that_says_whose_room_it_is(
    sandbox: Sandbox, gateway: Gateway
) -> None:
    made = await gateway.perform(a_job("slack.room", **ROOM))
    sandbox.faults.add("slack", "conversations.setPurpose", "429", retry_after=7)
    job = a_job("slack.topic", with_room(str(made["channel"])), topic=TOPIC, mark=True)
    with pytest.raises(TryAgain) as caught:
        await gateway.perform(job)
    assert caught.value.after == 7
    await gateway.perform(job)
    room = sandbox.slack.channels[str(made["channel"])]
    assert room.topic["value"] == "P0 · investigating · ‹!channel› & co"
    assert room.purpose["value"] == "The room of INC-2026-0042"


async def test_a_room_of_another_life_or_another_incident_is_not_taken_for_ours(
    sandbox: Sandbox, gateway: Gateway, watch: Watch
) -> None:
    watch.forward(days=-30)
    sandbox.slack.add_channel(ROOM["name"], [BOT], creator=BOT)
    watch.forward(days=30)
    other = sandbox.slack.add_channel(ROOM["name"] + "-2", [BOT], creator=BOT)
    other.purpose["value"] = "The room of INC-2026-0007"
    sandbox.slack.add_channel(ROOM["name"] + "-3", [BOT], creator=ANA)
    assert await gateway.find(a_job("slack.room", **ROOM)) is None
    assert (await gateway.perform(a_job("slack.room", attempt=2, **ROOM)))["name"] == ROOM["name"] + "-4"


@given(st.text(max_size=120), st.integers(1, 20))
def test_any_title_makes_a_name_that_slack_takes(title: str, number: int) -> None:
    check_name(room_name(title, number))
    assert number == 1 or room_name(title, number).endswith(f"-{number}")


async def test_the_topic_is_set_in_the_room(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.find("war-room")
    job = a_job("slack.topic", with_room(room.id), topic="x" * 300)
    await gateway.perform(job)
    assert len(room.topic["value"]) == 250
    assert await gateway.find(job) is None


async def test_people_are_invited_by_any_name_they_go_by(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.add_channel("room", [BOT], creator=BOT)
    people = [f"slack:{SAM}", "raj@sandbox.example", "pagerduty:PNOBODY", BOT]
    job = a_job("slack.invite", with_room(room.id), people=people, groups=["halt_operators", "no_such_group"])
    assert await gateway.find(job) is None
    result = await gateway.perform(job)
    assert {SAM, RAJ, RITA, ANA} <= set(room.members)
    assert set(result["invited"]) >= {SAM, RAJ, RITA, ANA}  # type: ignore[call-overload]
    missing = " ".join(result["missing"])  # type: ignore[arg-type]
    assert "no group no_such_group" in missing
    assert "pagerduty:PNOBODY is nobody" in missing
    assert await gateway.find(job) is not None


async def test_one_who_cannot_be_invited_does_not_keep_the_others_out(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.add_channel("room", [BOT, ANA], creator=BOT)
    job = a_job("slack.invite", with_room(room.id), people=[ANA, "U0GONE0001", MEI, BOT])
    result = await gateway.perform(job)
    assert MEI in room.members
    (missing,) = result["missing"]  # type: ignore[misc]
    assert re.match(r"U0GONE0001 could not be invited: .*user_not_found", missing)
    assert result["invited"] == [ANA, MEI, BOT]
    assert len(sandbox.journal.of("slack", "conversations.invite")) == 1


async def test_inviting_whom_is_inside_already_is_one_call_and_no_mistake(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.add_channel("room", [BOT, ANA, MEI], creator=BOT)
    job = a_job("slack.invite", with_room(room.id), people=[ANA, MEI], groups=[])
    assert await gateway.perform(job) == {"invited": [ANA, MEI], "missing": []}
    assert len(sandbox.journal.of("slack", "conversations.invite")) == 1


async def test_invitations_wait_for_the_directory(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.add_channel("room", [BOT], creator=BOT)
    sandbox.faults.add("slack", "users*", "500", times=10)
    with pytest.raises(TryAgain):
        await gateway.perform(a_job("slack.invite", with_room(room.id), groups=["commanders"]))


async def test_a_post_is_pinned_once(sandbox: Sandbox, gateway: Gateway) -> None:
    post = await gateway.perform(a_job("slack.post", to="war_room", message="hello", context={"name": "x"}))
    pin = a_job("slack.pin", an_incident(done={"panel": post}), of="panel")
    assert await gateway.find(pin) is None
    assert await gateway.perform(pin) == await gateway.find(pin) == {}
    assert await gateway.perform(pin) == {}
    assert len(sandbox.slack.find("war-room").pins) == 1


async def test_a_bookmark_is_added_and_found_again(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.find("war-room")
    data = {"title": "PagerDuty incident", "url": "https://example.com/P1", "emoji": ":rotating_light:"}
    job = a_job("slack.bookmark", with_room(room.id), **data)
    assert await gateway.find(job) is None
    sandbox.faults.add("slack", "bookmarks.add", "drop_after")
    with pytest.raises(Uncertain):
        await gateway.perform(job)
    assert await gateway.find(job) == {}
    assert [b["title"] for b in room.bookmarks] == ["PagerDuty incident"]


async def test_a_bookmark_that_is_there_is_not_added_by_a_second_attempt(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.find("war-room")
    data = {"title": "PagerDuty incident", "url": "https://example.com/P1"}
    await gateway.perform(a_job("slack.bookmark", with_room(room.id), **data))
    await gateway.perform(a_job("slack.bookmark", with_room(room.id), attempt=2, **data))
    assert [b["title"] for b in room.bookmarks] == ["PagerDuty incident"]


async def test_a_bookmark_that_is_no_address_is_refused(sandbox: Sandbox, gateway: Gateway) -> None:
    room = sandbox.slack.find("war-room").id
    with pytest.raises(Refused, match="invalid_link"):
        await gateway.perform(a_job("slack.bookmark", with_room(room), title="x", url="javascript:1"))
