"""What a person sees after a command, a click or a form: a private message, a modal, or a mistake by its field."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog

from warroom.domain.effects import Answer, FieldErrors, Form, Reply
from warroom.engine.ports import Clock, Directory
from warroom.errors import DeliveryError
from warroom.rendering import Catalog, Part, notice
from warroom.rendering.elements import text_section
from warroom.slack.api import Api
from warroom.slack.errors import SlackRefused
from warroom.slack.forms import notice_view, view_of
from warroom.slack.values import revive
from warroom.slack.whisper import whisper

MOST_NAMED = 8
"""people named in a refusal as whom to ask"""
WITHIN_S = 2.0
"""Slack waits 3 seconds for us; what we ask of it meanwhile may take this long"""
NOT_IN_MODALS = frozenset({"markdown", "table", "file"})
Json = dict[str, Any]

log = structlog.get_logger("warroom.slack")


class Receipt(Protocol):
    """What `submit` returns once the input is on disk."""

    @property
    def answer(self) -> Answer | None:
        """For the person who asked; None: nothing to say."""

    @property
    def incident_id(self) -> str | None:
        """The incident concerned, if any."""


class Answers:
    """Turns answers into what Slack shows. `pack_of` gives the pack of an incident id, for its own messages;
    `directory` knows the people of a refusal's `ask_groups`, who can be asked instead."""

    def __init__(
        self,
        api: Api,
        catalog: Catalog,
        pack_of: Callable[[str], str | None],
        clock: Clock,
        directory: Directory,
    ) -> None:
        self._api = api
        self._catalog = catalog
        self._pack_of = pack_of
        self._clock = clock
        self._directory = directory

    def parts(self, reply: Reply, incident: str | None) -> tuple[Part, ...]:
        """A private message; its buttons carry the value `button` of its context, else the incident's id.

        Raises what rendering raises: a reply without its template is a mistake of ours.
        """
        pack = self._pack_of(incident) if incident else None
        context = dict(revive(reply.context))
        if groups := context.get("ask_groups"):
            people = dict.fromkeys([*context["ask"], *self._directory.known(map(str, groups))])
            context["ask"] = list(people)[:MOST_NAMED]
        button = str(context.get("button") or incident or "")
        return self._catalog.render(reply.message, context, pack, now=self._clock.now(), button_value=button).parts

    async def to_command(self, receipt: Receipt, body: Mapping[str, Any]) -> Json:
        """The body of the acknowledgement; what does not fit into it follows through the response url."""
        parts = await self._said(receipt, str(body["trigger_id"]))
        if len(parts) > 1:
            await self.whisper(parts[1:], body)
        return ephemeral(parts[0]) if parts else {}

    async def to_click(self, receipt: Receipt, body: Mapping[str, Any]) -> None:
        """Opens the form or shows the private message; the clicked message stays."""
        parts = await self._said(receipt, str(body["trigger_id"]))
        if parts:
            await self.whisper(parts, body)

    def to_form(self, receipt: Receipt, body: Mapping[str, Any]) -> Json:
        """The body of the acknowledgement: mistakes by field, another view, or the message in the modal."""
        match receipt.answer:
            case FieldErrors(errors=errors):
                return field_errors(body, errors)
            case Form() as form:
                return {"response_action": "update", "view": view_of(form)}
            case Reply() as reply:
                parts = self.parts(reply, receipt.incident_id)
                return {"response_action": "update", "view": _shown(parts)}
            case None:
                return {}

    async def whisper(self, parts: Sequence[Part], body: Mapping[str, Any]) -> None:
        """Show `parts` to the person only; what fails is logged, as the input itself is safe."""
        channel = body.get("channel")
        channel_id = channel.get("id") if isinstance(channel, dict) else body.get("channel_id")
        user = body.get("user")
        user_id = user.get("id") if isinstance(user, dict) else body.get("user_id")
        url = str(body.get("response_url") or "")
        try:
            async with asyncio.timeout(WITHIN_S):
                await whisper(self._api, parts, url=url, channel=str(channel_id or ""), user=str(user_id or ""))
        except (TimeoutError, DeliveryError) as error:
            log.warning("answer_not_shown", reason=str(error) or "no answer in time")

    async def _said(self, receipt: Receipt, trigger: str) -> tuple[Part, ...]:
        """The private message of an answer; a form is opened instead, and says so only when it could not be."""
        match receipt.answer:
            case Reply() as reply:
                return self.parts(reply, receipt.incident_id)
            case FieldErrors(errors=errors):
                return sentence("\n".join(errors.values()))
            case Form() as form:
                return await self._open(form, trigger)
            case None:
                return ()

    async def _open(self, form: Form, trigger: str) -> tuple[Part, ...]:
        view = view_of(form)
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._api.call("views.open", trigger_id=trigger, view=view)
        except (TimeoutError, DeliveryError) as error:
            if isinstance(error, SlackRefused) and error.code == "exchanged_trigger_id":
                return ()  # a repeat of a command whose form is open already
            log.warning("form_not_opened", form=form.name, reason=str(error) or "no answer in time")
            return sentence("Slack did not open the form in time. Nothing was changed: please ask for it again.")
        return ()


def sentence(text: str) -> tuple[Part, ...]:
    """Plain text as a message."""
    return notice(text).parts


def ephemeral(part: Part) -> Json:
    """A message as the body of an acknowledgement."""
    return {"response_type": "ephemeral", "text": part.text, "blocks": part.blocks}


def field_errors(body: Mapping[str, Any], errors: Mapping[str, str]) -> Json:
    """Mistakes at their fields; one about a field the view does not show stands at its first input."""
    blocks = (body.get("view") or {}).get("blocks") or ()
    inputs = [str(b.get("block_id")) for b in blocks if b.get("type") == "input"]
    if not inputs:
        return {"response_action": "update", "view": _shown(sentence("\n".join(errors.values())))}
    placed: dict[str, str] = {}
    for field, text in errors.items():
        where = field if field in inputs else inputs[0]
        placed[where] = f"{placed[where]} {text}" if where in placed else text
    return {"response_action": "errors", "errors": placed}


def _shown(parts: Sequence[Part]) -> Json:
    """A message as a modal that only shows it."""
    blocks = [block for part in parts for block in part.blocks]
    if any(block.get("type") in NOT_IN_MODALS for block in blocks):
        blocks = [text_section(part.text) for part in parts]
    return notice_view("Incident", blocks)
