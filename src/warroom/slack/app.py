"""The Bolt app: every way in which Slack reaches us becomes an input, and is answered once it is on disk."""

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from warroom.domain.inputs import Input
from warroom.domain.people import Actor
from warroom.engine.ports import Clock, Directory
from warroom.errors import BadRequest, ConfigError, WarroomError
from warroom.rendering import Catalog, Part
from warroom.slack import gate, inputs
from warroom.slack.answers import Answers, Receipt, ephemeral, field_errors, sentence
from warroom.slack.api import Api

COMMANDS = ("/incident", "/halt", "/diagnostics", "/incident-status")
EVENTS = ("reaction_added",)
ADD_TO_TIMELINE = "add_to_timeline"
SHORTCUTS = (ADD_TO_TIMELINE,)
Submit = Callable[[Input], Awaitable[Receipt]]
Body = dict[str, Any]
_MOST_MENTIONS = 5
_ANY = re.compile(".*", re.DOTALL)
_LOST = "We could not write this down, so nothing was done. Please {again} in a moment."

log = structlog.get_logger("warroom.slack")


class Listeners:
    """What happens with each kind of payload: look the person up, submit, answer."""

    def __init__(self, submit: Submit, directory: Directory, answers: Answers, clock: Clock) -> None:
        self._submit = submit
        self._directory = directory
        self._answers = answers
        self._clock = clock

    async def command(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """A slash command; answered in the acknowledgement."""
        try:
            text, nobody = await self._named(str(body.get("text") or ""))
            receipt = await self._take(partial(inputs.command, nobody=nobody), {**body, "text": text})
        except BadRequest as error:
            return _bad(error)
        except WarroomError as error:
            return await ack(ephemeral(_lost(error, "type it again")[0]))
        return await _say(ack, await self._answers.to_command(receipt, body))

    async def unknown(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """A command of another version of the manifest."""
        known = ", ".join(COMMANDS)
        return await ack(ephemeral(sentence(f"{body['command']} is not known here. There are {known}.")[0]))

    async def click(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """A button; one that opens an address is none of our business."""
        try:
            if inputs.first_action(body).get("url"):
                return await ack()
            receipt = await self._take(inputs.click, body)
        except BadRequest as error:
            return _bad(error)
        except WarroomError as error:
            await self._answers.whisper(_lost(error, "press it again"), body)
            return await ack()
        await self._answers.to_click(receipt, body)
        return await ack()

    async def shortcut(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """A message shortcut."""
        try:
            receipt = await self._take(inputs.pin_shortcut, body)
        except BadRequest as error:
            return _bad(error)
        except WarroomError as error:
            await self._answers.whisper(_lost(error, "choose it again"), body)
            return await ack()
        await self._answers.to_click(receipt, body)
        return await ack()

    async def form(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """A modal sent in; when it could not be written down it stays open with what was typed."""
        try:
            receipt = await self._take(inputs.submission, body)
        except BadRequest as error:
            return _bad(error)
        except WarroomError as error:
            return await _say(ack, field_errors(body, {"": _lost(error, "send it again")[0].text}))
        return await _say(ack, self._answers.to_form(receipt, body))

    async def reaction(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """A reaction: :pushpin: adds the message to the timeline. Slack repeats what could not be written down."""
        try:
            if inputs.is_pin(body):
                await self._take(inputs.pin_reaction, body)
        except BadRequest as error:
            return _bad(error)
        except WarroomError as error:
            _lost(error, "")
            return BoltResponse(status=503, body="")
        return await ack()

    async def ignore(self, ack: AsyncAck) -> BoltResponse:
        """Anything else Slack may send: acknowledged, so that it is not repeated."""
        return await ack()

    async def _named(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Slack mentions people by id and handle; what we write down and show later is their name. With it the ids
        behind which there is no person."""
        found = list(inputs.MENTION.finditer(text))[:_MOST_MENTIONS]
        actors = await asyncio.gather(*(self._directory.actor(m[1], m[2] or m[1]) for m in found))
        for mention, actor in zip(found, actors, strict=True):
            text = text.replace(mention[0], inputs.mention(actor))
        return text, tuple(actor.slack_id for actor in actors if not actor.person)

    async def _take(self, read: Callable[[inputs.Payload, Actor, Any], Input], body: Mapping[str, Any]) -> Receipt:
        """Submit what a payload means; returns after it is committed. Raises BadRequest, WarroomError."""
        received = self._clock.now()
        actor = await self._directory.actor(*inputs.who(body))
        return await self._submit(read(body, actor, received))


def create_app(
    *,
    signing_secret: str,
    api: Api,
    submit: Submit,
    directory: Directory,
    catalog: Catalog,
    clock: Clock,
    pack_of: Callable[[str], str | None] = lambda incident: None,
) -> AsyncApp:
    """The Bolt app with a listener for every command of the manifest, every click, form, shortcut and event.

    `submit` must return only after the input is on disk; its answer is what the person sees. `pack_of` gives the
    pack id of an incident id. Raises ConfigError without a signing secret.
    """
    if not signing_secret:
        raise ConfigError(["SLACK_SIGNING_SECRET is empty: copy it from the app's page, Basic Information."])
    app = AsyncApp(
        logger=logging.getLogger("slack_bolt"),  # its level is for all of Bolt's, which take the root's otherwise
        name="slack_bolt",  # Bolt sets the level of the logger of this name at every request: it must not be ours
        signing_secret=signing_secret,
        client=api.client(),
        authorize=_authorize,
        process_before_response=True,
    )
    logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)  # INFO logs bodies
    listeners = Listeners(submit, directory, Answers(api, catalog, pack_of, clock, directory), clock)
    for name in COMMANDS:
        app.command(name)(listeners.command)
    app.command(_ANY)(listeners.unknown)
    app.block_action(_ANY)(listeners.click)
    app.view_submission(_ANY)(listeners.form)
    app.message_shortcut(ADD_TO_TIMELINE)(listeners.shortcut)
    app.event("reaction_added")(listeners.reaction)
    for other in (app.event, app.shortcut, app.view_closed, app.options):
        other(_ANY)(listeners.ignore)
    app.error(_failed)
    return app


class Endpoint:
    """The app as an ASGI endpoint for POST requests; put `gate.Gate` in front of it."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = await self._app.async_dispatch(await _asked(Request(scope, receive)))
        if answer.status == 404:  # Bolt finds no listener for it, and says so to nobody
            log.warning("slack_request_refused", status=404, reason="no payload that Slack would send")
        await to_starlette_response(answer)(scope, receive, send)


async def _asked(request: Request) -> AsyncBoltRequest:
    """The request as Bolt takes it, but read by us: Bolt looks for the word "payload" anywhere in a form, and would
    lose the command that has it in its text. The signature is checked by Bolt all the same."""
    text = (await request.body()).decode()
    said = gate.read(request.headers.get("content-type", ""), text)
    asked = AsyncBoltRequest(body=said, headers=dict(request.headers), mode="socket_mode")
    asked.raw_body, asked.mode = text, "http"
    return asked


async def _authorize(team_id: str | None = None, enterprise_id: str | None = None) -> AuthorizeResult:
    """Always the same: Bolt's own way asks Slack first, and answers 500 when Slack is down."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


async def _failed(error: Exception, body: Body) -> BoltResponse:
    """A mistake of ours in a listener: logged without payload or local values, and Slack hears of it."""
    what = str(body.get("type") or body.get("command") or "")
    log.error("slack_listener_failed", type=what, trace="".join(traceback.format_exception(error)))
    return BoltResponse(status=500, body="")


def _lost(error: WarroomError, again: str) -> tuple[Part, ...]:
    log.error("slack_input_not_written", error=type(error).__name__, reason=str(error))
    return sentence(_LOST.format(again=again))


def _bad(error: BadRequest) -> BoltResponse:
    log.warning("slack_request_refused", status=error.status, reason=str(error))
    return BoltResponse(status=error.status, body=str(error))


async def _say(ack: AsyncAck, body: Body) -> BoltResponse:
    return await ack(body) if body else await ack()
