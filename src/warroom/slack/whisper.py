"""Private answers: through the response url, or as an ephemeral message when that is dead."""

from collections.abc import Sequence

from warroom.errors import Refused
from warroom.rendering import Part
from warroom.slack.api import Api, ResponseUrlGone


async def whisper(api: Api, parts: Sequence[Part], *, url: str, channel: str, user: str) -> None:
    """Show `parts` to one person only.

    `url` is the response url of what they did. When it is empty or spent, the answer is shown in `channel` to `user`
    instead. Raises Refused when there is no way left, and what `Api.respond` and `Api.call` raise.
    """
    for part in parts:
        body = {"response_type": "ephemeral", "replace_original": False, "text": part.text, "blocks": part.blocks}
        if url:
            try:
                await api.respond(url, body)
                continue
            except ResponseUrlGone:
                if not (channel and user):
                    raise
                url = ""
        if not (channel and user):
            raise Refused("a private answer had nowhere to go: no response url, and no channel or person")
        await api.call("chat.postEphemeral", channel=channel, user=user, text=part.text, blocks=part.blocks)
