"""Posting, editing, reading back and hanging things on messages, as a bot does it."""

from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from tests.sandbox.conftest import Watch

from warroom.sandbox import Sandbox, serve

Ids = Callable[[str], str]


async def refusal(call: Any) -> str:
    """Slack's error code for a call that is refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_post_can_be_found_again_by_its_metadata(slack: AsyncWebClient, channel: Ids) -> None:
    metadata = {"event_type": "outbox", "event_payload": {"id": "E-1"}}
    posted = await slack.chat_postMessage(channel=channel("war-room"), text="hello", metadata=metadata)
    with_it = await slack.conversations_history(channel=channel("war-room"), include_all_metadata=True)
    without = await slack.conversations_history(channel=channel("war-room"))
    assert with_it["messages"][0]["ts"] == posted["ts"]
    assert with_it["messages"][0]["metadata"] == metadata
    assert "metadata" not in without["messages"][0]


async def test_thread_replies_are_in_replies_and_not_in_history(slack: AsyncWebClient, channel: Ids) -> None:
    room = channel("war-room")
    parent = await slack.chat_postMessage(channel=room, text="parent")
    await slack.chat_postMessage(channel=room, text="reply", thread_ts=parent["ts"])
    history = await slack.conversations_history(channel=room)
    replies = await slack.conversations_replies(channel=room, ts=parent["ts"])
    assert [m["text"] for m in history["messages"]] == ["parent"]
    assert history["messages"][0]["reply_count"] == 1
    assert [m["text"] for m in replies["messages"]] == ["parent", "reply"]
    assert await refusal(slack.chat_postMessage(channel=room, text="x", thread_ts="1.000001")) == "thread_not_found"


async def test_history_is_paged_newest_first_and_a_made_up_cursor_is_refused(
    slack: AsyncWebClient, channel: Ids
) -> None:
    room = channel("war-room")
    posted = [(await slack.chat_postMessage(channel=room, text=f"m{n}"))["ts"] for n in range(5)]
    assert posted == sorted(set(posted))
    seen: list[str] = []
    async for page in await slack.conversations_history(channel=room, limit=2):
        seen += [m["text"] for m in page["messages"]]
    assert seen == ["m4", "m3", "m2", "m1", "m0"]
    newer = await slack.conversations_history(channel=room, oldest=posted[2])
    assert [m["text"] for m in newer["messages"]] == ["m4", "m3"]
    assert await refusal(slack.conversations_history(channel=room, cursor="nonsense")) == "invalid_cursor"


async def test_only_own_messages_can_be_changed_and_the_change_shows(
    slack: AsyncWebClient, sandbox: Sandbox, channel: Ids
) -> None:
    room = channel("war-room")
    posted = await slack.chat_postMessage(channel=room, text="before")
    await slack.chat_update(channel=room, ts=posted["ts"], text="after")
    shown = sandbox.transcript()[-1]
    assert (shown["text"], shown["author"]) == ("after", "warroom")
    assert shown["edited_at"] is not None
    theirs = await sandbox.say("ana", "war-room", "mine")
    assert await refusal(slack.chat_update(channel=room, ts=theirs.ts, text="x")) == "cant_update_message"
    assert await refusal(slack.chat_update(channel=room, ts="1.000001", text="x")) == "message_not_found"
    await slack.chat_delete(channel=room, ts=posted["ts"])
    assert "after" not in [m["text"] for m in sandbox.transcript()]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C404", "text": "x"}, "channel_not_found"),
        ({"channel": "random", "text": "x"}, "not_in_channel"),
        ({"channel": "war-room"}, "no_text"),
        ({"channel": "war-room", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "war-room", "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
        ({"channel": "war-room", "text": "x", "metadata": "{"}, "invalid_metadata_format"),
        ({"channel": "war-room", "text": "x", "blocks": "{"}, "invalid_blocks_format"),
    ],
)
async def test_a_post_slack_would_refuse_is_refused(
    slack: AsyncWebClient, sandbox: Sandbox, arguments: dict[str, Any], error: str
) -> None:
    known = sandbox.slack.named(arguments["channel"])
    arguments = {**arguments, "channel": known.id if known else arguments["channel"]}
    assert await refusal(slack.api_call("chat.postMessage", json=arguments)) == error
    assert sandbox.transcript() == []


async def test_what_hangs_on_a_channel_is_kept_once(slack: AsyncWebClient, sandbox: Sandbox, channel: Ids) -> None:
    room = channel("war-room")
    ts = (await slack.chat_postMessage(channel=room, text="panel"))["ts"]
    await slack.pins_add(channel=room, timestamp=ts)
    assert await refusal(slack.pins_add(channel=room, timestamp=ts)) == "already_pinned"
    assert [i["message"]["text"] for i in (await slack.pins_list(channel=room))["items"]] == ["panel"]
    await slack.pins_remove(channel=room, timestamp=ts)
    assert await refusal(slack.pins_remove(channel=room, timestamp=ts)) == "no_pin"
    await slack.reactions_add(channel=room, timestamp=ts, name="eyes")
    assert await refusal(slack.reactions_add(channel=room, timestamp=ts, name="eyes")) == "already_reacted"
    assert (await slack.reactions_get(channel=room, timestamp=ts))["message"]["reactions"][0]["count"] == 1
    link = {"channel_id": room, "title": "Runbook", "type": "link"}
    made = await slack.bookmarks_add(**link, link="https://example.com/r")
    await slack.bookmarks_edit(bookmark_id=made["bookmark"]["id"], channel_id=room, title="Playbook")
    assert (await slack.bookmarks_list(channel_id=room))["bookmarks"][0]["title"] == "Playbook"
    assert await refusal(slack.bookmarks_add(**link, link="not a link")) == "invalid_link"
    permalink = await slack.chat_getPermalink(channel=room, message_ts=ts)
    async with httpx.AsyncClient(trust_env=False, verify=False) as web:
        assert (await web.get(permalink["permalink"])).text == "panel"


async def test_an_ephemeral_message_is_seen_by_one_person_of_the_channel(
    slack: AsyncWebClient, sandbox: Sandbox, channel: Ids
) -> None:
    ana, sam = "U0SANDBX01", "U0SANDBX11"
    await slack.chat_postEphemeral(channel=channel("war-room"), user=ana, text="only you")
    assert sandbox.transcript()[-1]["ephemeral_to"] == "Ana Souza"
    history = await slack.conversations_history(channel=channel("war-room"))
    assert history["messages"] == []
    refused = slack.chat_postEphemeral(channel=channel("war-room"), user=sam, text="x")
    assert await refusal(refused) == "user_not_in_channel"


async def test_a_file_goes_through_the_external_upload_and_shows_in_the_thread(
    slack: AsyncWebClient, sandbox: Sandbox, channel: Ids, http: httpx.AsyncClient
) -> None:
    room = channel("war-room")
    parent = await slack.chat_postMessage(channel=room, text="evidence")
    done = await slack.files_upload_v2(
        channel=room, thread_ts=parent["ts"], content="lines", filename="log.txt", title="Logs"
    )
    shown = sandbox.transcript()[-1]
    assert shown["files"][0]["title"] == "Logs"
    assert shown["thread_ts"] == parent["ts"]
    assert (await http.get(f"/slack/files/{done['file']['id']}")).text == "lines"
    announced = await slack.files_getUploadURLExternal(filename="a.txt", length=3)
    assert (await http.post(announced["upload_url"], content=b"four")).status_code == 400
    unfinished = slack.files_completeUploadExternal(files=[{"id": announced["file_id"]}], channel_id=room)
    assert await refusal(unfinished) == "file_not_found"


async def test_the_transcript_says_whom_a_message_notifies(
    slack: AsyncWebClient, sandbox: Sandbox, channel: Ids
) -> None:
    elements = [
        {"type": "text", "text": "<!channel> from the alert "},
        {"type": "broadcast", "range": "here"},
        {"type": "user", "user_id": "U0SANDBX02"},
    ]
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}]
    await slack.chat_postMessage(channel=channel("war-room"), text="fallback", blocks=blocks)
    await slack.chat_postMessage(channel=channel("war-room"), text="&lt;!channel&gt; is harmless")
    await slack.chat_postMessage(channel=channel("war-room"), text="<!channel> <!subteam^S0SANDBX05> now")
    first, harmless, loud = sandbox.transcript()
    assert first["pings"] == ["here", "U0SANDBX02"]
    assert first["text"] == "<!channel> from the alert @here@Raj Patel"
    assert (harmless["pings"], harmless["text"]) == ([], "<!channel> is harmless")
    assert (loud["pings"], loud["text"]) == (["channel", "S0SANDBX05"], "@channel @risk now")


async def test_a_bad_token_is_refused_and_scopes_are_held_to(watch: Watch) -> None:
    sandbox = Sandbox(watch, scopes=frozenset({"chat:write"}))
    async with serve(sandbox) as url, aiohttp.ClientSession() as session:

        def client(token: str) -> AsyncWebClient:
            return AsyncWebClient(token=token, base_url=f"{url}/slack/api/", session=session, retry_handlers=[])

        assert await refusal(client("xoxb-wrong").auth_test()) == "invalid_auth"
        assert await refusal(client("").auth_test()) == "not_authed"
        good = client("xoxb-sandbox-bot-token")
        assert (await good.auth_test()).headers["x-oauth-scopes"] == "chat:write"
        with pytest.raises(SlackApiError) as caught:
            await good.conversations_create(name="inc-1")
        assert caught.value.response["error"] == "missing_scope"
        assert caught.value.response["needed"] == "channels:manage"
        assert caught.value.response["provided"] == "chat:write"


async def test_limits_hold_when_asked_for_and_say_how_long_to_wait(watch: Watch) -> None:
    sandbox = Sandbox(watch, slack_limits=True)
    async with serve(sandbox) as url, aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token="xoxb-sandbox-bot-token", base_url=f"{url}/slack/api/", session=session, retry_handlers=[]
        )
        room, other = sandbox.slack.find("war-room").id, sandbox.slack.find("risk-alerts").id
        for number in range(4):
            await client.chat_postMessage(channel=room, text=str(number))
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=room, text="too fast")
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        await client.chat_postMessage(channel=other, text="another channel has its own pace")
        for number in range(20):
            await client.conversations_create(name=f"c-{number}")
        with pytest.raises(SlackApiError) as caught:
            await client.conversations_create(name="c-20")
        assert 55 <= int(caught.value.response.headers["Retry-After"]) <= 60
