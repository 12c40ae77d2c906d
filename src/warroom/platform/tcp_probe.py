"""Asking over TCP: connect, perhaps send a line, read until what is expected is there."""

import asyncio
from contextlib import suppress

from warroom.domain.policy import Probe
from warroom.platform.answers import Answer, Seen
from warroom.platform.surroundings import NoAnswerError, Surroundings

QUIET_S = 0.3
"""An answer is complete when nothing more came for this long."""


async def ask(probe: Probe, surroundings: Surroundings, seen: Seen) -> Answer:
    """What the other side says; being connected is good. Raises NoAnswerError, TimeoutError."""
    host, port = surroundings.endpoint(probe.tcp or "")
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as exc:
        raise NoAnswerError("cannot connect: refused, or no such host") from exc
    try:
        if probe.send:
            writer.write(probe.send.encode())
            await writer.drain()
        if probe.send or probe.expect:
            await _read(reader, probe, seen)
            if not seen.out.data:
                raise NoAnswerError("the connection was closed without an answer")
    except ConnectionError as exc:
        raise NoAnswerError("the connection was dropped") from exc
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return Answer(said="answered" if seen.out.data else "connected", good=True, text=seen.out.text, cut=seen.out.cut)


async def _read(reader: asyncio.StreamReader, probe: Probe, seen: Seen) -> None:
    """Read until everything expected is there, the other side closes or falls quiet."""
    wanted = [e.contains for e in probe.expect if e.contains]
    while True:
        try:
            async with asyncio.timeout(QUIET_S if seen.out.data else None):
                more = await reader.read(64 * 1024)
        except TimeoutError:
            return
        if not more or not seen.out.add(more):
            return
        if wanted and all(w in seen.out.text for w in wanted):
            return
