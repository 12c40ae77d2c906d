"""What people do reaches the bot signed, and what the bot answers reaches the people."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.responses import JSONResponse, Response
from tests.sandbox.conftest import Bot, Json, Watch

from warroom.sandbox import NotOnScreenError, Sandbox, serve
from warroom.sandbox.server import embedded
from warroom.sandbox.slack_modals import Trigger

Ids = Callable[[str], str]


def buttons(*names: str) -> list[Json]:
    elements = [
        {"type": "button", "action_id": n, "value": f"v-{n}", "text": {"type": "plain_text", "text": n}} for n in names
    ]
    return [{"type": "actions", "block_id": "row", "elements": elements}]


def modal(callback_id: str = "halt", **more: Any) -> Json:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": {"type": "plain_text", "text": "Halt"},
        "submit": {"type": "plain_text", "text": "Halt"},
        "private_metadata": "I-1",
        "blocks": [
            {
                "type": "input",
                "block_id": "reason",
                "label": {"type": "plain_text", "text": "Reason"},
                "element": {"type": "plain_text_input", "action_id": "value"},
            },
            {
                "type": "input",
                "block_id": "scope",
                "optional": True,
                "label": {"type": "plain_text", "text": "Scope"},
                "element": {
                    "type": "static_select",
                    "action_id": "value",
                    "options": [
                        {"text": {"type": "plain_text", "text": "Everything"}, "value": "all"},
                        {"text": {"type": "plain_text", "text": "One venue"}, "value": "venue"},
                    ],
                },
            },
        ],
        **more,
    }


async def test_a_command_comes_signed_and_its_answer_is_shown_to_its_author(bot: Bot, sandbox: Sandbox) -> None:
    bot.answer = lambda sent: JSONResponse({"text": f"You typed <@{sent['user_id']}>"})
    answer = await sandbox.command("ana", "war-room", "/incident", "list")
    sent = bot.commands[0]
    assert (sent["command"], sent["text"], sent["channel_name"]) == ("/incident", "list", "war-room")
    assert answer.ok
    assert answer.text == "You typed @Ana Souza"
    assert sandbox.transcript()[-1]["ephemeral_to"] == "Ana Souza"


async def test_a_bot_that_fails_shows_a_failure_to_the_person(bot: Bot, sandbox: Sandbox) -> None:
    bot.answer = lambda sent: Response("", 500)
    answer = await sandbox.command("ana", "war-room", "/halt", "all")
    assert (answer.ok, answer.error, answer.status) == (False, "dispatch_failed", 500)
    assert sandbox.transcript()[-1]["text"] == '/halt failed with the error "dispatch_failed"'
    assert sandbox.transcript()[-1]["author"] == "Slackbot"


async def test_a_response_url_works_five_times_within_thirty_minutes(
    bot: Bot, sandbox: Sandbox, watch: Watch, http: Any
) -> None:
    await sandbox.command("ana", "war-room", "/incident", "list")
    target = bot.commands[0]["response_url"]
    for number in range(5):
        kind = "in_channel" if number == 0 else "ephemeral"
        assert (await http.post(target, json={"text": f"part {number}", "response_type": kind})).is_success
    assert (await http.post(target, json={"text": "six"})).status_code == 404
    assert [m["ephemeral_to"] for m in sandbox.transcript()[:2]] == [None, "Ana Souza"]
    await sandbox.command("ana", "war-room", "/incident", "list")
    watch.forward(minutes=31)
    late = await http.post(bot.commands[1]["response_url"], json={"text": "late"})
    assert late.json()["error"] == "expired_url"


async def test_a_click_sends_what_the_stored_message_holds(
    bot: Bot, sandbox: Sandbox, slack: AsyncWebClient, channel: Ids
) -> None:
    room = channel("war-room")
    ts = (await slack.chat_postMessage(channel=room, text="P0", blocks=buttons("incident.ack", "incident.take")))["ts"]
    assert (await sandbox.click("raj", "war-room", ts, "incident.take")).ok
    sent = bot.interactions[0]
    assert (sent["type"], sent["user"]["id"], sent["channel"]["id"]) == ("block_actions", "U0SANDBX02", room)
    assert sent["actions"][0]["value"] == "v-incident.take"
    assert sent["message"]["ts"] == ts
    with pytest.raises(NotOnScreenError, match=r"there are: incident.ack, incident.take"):
        await sandbox.click("raj", "war-room", ts, "halt.confirm")
    assert len(bot.interactions) == 1


async def test_a_click_on_an_ephemeral_message_can_replace_it(bot: Bot, sandbox: Sandbox, http: Any) -> None:
    bot.answer = lambda sent: JSONResponse({"text": "Sure?", "blocks": buttons("halt.confirm")})
    asked = await sandbox.command("rita", "risk-alerts", "/halt", "all because")
    ts = asked.messages[0]["ts"]
    with pytest.raises(NotOnScreenError):
        await sandbox.click("dana", "risk-alerts", ts, "halt.confirm")
    bot.answer = lambda sent: Response("")
    await sandbox.click("rita", "risk-alerts", ts, "halt.confirm")
    assert bot.interactions[0]["container"]["is_ephemeral"] is True
    target = bot.interactions[0]["response_url"]
    await http.post(target, json={"replace_original": True, "text": "Halted"})
    assert [m["text"] for m in sandbox.transcript()] == ["Halted"]


async def test_a_modal_is_opened_once_with_a_fresh_trigger(bot: Bot, sandbox: Sandbox, slack: AsyncWebClient) -> None:
    await sandbox.command("ana", "war-room", "/halt")
    trigger_id = bot.commands[0]["trigger_id"]
    await slack.views_open(trigger_id=trigger_id, view=modal())
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await slack.views_open(trigger_id=trigger_id, view=modal())
    stale: Trigger = sandbox.slack.surfaces.triggers[sandbox.slack.surfaces.issue_trigger("U0SANDBX01")]
    stale.issued -= 3.1
    old = next(k for k, t in sandbox.slack.surfaces.triggers.items() if t is stale)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await slack.views_open(trigger_id=old, view=modal())


async def test_a_modal_is_filled_refused_corrected_and_closed(
    bot: Bot, sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.command("ana", "war-room", "/halt")
    opened = await slack.views_open(trigger_id=bot.commands[0]["trigger_id"], view=modal())
    empty = await sandbox.submit("ana", values={"scope": "all"})
    assert empty.errors == {"reason": "Please complete this required field."}
    assert bot.interactions == []
    bot.answer = lambda sent: JSONResponse({"response_action": "errors", "errors": {"reason": "Say more."}})
    refused = await sandbox.submit("ana", values={"reason": "x"})
    assert (refused.ok, refused.errors) == (False, {"reason": "Say more."})
    bot.answer = lambda sent: JSONResponse({"response_action": "update", "view": modal("halt2")})
    changed = await sandbox.submit("ana", values={"reason": "feed is dead", "scope": "Everything"})
    assert changed.view is not None
    assert changed.view["callback_id"] == "halt2"
    bot.answer = lambda sent: Response("")
    done = await sandbox.submit("ana", opened["view"]["id"], {"reason": "feed is dead", "scope": "all"})
    assert done.view is None
    sent = bot.interactions[-1]["view"]
    assert sent["state"]["values"]["reason"]["value"] == {"type": "plain_text_input", "value": "feed is dead"}
    assert sent["state"]["values"]["scope"]["value"]["selected_option"]["value"] == "all"
    assert sent["private_metadata"] == "I-1"
    with pytest.raises(NotOnScreenError):
        await sandbox.submit("ana", values={"reason": "again"})


async def test_a_bot_may_not_return_errors_for_an_input_that_is_not_there(
    bot: Bot, sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.command("ana", "war-room", "/halt")
    await slack.views_open(trigger_id=bot.commands[0]["trigger_id"], view=modal(notify_on_close=True))
    bot.answer = lambda sent: JSONResponse({"response_action": "errors", "errors": {"who": "?"}})
    answer = await sandbox.submit("ana", values={"reason": "x"})
    assert answer.error == "invalid_response_action_errors"
    await sandbox.close_view("ana")
    assert bot.interactions[-1]["type"] == "view_closed"


async def test_what_people_say_and_do_comes_as_events(bot: Bot, sandbox: Sandbox) -> None:
    said = await sandbox.say("ana", "war-room", "looking")
    await sandbox.say("raj", "war-room", "me too", said.ts)
    await sandbox.react("raj", "war-room", said.ts, "pushpin")
    await sandbox.join("sam", "war-room")
    await sandbox.open_home("ana")
    await sandbox.say("tom", "random", "the bot is not here")
    await sandbox.delivery.settle()
    kinds = [e["event"]["type"] for e in bot.events]
    assert sorted(kinds) == ["app_home_opened", "member_joined_channel", "message", "message", "reaction_added"]
    reply = next(e["event"] for e in bot.events if e["event"].get("text") == "me too")
    assert (reply["thread_ts"], reply["channel_type"]) == (said.ts, "channel")


async def test_only_events_the_app_subscribed_to_come(watch: Watch) -> None:
    bot = Bot()
    sandbox = Sandbox(watch, events=frozenset({"reaction_added"}))
    async with serve(sandbox), embedded(bot.app) as (url, _):
        sandbox.bot_url = url
        said = await sandbox.say("ana", "war-room", "looking")
        await sandbox.react("raj", "war-room", said.ts, "pushpin")
        await sandbox.delivery.settle()
    assert [e["event"]["type"] for e in bot.events] == ["reaction_added"]


async def test_an_event_that_is_not_taken_comes_again_with_its_number(bot: Bot, sandbox: Sandbox) -> None:
    bot.answer = lambda sent: Response("", 200 if len(bot.events) > 2 else 503)
    await sandbox.say("ana", "war-room", "hello")
    await sandbox.delivery.settle()
    assert bot.retries == [None, "1", "2"]
    assert len({e["event_id"] for e in bot.events}) == 1


async def test_the_home_tab_is_published_and_its_buttons_work(
    bot: Bot, sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await slack.views_publish(user_id="U0SANDBX01", view={"type": "home", "blocks": buttons("incident.update")})
    await sandbox.click("ana", None, None, "incident.update", view_id="home")
    assert bot.interactions[0]["view"]["type"] == "home"


async def test_subscribers_see_things_as_they_happen(sandbox: Sandbox, slack: AsyncWebClient, channel: Ids) -> None:
    with sandbox.subscribe() as seen:
        await slack.chat_postMessage(channel=channel("war-room"), text="hello")
        first = await asyncio.wait_for(anext(aiter(seen)), 1)
    assert (first["kind"], first["text"], first["channel"]) == ("message", "hello", "war-room")


async def test_the_control_api_does_what_people_do(bot: Bot, sandbox: Sandbox, http: Any) -> None:
    bot.answer = lambda sent: JSONResponse({"text": "Here is the list"})
    typed = {"user": "ana", "channel": "war-room", "command": "/incident", "text": "list"}
    assert (await http.post("/control/command", json=typed)).json()["text"] == "Here is the list"
    said = (await http.post("/control/say", json={"user": "ana", "channel": "war-room", "text": "ok"})).json()
    react = {"user": "raj", "channel": "war-room", "ts": said["ts"], "name": "eyes"}
    assert (await http.post("/control/react", json=react)).json() == {"ok": True}
    wrong = await http.post("/control/click", json={**react, "action_id": "incident.ack"})
    assert wrong.status_code == 400
    assert "no element incident.ack" in wrong.json()["error"]
    shown = (await http.get("/control/messages")).json()
    assert [m["text"] for m in shown] == ["Here is the list", "ok"]
    snapshot = (await http.get("/control/snapshot")).json()
    again = (await http.get("/control/snapshot", params={"version": snapshot["version"]})).json()
    assert "messages" in snapshot
    assert "messages" not in again
    settings = (await http.get("/control/settings")).json()
    assert settings["SLACK_API_URL"].endswith("/slack/api/")


@pytest.mark.slow
async def test_a_bot_that_takes_more_than_three_seconds_has_failed(sandbox: Sandbox, url: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        sandbox.bot_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        answer = await sandbox.command("ana", "war-room", "/halt", "all")
    assert answer.error == "operation_timeout"
    assert 2.9 < answer.took_s < 4
    assert "operation_timeout" in sandbox.transcript()[-1]["text"]
