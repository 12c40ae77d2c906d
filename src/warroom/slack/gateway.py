"""Slack's side of the outbox: every effect of a `slack.*` kind is done and looked up here."""

from collections.abc import Awaitable, Callable, Mapping

from warroom.engine.ports import Job
from warroom.errors import Uncertain
from warroom.rendering import Catalog
from warroom.slack.api import Api
from warroom.slack.channels import Channels
from warroom.slack.compose import Composer, View
from warroom.slack.directory import Directory
from warroom.slack.errors import SlackRefused
from warroom.slack.files import Files
from warroom.slack.limits import KINDS, buckets
from warroom.slack.posting import Posting
from warroom.slack.rooms import Rooms

Do = Callable[[Job], Awaitable[Mapping[str, object]]]
Find = Callable[[Job], Awaitable[Mapping[str, object] | None]]


class Gateway:
    """A `ports.Performer` over the Web API. `views` make the values of messages with `data["view"]`."""

    kinds = frozenset(KINDS)

    def __init__(self, api: Api, catalog: Catalog, directory: Directory, views: Mapping[str, View]) -> None:
        self._api = api
        self.channels = Channels(api)
        posting = Posting(api, self.channels, Composer(catalog, views))
        rooms = Rooms(api, self.channels, directory)
        files = Files(api, self.channels)
        self._does: Mapping[str, tuple[Do, Find]] = {
            "slack.post": (posting.post, posting.find_post),
            "slack.edit": (posting.edit, posting.find_edit),
            "slack.answer": (posting.answer, _again),
            "slack.room": (rooms.room, rooms.find_room),
            "slack.topic": (rooms.topic, rooms.find_topic),
            "slack.invite": (rooms.invite, rooms.find_invite),
            "slack.pin": (rooms.pin, rooms.find_pin),
            "slack.bookmark": (rooms.bookmark, rooms.find_bookmark),
            "slack.file": (files.upload, files.find),
        }

    async def warm(self) -> None:
        """Learn who we are and which channels there are, so that the first alert is one call. Raises DeliveryError."""
        await self._api.me()
        await self.channels.warm()

    def buckets(self, job: Job) -> tuple[str, ...]:
        """The rate limits of `limits.LIMITS` this effect draws on."""
        return buckets(job)

    async def perform(self, job: Job) -> Mapping[str, object]:
        """Do it; the result is the one listed in `domain.effects`. Raises TryAgain, Refused or Uncertain."""
        return await self._does[job.effect.kind][0](job)

    async def find(self, job: Job) -> Mapping[str, object] | None:
        """Look in Slack whether it was done. Raises TryAgain, or Uncertain when Slack does not let us look."""
        try:
            return await self._does[job.effect.kind][1](job)
        except SlackRefused as error:
            if error.code == "channel_not_found":
                return None
            raise Uncertain(f"whether it was done cannot be seen: {error}") from error


async def _again(job: Job) -> Mapping[str, object] | None:
    """A private answer cannot be looked up; twice is better than never."""
    return None
