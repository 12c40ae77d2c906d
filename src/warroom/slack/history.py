"""A channel's whole history, threads included, as plain lines: what a post-mortem is made from."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from warroom.errors import Refused, TryAgain

PAGE = 200  # messages a call; what Slack recommends
TRANSIENT = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
OUR_EVENT = "warroom_effect"
_MARKUP = re.compile(r"<([^<>\n]+)>")
_USER = re.compile(r"<@([UW][A-Z0-9]+)")
Names = Mapping[str, str]
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message, readable as it is.

    `at` is UTC. `effect_id` is the id in our metadata: then the message is ours. `reactions` are names with
    counts. `subtype` is Slack's, "" for an ordinary message.
    """

    ts: str
    thread_ts: str | None
    at: datetime
    author_id: str
    author: str
    text: str
    by_bot: bool
    files: tuple[str, ...]
    reactions: tuple[tuple[str, int], ...]
    effect_id: str | None
    edited: bool
    subtype: str
    permalink: str


class History:
    """Reads channels. `name_of` gives a person's name for a Slack id and never fails.

    `sleep` waits (real seconds). One reading waits at most `patience` seconds in all for limits and failures, and
    makes at most `calls` calls. Threads that were read before the patience ended are kept for the next reading.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        name_of: Callable[[str], Awaitable[str]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: float = 60.0,
        calls: int = 1000,
    ) -> None:
        self._client = client
        self._name_of = name_of
        self._sleep = sleep
        self._patience = patience
        self._calls = calls
        self._base = ""
        self._threads: dict[tuple[str, str], tuple[object, list[Json]]] = {}

    async def read(self, channel: str, oldest: datetime | None = None) -> tuple[Line, ...]:
        """Every message of the channel (since `oldest`, UTC) with all replies, oldest first.

        Raises TryAgain when Slack cannot be read within the patience, Refused when it never will be.
        """
        reading = _Reading(self._sleep, self._patience, self._calls)
        if not self._base:
            self._base = str((await reading.ask(self._client.auth_test)).get("url", ""))
        asked: dict[str, Any] = {"channel": channel, "limit": PAGE, "include_all_metadata": True}
        since = {"oldest": f"{oldest.timestamp():.6f}"} if oldest else {}
        found: dict[str, Json] = {}
        async for message in reading.pages(self._client.conversations_history, **asked, **since):
            found[message["ts"]] = message
        for head in [message for message in found.values() if message.get("reply_count")]:
            for reply in await self._thread(reading, head, asked):
                found.setdefault(reply["ts"], reply)
        self._threads = {key: kept for key, kept in self._threads.items() if key[0] != channel}
        messages = sorted(found.values(), key=lambda message: _moment(message["ts"]))
        names = {slack_id: await self._name_of(slack_id) for slack_id in sorted(_people(messages))}
        return tuple(_line(message, channel, names, self._base) for message in messages)

    async def _thread(self, reading: "_Reading", head: Json, asked: Json) -> list[Json]:
        """The messages of a thread; asked for once while it does not change, until a reading is whole."""
        key = (str(asked["channel"]), str(head["ts"]))
        state = (head.get("reply_count"), head.get("latest_reply"))
        kept = self._threads.get(key)
        if kept is None or kept[0] != state:
            replies = [m async for m in reading.pages(self._client.conversations_replies, ts=head["ts"], **asked)]
            kept = self._threads[key] = (state, replies)
        return kept[1]


class _Reading:
    """One reading's calls, with what is left of its patience."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], patience: float, calls: int) -> None:
        self._sleep = sleep
        self._patience = patience
        self._calls = calls

    async def pages(self, method: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
        """The messages of every page."""
        cursor = ""
        while True:
            answer = await self.ask(method, cursor=cursor, **arguments)
            for message in answer.get("messages", []):
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def ask(self, method: Callable[..., Awaitable[Any]], **arguments: Any) -> Json:
        """One call, repeated while Slack is busy or unwell."""
        for attempt in count():
            if self._calls <= 0:
                raise Refused("the channel has more messages and threads than one reading may ask for")
            self._calls -= 1
            try:
                return dict((await method(**arguments)).data)
            except SlackApiError as error:
                wait = _wait(error, attempt)
                why = f"Slack answered {_code(error)}"
            except (aiohttp.ClientError, TimeoutError) as error:
                wait = _backoff(attempt)
                why = f"Slack cannot be reached ({type(error).__name__})"
            if wait > self._patience:
                raise TryAgain(why, after=wait)
            self._patience -= wait
            await self._sleep(wait)
        raise AssertionError("count() does not end")


def _wait(error: SlackApiError, attempt: int) -> float:
    """Seconds until the call may be repeated; raises Refused when it will not help."""
    status = getattr(error.response, "status_code", 200)
    if status == 429:
        return max(float(error.response.headers.get("Retry-After", 1)), 1.0)
    code = _code(error)
    if status >= 500 or code in TRANSIENT:
        return _backoff(attempt)
    todo = {
        "missing_scope": "reinstall the app from manifest.yml",
        "not_in_channel": "invite the bot to the channel",
        "channel_not_found": "the channel is gone, or the bot is not in it",
    }
    raise Refused(f"Slack does not let the bot read the channel: {code}; {todo.get(code, 'check the bot token')}")


def _code(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    status = getattr(error.response, "status_code", "an error")
    return str(data.get("error", status)) if isinstance(data, dict) else f"HTTP {status}"


def _backoff(attempt: int) -> float:
    return min(2.0**attempt, 30.0)


def permalink(base: str, channel: str, ts: str, thread_ts: str | None = None) -> str:
    """The address of a message in the workspace at `base` ("https://NAME.slack.com/"); "" without a base."""
    if not base:
        return ""
    link = f"{base.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else link


def _moment(ts: str) -> datetime:
    seconds, _, micros = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(micros.ljust(6, "0")[:6] or 0))


def _line(message: Json, channel: str, names: Names, base: str) -> Line:
    ts, thread_ts = str(message["ts"]), message.get("thread_ts")
    effect_id = _effect_id(message)
    user = str(message.get("user") or message.get("bot_id") or "")
    profile = message.get("bot_profile") or {}
    return Line(
        ts=ts,
        thread_ts=thread_ts,
        at=_moment(ts),
        author_id=user,
        author=str(message.get("username") or profile.get("name") or names.get(user) or user),
        text=readable(message, names, ours=effect_id is not None),
        by_bot="bot_id" in message,
        files=tuple(str(f.get("title") or f.get("name") or f.get("id")) for f in message.get("files") or []),
        reactions=tuple((str(r["name"]), int(r.get("count", 0))) for r in message.get("reactions") or []),
        effect_id=effect_id,
        edited="edited" in message,
        subtype=str(message.get("subtype") or ""),
        permalink=permalink(base, channel, ts, thread_ts),
    )


def _effect_id(message: Json) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != OUR_EVENT:
        return None
    return str((metadata.get("event_payload") or {}).get("id", "")) or None


def _people(messages: list[Json]) -> set[str]:
    """Ids of everybody who wrote or is mentioned."""
    found: set[str] = set()
    for message in messages:
        if message.get("user"):
            found.add(message["user"])
        found.update(_USER.findall(str(message.get("text", ""))))
        found.update(str(item["user_id"]) for item in _walk(message.get("blocks")) if item.get("type") == "user")
    return found


def _walk(thing: Any) -> Iterator[Json]:
    if isinstance(thing, dict):
        yield thing
        for value in thing.values():
            yield from _walk(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _walk(value)


def readable(message: Json, names: Names, *, ours: bool = False) -> str:
    """What a reader sees of a message, as plain text.

    Ours are read from their blocks, since their text is only a fallback; others from their text, and from blocks or
    attachments when they have none.
    """
    text = _mrkdwn(str(message.get("text") or ""), names)
    if text and not ours:
        return text
    blocks = "\n".join(filter(None, (_block(block, names) for block in message.get("blocks") or [])))
    attachments = "\n".join(filter(None, (_attachment(a, names) for a in message.get("attachments") or [])))
    return blocks or text or attachments


def _mrkdwn(text: str, names: Names) -> str:
    def shown(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            return "@" + (names.get(target[1:]) or label or target[1:])
        if target.startswith("#"):
            return "#" + (label or target[1:])
        if target.startswith("!"):
            return label or "@" + target[1:].partition("^")[0]
        return f"{label} ({target})" if label and label != target else target

    shown_text = _MARKUP.sub(shown, text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        shown_text = shown_text.replace(entity, character)
    return shown_text


def _object(thing: Any, names: Names) -> str:
    if not isinstance(thing, dict):
        return ""
    text = str(thing.get("text", ""))
    return _mrkdwn(text, names) if thing.get("type") == "mrkdwn" else text


def _block(block: Json, names: Names) -> str:
    match block.get("type"):
        case "header":
            return _object(block.get("text"), names)
        case "section":
            parts = [block.get("text"), *block.get("fields", [])]
            return "\n".join(filter(None, (_object(part, names) for part in parts)))
        case "context":
            return " · ".join(filter(None, (_object(part, names) for part in block.get("elements", []))))
        case "rich_text":
            return _rich_text(block, names)
        case "markdown":
            return str(block.get("text", ""))
        case "table":
            rows = block.get("rows", [])
            return "\n".join(" | ".join(_cell(cell, names) for cell in row) for row in rows)
    return ""


def _cell(cell: Json, names: Names) -> str:
    return _rich_text(cell, names) if cell.get("type") == "rich_text" else str(cell.get("text", ""))


def _rich_text(block: Json, names: Names) -> str:
    parts: list[str] = []
    for part in block.get("elements", []):
        if part.get("type") == "rich_text_list":
            parts += [f"• {_inline(item.get('elements', []), names)}" for item in part.get("elements", [])]
        else:
            parts.append(_inline(part.get("elements", []), names).rstrip("\n"))
    return "\n".join(parts)


def _inline(elements: list[Json], names: Names) -> str:
    return "".join(_element(item, names) for item in elements)


def _element(item: Json, names: Names) -> str:
    match item.get("type"):
        case "text":
            return str(item.get("text", ""))
        case "link":
            label, url = item.get("text"), str(item.get("url", ""))
            return f"{label} ({url})" if label and label != url else url
        case "user":
            return "@" + names.get(str(item.get("user_id")), str(item.get("user_id")))
        case "usergroup":
            return f"@{item.get('usergroup_id')}"
        case "channel":
            return f"#{item.get('channel_id')}"
        case "broadcast":
            return f"@{item.get('range')}"
        case "emoji":
            return f":{item.get('name')}:"
        case "date":
            at = datetime.fromtimestamp(int(item.get("timestamp", 0)), UTC)
            return str(item.get("fallback") or f"{at:%Y-%m-%d %H:%M} UTC")
    return ""


def _attachment(attachment: Json, names: Names) -> str:
    parts = [str(attachment.get(key) or "") for key in ("pretext", "title", "text")]
    return _mrkdwn(" ".join(filter(None, parts)) or str(attachment.get("fallback") or ""), names)
