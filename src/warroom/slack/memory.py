"""What was looked up once is remembered for a while, and asked for by one caller at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from warroom.errors import DeliveryError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Known(Generic[V]):
    """A remembered value and when it was read (seconds of the memory's clock)."""

    value: V
    read: float


class Memory(Generic[K, V]):
    """Values of `load` by key: fresh for `fresh_s` seconds, good enough to answer at once for `good_s`.

    `now` gives seconds that never run backwards.
    """

    def __init__(
        self, load: Callable[[K], Awaitable[V]], now: Callable[[], float], fresh_s: float, good_s: float
    ) -> None:
        self._load = load
        self._now = now
        self._fresh_s = fresh_s
        self._good_s = good_s
        self._known: dict[K, Known[V]] = {}
        self._loading: dict[K, asyncio.Task[V]] = {}

    def peek(self, key: K) -> Known[V] | None:
        """What is remembered and still good enough, without asking anybody."""
        known = self._known.get(key)
        return known if known and self._now() - known.read <= self._good_s else None

    async def get(self, key: K) -> V:
        """The fresh value, loaded if need be; an older one that is good enough when loading fails.

        Raises the DeliveryError of loading. A caller that gives up waiting does not stop the loading.
        """
        known = self.peek(key)
        if known and self._now() - known.read <= self._fresh_s:
            return known.value
        try:
            return await self.reload(key)
        except DeliveryError:
            if known:
                return known.value
            raise

    async def reload(self, key: K) -> V:
        """The value, read now. Raises the DeliveryError of loading."""
        task = self._loading.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._read(key))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def known(self) -> tuple[K, ...]:
        """Everything that was ever remembered."""
        return tuple(self._known)

    async def _read(self, key: K) -> V:
        value = await self._load(key)
        self._known[key] = Known(value, self._now())
        return value

    def _finished(self, key: K, task: asyncio.Task[V]) -> None:
        self._loading.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waited has had it; nobody may have waited
