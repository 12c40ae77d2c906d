"""From Slack's payloads to our inputs. Pure: the person is looked up before, nothing is sent.

What makes a repeat recognisable (`source_id`): a command or click its trigger id, a form its view and what was
entered, an event its event id. A form sent in again with other values is another input; the same values once more
are not.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from warroom.domain.inputs import Body, Click, Command, Input, Pinned, Submission
from warroom.domain.people import Actor
from warroom.errors import BadRequest

Payload = Mapping[str, Any]
PIN = "pushpin"
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")


def command(body: Payload, actor: Actor, received: datetime, nobody: tuple[str, ...] = ()) -> Input:
    """A slash command; `nobody` are the ids it mentions behind which there is no person."""
    trigger = _text(body, "trigger_id")
    said = Command(
        actor=actor,
        channel=_text(body, "channel_id"),
        name=_text(body, "command"),
        text=_unescape(str(body.get("text") or "")),
        trigger=trigger,
        response_url=str(body.get("response_url") or ""),
        nobody=nobody,
    )
    return _input(f"cmd:{trigger}", received, said)


def mention(actor: Actor) -> str:
    """A mention as Slack escapes it, with the person's name in place of the handle."""
    return f"<@{actor.slack_id}|{re.sub(r'[<>|&]', '', actor.name)}>"


def click(body: Payload, actor: Actor, received: datetime) -> Input:
    """A button or menu of a message or modal."""
    trigger = _text(body, "trigger_id")
    action = first_action(body)
    container = _part(body, "container") if body.get("container") else {}
    channel = body.get("channel") or {}
    pressed = Click(
        actor=actor,
        channel=str(container.get("channel_id") or (channel.get("id") if isinstance(channel, dict) else "") or ""),
        message_ts=str(container.get("message_ts") or ""),
        action=_text(action, "action_id"),
        value=_entered(action),
        trigger=trigger,
        response_url=str(body.get("response_url") or ""),
    )
    return _input(f"act:{trigger}", received, pressed)


def submission(body: Payload, actor: Actor, received: datetime) -> Input:
    """A modal sent in."""
    view = _part(body, "view")
    values = entered_values(view)
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
    sent = Submission(
        actor=actor,
        form=_text(view, "callback_id"),
        about=str(view.get("private_metadata") or ""),
        values=values,
    )
    return _input(f"view:{_text(view, 'id')}:{view.get('hash') or ''}:{digest}", received, sent)


def pin_reaction(body: Payload, actor: Actor, received: datetime) -> Input:
    """:pushpin: put on a message."""
    item = _part(_part(body, "event"), "item")
    pinned = Pinned(actor=actor, channel=_text(item, "channel"), ts=_text(item, "ts"))
    return _input(f"evt:{_text(body, 'event_id')}", received, pinned)


def pin_shortcut(body: Payload, actor: Actor, received: datetime) -> Input:
    """The message shortcut that adds a message to the timeline."""
    channel, message = _part(body, "channel"), _part(body, "message")
    pinned = Pinned(actor=actor, channel=_text(channel, "id"), ts=_text(message, "ts"))
    return _input(f"short:{_text(body, 'trigger_id')}", received, pinned)


def is_pin(body: Payload) -> bool:
    """Whether an event is a :pushpin: on a message."""
    event = _part(body, "event")
    item = event.get("item")
    return event.get("reaction") == PIN and isinstance(item, dict) and item.get("type") == "message"


def who(body: Payload) -> tuple[str, str]:
    """Slack id and name of the person behind a payload. Raises BadRequest when there is none."""
    if "command" in body:
        return _text(body, "user_id"), str(body.get("user_name") or body["user_id"])
    if isinstance(body.get("event"), dict):
        user = _text(body["event"], "user")
        return user, user
    user_part = _part(body, "user")
    user = _text(user_part, "id")
    return user, str(user_part.get("name") or user_part.get("username") or user)


def first_action(body: Payload) -> Payload:
    """What was pressed. Raises BadRequest when nothing was."""
    actions = body.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        raise BadRequest("the payload has no actions")
    return actions[0]


def entered_values(view: Payload) -> dict[str, str]:
    """Block id → what was entered, as text; several choices are separated by commas."""
    state = _part(view, "state") if view.get("state") else {}
    values = state.get("values") or {}
    if not isinstance(values, dict):
        raise BadRequest("the view's values are no object")
    found: dict[str, str] = {}
    for block_id, elements in values.items():
        if not isinstance(elements, dict):
            raise BadRequest("the view's values are malformed")
        found[str(block_id)] = next((_entered(e) for e in elements.values() if isinstance(e, dict)), "")
    return found


_SINGLE = ("value", "selected_user", "selected_channel", "selected_conversation", "selected_date", "selected_time")
_MANY = ("selected_users", "selected_channels", "selected_conversations")


def _entered(element: Payload) -> str:
    option = element.get("selected_option")
    if isinstance(option, dict):
        return str(option.get("value") or "")
    options = element.get("selected_options")
    if isinstance(options, list):
        return ",".join(str(o.get("value") or "") for o in options if isinstance(o, dict))
    many = next((element[name] for name in _MANY if isinstance(element.get(name), list)), None)
    if many is not None:
        return ",".join(str(item) for item in many)
    moment = element.get("selected_date_time")
    return str(next((element[name] for name in _SINGLE if element.get(name)), moment or "")).strip()


def _input(source_id: str, received: datetime, body: Body) -> Input:
    return Input(source="slack", source_id=source_id, received=received, body=body)


def _part(body: Payload, name: str) -> Payload:
    part = body.get(name)
    if not isinstance(part, dict):
        raise BadRequest(f"the payload has no {name}")
    return part


def _text(body: Payload, name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str) or not text:
        raise BadRequest(f"the payload has no {name}")
    return text


def _unescape(text: str) -> str:
    """A command's text as it was typed; mentions keep their form `<@U123|ana>`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
