"""chat.*, pins.*, bookmarks.*, reactions.*: messages and what hangs on them."""

import re
from typing import Any

from warroom.sandbox import people
from warroom.sandbox.slack_blocks import check_message_blocks
from warroom.sandbox.slack_call import Call, Method
from warroom.sandbox.slack_errors import SlackError, invalid_arguments
from warroom.sandbox.slack_limits import TIER_2, TIER_3, TIER_4
from warroom.sandbox.slack_state import Channel, Message

Json = dict[str, Any]
TEXT_MOST = 40_000
METADATA_MOST = 8_000
_TS = re.compile(r"\d{1,12}\.\d{6}")
_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def _metadata(call: Call) -> Json | None:
    metadata = call.args.json("metadata")
    if metadata is None or metadata == {}:
        return None
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    known = {"event_type", "event_payload", "entities"}.issuperset(metadata)
    if not isinstance(event_type, str) or not event_type or not isinstance(payload, dict) or not known:
        raise SlackError("invalid_metadata_schema")
    if len(str(payload)) > METADATA_MOST:
        raise SlackError("metadata_too_large")
    return metadata


def _content(call: Call) -> Json:
    """Text, blocks and attachments of a post; raises SlackError when Slack would refuse them."""
    blocks, attachments = call.args.json("blocks"), call.args.json("attachments")
    text = call.args.text("text")
    if blocks:
        check_message_blocks(blocks)
    if not (text.strip() or blocks or attachments):
        raise SlackError("no_text")
    if len(text) > TEXT_MOST:
        raise SlackError("msg_too_long")
    return {"text": text, "blocks": blocks or [], "attachments": attachments or []}


def _target(call: Call) -> Channel:
    """Where a post goes: a channel id or #name, or a user id for a direct message."""
    workspace, wanted = call.workspace, call.args.text("channel")
    if people.find_person(wanted) and wanted.startswith("U"):
        return workspace.direct(wanted)
    channel = workspace.find(wanted)
    inside = people.BOT_USER_ID in channel.members
    if channel.kind != "public" and not inside:
        raise SlackError("channel_not_found")
    if channel.archived:
        raise SlackError("is_archived")
    if not inside and "chat:write.public" not in call.scopes:
        raise SlackError("not_in_channel")
    return channel


def _thread(call: Call, channel: Channel) -> str | None:
    ts = call.args.text("thread_ts")
    if not ts:
        return None
    if not _TS.fullmatch(ts):
        raise SlackError("invalid_thread_ts")
    parent = channel.messages.get(ts)
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.thread_ts not in (None, parent.ts):
        raise SlackError("cannot_reply_to_message")
    return ts


def post_message(call: Call) -> Json:
    channel = _target(call)
    content, metadata = _content(call), _metadata(call)
    more: Json = {"thread_ts": _thread(call, channel), "metadata": metadata}
    more["link_names"] = call.args.flag("link_names") or call.args.text("parse") == "full"
    message = call.workspace.post(channel, people.BOT_USER_ID, **content, **more)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json(metadata=True)}


def update(call: Call) -> Json:
    channel = call.channel(live=True)
    message = call.message(channel, "ts")
    if not message.by_bot or message.subtype is not None:
        raise SlackError("cant_update_message")
    args = call.args
    if not any(name in args for name in ("text", "blocks", "attachments", "metadata")):
        raise SlackError("no_text")
    blocks = args.json("blocks") if "blocks" in args else message.blocks
    text = args.text("text") if "text" in args else message.text
    if blocks:
        check_message_blocks(blocks)
    if len(text) > TEXT_MOST:
        raise SlackError("msg_too_long")
    if not (text.strip() or blocks):
        raise SlackError("no_text")
    if "metadata" in args:
        message.metadata = _metadata(call)
    call.workspace.edit(message, people.BOT_USER_ID, text, blocks or [])
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": message.as_json()}


def delete(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "ts")
    if not message.by_bot:
        raise SlackError("cant_delete_message")
    del channel.messages[message.ts]
    channel.pins = [pin for pin in channel.pins if pin["ts"] != message.ts]
    call.workspace.feed.publish("delete", channel=channel.name, channel_id=channel.id, ts=message.ts)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(call: Call) -> Json:
    channel, user = call.channel(member=True, live=True), call.args.need("user")
    if people.find_person(user) is None or not user.startswith("U"):
        raise SlackError("user_not_found")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    thread_ts = _thread(call, channel)
    message = call.workspace.whisper(channel, user, **_content(call), thread_ts=thread_ts)
    return {"message_ts": message.ts}


def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    return {"channel": channel.id, "permalink": call.workspace.permalink(channel, message.ts)}


def pins_add(call: Call) -> Json:
    channel = call.channel(member=True, live=True)
    if not call.args.text("timestamp"):
        raise SlackError("no_item_specified")
    message = call.message(channel)
    if message.pinned:
        raise SlackError("already_pinned")
    message.pinned = True
    created = int(call.workspace.now().timestamp())
    channel.pins.insert(0, {"ts": message.ts, "created": created, "created_by": people.BOT_USER_ID})
    note = f"<@{people.BOT_USER_ID}> pinned a message to this channel."
    call.workspace.post(channel, people.BOT_USER_ID, note, subtype="pinned_item")
    return {}


def pins_list(call: Call) -> Json:
    channel = call.channel(member=True)
    items = []
    for pin in channel.pins:
        message = channel.messages[pin["ts"]]
        shown = {
            **message.as_json(),
            "permalink": call.workspace.permalink(channel, message.ts),
        }
        extra = {"created": pin["created"], "created_by": pin["created_by"]}
        items.append({"type": "message", "channel": channel.id, "message": shown, **extra})
    return {"items": items}


def pins_remove(call: Call) -> Json:
    channel = call.channel(member=True, live=True)
    message = call.message(channel)
    if not message.pinned:
        raise SlackError("no_pin")
    message.pinned = False
    channel.pins = [pin for pin in channel.pins if pin["ts"] != message.ts]
    call.workspace.feed.publish("edit", **call.workspace.seen(message))
    return {}


def _bookmark_link(call: Call) -> str:
    link = call.args.text("link")
    if not re.match(r"https?://\S+$", link):
        raise SlackError("invalid_link")
    return link


def bookmarks_add(call: Call) -> Json:
    channel = call.channel("channel_id", member=True, live=True)
    if call.args.need("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if len(channel.bookmarks) >= 100:
        raise SlackError("too_many_bookmarks")
    now = int(call.workspace.now().timestamp())
    bookmark = {
        "id": call.workspace.ids.next("Bk"),
        "channel_id": channel.id,
        "title": call.args.need("title"),
        "link": _bookmark_link(call),
        "emoji": call.args.text("emoji") or None,
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": now,
        "date_updated": now,
        "rank": str(len(channel.bookmarks)),
        "last_updated_by_user_id": people.BOT_USER_ID,
        "last_updated_by_team_id": people.TEAM_ID,
        "shortcut_id": None,
        "app_id": None,
    }
    channel.bookmarks.append(bookmark)
    call.workspace.feed.publish("bookmark", channel=channel.name, title=bookmark["title"])
    return {"bookmark": bookmark}


def bookmarks_list(call: Call) -> Json:
    return {"bookmarks": call.channel("channel_id", member=True).bookmarks}


def bookmarks_edit(call: Call) -> Json:
    channel, wanted = call.channel("channel_id", member=True, live=True), call.args.need("bookmark_id")
    for bookmark in channel.bookmarks:
        if bookmark["id"] == wanted:
            if "link" in call.args:
                bookmark["link"] = _bookmark_link(call)
            for name in ("title", "emoji"):
                bookmark[name] = call.args.text(name) or bookmark[name]
            bookmark["date_updated"] = int(call.workspace.now().timestamp())
            return {"bookmark": bookmark}
    raise SlackError("not_found")


def _reacted(call: Call, *, member: bool) -> tuple[Channel, Message]:
    channel = call.channel(member=member, live=member)
    return channel, call.message(channel)


def reactions_add(call: Call) -> Json:
    name = call.args.need("name").strip(":")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    _, message = _reacted(call, member=True)
    users = message.reactions.setdefault(name, [])
    if people.BOT_USER_ID in users:
        raise SlackError("already_reacted")
    users.append(people.BOT_USER_ID)
    call.workspace.feed.publish("reaction", name=name, **call.workspace.seen(message))
    return {}


def reactions_get(call: Call) -> Json:
    channel, message = _reacted(call, member=False)
    return {"type": "message", "channel": channel.id, "message": message.as_json()}


def api_test(call: Call) -> Json:
    if "error" in call.args:
        raise SlackError(call.args.text("error"), args=call.args.raw)
    return {"args": call.args.raw} if call.args.raw else {}


def auth_test(call: Call) -> Json:
    return {
        "url": f"https://{people.TEAM_DOMAIN}.slack.com/",
        "team": people.TEAM_NAME,
        "user": people.BOT_NAME,
        "team_id": people.TEAM_ID,
        "user_id": people.BOT_USER_ID,
        "bot_id": people.BOT_ID,
        "is_enterprise_install": False,
    }


def bots_info(call: Call) -> Json:
    if call.args.text("bot", people.BOT_ID) != people.BOT_ID:
        raise SlackError("bot_not_found")
    bot = {"id": people.BOT_ID, "deleted": False, "name": people.BOT_NAME, "updated": 0}
    return {"bot": {**bot, "app_id": people.APP_ID, "user_id": people.BOT_USER_ID, "icons": {}}}


def _require_channel(call: Call) -> Json:
    if not call.args.text("channel"):
        raise invalid_arguments("missing required field: channel")
    return post_message(call)


METHODS = {
    "api.test": Method(api_test),
    "auth.test": Method(auth_test),
    "bots.info": Method(bots_info, ("users:read",), TIER_3),
    "chat.postMessage": Method(_require_channel, ("chat:write",)),
    "chat.update": Method(update, ("chat:write",), TIER_3),
    "chat.delete": Method(delete, ("chat:write",), TIER_3),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",), TIER_4),
    "chat.getPermalink": Method(get_permalink),
    "pins.add": Method(pins_add, ("pins:write",), TIER_2),
    "pins.list": Method(pins_list, ("pins:read",), TIER_2),
    "pins.remove": Method(pins_remove, ("pins:write",), TIER_2),
    "bookmarks.add": Method(bookmarks_add, ("bookmarks:write",), TIER_2),
    "bookmarks.list": Method(bookmarks_list, ("bookmarks:read",), TIER_3),
    "bookmarks.edit": Method(bookmarks_edit, ("bookmarks:write",), TIER_2),
    "reactions.add": Method(reactions_add, ("reactions:write",), TIER_3),
    "reactions.get": Method(reactions_get, ("reactions:read",), TIER_3),
}
