"""Serving the sandbox on loopback: uvicorn in the running loop, and a Redis that answers PING."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn
from starlette.types import ASGIApp, Scope

from warroom.sandbox.mail import serve_mail
from warroom.sandbox.redis import serve_redis
from warroom.sandbox.sandbox import Sandbox

SHUTDOWN_S = 2


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to its host and starts and stops at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, which would sleep for 0.1 s even when nothing is under way."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, late = await asyncio.wait(self.server_state.tasks, timeout=SHUTDOWN_S)
            for task in late:
                task.cancel()
        await asyncio.sleep(0)  # the closed connections go

    async def main_loop(self) -> None:
        await self.stopping.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def close_connection(self, scope: Scope) -> None:
        """Close the TCP connection a request came on."""
        peer = tuple(scope["client"])
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == peer:
                connection.transport.close()


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket. With the protocol spelled out asyncio sets TCP_NODELAY: 40 ms less a request."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def embedded(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[tuple[str, _Server]]:
    """Serve any ASGI app in the running loop; yields its base URL and the server.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """
    listener = _listener(host, port)
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve([listener]))
    try:
        await server.ready.wait()
        yield f"http://{host}:{listener.getsockname()[1]}", server
    finally:
        server.stopping.set()
        await running
        listener.close()


@asynccontextmanager
async def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve the sandbox; yields its base URL. Port 0 takes a free one. Raises OSError when it is taken."""
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only: loading them takes 30 ms
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    async with (
        httpx.AsyncClient(trust_env=False, limits=limits, verify=no_certificates) as http,
        serve_redis(sandbox.platform, host) as redis,
        serve_mail(sandbox.mail, host) as mail,
        embedded(sandbox.app, host, port) as (url, server),
    ):
        sandbox.mail_port = mail
        sandbox.start(url, http, redis, server.close_connection)
        try:
            yield url
        finally:
            await sandbox.stop()
