"""What a bot answers to a command or a click, at once or through its response url."""

from typing import Any

from warroom.sandbox import people
from warroom.sandbox.slack_call import Args
from warroom.sandbox.slack_state import Workspace

Json = dict[str, Any]


def show_answer(workspace: Workspace, response_id: str, body: Args, blocks: list[Json]) -> None:
    """Show what a bot answered to a command or a click: new, instead of the original, or without it."""
    target = workspace.surfaces.response_urls[response_id]
    channel = workspace.channels[target.channel]
    original = next((m for m in workspace.ephemerals if m.ts == target.ts), None)
    if original is None and target.ts:
        original = channel.messages.get(target.ts)
    if original and body.flag("delete_original"):
        if original.ephemeral_to:
            workspace.ephemerals.remove(original)
        else:
            channel.messages.pop(original.ts, None)
        workspace.feed.publish("delete", channel=channel.name, channel_id=channel.id, ts=original.ts)
        return
    if original and body.flag("replace_original"):
        workspace.edit(original, people.BOT_USER_ID, body.text("text"), blocks)
        return
    thread_ts = body.text("thread_ts") or None
    if body.text("response_type", "ephemeral") == "in_channel":
        workspace.post(channel, people.BOT_USER_ID, body.text("text"), blocks=blocks, thread_ts=thread_ts)
    else:
        workspace.whisper(channel, target.user, body.text("text"), blocks=blocks, thread_ts=thread_ts)
