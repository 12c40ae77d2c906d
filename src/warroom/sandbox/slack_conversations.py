"""conversations.*: channels, their history and their members."""

import re
from typing import Any

from warroom.sandbox import people
from warroom.sandbox.slack_call import Call, Method, page
from warroom.sandbox.slack_errors import SlackError
from warroom.sandbox.slack_limits import TIER_2, TIER_3
from warroom.sandbox.slack_state import Channel, Message

Json = dict[str, Any]
NAME_MOST = 80
TOPIC_MOST = 250
_PUNCTUATION_ONLY = re.compile(r"[^\w]+|[_-]+")
_ALLOWED = re.compile(r"[^\W_A-Z]?[\w-]*")
READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = {"public": "channels:history", "private": "groups:history", "im": "im:history"}
INFO = {"public": "channels:read", "private": "groups:read", "im": "im:read"}


def check_name(name: str) -> None:
    """Raises SlackError when Slack would not take this channel name."""
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > NAME_MOST:
        raise SlackError("invalid_name_maxlength")
    if _PUNCTUATION_ONLY.fullmatch(name):
        raise SlackError("invalid_name_punctuation")
    if name != name.lower() or not _ALLOWED.fullmatch(name):
        raise SlackError("invalid_name_specials")


def _members(call: Call, channel: Channel, user: str, inviter: str | None) -> None:
    """Put somebody into a channel, with the message and the event Slack makes of it."""
    channel.members.append(user)
    extra = {"inviter": inviter} if inviter else {}
    text = f"<@{user}> has joined the channel"
    call.workspace.post(channel, user, text, subtype="channel_join", extra=extra)
    event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "channel_type": "C"}
    call.workspace.emit({**event, "team": people.TEAM_ID, **extra})


def create(call: Call) -> Json:
    private = call.args.flag("is_private")
    call.need_scope("groups:write" if private else "channels:manage")
    name = call.args.text("name")
    check_name(name)
    if call.workspace.named(name):
        raise SlackError("name_taken")
    channel = call.workspace.add_channel(name, [], private=private, creator=people.BOT_USER_ID)
    call.workspace.feed.publish("channel", channel=name, channel_id=channel.id)
    _members(call, channel, people.BOT_USER_ID, None)
    return {"channel": channel.as_json()}


def info(call: Call) -> Json:
    channel = call.channel()
    call.need_scope(INFO[channel.kind])
    shown = channel.as_json()
    if not call.args.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


def list_(call: Call) -> Json:
    types = call.args.list("types") or ["public_channel"]
    kinds = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
    if not set(types) <= set(kinds):
        raise SlackError("invalid_types")
    wanted = {kinds[name] for name in types}
    for kind in sorted(wanted & set(INFO)):
        call.need_scope(INFO[kind])
    seen = [
        channel.as_json()
        for channel in call.workspace.channels.values()
        if channel.kind in wanted
        and (channel.kind == "public" or people.BOT_USER_ID in channel.members)
        and not (channel.archived and call.args.flag("exclude_archived"))
    ]
    channels, cursor = page(seen, call.args.text("cursor"), call.args.limit(100, 1000))
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


def _window(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.args.text("oldest", "0"), call.args.text("latest") or "99999999999.0"
    inclusive = call.args.flag("inclusive")
    try:
        low, high = float(oldest or "0"), float(latest)
    except ValueError as exc:
        raise SlackError("invalid_ts_latest") from exc
    return [m for m in messages if low < float(m.ts) < high or (inclusive and m.ts in (oldest, latest))]


def history(call: Call) -> Json:
    channel = call.channel(member=True)
    call.need_scope(HISTORY[channel.kind])
    top = [m for m in channel.messages.values() if m.thread_ts in (None, m.ts)]
    newest_first = sorted(_window(call, top), key=lambda m: m.ts, reverse=True)
    shown, cursor = page(newest_first, call.args.text("cursor"), call.args.limit(100, 999))
    with_metadata = call.args.flag("include_all_metadata")
    out: Json = {
        "messages": [m.as_json(metadata=with_metadata, replies=channel.replies(m.ts)) for m in shown],
        "has_more": bool(cursor),
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
    }
    if cursor:
        out["response_metadata"] = {"next_cursor": cursor}
    return out


def replies(call: Call) -> Json:
    channel = call.channel(member=True)
    call.need_scope(HISTORY[channel.kind])
    parent = channel.messages.get(call.args.need("ts"))
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.thread_ts not in (None, parent.ts):
        parent = channel.messages.get(parent.thread_ts) or parent
    answers = channel.replies(parent.ts)
    shown, cursor = page(_window(call, answers), call.args.text("cursor"), call.args.limit(1000, 1000))
    meta = call.args.flag("include_all_metadata")
    first = [parent.as_json(metadata=meta, replies=answers)]
    out: Json = {"messages": first + [m.as_json(metadata=meta) for m in shown], "has_more": bool(cursor)}
    if cursor:
        out["response_metadata"] = {"next_cursor": cursor}
    return out


def members(call: Call) -> Json:
    channel = call.channel()
    call.need_scope(INFO[channel.kind])
    shown, cursor = page(channel.members, call.args.text("cursor"), call.args.limit(100, 1000))
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


def _why_not(channel: Channel, user: str) -> str | None:
    if user == people.BOT_USER_ID:
        return "cant_invite_self"
    if not user.startswith("U") or people.find_person(user) is None:
        return "user_not_found"
    return "already_in_channel" if user in channel.members else None


def invite(call: Call) -> Json:
    channel = call.channel(live=True, member=True)
    users = call.args.list("users")
    if not users:
        raise SlackError("no_user")
    if len(users) > 100:
        raise SlackError("too_many_users")
    refused = {user: why for user in users if (why := _why_not(channel, user))}
    errors = [{"ok": False, "error": why, "user": user} for user, why in refused.items()]
    welcome = [user for user in dict.fromkeys(users) if user not in refused]
    if errors and not (call.args.flag("force") and welcome):
        raise SlackError(next(iter(refused.values())), errors=errors)
    for user in welcome:
        _members(call, channel, user, people.BOT_USER_ID)
    return {"channel": channel.as_json(), **({"errors": errors} if errors else {})}


def join(call: Call) -> Json:
    channel = call.channel(live=True)
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    already = people.BOT_USER_ID in channel.members
    if not already:
        _members(call, channel, people.BOT_USER_ID, None)
    out: Json = {"channel": channel.as_json()}
    if already:
        out |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return out


def _describe(call: Call, field: str) -> Json:
    channel = call.channel(member=True, live=True)
    if field not in call.args:
        raise SlackError("too_short")
    value = call.args.text(field)
    if len(value) > TOPIC_MOST:
        raise SlackError("too_long")
    last_set = int(call.workspace.now().timestamp())
    setattr(channel, field, {"value": value, "creator": people.BOT_USER_ID, "last_set": last_set})
    text = f"<@{people.BOT_USER_ID}> set the channel {field}: {value}"
    bot = people.BOT_USER_ID
    call.workspace.post(channel, bot, text, subtype=f"channel_{field}", extra={field: value})
    return {"channel": channel.as_json()}


def set_topic(call: Call) -> Json:
    return _describe(call, "topic")


def set_purpose(call: Call) -> Json:
    return {**_describe(call, "purpose"), "purpose": call.args.text("purpose")}


def rename(call: Call) -> Json:
    channel, name = call.channel(member=True, live=True), call.args.text("name")
    check_name(name)
    if call.workspace.named(name) not in (None, channel):
        raise SlackError("name_taken")
    channel.former_names.append(channel.name)
    text = f'<@{people.BOT_USER_ID}> has renamed the channel from "{channel.name}" to "{name}"'
    extra = {"old_name": channel.name, "name": name}
    channel.name = name
    call.workspace.post(channel, people.BOT_USER_ID, text, subtype="channel_name", extra=extra)
    return {"channel": channel.as_json()}


def archive(call: Call) -> Json:
    channel = call.channel(member=True)
    if channel.archived:
        raise SlackError("already_archived")
    text = f"<@{people.BOT_USER_ID}> archived the channel"
    call.workspace.post(channel, people.BOT_USER_ID, text, subtype="channel_archive")
    channel.archived = True
    return {}


def open_(call: Call) -> Json:
    if "channel" in call.args:
        return {"channel": {"id": call.channel().id}}
    users = call.args.list("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if any(not user.startswith("U") or people.find_person(user) is None for user in users):
        raise SlackError("users_not_found" if len(users) > 1 else "user_not_found")
    if len(users) > 1:
        raise SlackError("method_not_supported_for_channel_type")
    known = any(c.im_with == users[0] for c in call.workspace.channels.values())
    channel = call.workspace.direct(users[0])
    shown = channel.as_json() if call.args.flag("return_im") else {"id": channel.id}
    return {"channel": shown, **({"no_op": True, "already_open": True} if known else {})}


_WRITE_TOPIC = ("channels:manage", "channels:write.topic", "groups:write", "groups:write.topic")
_WRITE_INVITES = ("channels:manage", "channels:write.invites", "groups:write", "groups:write.invites")
METHODS = {
    "conversations.create": Method(create, ("channels:manage", "groups:write"), TIER_2),
    "conversations.info": Method(info, READ, TIER_3),
    "conversations.list": Method(list_, READ, TIER_2),
    "conversations.history": Method(history, tuple(HISTORY.values()), TIER_3),
    "conversations.replies": Method(replies, tuple(HISTORY.values()), TIER_3),
    "conversations.members": Method(members, READ, 100),
    "conversations.invite": Method(invite, _WRITE_INVITES, TIER_3),
    "conversations.join": Method(join, ("channels:join",), TIER_3),
    "conversations.setTopic": Method(set_topic, _WRITE_TOPIC, TIER_2),
    "conversations.setPurpose": Method(set_purpose, _WRITE_TOPIC, TIER_2),
    "conversations.rename": Method(rename, ("channels:manage", "groups:write"), TIER_2),
    "conversations.archive": Method(archive, ("channels:manage", "groups:write"), TIER_2),
    "conversations.open": Method(open_, ("im:write", "mpim:write"), TIER_3),
}
