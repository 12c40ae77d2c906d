"""users.*, usergroups.*, views.*, files.*: people, modals and files."""

from typing import Any

from warroom.sandbox import people
from warroom.sandbox.people import Person
from warroom.sandbox.slack_blocks import check_message_blocks, check_view
from warroom.sandbox.slack_call import Call, Method, page
from warroom.sandbox.slack_errors import SlackError
from warroom.sandbox.slack_limits import TIER_2, TIER_3, TIER_4
from warroom.sandbox.slack_modals import View
from warroom.sandbox.slack_state import with_ids

Json = dict[str, Any]


def user_json(person: Person, *, email: bool) -> Json:
    """As users.info gives it; the e-mail only with the scope for it."""
    profile: Json = {"real_name": person.name, "display_name": person.key, "title": person.title}
    profile |= {"real_name_normalized": person.name, "display_name_normalized": person.key}
    if email:
        profile["email"] = person.email
    return {
        "id": person.slack_id,
        "team_id": people.TEAM_ID,
        "name": person.key,
        "real_name": person.name,
        "deleted": False,
        "tz": "America/New_York",
        "tz_label": "Eastern Time",
        "tz_offset": -14400,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": 0,
    }


def _bot_user() -> Json:
    profile = {"real_name": people.BOT_NAME, "display_name": "", "bot_id": people.BOT_ID}
    base = {"id": people.BOT_USER_ID, "team_id": people.TEAM_ID, "name": people.BOT_NAME}
    return {**base, "real_name": people.BOT_NAME, "deleted": False, "is_bot": True, "profile": profile}


def _may_see_email(call: Call) -> bool:
    return "users:read.email" in call.scopes


def users_info(call: Call) -> Json:
    wanted = call.args.need("user")
    if wanted == people.BOT_USER_ID:
        return {"user": _bot_user()}
    for person in people.PEOPLE:
        if person.slack_id == wanted:
            return {"user": user_json(person, email=_may_see_email(call))}
    raise SlackError("user_not_found")


def users_list(call: Call) -> Json:
    everybody = [user_json(p, email=_may_see_email(call)) for p in people.PEOPLE]
    shown, cursor = page([*everybody, _bot_user()], call.args.text("cursor"), call.args.limit(100, 1000))
    now = int(call.workspace.now().timestamp())
    return {"members": shown, "cache_ts": now, "response_metadata": {"next_cursor": cursor}}


def lookup_by_email(call: Call) -> Json:
    wanted = call.args.need("email").lower()
    for person in people.PEOPLE:
        if person.email == wanted:
            return {"user": user_json(person, email=True)}
    raise SlackError("users_not_found")


def usergroups_list(call: Call) -> Json:
    groups = []
    for group in people.GROUPS:
        ids = [p.slack_id for p in people.members_of(group.handle)]
        shown: Json = {
            "id": group.id,
            "team_id": people.TEAM_ID,
            "is_usergroup": True,
            "name": group.name,
            "description": group.name,
            "handle": group.handle,
            "is_external": False,
            "date_create": 0,
            "date_update": 0,
            "date_delete": 0,
            "auto_type": None,
            "created_by": people.SLACKBOT_ID,
            "prefs": {"channels": [], "groups": []},
        }
        if call.args.flag("include_users"):
            shown["users"] = ids
        if call.args.flag("include_count"):
            shown["user_count"] = len(ids)
        groups.append(shown)
    return {"usergroups": groups}


def usergroups_users(call: Call) -> Json:
    wanted = call.args.need("usergroup")
    for group in people.GROUPS:
        if group.id == wanted:
            return {"users": [p.slack_id for p in people.members_of(group.handle)]}
    raise SlackError("no_such_subteam")


def _shown(call: Call, view: View) -> Json:
    call.workspace.feed.publish("view", user=call.workspace.name_of(view.user), view_id=view.id)
    return {"view": view.as_json()}


def _view(call: Call) -> Json:
    content = check_view(call.args.json("view"))
    return {**content, "blocks": with_ids(content["blocks"], call.workspace.ids)}


def views_open(call: Call) -> Json:
    content = _view(call)
    if content["type"] != "modal":
        raise SlackError("invalid_arguments")
    trigger = call.workspace.surfaces.redeem_trigger(call.args.need("trigger_id"))
    return _shown(call, call.workspace.surfaces.open(trigger.user, content))


def views_push(call: Call) -> Json:
    content = _view(call)
    trigger = call.workspace.surfaces.redeem_trigger(call.args.need("trigger_id"))
    previous = call.workspace.surfaces.views.get(trigger.view_id or "")
    if previous is None:
        raise SlackError("not_found")
    return _shown(call, call.workspace.surfaces.open(trigger.user, content, previous))


def views_update(call: Call) -> Json:
    content = _view(call)
    view_id, external_id = call.args.text("view_id"), call.args.text("external_id")
    surfaces = call.workspace.surfaces
    for view in surfaces.views.values():
        named = external_id and view.content.get("external_id") == external_id
        if view.open and (view.id == view_id or named):
            wanted_hash = call.args.text("hash")
            if wanted_hash and wanted_hash != view.hash:
                raise SlackError("hash_conflict")
            surfaces.replace(view, content)
            return _shown(call, view)
    raise SlackError("not_found")


def views_publish(call: Call) -> Json:
    content = _view(call)
    user = call.args.need("user_id")
    if content["type"] != "home" or not user.startswith("U") or people.find_person(user) is None:
        raise SlackError("invalid_arguments")
    return _shown(call, call.workspace.surfaces.publish_home(user, content))


def get_upload_url(call: Call) -> Json:
    name, length = call.args.need("filename"), call.args.need("length")
    if not length.isdigit() or int(length) == 0:
        raise SlackError("invalid_arguments")
    workspace = call.workspace
    file_id = workspace.ids.next("F")
    now = int(workspace.now().timestamp())
    kind = name.rpartition(".")[2].lower() if "." in name else "text"
    workspace.files[file_id] = {
        "id": file_id,
        "created": now,
        "timestamp": now,
        "name": name,
        "title": name,
        "mimetype": _MIME.get(kind, "application/octet-stream"),
        "filetype": kind,
        "user": people.BOT_USER_ID,
        "size": int(length),
        "mode": "hosted",
        "is_public": False,
        "url_private": f"{workspace.base_url}/slack/files/{file_id}",
        "url_private_download": f"{workspace.base_url}/slack/files/{file_id}",
        "permalink": f"{workspace.base_url}/slack/files/{file_id}",
        "channels": [],
        "alt_txt": call.args.text("alt_txt"),
    }
    return {"upload_url": f"{workspace.base_url}/slack/upload/{file_id}", "file_id": file_id}


_MIME = {
    "txt": "text/plain",
    "log": "text/plain",
    "md": "text/markdown",
    "json": "application/json",
    "csv": "text/csv",
    "png": "image/png",
    "svg": "image/svg+xml",
    "zip": "application/zip",
    "gz": "application/gzip",
    "pdf": "application/pdf",
}


def complete_upload(call: Call) -> Json:
    wanted = call.args.json("files")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments")
    files = []
    for item in wanted:
        file = call.workspace.files.get(str(item.get("id")) if isinstance(item, dict) else "")
        if file is None or file["id"] not in call.workspace.contents:
            raise SlackError("file_not_found")
        files.append((file, item.get("title") or file["name"]))
    blocks = call.args.json("blocks") or []
    if blocks:
        check_message_blocks(blocks)
    names = call.args.list("channels") or call.args.list("channel_id")
    channels = [call.workspace.channels.get(name) for name in names]
    for channel in channels:
        if channel is None or people.BOT_USER_ID not in channel.members:
            raise SlackError("channel_not_found" if channel is None else "not_in_channel")
    for file, title in files:
        file["title"] = title
        file["channels"] = [c.id for c in channels if c]
    for channel in filter(None, channels):
        call.workspace.post(
            channel,
            people.BOT_USER_ID,
            call.args.text("initial_comment"),
            blocks=blocks,
            files=[file for file, _ in files],
            thread_ts=call.args.text("thread_ts") or None,
            extra={"upload": True},
        )
    return {"files": [file for file, _ in files]}


def files_info(call: Call) -> Json:
    file = call.workspace.files.get(call.args.need("file"))
    if file is None or file["id"] not in call.workspace.contents:
        raise SlackError("file_not_found")
    return {"file": file, "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "users.info": Method(users_info, ("users:read",), TIER_4),
    "users.list": Method(users_list, ("users:read",), TIER_2),
    "users.lookupByEmail": Method(lookup_by_email, ("users:read.email",), TIER_3),
    "usergroups.list": Method(usergroups_list, ("usergroups:read",), TIER_2),
    "usergroups.users.list": Method(usergroups_users, ("usergroups:read",), TIER_2),
    "views.open": Method(views_open, (), TIER_4),
    "views.push": Method(views_push, (), TIER_4),
    "views.update": Method(views_update, (), TIER_4),
    "views.publish": Method(views_publish, (), TIER_4),
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",), TIER_4),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",), TIER_4),
    "files.info": Method(files_info, ("files:read",), TIER_4),
}
