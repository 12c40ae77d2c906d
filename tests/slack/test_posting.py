"""Messages: sent once, found again, edited, whispered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.slack.support import ANA, AT, BOT, SAM, Watch, a_job, an_incident, with_room

from warroom.domain.effects import moment
from warroom.domain.words import day
from warroom.engine.ports import Job
from warroom.errors import Refused, TryAgain, Uncertain
from warroom.sandbox import Sandbox
from warroom.slack.api import Api
from warroom.slack.errors import SlackRefused
from warroom.slack.gateway import Gateway

LINES = [f"line {n}" for n in range(60)]


def shown(sandbox: Sandbox, channel: str) -> list[dict[str, Any]]:
    """What people see in a channel, system messages left out."""
    return [m for m in sandbox.transcript() if m["channel"] == channel and not m["subtype"]]


def hello(**more: Any) -> Job:
    return a_job("slack.post", to="war_room", message="hello", context={"name": "Ana"}, **more)


async def test_a_post_goes_to_the_pack_s_channel_in_the_pack_s_own_words(sandbox: Sandbox, gateway: Gateway) -> None:
    result = await gateway.perform(hello())
    (message,) = shown(sandbox, "war-room")
    assert message["text"] == "The toy pack greets Ana.\n[Acknowledge]"
    assert result == {"channel": message["channel_id"], "ts": message["ts"], "id": "job-1"}


async def test_a_post_carries_its_id_and_its_buttons_the_incident(sandbox: Sandbox, gateway: Gateway) -> None:
    await gateway.perform(hello())
    await gateway.perform(hello(job="job-2", button="INC-2026-0042|more"))
    first, second = shown(sandbox, "war-room")
    assert first["metadata"] == {"event_type": "warroom_effect", "event_payload": {"id": "job-1"}}
    assert first["blocks"][-1]["elements"][0]["value"] == "INC-2026-0042"
    assert second["blocks"][-1]["elements"][0]["value"] == "INC-2026-0042|more"


async def test_moments_of_a_context_come_back_to_life(sandbox: Sandbox, gateway: Gateway) -> None:
    context = {"at": {"utc": AT.isoformat()}, "people": ("Ana", "Raj")}
    await gateway.perform(a_job("slack.post", to="#war-room", message="when", context=context))
    assert shown(sandbox, "war-room")[0]["text"] == "At 13:31 UTC with Ana and Raj."


async def test_a_moment_names_its_day_unless_it_is_that_of_the_sending(sandbox: Sandbox, gateway: Gateway) -> None:
    job = a_job("slack.post", to="#war-room", message="when", context={"at": moment(AT), "people": ()})
    await gateway.perform(replace(job, now=AT + timedelta(days=1)))
    assert shown(sandbox, "war-room")[0]["text"].startswith(f"At {day(AT)}, 13:31 UTC")


async def test_a_view_shows_the_incident_as_it_is_when_the_message_is_sent(sandbox: Sandbox, gateway: Gateway) -> None:
    incident = an_incident(status="identified")
    await gateway.perform(a_job("slack.post", incident, to="war_room", message="panel", view="panel"))
    assert shown(sandbox, "war-room")[0]["text"] == "INC-2026-0042 is identified."


async def test_a_message_whose_template_fails_still_says_which_incident_it_is_about(
    sandbox: Sandbox, gateway: Gateway
) -> None:
    await gateway.perform(a_job("slack.post", to="war_room", message="no_such_message"))
    text = str(shown(sandbox, "war-room")[0]["text"])
    assert "INC-2026-0042" in text
    assert "Market Sentinel down" in text
    assert "no_such_message" in text


async def test_a_post_follows_into_the_room_once_it_exists(sandbox: Sandbox, gateway: Gateway) -> None:
    job = a_job("slack.post", message="hello", to="room", context={"name": "x"})
    with pytest.raises(TryAgain, match="does not exist yet"):
        await gateway.perform(job)
    room = sandbox.slack.find("lav-adaf-oncall").id
    await gateway.perform(a_job("slack.post", with_room(room), message="hello", to="room", context={"name": "x"}))
    assert len(shown(sandbox, "lav-adaf-oncall")) == 1


async def test_a_post_into_a_thread_hangs_below_its_post(sandbox: Sandbox, gateway: Gateway) -> None:
    parent = await gateway.perform(hello())
    job = a_job(
        "slack.post", an_incident(done={"announce": parent}), message="hello", thread="announce", context={"name": "x"},
        job="job-2",
    )  # fmt: skip
    result = await gateway.perform(job)
    assert shown(sandbox, "war-room")[1]["thread_ts"] == parent["ts"]
    assert await gateway.find(job) == result


async def test_a_public_channel_is_joined_before_the_first_post(sandbox: Sandbox, gateway: Gateway) -> None:
    await gateway.perform(a_job("slack.post", to="random", message="hello", context={"name": "x"}))
    assert len(shown(sandbox, "random")) == 1


async def test_a_channel_that_is_not_there_is_refused_with_what_to_do(gateway: Gateway) -> None:
    job = a_job("slack.post", to="gone", message="hello", context={"name": "x"})
    with pytest.raises(Refused, match=r"#no-such-channel.*channels in warroom.yaml"):
        await gateway.perform(job)
    assert await gateway.find(job) is None


async def test_a_channel_made_after_the_list_was_read_is_found(sandbox: Sandbox, gateway: Gateway) -> None:
    await gateway.warm()
    sandbox.slack.add_channel("no-such-channel", ["U0WARROOM1"])
    await gateway.perform(a_job("slack.post", to="gone", message="hello", context={"name": "x"}))
    assert len(shown(sandbox, "no-such-channel")) == 1


async def test_a_warm_gateway_posts_with_a_single_call(sandbox: Sandbox, gateway: Gateway) -> None:
    await gateway.warm()
    sandbox.journal.clear()
    await gateway.perform(hello())
    assert [c.method for c in sandbox.journal.of("slack")] == ["chat.postMessage"]


async def test_a_dropped_connection_is_uncertain_and_the_post_is_found(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.faults.add("slack", "chat.postMessage", "drop_after")
    with pytest.raises(Uncertain):
        await gateway.perform(hello())
    found = await gateway.find(hello())
    (message,) = shown(sandbox, "war-room")
    assert found == {"channel": message["channel_id"], "ts": message["ts"], "id": "job-1"}


async def test_a_post_that_never_arrived_is_not_found(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.faults.add("slack", "chat.postMessage", "drop_before")
    with pytest.raises(Uncertain):
        await gateway.perform(hello())
    assert await gateway.find(hello()) is None


async def test_a_post_is_found_behind_pages_of_talk(sandbox: Sandbox, gateway: Gateway, watch: Watch) -> None:
    await gateway.perform(hello())
    for n in range(450):
        sandbox.slack.post(sandbox.slack.find("war-room"), ANA, f"talk {n}")
    assert await gateway.find(hello()) is not None


async def test_an_error_500_is_tried_again_after_a_look_at_what_it_left_behind(
    sandbox: Sandbox, gateway: Gateway
) -> None:
    sandbox.faults.add("slack", "chat.postMessage", "500", times=2)
    for attempt in (1, 2):
        with pytest.raises(TryAgain):
            await gateway.perform(hello(attempt=attempt))
    metadata = {"event_type": "warroom_effect", "event_payload": {"id": "job-1"}}
    left = sandbox.slack.post(sandbox.slack.find("war-room"), BOT, "taken in spite of the 500", metadata=metadata)
    assert (await gateway.perform(hello(attempt=3)))["ts"] == left.ts
    assert len(shown(sandbox, "war-room")) == 1


async def test_what_a_500_left_behind_is_found_after_a_new_start(
    sandbox: Sandbox, gateway: Gateway, after_a_stop: Gateway
) -> None:
    sandbox.faults.add("slack", "chat.postMessage", "500")
    with pytest.raises(TryAgain):
        await gateway.perform(hello())
    metadata = {"event_type": "warroom_effect", "event_payload": {"id": "job-1"}}
    left = sandbox.slack.post(sandbox.slack.find("war-room"), BOT, "taken in spite of the 500", metadata=metadata)
    assert (await after_a_stop.perform(hello(attempt=2)))["ts"] == left.ts
    assert len(shown(sandbox, "war-room")) == 1


async def test_what_was_surely_not_sent_is_not_looked_up(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.faults.add("slack", "chat.postMessage", "429", times=2)
    for attempt in (1, 2):
        with pytest.raises(TryAgain):
            await gateway.perform(hello(attempt=attempt))
    await gateway.perform(hello(attempt=3))
    assert sandbox.journal.of("slack", "conversations.history") == []


def long(**more: Any) -> Job:
    return a_job("slack.post", to="war_room", message="long", context={"lines": LINES}, **more)


async def test_a_long_message_goes_on_in_its_thread(sandbox: Sandbox, gateway: Gateway) -> None:
    result = await gateway.perform(long())
    messages = shown(sandbox, "war-room")
    assert len(messages) == len(result["parts"]) > 1
    assert all(m["thread_ts"] == result["ts"] for m in messages[1:])
    ids = [m["metadata"]["event_payload"]["id"] for m in messages]
    assert ids == ["job-1", *(f"job-1.{n}" for n in range(1, len(messages)))]
    assert await gateway.find(long()) == result


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "500", "429"])
async def test_a_long_message_that_broke_off_is_finished_not_repeated(
    sandbox: Sandbox, gateway: Gateway, after_a_stop: Gateway, kind: str, stopped: bool
) -> None:
    whole = await gateway.perform(long(job="other"))
    sandbox.faults.add("slack", "chat.postMessage", "latency", times=1)
    first_then_fault = sandbox.faults.add("slack", "chat.postMessage", kind)
    sandbox.faults.rules.remove(first_then_fault)
    seen = len(shown(sandbox, "war-room"))

    post = sandbox.slack.post

    def once(*args: object, **more: object) -> object:
        sandbox.slack.post = post
        sandbox.faults.rules.append(first_then_fault)
        return post(*args, **more)

    sandbox.slack.post = once
    with pytest.raises((Uncertain, TryAgain)):
        await gateway.perform(long())
    if kind.startswith("drop"):
        found = await gateway.find(long())
        assert (found is not None) == (kind == "drop_after" and len(whole["parts"]) == 2)
    result = await (after_a_stop if stopped else gateway).perform(long(attempt=2))
    assert len(shown(sandbox, "war-room")) - seen == len(whole["parts"]) == len(result["parts"])


async def test_an_edit_changes_the_post_and_is_recognised(sandbox: Sandbox, gateway: Gateway) -> None:
    post = await gateway.perform(hello())
    edit = a_job(
        "slack.edit", an_incident(done={"announce": post}), of="announce", message="hello", context={"name": "Raj"},
        job="edit-1",
    )  # fmt: skip
    assert await gateway.find(edit) is None
    result = await gateway.perform(edit)
    (message,) = shown(sandbox, "war-room")
    assert "greets Raj" in str(message["text"])
    assert result == {"channel": post["channel"], "ts": post["ts"]}
    assert await gateway.find(edit) == result
    assert message["metadata"]["event_payload"] == {"id": "job-1", "edit": "edit-1"}


async def test_an_edit_longer_than_its_post_says_that_it_is_shortened(sandbox: Sandbox, gateway: Gateway) -> None:
    post = await gateway.perform(hello())
    incident = an_incident(done={"announce": post})
    await gateway.perform(a_job("slack.edit", incident, of="announce", message="long", context={"lines": LINES}))
    (message,) = shown(sandbox, "war-room")
    assert "Shortened here" in str(message["text"])


async def test_an_edit_shorter_than_its_post_leaves_no_old_news(sandbox: Sandbox, gateway: Gateway) -> None:
    post = await gateway.perform(long())
    edit = a_job("slack.edit", an_incident(done={"x": post}), of="x", message="hello", context={"name": "Raj"})
    await gateway.perform(edit)
    first, *rest = shown(sandbox, "war-room")
    assert "Raj" in str(first["text"])
    assert {m["text"] for m in rest} == {"—"}
    assert await gateway.find(edit) is not None


async def test_an_edit_of_a_deleted_message_is_refused(sandbox: Sandbox, gateway: Gateway, api: Api) -> None:
    post = await gateway.perform(hello())
    del sandbox.slack.channels[str(post["channel"])].messages[str(post["ts"])]
    with pytest.raises(Refused, match="was deleted"):
        await gateway.perform(
            a_job("slack.edit", an_incident(done={"x": post}), of="x", message="hello", context={"name": "y"})
        )


async def test_an_edit_waits_for_its_post_and_gives_up_with_it(gateway: Gateway) -> None:
    job = a_job("slack.edit", of="announce", message="hello", context={"name": "x"})
    with pytest.raises(TryAgain):
        await gateway.perform(job)
    lost = an_incident(failed={"announce": object()})
    with pytest.raises(Refused, match="never sent"):
        await gateway.perform(a_job("slack.edit", lost, of="announce", message="hello", context={"name": "x"}))


async def test_an_answer_goes_to_the_person_who_asked_only(sandbox: Sandbox, gateway: Gateway) -> None:
    target = sandbox.slack.surfaces.issue_response_url(ANA, sandbox.slack.find("war-room").id, AT)
    where = f"{sandbox.url}/slack/response/{target.id}"
    job = a_job("slack.answer", response_url=where, message="hello", context={"name": "Ana"})
    assert await gateway.perform(job) == {}
    (message,) = shown(sandbox, "war-room")
    assert message["ephemeral_to_id"] == ANA
    assert await gateway.find(job) is None


async def test_an_answer_that_came_too_late_for_its_url_is_whispered(
    sandbox: Sandbox, gateway: Gateway, watch: Watch
) -> None:
    channel = sandbox.slack.find("war-room").id
    target = sandbox.slack.surfaces.issue_response_url(ANA, channel, AT)
    where = f"{sandbox.url}/slack/response/{target.id}"
    watch.forward(minutes=31)
    data = {"response_url": where, "message": "hello", "context": {"name": "Ana"}}
    with pytest.raises(Refused, match="too late"):
        await gateway.perform(a_job("slack.answer", **data))
    await gateway.perform(a_job("slack.answer", **data, user=ANA, channel=channel))
    assert [m["ephemeral_to_id"] for m in shown(sandbox, "war-room")] == [ANA]


async def test_an_answer_never_leaves_for_a_strange_host(sandbox: Sandbox, gateway: Gateway) -> None:
    for where in ("http://127.0.0.1:9/x", "https://hooks.slack.com.evil.example/x", "http://hooks.slack.com/x"):
        with pytest.raises(Refused, match="not Slack's"):
            await gateway.perform(a_job("slack.answer", response_url=where, message="hello", context={"name": "x"}))


async def test_an_answer_with_nowhere_to_go_is_refused(gateway: Gateway) -> None:
    with pytest.raises(Refused, match="nowhere to go"):
        await gateway.perform(a_job("slack.answer", message="hello", context={"name": "x"}))


async def test_what_we_may_not_look_at_stays_uncertain(sandbox: Sandbox, gateway: Gateway) -> None:
    await gateway.perform(hello())
    sandbox.slack_api.scopes -= {"channels:history", "groups:history", "im:history"}
    with pytest.raises(Uncertain, match="cannot be seen"):
        await gateway.find(hello())


async def test_a_private_channel_we_are_not_in_asks_to_be_invited(sandbox: Sandbox, gateway: Gateway) -> None:
    secret = sandbox.slack.add_channel("no-such-channel", [SAM], private=True)
    with pytest.raises(SlackRefused, match="invite the bot"):
        await gateway.perform(a_job("slack.post", to=secret.id, message="hello", context={"name": "x"}))
