"""Probes over TCP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.platform.support import surroundings

from warroom.domain.policy import Expect, Probe
from warroom.platform.probes import ProbeResult, run_probe

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_server(talk: Talk) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield "{}:{}".format(*server.sockets[0].getsockname())
    server.close()


async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = await reader.readline()
    writer.write(b"+PO" if asked == b"PING\r\n" else b"-ERR unknown command\r\n")
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.write(b"NG\r\n" if asked == b"PING\r\n" else b"")
    await reader.read()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()


async def ask(talk: Talk, http: httpx.AsyncClient, **given: Any) -> ProbeResult:
    async with a_server(talk) as address:
        probe = Probe(title="Redis", tcp="redis", **given)
        return await run_probe("redis", probe, surroundings(http, urls={"redis": address}))


PONG = (Expect(contains="+PONG"),)


async def test_redis_answers_ping_in_two_packets(http: httpx.AsyncClient) -> None:
    result = await ask(redis, http, send="PING\r\n", expect=PONG)
    assert (result.state, result.raw, result.judged) == ("ok", "+PONG\r\n", True)


async def test_another_answer_is_not_what_was_expected(http: httpx.AsyncClient) -> None:
    result = await ask(redis, http, send="PONG\r\n", expect=PONG)
    assert (result.state, result.summary) == ("failed", "the answer does not contain '+PONG'")
    assert result.elapsed_s < 2


async def test_being_connected_is_enough_when_nothing_is_asked(http: httpx.AsyncClient) -> None:
    result = await ask(silent, http)
    assert result.state == "ok"
    assert result.summary.startswith("connected in ")


@pytest.mark.parametrize(
    ("talk", "summary"),
    [(silent, "no answer within 100 ms"), (closing, "the connection was closed without an answer")],
)
async def test_no_answer_is_an_error(talk: Talk, summary: str, http: httpx.AsyncClient) -> None:
    result = await ask(talk, http, send="PING\r\n", expect=PONG, timeout=timedelta(seconds=0.1))
    assert (result.state, result.summary) == ("error", summary)


@pytest.mark.parametrize(
    ("address", "summary"),
    [
        ("127.0.0.1:1", "cannot connect: refused, or no such host"),
        ("localhost", "the address of redis has no host and port: set it to host:port"),
        ("localhost:seven", "the address of redis has no host and port: set it to host:port"),
    ],
)
async def test_an_address_that_leads_nowhere_is_an_error(address: str, summary: str, http: httpx.AsyncClient) -> None:
    here = surroundings(http, urls={"redis": address})
    result = await run_probe("redis", Probe(title="Redis", tcp="redis"), here)
    assert (result.state, result.summary) == ("error", summary)
