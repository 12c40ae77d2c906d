"""Files: uploaded in Slack's three steps, and looked up again."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warroom.engine.ports import Job
from warroom.errors import Refused, TryAgain
from warroom.slack.api import Api
from warroom.slack.channels import Channels
from warroom.slack.errors import SlackRefused
from warroom.slack.limits import destination
from warroom.slack.posting import MARGIN_S
from warroom.slack.values import escape


class Files:
    """Performs slack.file."""

    def __init__(self, api: Api, channels: Channels) -> None:
        self._api = api
        self._channels = channels

    async def upload(self, job: Job) -> Mapping[str, object]:
        """slack.file → file, permalink, channel. Raises Refused when the file cannot be read."""
        if job.attempt > 1 and (found := await self.find(job)):
            return found
        data = job.effect.data
        channel = await self._channel(job)
        content = await _content(job)
        place = await self._api.call("files.getUploadURLExternal", filename=str(data["name"]), length=len(content))
        await self._api.upload(str(place["upload_url"]), content)
        file = {"id": str(place["file_id"]), "title": _title(job)}
        comment = escape(str(data.get("comment") or "")) or None
        answer = await self._share(channel, file, comment)
        shared: dict[str, Any] = next(iter(answer.get("files") or ()), {})
        if not shared.get("permalink"):
            shared = (await self._api.call("files.info", file=file["id"]))["file"]
        return {"file": file["id"], "permalink": str(shared.get("permalink") or ""), "channel": channel}

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """The result if a file of this name, title and size was shared by us since then."""
        channel = await self._channel(job)
        content = await _content(job)
        me = (await self._api.me())["user_id"]
        wanted = (str(job.effect.data["name"]), _title(job), len(content))
        for message in await self._channels.history(channel, job.effect.at.timestamp() - MARGIN_S):
            for file in message.get("files") or ():
                if message.get("user") == me and (file.get("name"), file.get("title"), file.get("size")) == wanted:
                    return {"file": file["id"], "permalink": str(file.get("permalink") or ""), "channel": channel}
        return None

    async def _share(self, channel: str, file: Mapping[str, str], comment: str | None) -> dict[str, Any]:
        arguments = {"files": [file], "channel_id": channel, "initial_comment": comment}
        try:
            return await self._api.call("files.completeUploadExternal", **arguments)
        except SlackRefused as error:
            if error.code != "not_in_channel":
                raise
        await self._channels.join(channel)
        return await self._api.call("files.completeUploadExternal", **arguments)

    async def _channel(self, job: Job) -> str:
        where = destination(job)
        if where == "room":
            raise TryAgain("the incident's channel does not exist yet")
        return await self._channels.id_of(where)


def _title(job: Job) -> str:
    return str(job.effect.data.get("title") or job.effect.data["name"])


async def _content(job: Job) -> bytes:
    data = job.effect.data
    if data.get("path"):
        try:
            return await asyncio.to_thread(Path(str(data["path"])).read_bytes)
        except OSError as error:
            raise Refused(f"{data['name']} cannot be read: {error.strerror}") from error
    content = str(data.get("content") or "").encode()
    if not content:
        raise Refused(f"{data['name']} is empty, and Slack takes no empty files")
    return content
