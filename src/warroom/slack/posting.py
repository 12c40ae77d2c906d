"""Messages: posted, edited, looked up again, and private answers."""

from collections.abc import Mapping
from typing import Any

from warroom.engine.ports import Job
from warroom.errors import Refused, TryAgain
from warroom.rendering import Part
from warroom.slack.api import Api
from warroom.slack.channels import Channels
from warroom.slack.compose import Composer
from warroom.slack.errors import Doubtful
from warroom.slack.limits import destination
from warroom.slack.whisper import whisper

EVENT_TYPE = "warroom_effect"
MARGIN_S = 60.0
"""how much earlier than the effect's own time its message is looked for: clocks differ"""
_SHORTENED = "Shortened here; /incident timeline has the rest."


class Posting:
    """Performs slack.post, slack.edit and slack.answer.

    A long message goes on in its thread; part n has the id `<job id>.<n>`. From the second attempt on what is there is
    looked up before the rest is sent, also after a new start. Looking up is limited as well: it is left out where this
    process knows that the attempts before sent nothing.
    """

    def __init__(self, api: Api, channels: Channels, composer: Composer) -> None:
        self._api = api
        self._channels = channels
        self._composer = composer
        self._unsent: set[str] = set()

    async def post(self, job: Job) -> Mapping[str, object]:
        """slack.post → channel, ts, id, and the ts of all parts."""
        unsent = job.attempt == 1 or job.id in self._unsent
        self._unsent.discard(job.id)
        parts = self._composer.message(job).parts
        channel, thread = await self._place(job)
        sent = {} if unsent else await self._sent(job, channel, thread)
        stamps: list[str] = []
        for number, part in enumerate(parts):
            name = part_id(job, number)
            if name not in sent:
                parent = thread or (stamps[0] if stamps else None)
                try:
                    sent[name] = await self._say(channel, part, name, parent)
                except TryAgain as error:
                    if unsent and not sent and not isinstance(error, Doubtful):
                        self._unsent.add(job.id)
                    raise
            stamps.append(sent[name])
        return _result(job, channel, stamps)

    async def find_post(self, job: Job) -> Mapping[str, object] | None:
        """The result of a post whose every part is there; None when some is missing."""
        channel, thread = await self._place(job)
        sent = await self._sent(job, channel, thread)
        names = [part_id(job, number) for number in range(len(self._composer.message(job).parts))]
        if all(name in sent for name in names):
            return _result(job, channel, [sent[name] for name in names])
        return None

    async def edit(self, job: Job) -> Mapping[str, object]:
        """slack.edit → channel, ts. Parts beyond those of the original post are left out, and it says so."""
        original = original_of(job)
        channel = str(original["channel"])
        stamps = [str(ts) for ts in original.get("parts") or [original["ts"]]]
        parts = list(self._composer.message(job).parts)
        if len(parts) > len(stamps):
            last = parts[len(stamps) - 1]
            note = {"type": "context", "elements": [{"type": "plain_text", "text": _SHORTENED}]}
            parts[len(stamps) - 1] = Part([*last.blocks[:49], note], last.text)
        for number, ts in enumerate(stamps):
            part = parts[number] if number < len(parts) else Part([], "—")
            payload = {"id": str(original.get("id", job.id)), "edit": job.id}
            await self._api.call(
                "chat.update",
                channel=channel,
                ts=ts,
                text=part.text,
                blocks=part.blocks,
                metadata={"event_type": EVENT_TYPE, "event_payload": payload},
            )
        return {"channel": channel, "ts": stamps[0]}

    async def find_edit(self, job: Job) -> Mapping[str, object] | None:
        """The result if the message (in its last part) shows this very edit."""
        original = original_of(job)
        channel, ts = str(original["channel"]), str(original["ts"])
        last = str((original.get("parts") or [ts])[-1])
        thread = original.get("thread") or (ts if last != ts else None)
        shown = await self._channels.message(channel, last, str(thread) if thread else None)
        if shown is None or _payload(shown).get("edit") != job.id:
            return None
        return {"channel": channel, "ts": ts}

    async def answer(self, job: Job) -> Mapping[str, object]:
        """slack.answer → nothing. When the response url is dead, an ephemeral message to `user`, if given."""
        data = job.effect.data
        channel = data.get("channel") or job.incident.room
        await whisper(
            self._api,
            self._composer.message(job).parts,
            url=str(data.get("response_url") or ""),
            channel=str(channel or ""),
            user=str(data.get("user") or ""),
        )
        return {}

    async def _say(self, channel: str, part: Part, name: str, thread: str | None) -> str:
        answer = await self._channels.call(
            "chat.postMessage",
            channel,
            text=part.text,
            blocks=part.blocks,
            thread_ts=thread,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"id": name}},
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def _place(self, job: Job) -> tuple[str, str | None]:
        """Channel id, and the ts of the thread if it belongs into one."""
        key = job.effect.data.get("thread")
        if key:
            parent = done(job, str(key))
            return str(parent["channel"]), str(parent["ts"])
        where = destination(job)
        if where == "room":
            raise TryAgain("the incident's channel does not exist yet")
        return await self._channels.id_of(where), None

    async def _sent(self, job: Job, channel: str, thread: str | None) -> dict[str, str]:
        """Ids of this effect's parts that are in Slack → ts."""
        oldest = job.effect.at.timestamp() - MARGIN_S
        found = self._ids(job, await self._channels.history(channel, oldest, thread))
        if job.id in found and thread is None:
            found |= self._ids(job, await self._channels.history(channel, oldest, found[job.id]))
        return found

    def _ids(self, job: Job, messages: list[dict[str, Any]]) -> dict[str, str]:
        named = {str(_payload(m).get("id", "")): str(m["ts"]) for m in messages}
        return {name: ts for name, ts in named.items() if name == job.id or name.startswith(f"{job.id}.")}


def part_id(job: Job, number: int) -> str:
    """The opaque id of one part of a message; the first has the job's own."""
    return f"{job.id}.{number}" if number else job.id


def done(job: Job, key: str) -> Mapping[str, Any]:
    """The result of an earlier effect. Raises Refused when it failed, TryAgain while it is under way."""
    found = job.incident.done.get(key)
    if found is not None:
        return found
    if key in job.incident.failed:
        raise Refused(f"“{key}” was never sent, so nothing can follow it")
    raise TryAgain(f"“{key}” has not been sent yet")


def original_of(job: Job) -> Mapping[str, Any]:
    """The result of the post that `of` names."""
    return done(job, str(job.effect.data.get("of", "")))


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata") or {}
    return (metadata.get("event_payload") or {}) if metadata.get("event_type") == EVENT_TYPE else {}


def _result(job: Job, channel: str, stamps: list[str]) -> dict[str, object]:
    found: dict[str, object] = {"channel": channel, "ts": stamps[0], "id": job.id}
    key = job.effect.data.get("thread")
    if key:
        found["thread"] = str(done(job, str(key))["ts"])
    return found | ({"parts": stamps} if len(stamps) > 1 else {})
