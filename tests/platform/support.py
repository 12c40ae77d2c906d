"""A service on loopback that behaves as badly as it is told to, and the surroundings to ask it in."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx

from warroom.platform.surroundings import Surroundings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TOKEN = "emergency-token-7f3a"


@dataclass
class Says:
    """An answer: sent after `delay_s`, or the connection is dropped or left hanging instead."""

    body: object = ""
    status: int = 200
    delay_s: float = 0.0
    how: Literal["answer", "drop", "hang"] = "answer"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Service:
    """Answers by path; a callable is asked at every request, and its answer is what is said."""

    url: str = ""
    answers: dict[str, Says | Callable[[], Says]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def sent(self, path: str) -> list[Asked]:
        return [a for a in self.asked if a.path == path]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._serve(reader, writer):
                pass
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Asked(method, path, headers, body))
        told = self.answers.get(path.partition("?")[0], Says("no such path", 404))
        says = told() if callable(told) else told
        if says.how == "hang":
            await reader.read()
        if says.how != "answer":
            return False
        await asyncio.sleep(says.delay_s)
        content = says.body if isinstance(says.body, bytes) else _text(says.body).encode()
        shown = {"content-length": str(len(content))} | says.headers
        lines = [f"HTTP/1.1 {says.status} X", *(f"{name}: {value}" for name, value in shown.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == "HEAD" else content))
        await writer.drain()
        return True


def _text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body)


@asynccontextmanager
async def a_service() -> AsyncIterator[Service]:
    service = Service()
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await service._talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    service.url = "http://{}:{}".format(*server.sockets[0].getsockname())
    yield service
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.wait_closed()


class StoryClock:
    """Stands still except for `sleep`, which moves it and takes no real time."""

    def __init__(self) -> None:
        self.time = NOON
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def real_seconds(self, until: datetime) -> float:
        return max(0.0, (until - self.time).total_seconds())

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def surroundings(http: httpx.AsyncClient, clock: StoryClock | None = None, **given: Any) -> Surroundings:
    """Surroundings with nothing in them but what is given."""
    empty: Mapping[str, Any] = {"urls": {}, "tools": {}, "databases": {}, "environ": {}}
    return Surroundings(**{**empty, "http": http, "clock": clock or StoryClock(), **given})
