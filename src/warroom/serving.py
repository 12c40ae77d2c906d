"""Serving the web application on a port: for `serve`, the demo and the tests."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp

from warroom.errors import ConfigError

PATIENCE = 10
"""Seconds that requests under way get when we stop."""


class _Quiet(uvicorn.Server):
    """A server whose owner handles the signals."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket. Its protocol is spelled out: only then asyncio sets TCP_NODELAY, 40 ms less an answer."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.asynccontextmanager
async def listening(app: ASGIApp, host: str, port: int) -> AsyncIterator[str]:
    """Serves `app` until the block is left; yields its address. Port 0 takes a free one.

    Raises ConfigError when the port is taken or the address is not ours.
    """
    try:
        listener = _listener(host, port)
    except OSError as error:
        raise ConfigError([f"WARROOM_HOST:WARROOM_PORT {host}:{port} cannot be used: {error.strerror}"]) from error
    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_config=None, ws="none", timeout_graceful_shutdown=PATIENCE
    )
    server = _Quiet(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.002)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
