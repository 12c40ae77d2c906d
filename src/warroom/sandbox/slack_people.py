"""What people do in Slack: type commands, press buttons, fill modals, talk, react."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from warroom.sandbox import people
from warroom.sandbox.slack_answers import show_answer
from warroom.sandbox.slack_blocks import check_message_blocks, check_view
from warroom.sandbox.slack_call import Args
from warroom.sandbox.slack_deliver import Delivery
from warroom.sandbox.slack_errors import SlackError
from warroom.sandbox.slack_forms import fill, filled, interactive
from warroom.sandbox.slack_modals import ResponseUrl, View
from warroom.sandbox.slack_state import Channel, Message, Workspace, with_ids

Json = dict[str, Any]
_TROUBLE = "We had some trouble connecting. Try again?"


class NotOnScreenError(LookupError):
    """What a person wanted to use is not there: a channel, message, button, input or modal."""


@dataclass
class Answer:
    """What came back to the person.

    ``ok`` is False when Slack shows a failure or the modal shows errors; ``error`` is Slack's word
    (``operation_timeout`` after 3 s, ``dispatch_failed``); ``text`` is what the person reads, ``messages`` the
    ephemeral messages that appeared meanwhile; ``view`` the modal now open; ``errors`` those of a modal by
    block id; ``took_s`` real seconds until the bot answered.
    """

    ok: bool
    error: str | None = None
    text: str = ""
    status: int | None = None
    messages: list[Json] = field(default_factory=list)
    view: Json | None = None
    errors: dict[str, str] = field(default_factory=dict)
    took_s: float = 0.0

    def as_json(self) -> Json:
        return asdict(self)


class SlackPeople:
    """The hands of the people in ``workspace``."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self.workspace = workspace
        self.delivery = delivery

    async def command(self, user: str, channel: str, command: str, text: str = "") -> Answer:
        """Type a slash command in a channel."""
        who, where = self._user(user), self.channel(channel)
        target = self._response_url(who.slack_id, where)
        fields = {
            "token": "sandbox-verification-token",
            "team_id": people.TEAM_ID,
            "team_domain": people.TEAM_DOMAIN,
            "channel_id": where.id,
            "channel_name": {"public": where.name, "private": "privategroup"}.get(where.kind, "directmessage"),
            "user_id": who.slack_id,
            "user_name": who.key,
            "command": command,
            "text": text,
            "api_app_id": people.APP_ID,
            "is_enterprise_install": "false",
            "response_url": self._url(target),
            "trigger_id": self.workspace.surfaces.issue_trigger(who.slack_id),
        }
        self.workspace.feed.publish(
            "command", author=who.name, author_id=who.slack_id, channel=where.name, text=f"{command} {text}"
        )
        return await self._ask(self.delivery.form(fields, f"command {command}"), who.slack_id, where, target, command)

    async def click(
        self,
        user: str,
        channel: str | None,
        ts: str | None,
        action_id: str,
        value: str | None = None,
        *,
        view_id: str | None = None,
    ) -> Answer:
        """Press a button (or choose ``value`` in a menu) of a message, or of the view ``view_id``.

        Of several elements with this action id, ``value`` says which. Raises NotOnScreenError when there is none.
        """
        who = self._user(user)
        if view_id is not None:
            return await self._click_view(who, self._view(who.slack_id, view_id), action_id, value)
        where = self.channel(channel or "")
        message = self.message(where, ts or "", who.slack_id)
        block, element = self._element(message.blocks, action_id, value)
        ephemeral = message.ephemeral_to is not None
        target = self._response_url(who.slack_id, where, ts=message.ts, ephemeral=ephemeral)
        self._show_press(who, element, value, where.name)
        payload = self._interaction("block_actions", who) | {
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": where.id,
                "is_ephemeral": ephemeral,
            },
            "trigger_id": self.workspace.surfaces.issue_trigger(who.slack_id),
            "channel": {"id": where.id, "name": where.name},
            "state": {"values": {}},
            "response_url": self._url(target),
            "actions": [self._action(block, element, value)],
        }
        if not ephemeral:
            payload["message"] = message.as_json(metadata=True)
        return await self._ask(self.delivery.interaction(payload), who.slack_id, where, target)

    async def _click_view(self, who: people.Person, view: View, action_id: str, value: str | None) -> Answer:
        block, element = self._element(view.content["blocks"], action_id, value)
        self._show_press(who, element, value)
        state, _ = fill(view.content["blocks"], {})
        payload = self._interaction("block_actions", who) | {
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self.workspace.surfaces.issue_trigger(who.slack_id, view.id),
            "view": view.as_json(state),
            "actions": [self._action(block, element, value)],
        }
        return await self._ask(self.delivery.interaction(payload), who.slack_id)

    async def submit(self, user: str, view_id: str | None = None, values: Json | None = None) -> Answer:
        """Fill and submit a modal, the newest one of this person when ``view_id`` is None.

        ``values``: block id → what is entered. The client's own objections come back in ``errors`` without
        the bot being asked. Raises NotOnScreenError when there is no such modal or input.
        """
        who = self._user(user)
        view = self._view(who.slack_id, view_id)
        try:
            state, errors = fill(view.content["blocks"], values or {})
        except KeyError as exc:
            raise NotOnScreenError(str(exc.args[0])) from exc
        if errors:
            return Answer(False, "invalid_input", errors=errors, view=view.as_json(state))
        title = view.content["title"]["text"]
        self.workspace.feed.publish("submit", author=who.name, author_id=who.slack_id, text=title)
        urls: list[Json] = []
        payload = self._interaction("view_submission", who) | {
            "trigger_id": self.workspace.surfaces.issue_trigger(who.slack_id, view.id),
            "view": view.as_json(state),
            "response_urls": urls,
        }
        return await self._ask(self.delivery.interaction(payload), who.slack_id, view=view)

    async def close_view(self, user: str, view_id: str | None = None) -> Answer:
        """Close a modal without submitting it; the bot hears of it if it asked to."""
        who = self._user(user)
        view = self._view(who.slack_id, view_id)
        view.open = False
        self.workspace.feed.publish("view_closed", user=who.name, view_id=view.id)
        if not view.content.get("notify_on_close"):
            return Answer(True)
        payload = self._interaction("view_closed", who) | {"view": view.as_json(), "is_cleared": False}
        return await self._ask(self.delivery.interaction(payload), who.slack_id)

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Answer:
        """Choose a message shortcut."""
        who, where = self._user(user), self.channel(channel)
        message = self.message(where, ts, who.slack_id)
        target = self._response_url(who.slack_id, where, ts=ts)
        payload = self._interaction("message_action", who) | {
            "callback_id": callback_id,
            "trigger_id": self.workspace.surfaces.issue_trigger(who.slack_id),
            "action_ts": self.workspace.next_ts(),
            "message_ts": ts,
            "message": message.as_json(metadata=True),
            "channel": {"id": where.id, "name": where.name},
            "response_url": self._url(target),
        }
        return await self._ask(self.delivery.interaction(payload), who.slack_id, where, target)

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Post a message as a person; the bot gets the event if it is in the channel.

        Raises NotOnScreenError for a thread that is not there or a channel the person is not in.
        """
        who, where = self._user(user), self.channel(channel)
        if who.slack_id not in where.members:
            raise NotOnScreenError(f"{who.name} is not in #{where.name}")
        if thread_ts is not None and thread_ts not in where.messages:
            raise NotOnScreenError(f"#{where.name} has no message {thread_ts} to answer")
        message = self.workspace.post(where, who.slack_id, text, thread_ts=thread_ts)
        kind = {"public": "channel", "private": "group"}.get(where.kind, "im")
        event = message.as_json() | {"channel": where.id, "channel_type": kind, "event_ts": message.ts}
        self._event(where, event)
        return message

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Put a reaction on a message."""
        who, where = self._user(user), self.channel(channel)
        message = self.message(where, ts, who.slack_id)
        users = message.reactions.setdefault(name, [])
        if who.slack_id in users:
            raise NotOnScreenError(f"{who.name} has already reacted with :{name}:")
        users.append(who.slack_id)
        self.workspace.feed.publish("reaction", name=name, **self.workspace.seen(message))
        item = {"type": "message", "channel": where.id, "ts": ts}
        event = {"type": "reaction_added", "user": who.slack_id, "reaction": name, "item": item}
        self._event(where, event | {"item_user": message.user, "event_ts": self.workspace.next_ts()})

    async def join(self, user: str, channel: str) -> None:
        """Join a public channel."""
        who, where = self._user(user), self.channel(channel)
        if who.slack_id in where.members:
            return
        where.members.append(who.slack_id)
        text = f"<@{who.slack_id}> has joined the channel"
        self.workspace.post(where, who.slack_id, text, subtype="channel_join")
        event = {"type": "member_joined_channel", "user": who.slack_id, "channel": where.id}
        self._event(where, event | {"channel_type": "C", "team": people.TEAM_ID})

    async def open_home(self, user: str) -> None:
        """Open the app's home tab; the bot publishes it when it gets the event."""
        who = self._user(user)
        home = self.workspace.surfaces.homes.get(who.slack_id)
        event = {"type": "app_home_opened", "user": who.slack_id, "tab": "home"}
        event |= {"channel": self.workspace.direct(who.slack_id).id, "event_ts": self.workspace.next_ts()}
        self.delivery.event(event | ({"view": home.as_json()} if home else {}))

    def channel(self, wanted: str) -> Channel:
        """A channel by id or name; raises NotOnScreenError."""
        try:
            return self.workspace.find(wanted)
        except SlackError as exc:
            raise NotOnScreenError(f"there is no channel {wanted}") from exc

    def message(self, channel: Channel, ts: str, viewer: str) -> Message:
        """A message this person can see; raises NotOnScreenError."""
        own = [m for m in self.workspace.ephemerals if m.ts == ts and m.ephemeral_to == viewer]
        found = channel.messages.get(ts) or (own[0] if own else None)
        if found is None:
            raise NotOnScreenError(f"#{channel.name} shows no message {ts} to {self.workspace.name_of(viewer)}")
        return found

    def _user(self, wanted: str) -> people.Person:
        try:
            return people.person(wanted)
        except KeyError as exc:
            raise NotOnScreenError(str(exc.args[0])) from exc

    def _view(self, user: str, view_id: str | None) -> View:
        home = self.workspace.surfaces.homes.get(user)
        if home is not None and view_id in (home.id, "home"):
            return home
        views = [v for v in self.workspace.surfaces.open_of(user) if view_id in (None, v.id)]
        if not views:
            raise NotOnScreenError(f"{self.workspace.name_of(user)} has no open modal {view_id or ''}".strip())
        return views[-1]

    def _element(self, blocks: list[Json], action_id: str, value: str | None) -> tuple[Json, Json]:
        found = [(b, e) for b, e in interactive(blocks) if e.get("action_id") == action_id]
        if not found:
            there = ", ".join(str(e.get("action_id")) for _, e in interactive(blocks)) or "none"
            raise NotOnScreenError(f"no element {action_id} there; there are: {there}")
        buttons = [(b, e) for b, e in found if e["type"] == "button"]
        if buttons and value is not None:
            found = [(b, e) for b, e in buttons if value in (e.get("value"), e["text"]["text"])]
        if not found:
            raise NotOnScreenError(f"no button {action_id} has the value or text {value!r}")
        return found[0]

    def _action(self, block: Json, element: Json, value: str | None) -> Json:
        base: Json = {name: element[name] for name in ("type", "action_id", "style", "text") if name in element}
        base |= {"block_id": block["block_id"], "action_ts": self.workspace.next_ts()}
        if element["type"] == "button":
            return base | {name: element[name] for name in ("value", "url", "confirm") if name in element}
        if element["type"] == "overflow":
            chosen = filled({**element, "type": "static_select"}, value)["selected_option"]
            return base | {"selected_option": chosen}
        return base | filled(element, value)

    def _show_press(self, who: people.Person, element: Json, value: str | None, channel: str | None = None) -> None:
        label = element["text"]["text"] if element["type"] == "button" else str(value)
        self.workspace.feed.publish("press", author=who.name, author_id=who.slack_id, channel=channel, text=label)

    def _interaction(self, kind: str, who: people.Person) -> Json:
        user = {"id": who.slack_id, "username": who.key, "name": who.key, "team_id": people.TEAM_ID}
        return {
            "type": kind,
            "user": user,
            "api_app_id": people.APP_ID,
            "token": "sandbox-verification-token",
            "team": {"id": people.TEAM_ID, "domain": people.TEAM_DOMAIN},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _event(self, channel: Channel, event: Json) -> None:
        if people.BOT_USER_ID in channel.members:
            self.delivery.event(event)

    def _response_url(self, user: str, channel: Channel, **more: Any) -> ResponseUrl:
        surfaces = self.workspace.surfaces
        return surfaces.issue_response_url(user, channel.id, self.workspace.now(), **more)

    def _url(self, target: ResponseUrl) -> str:
        return f"{self.workspace.base_url}/slack/response/{target.id}"

    async def _ask(
        self,
        request: Any,
        user: str,
        channel: Channel | None = None,
        target: ResponseUrl | None = None,
        command: str | None = None,
        view: View | None = None,
    ) -> Answer:
        """Send, show what comes back, and report it."""
        started, before = time.monotonic(), len(self.workspace.ephemerals)
        reply = await request
        answer = Answer(True, took_s=time.monotonic() - started)
        if isinstance(reply, str) or reply.status_code != 200:
            answer.ok = False
            answer.error = reply if isinstance(reply, str) else "dispatch_failed"
            answer.status = None if isinstance(reply, str) else reply.status_code
            answer.text = f'{command} failed with the error "{answer.error}"' if command else _TROUBLE
            if command and channel:
                self.workspace.whisper(channel, user, answer.text, user=people.SLACKBOT_ID)
        else:
            answer.status = 200
            self._show(reply, answer, target, view)
        answer.messages = [self.workspace.seen(m) for m in self.workspace.ephemerals[before:] if m.ephemeral_to == user]
        if not answer.text:
            answer.text = "\n".join(m["text"] for m in answer.messages)
        opened = self.workspace.surfaces.open_of(user)
        answer.view = opened[-1].as_json() if opened else None
        return answer

    def _show(self, reply: httpx.Response, answer: Answer, target: ResponseUrl | None, view: View | None) -> None:
        """Show the body of a 200: text or a message for a command, a response action for a modal."""
        is_json = "json" in reply.headers.get("content-type", "")
        body: Json = reply.json() if is_json and reply.content else {}
        if not isinstance(body, dict):
            body = {}
        try:
            if view is not None:
                self._respond(view, body, answer)
            elif target is not None:
                body = body if is_json else {"text": reply.text}
                if body.get("text") or body.get("blocks"):
                    blocks = check_message_blocks(body.get("blocks") or [])
                    show_answer(self.workspace, target.id, Args(body), blocks)
        except SlackError as error:
            answer.ok, answer.error = False, error.code
            answer.text = f"{_TROUBLE} ({error.code}: {error.more})"

    def _respond(self, view: View, body: Json, answer: Answer) -> None:
        surfaces, action = self.workspace.surfaces, body.get("response_action")
        self.workspace.feed.publish("view", user=self.workspace.name_of(view.user), view_id=view.id)
        if action is None:
            view.open = False
        elif action == "clear":
            surfaces.close_all(view)
        elif action == "errors":
            known = {b["block_id"] for b in view.content["blocks"] if b.get("type") == "input"}
            errors = body.get("errors") or {}
            if not errors or not set(errors) <= known:
                raise SlackError("invalid_response_action_errors", errors=errors, inputs=sorted(known))
            answer.ok, answer.error, answer.errors = False, "invalid_input", dict(errors)
        elif action in ("update", "push"):
            content = check_view(body.get("view"))
            content = {**content, "blocks": with_ids(content["blocks"], self.workspace.ids)}
            if action == "update":
                surfaces.replace(view, content)
            else:
                surfaces.open(view.user, content, view)
        else:
            raise SlackError("invalid_response_action", response_action=action)
