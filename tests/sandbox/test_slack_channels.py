"""Channels, people and groups."""

from collections.abc import Callable

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from warroom.sandbox import Sandbox
from warroom.sandbox.people import CHANNELS

Ids = Callable[[str], str]
ANA, RAJ, BOT = "U0SANDBX01", "U0SANDBX02", "U0WARROOM1"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Inc-1", "invalid_name_specials"),
        ("inc 1", "invalid_name_specials"),
        ("inc.1", "invalid_name_specials"),
        ("---", "invalid_name_punctuation"),
        ("war-room", "name_taken"),
    ],
)
async def test_a_channel_name_slack_would_refuse_is_refused(slack: AsyncWebClient, name: str, error: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        await slack.conversations_create(name=name)
    assert caught.value.response["error"] == error


async def test_a_room_is_made_filled_described_and_archived(slack: AsyncWebClient, sandbox: Sandbox) -> None:
    room = (await slack.conversations_create(name="inc-2026-0001"))["channel"]
    assert room["is_member"]
    assert room["creator"] == BOT
    await slack.conversations_invite(channel=room["id"], users=[ANA, RAJ])
    assert (await slack.conversations_members(channel=room["id"]))["members"] == [BOT, ANA, RAJ]
    await slack.conversations_setTopic(channel=room["id"], topic="P0 · Market Sentinel down")
    await slack.conversations_setPurpose(channel=room["id"], purpose="incident")
    await slack.conversations_rename(channel=room["id"], name="inc-1-done")
    info = (await slack.conversations_info(channel=room["id"]))["channel"]
    assert (info["name"], info["topic"]["value"]) == ("inc-1-done", "P0 · Market Sentinel down")
    await slack.conversations_archive(channel=room["id"])
    with pytest.raises(SlackApiError, match="is_archived"):
        await slack.chat_postMessage(channel=room["id"], text="late")
    subtypes = [m["subtype"] for m in sandbox.transcript()]
    joined = ["channel_join"] * 3
    assert subtypes == [*joined, "channel_topic", "channel_purpose", "channel_name", "channel_archive"]


async def test_invitations_fail_as_in_slack(slack: AsyncWebClient) -> None:
    room = (await slack.conversations_create(name="inc-1"))["channel"]["id"]
    await slack.conversations_invite(channel=room, users=ANA)
    for users, error in ((ANA, "already_in_channel"), (BOT, "cant_invite_self"), ("U404", "user_not_found")):
        with pytest.raises(SlackApiError) as caught:
            await slack.conversations_invite(channel=room, users=users)
        assert caught.value.response["error"] == error
    with pytest.raises(SlackApiError, match="already_in_channel"):
        await slack.conversations_invite(channel=room, users=[ANA, RAJ])
    forced = await slack.api_call(
        "conversations.invite", json={"channel": room, "users": f"{ANA},{RAJ}", "force": True}
    )
    assert forced["errors"] == [{"ok": False, "error": "already_in_channel", "user": ANA}]
    assert RAJ in (await slack.conversations_members(channel=room))["members"]


async def test_the_bot_cannot_read_or_change_a_channel_it_is_not_in(
    slack: AsyncWebClient, sandbox: Sandbox, channel: Ids
) -> None:
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await slack.conversations_history(channel=channel("random"))
    hidden = sandbox.slack.add_channel("secret", [ANA], private=True)
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await slack.chat_postMessage(channel=hidden.id, text="x")
    await slack.conversations_join(channel=channel("random"))
    await slack.chat_postMessage(channel=channel("random"), text="now I may")
    names: list[str] = []
    async for page in await slack.conversations_list(limit=5):
        names += [c["name"] for c in page["channels"]]
    assert "war-room" in names
    assert "secret" not in names
    assert len(names) == len(set(names)) == len(CHANNELS)


async def test_a_topic_may_not_be_too_long(slack: AsyncWebClient, channel: Ids) -> None:
    with pytest.raises(SlackApiError, match="too_long"):
        await slack.conversations_setTopic(channel=channel("war-room"), topic="x" * 251)


async def test_people_are_found_by_id_by_mail_and_by_group(slack: AsyncWebClient, sandbox: Sandbox) -> None:
    found = (await slack.users_lookupByEmail(email="rita@sandbox.example"))["user"]
    assert (await slack.users_info(user=found["id"]))["user"]["real_name"] == "Rita Okafor"
    groups = (await slack.usergroups_list(include_users=True))["usergroups"]
    risk = next(g for g in groups if g["handle"] == "risk")
    assert found["id"] in risk["users"]
    assert (await slack.usergroups_users_list(usergroup=risk["id"]))["users"] == risk["users"]
    with pytest.raises(SlackApiError, match="users_not_found"):
        await slack.users_lookupByEmail(email="nobody@sandbox.example")
    direct = (await slack.conversations_open(users=found["id"]))["channel"]["id"]
    await slack.chat_postMessage(channel=direct, text="please call")
    assert sandbox.transcript()[-1]["channel_id"] == direct
    everybody = [u async for page in await slack.users_list(limit=5) for u in page["members"]]
    assert len(everybody) == 12
