"""From a person's hands in Slack to `submit`, and back to what the person sees."""

import asyncio
import json
import logging
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.slack.support import ANA, AT, RITA, SAM, SECRET, Desk, Watch, a_job

from warroom.domain.effects import FieldErrors, Form, Reply, moment
from warroom.domain.inputs import Click, Command, Pinned, Submission
from warroom.domain.words import day
from warroom.errors import ConfigError, StoreError
from warroom.sandbox import Sandbox
from warroom.sandbox.signing import slack_headers
from warroom.slack.app import COMMANDS, create_app
from warroom.slack.directory import Directory
from warroom.slack.gateway import Gateway

pytestmark = pytest.mark.usefixtures("bot")
HELLO = Reply("hello", {"name": "Ana"})
SEVERITIES = [{"value": "P0", "label": "P0 Critical"}, {"value": "P1", "label": "P1 High"}]
DECLARE = Form("declare", "", {"severities": SEVERITIES, "values": {"title": "Orders rejected", "severity": "P1"}})


async def a_message(gateway: Gateway) -> Any:
    return await gateway.perform(a_job("slack.post", to="war_room", message="hello", context={"name": "x"}))


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_command_is_written_down_and_answered_privately(sandbox: Sandbox, desk: Desk, name: str) -> None:
    desk.answer = lambda given: HELLO
    answer = await sandbox.command("ana", "war-room", name, "help me")
    assert answer.text == "The toy pack greets Ana.\n[Acknowledge]"
    (shown,) = answer.messages
    assert shown["ephemeral_to_id"] == ANA
    (given,) = desk.inputs
    said = given.body
    assert isinstance(said, Command)
    assert (said.name, said.text, said.channel) == (name, "help me", sandbox.slack.find("war-room").id)
    assert said.response_url.startswith(sandbox.url)
    assert (given.source, given.source_id, given.received) == ("slack", f"cmd:{said.trigger}", AT)
    assert (said.actor.name, said.actor.groups) == ("Ana Souza", {"halt_operators"})


async def test_an_answer_names_the_day_of_what_is_not_of_today(sandbox: Sandbox, desk: Desk) -> None:
    told = [AT, AT - timedelta(days=1)]
    desk.answer = lambda given: Reply("when", {"at": moment(told.pop(0)), "people": ["Ana"]})
    assert "At 13:31 UTC with Ana." in (await sandbox.command("ana", "war-room", "/incident")).text
    yesterday = f"At {day(AT - timedelta(days=1))}, 13:31 UTC with Ana."
    assert yesterday in (await sandbox.command("ana", "war-room", "/incident")).text


async def test_buttons_of_an_answer_carry_the_incident_or_what_the_rules_say(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: HELLO
    (shown,) = (await sandbox.command("ana", "war-room", "/incident")).messages
    assert shown["blocks"][-1]["elements"][0]["value"] == "INC-2026-0042"
    desk.answer = lambda given: Reply("hello", {"name": "Ana", "button": "run-7|why"})
    (shown,) = (await sandbox.command("ana", "war-room", "/incident")).messages
    assert shown["blocks"][-1]["elements"][0]["value"] == "run-7|why"


async def test_a_command_s_text_arrives_as_it_was_typed_with_the_names_of_people(sandbox: Sandbox, desk: Desk) -> None:
    await sandbox.command("ana", "war-room", "/incident", "note a &lt; b &amp;&amp; c <@U0SANDBX02|raj>")
    assert desk.last.text == "note a < b && c <@U0SANDBX02|Raj Patel>"


async def test_a_command_with_the_word_payload_in_it_is_a_command(sandbox: Sandbox, desk: Desk) -> None:
    await sandbox.command("ana", "war-room", "/halt", "all the payload is corrupt & payload=[1]")
    assert desk.last.text == "all the payload is corrupt & payload=[1]"


async def test_a_command_says_behind_which_mentions_there_is_no_person(sandbox: Sandbox, desk: Desk) -> None:
    await sandbox.command("ana", "war-room", "/incident", "x <@U0SANDBX02> <@U0NOBODY99|zed> <@U0WARROOM1|warroom>")
    assert desk.last.nobody == ("U0NOBODY99", "U0WARROOM1")


async def test_a_refusal_names_who_of_its_groups_is_known(sandbox: Sandbox, desk: Desk, directory: Directory) -> None:
    await directory.warm()
    desk.answer = lambda given: Reply("refusal", {"ask": [], "ask_groups": ["commanders", "ghosts"]})
    said = await sandbox.command("sam", "war-room", "/halt", "all x")
    assert said.text == "Ask @Raj Patel, @Mei Tanaka."


async def test_nothing_to_say_shows_nothing(sandbox: Sandbox, desk: Desk) -> None:
    answer = await sandbox.command("ana", "war-room", "/incident", "ack")
    assert (answer.ok, answer.text, answer.messages) == (True, "", [])


async def test_the_answer_leaves_only_after_submit_returned(sandbox: Sandbox, desk: Desk) -> None:
    gone = asyncio.Event()

    class Slow(Desk):
        async def submit(self, given: Any) -> Any:
            await asyncio.sleep(0.2)
            gone.set()
            return await Desk.submit(self, given)

    desk.__class__ = Slow
    answer = await sandbox.command("ana", "war-room", "/incident")
    assert gone.is_set()
    assert answer.took_s >= 0.2


async def test_a_long_answer_comes_whole(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: Reply("long", {"lines": [f"line {n}" for n in range(60)]})
    answer = await sandbox.command("ana", "war-room", "/incident", "timeline")
    text = "\n".join(m["text"] for m in answer.messages)
    assert all(f"line {n}" in text for n in range(60))
    assert len(answer.messages) > 1


async def test_what_could_not_be_written_down_is_said_and_logged(
    sandbox: Sandbox, desk: Desk, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.fails = StoreError("the disk is full")
    post = await a_message(gateway)
    answers = [
        await sandbox.command("ana", "war-room", "/incident", "ack"),
        await sandbox.click("ana", "war-room", post["ts"], "incident.ack"),
        await sandbox.shortcut("ana", "war-room", post["ts"], "add_to_timeline"),
    ]
    for answer, again in zip(answers, ("type it again", "press it again", "choose it again"), strict=True):
        assert answer.ok
        assert "could not write this down" in answer.text
        assert again in answer.text
        assert "disk" not in answer.text
    assert capsys.readouterr().out.count("the disk is full") == 3


async def test_a_mistake_of_ours_is_an_honest_failure(
    sandbox: Sandbox, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.fails = ZeroDivisionError("a bug")
    answer = await sandbox.command("ana", "war-room", "/incident", "secret words")
    assert (answer.ok, answer.status) == (False, 500)
    out = capsys.readouterr().out
    assert "ZeroDivisionError" in out
    assert "secret words" not in out


async def test_a_click_is_written_down_with_its_message_and_answered_beside_it(
    sandbox: Sandbox, desk: Desk, gateway: Gateway
) -> None:
    desk.answer = lambda given: HELLO
    post = await a_message(gateway)
    answer = await sandbox.click("rita", "war-room", post["ts"], "incident.ack")
    pressed = desk.last
    assert isinstance(pressed, Click)
    assert (pressed.action, pressed.value, pressed.message_ts) == ("incident.ack", "INC-2026-0042", post["ts"])
    assert pressed.channel == post["channel"]
    assert pressed.actor.slack_id == RITA
    assert desk.inputs[-1].source_id == f"act:{pressed.trigger}"
    assert [m["ephemeral_to_id"] for m in answer.messages] == [RITA]
    original = sandbox.slack.channels[post["channel"]].messages[post["ts"]]
    assert original.edited is None


async def test_a_button_with_an_address_is_only_acknowledged(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: HELLO
    blocks = [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "open.1",
                    "url": "https://x.example",
                    "text": {"type": "plain_text", "text": "Open"},
                }
            ],
        }
    ]
    post = sandbox.slack.post(sandbox.slack.find("war-room"), "U0WARROOM1", "x", blocks=blocks)
    assert (await sandbox.click("ana", "war-room", post.ts, "open.1")).ok
    assert desk.inputs == []


async def test_a_form_opens_is_sent_in_and_thanks_in_the_modal(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: DECLARE
    opened = await sandbox.command("ana", "war-room", "/incident", "declare")
    assert opened.view is not None
    assert opened.view["callback_id"] == "declare"
    desk.answer = lambda given: HELLO
    sent = await sandbox.submit("ana", values={"severity": "P0", "description": " Since 13:20. "})
    said = desk.last
    assert isinstance(said, Submission)
    assert (said.form, said.about) == ("declare", "")
    assert said.values == {"title": "Orders rejected", "severity": "P0", "description": "Since 13:20."}
    assert sent.ok
    assert sent.view is not None
    assert sent.view["callback_id"] == "notice"
    assert "greets Ana" in json.dumps(sent.view["blocks"])


async def test_a_form_without_an_answer_just_closes(sandbox: Sandbox, desk: Desk, gateway: Gateway) -> None:
    desk.answer = lambda given: Form("step_skip", "INC-2026-0042|evidence", {})
    post = await a_message(gateway)
    assert (await sandbox.click("ana", "war-room", post["ts"], "incident.ack")).view is not None
    desk.answer = lambda given: None
    sent = await sandbox.submit("ana", values={"reason": "logs are gone"})
    assert sent.view is None
    assert desk.last.about == "INC-2026-0042|evidence"


async def test_mistakes_stand_at_their_fields_and_a_corrected_form_is_a_new_input(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: DECLARE
    await sandbox.command("ana", "war-room", "/incident", "declare")
    desk.answer = lambda given: FieldErrors({"title": "Say more.", "elsewhere": "Odd."})
    sent = await sandbox.submit("ana", values={"title": "x"})
    assert sent.errors == {"title": "Say more. Odd."}
    again = await sandbox.submit("ana", values={"title": "x"})
    assert again.errors == sent.errors
    desk.answer = lambda given: None
    assert (await sandbox.submit("ana", values={"title": "Orders are rejected"})).ok
    assert [type(i.body).__name__ for i in desk.inputs] == ["Command", "Submission", "Submission"]


async def test_a_form_that_could_not_be_written_down_stays_open_with_what_was_typed(
    sandbox: Sandbox, desk: Desk
) -> None:
    desk.answer = lambda given: DECLARE
    await sandbox.command("ana", "war-room", "/incident", "declare")
    desk.fails = StoreError("down")
    sent = await sandbox.submit("ana")
    assert "send it again" in sent.errors["title"]
    assert sent.view is not None


async def test_a_form_may_be_answered_with_another_form(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: DECLARE
    await sandbox.command("ana", "war-room", "/incident", "declare")
    desk.answer = lambda given: Form("resolve", "INC-2026-0042")
    sent = await sandbox.submit("ana")
    assert sent.view is not None
    assert sent.view["callback_id"] == "resolve"


@pytest.mark.parametrize("kind", ["500", "429", "drop_before"])
async def test_a_form_that_slack_does_not_open_is_said(sandbox: Sandbox, desk: Desk, kind: str) -> None:
    desk.answer = lambda given: DECLARE
    sandbox.faults.add("slack", "views.open", kind)  # type: ignore[arg-type]
    answer = await sandbox.command("ana", "war-room", "/incident", "declare")
    assert "ask for it again" in answer.text


async def test_a_form_that_opens_slowly_does_not_cost_the_answer(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: DECLARE
    sandbox.faults.add("slack", "views.open", "latency", delay_s=2.1)
    answer = await sandbox.command("ana", "war-room", "/incident", "declare")
    assert answer.ok
    assert answer.took_s < 3


async def test_a_reaction_with_a_pin_reaches_the_timeline_others_do_not(sandbox: Sandbox, desk: Desk) -> None:
    post = await sandbox.say("ana", "war-room", "look at this")
    for name in ("eyes", "pushpin"):
        await sandbox.react("ana", "war-room", post.ts, name)
    await sandbox.delivery.settle()
    (given,) = desk.inputs
    assert isinstance(given.body, Pinned)
    assert (given.body.channel, given.body.ts, given.body.actor.slack_id) == (post.channel, post.ts, ANA)
    assert given.source_id.startswith("evt:Ev")


async def test_an_event_that_could_not_be_written_down_comes_again(sandbox: Sandbox, desk: Desk) -> None:
    class Twice(Desk):
        left = 2

        async def submit(self, given: Any) -> Any:
            if self.left:
                self.left -= 1
                raise StoreError("not now")
            return await Desk.submit(self, given)

    desk.__class__ = Twice
    post = await sandbox.say("ana", "war-room", "look at this")
    await sandbox.react("ana", "war-room", post.ts, "pushpin")
    await sandbox.delivery.settle()
    assert len(desk.inputs) == 1


async def test_events_nobody_needs_are_acknowledged(sandbox: Sandbox, desk: Desk) -> None:
    await sandbox.say("ana", "war-room", "hello")
    await sandbox.open_home("ana")
    await sandbox.delivery.settle()
    assert desk.inputs == []
    assert all(call.ok for call in sandbox.journal.of("bot"))


async def test_the_shortcut_adds_a_message_to_the_timeline(sandbox: Sandbox, desk: Desk) -> None:
    desk.answer = lambda given: HELLO
    post = await sandbox.say("ana", "war-room", "look at this")
    answer = await sandbox.shortcut("ana", "war-room", post.ts, "add_to_timeline")
    assert isinstance(desk.last, Pinned)
    assert desk.last.ts == post.ts
    assert "greets Ana" in answer.text
    assert (await sandbox.shortcut("ana", "war-room", post.ts, "of_another_version")).ok


async def test_the_same_trigger_twice_is_one_input_with_one_answer(
    bot: str, sandbox: Sandbox, desk: Desk, http: httpx.AsyncClient
) -> None:
    desk.answer = lambda given: HELLO if "list" in given.body.text else DECLARE  # type: ignore[union-attr]
    for text in ("list", "declare"):
        trigger = sandbox.slack.surfaces.issue_trigger(ANA)
        fields = {"command": "/incident", "text": text, "trigger_id": trigger, "user_id": ANA, "user_name": "ana"}
        body = urlencode(fields | {"channel_id": sandbox.slack.find("war-room").id}).encode()
        headers = slack_headers(SECRET, body, int(time.time()))
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        first, second = [await http.post(bot, content=body, headers=headers) for _ in range(2)]
        assert first.status_code == second.status_code == 200
        assert first.content == second.content
    assert len(desk.inputs) == 2
    assert len(sandbox.slack.surfaces.open_of(ANA)) == 1


async def test_a_stranger_is_written_down_as_such(sandbox: Sandbox, desk: Desk) -> None:
    await sandbox.command("sam", "random", "/halt", "all because I can")
    assert (desk.last.actor.slack_id, desk.last.actor.groups, desk.last.actor.verified) == (SAM, frozenset(), True)


async def test_slack_s_own_api_down_does_not_keep_commands_out(sandbox: Sandbox, desk: Desk) -> None:
    sandbox.faults.add("slack", "*", "500", times=100)
    desk.answer = lambda given: HELLO
    answer = await sandbox.command("raj", "war-room", "/incident", "ack")
    assert "greets Ana" in answer.text
    assert (desk.last.actor.groups, desk.last.actor.verified) == ({"commanders"}, False)


async def test_an_empty_signing_secret_is_found_out_at_start(
    desk: Desk, api: Any, directory: Any, catalog: Any
) -> None:
    with pytest.raises(ConfigError, match="SLACK_SIGNING_SECRET"):
        create_app(signing_secret="", api=api, submit=desk.submit, directory=directory, catalog=catalog, clock=Watch())


def test_bolt_does_not_log_bodies_of_forged_requests() -> None:
    assert logging.getLogger("slack_bolt.RequestVerification").level == logging.WARNING


async def test_a_command_of_another_version_is_told_what_there_is(sandbox: Sandbox, desk: Desk) -> None:
    answer = await sandbox.command("ana", "war-room", "/resume", "now")
    assert "There are /incident, /halt" in answer.text
    assert desk.inputs == []
