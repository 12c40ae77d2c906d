"""What becomes visible, as it happens: messages, edits, ephemeral answers, pages."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

Seen = dict[str, Any]


class Feed:
    """Publishes every visible thing to all subscribers and counts them in ``version``."""

    def __init__(self) -> None:
        self.version = 0
        self._queues: set[asyncio.Queue[Seen]] = set()
        self._changed: asyncio.Event = asyncio.Event()

    def publish(self, kind: str, **what: Any) -> None:
        """Tell everybody of a thing of this kind; never blocks."""
        self.version += 1
        for queue in self._queues:
            queue.put_nowait({"kind": kind, **what})
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Returns as soon as anything is published after this call."""
        await self._changed.wait()

    def subscribe(self) -> "Subscription":
        """A subscription that sees everything published from now on."""
        queue: asyncio.Queue[Seen] = asyncio.Queue()
        self._queues.add(queue)
        return Subscription(queue, self)

    def drop(self, queue: asyncio.Queue[Seen]) -> None:
        """Stop publishing to this queue."""
        self._queues.discard(queue)


class Subscription:
    """An async iterator over visible things; ``close`` it, or use it in ``with``."""

    def __init__(self, queue: asyncio.Queue[Seen], feed: Feed) -> None:
        self._queue = queue
        self._feed = feed

    def __aiter__(self) -> AsyncIterator[Seen]:
        return self

    async def __anext__(self) -> Seen:
        return await self._queue.get()

    @property
    def empty(self) -> bool:
        """Whether everything published so far was received."""
        return self._queue.empty()

    def close(self) -> None:
        """Stop receiving."""
        self._feed.drop(self._queue)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
