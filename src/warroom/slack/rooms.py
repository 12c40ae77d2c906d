"""The incident's channel: made, described, filled with people, pins and bookmarks."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from warroom.engine.ports import Job
from warroom.errors import Refused
from warroom.slack.api import Api
from warroom.slack.channels import Channels, room_of
from warroom.slack.directory import Directory
from warroom.slack.errors import SlackRefused, refusal
from warroom.slack.posting import MARGIN_S, original_of
from warroom.slack.values import clip

NAME_MOST = 80
TOPIC_MOST = 250
INVITES_MOST = 100
TRIES = 20
_FINE = frozenset({"already_in_channel", "cant_invite_self"})
_PLAIN = str.maketrans("<>", "‹›")


def room_name(wanted: str, number: int = 1) -> str:
    """A name Slack takes: small letters, digits, - and _, at most 80; `-2`, `-3` … from the second try on."""
    base = re.sub(r"[^a-z0-9_]+", "-", wanted.lower()).strip("-_") or "incident"
    suffix = f"-{number}" if number > 1 else ""
    return base[: NAME_MOST - len(suffix)].rstrip("-_") + suffix


class Rooms:
    """Performs slack.room, .topic, .invite, .pin and .bookmark."""

    def __init__(self, api: Api, channels: Channels, directory: Directory) -> None:
        self._api = api
        self._channels = channels
        self._directory = directory

    async def room(self, job: Job) -> Mapping[str, object]:
        """slack.room → channel, name. A name that somebody else has gets a number."""
        if job.attempt > 1 and (ours := await self.find_room(job)):
            return ours
        wanted = str(job.effect.data["name"])
        for number in range(1, TRIES + 1):
            try:
                answer = await self._api.call("conversations.create", name=room_name(wanted, number), is_private=False)
            except SlackRefused as error:
                if error.code != "name_taken":
                    raise
                continue
            channel = answer["channel"]
            self._channels.remember(str(channel["name"]), str(channel["id"]))
            return _made(channel)
        raise Refused(f"#{room_name(wanted)} and {TRIES - 1} names like it are taken: archive old channels.")

    async def find_room(self, job: Job) -> Mapping[str, object] | None:
        """The channel this effect made: its name, made by us, since then, and not marked for another incident."""
        me = (await self._api.me())["user_id"]
        wanted = str(job.effect.data["name"])
        names = {room_name(wanted, number) for number in range(1, TRIES + 1)}
        since = job.effect.at.timestamp() - MARGIN_S
        ours = [
            channel
            for channel in await self._channels.all()
            if channel.get("name") in names
            and channel.get("creator") == me
            and float(channel.get("created") or 0) >= since
            and _purpose(channel) in ("", _mark(job))
        ]
        if not ours:
            return None
        return _made(min(ours, key=lambda c: float(c["created"])))

    async def topic(self, job: Job) -> Mapping[str, object]:
        """slack.topic → nothing; with `mark` the room's purpose says whose it is. Setting them twice is harmless."""
        room = room_of(job.incident.room)
        calls = [self._api.call("conversations.setTopic", channel=room, topic=_topic(job))]
        if job.effect.data.get("mark"):
            calls.append(self._api.call("conversations.setPurpose", channel=room, purpose=_mark(job)))
        await asyncio.gather(*calls)
        return {}

    async def find_topic(self, job: Job) -> Mapping[str, object] | None:
        """Always None: it is simply set again."""
        return None

    async def invite(self, job: Job) -> Mapping[str, object]:
        """slack.invite → invited (Slack ids), missing (a sentence for each person who could not be invited)."""
        room = room_of(job.incident.room)
        people, missing = await self._people(job)
        refused: dict[str, str] = {}
        for start in range(0, len(people), INVITES_MOST):
            some = people[start : start + INVITES_MOST]
            users = ",".join(some)
            try:  # force: whoever cannot be invited, or is inside already, keeps nobody else out
                answer = await self._api.call("conversations.invite", channel=room, users=users, force=True)
                refused |= _refusals(answer.get("errors") or ())
            except SlackRefused as error:
                if error.code in ("missing_scope", "channel_not_found", "is_archived", "not_in_channel"):
                    raise
                refused |= _refusals(error.errors) if error.errors else await self._one_by_one(room, some)
        return {"invited": [p for p in people if p not in refused], "missing": [*missing, *refused.values()]}

    async def find_invite(self, job: Job) -> Mapping[str, object] | None:
        """The result if everybody is in the channel."""
        room = room_of(job.incident.room)
        people, missing = await self._people(job)
        pages = self._api.pages("conversations.members", "members", channel=room, limit=1000)
        inside = {str(member) async for member in pages}
        return {"invited": people, "missing": missing} if inside.issuperset(people) else None

    async def pin(self, job: Job) -> Mapping[str, object]:
        """slack.pin → nothing."""
        post = original_of(job)
        try:
            await self._channels.call("pins.add", str(post["channel"]), timestamp=post["ts"])
        except SlackRefused as error:
            if error.code != "already_pinned":
                raise
        return {}

    async def find_pin(self, job: Job) -> Mapping[str, object] | None:
        """The result if the message is pinned."""
        post = original_of(job)
        items = (await self._channels.call("pins.list", str(post["channel"]))).get("items") or ()
        pinned = {str((item.get("message") or {}).get("ts")) for item in items}
        return {} if post["ts"] in pinned else None

    async def bookmark(self, job: Job) -> Mapping[str, object]:
        """slack.bookmark → nothing."""
        if job.attempt > 1 and (there := await self.find_bookmark(job)) is not None:
            return there
        data = job.effect.data
        await self._api.call(
            "bookmarks.add",
            channel_id=room_of(job.incident.room),
            title=str(data["title"]),
            type="link",
            link=str(data["url"]),
            emoji=data.get("emoji") or None,
        )
        return {}

    async def find_bookmark(self, job: Job) -> Mapping[str, object] | None:
        """The result if there is a bookmark of that title and address."""
        data = job.effect.data
        answer = await self._api.call("bookmarks.list", channel_id=room_of(job.incident.room))
        there = {(b.get("title"), b.get("link")) for b in answer.get("bookmarks") or ()}
        return {} if (data["title"], data["url"]) in there else None

    async def _people(self, job: Job) -> tuple[list[str], list[str]]:
        data = job.effect.data
        found = await self._directory.slack_ids(_names(data.get("people")), _names(data.get("groups")))
        return list(found.ids), list(found.missing)

    async def _one_by_one(self, room: str, people: Sequence[str]) -> dict[str, str]:
        """Those who cannot be invited, each with a sentence."""
        refused: dict[str, str] = {}
        for person in people:
            try:
                await self._api.call("conversations.invite", channel=room, users=person)
            except SlackRefused as error:
                if error.code not in _FINE:
                    refused[person] = f"{person} could not be invited: {error}"
        return refused


def _refusals(errors: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The people whom Slack names in these errors, each with a sentence; who is inside already is fine."""
    return {
        str(e.get("user")): f"{e.get('user')} could not be invited: {refusal('conversations.invite', str(e['error']))}"
        for e in errors
        if e.get("error") and e["error"] not in _FINE
    }


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def _made(channel: Mapping[str, Any]) -> Mapping[str, object]:
    return {"channel": str(channel["id"]), "name": str(channel["name"])}


def _topic(job: Job) -> str:
    """The topic with nothing in it that Slack could read as markup."""
    return clip(str(job.effect.data["topic"]).translate(_PLAIN), TOPIC_MOST)


def _mark(job: Job) -> str:
    """The purpose of the channel: it says whose room it is, so that it is recognised after a crash."""
    return f"The room of {job.incident.id}"


def _purpose(channel: Mapping[str, Any]) -> str:
    return str((channel.get("purpose") or {}).get("value") or "")
