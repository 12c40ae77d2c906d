"""Enough of Redis for a health check: PING, as RESP or inline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol


class HasRedis(Protocol):
    """Whoever says whether Redis is up."""

    @property
    def redis_up(self) -> bool: ...


@asynccontextmanager
async def serve_redis(state: HasRedis, host: str) -> AsyncIterator[int]:
    """Listen on a free port; yields the port. While Redis is down the first request closes the connection."""
    writers: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(ConnectionError):
            while (line := await reader.readline()) and state.redis_up:
                word = line.strip().upper()
                if word.startswith((b"*", b"$")):
                    continue
                writer.write(b"+PONG\r\n" if word == b"PING" else b"-ERR unknown command\r\n")
                await writer.drain()
        writers.discard(writer)
        writer.close()

    server = await asyncio.start_server(talk, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()
