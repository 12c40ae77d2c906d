"""`warroom serve` when Slack refuses the Socket Mode token: it stays up, says so, and ends when it is told to."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from warroom.firm import environment
from warroom.sandbox import Sandbox, serve
from warroom.sandbox.clock import StoryClock
from warroom.sandbox.stories import SCENARIOS


@pytest.mark.slow
async def test_a_socket_that_cannot_connect_neither_stops_the_webhook_nor_ctrl_c(folder: Path) -> None:
    sandbox = Sandbox(StoryClock(SCENARIOS["market-sentinel-down"].begins, 1))
    async with serve(sandbox):
        given = environment(sandbox, folder) | {"SLACK_APP_TOKEN": "xapp-refused", "WARROOM_PORT": "0"}
        port = await _free_port()
        bot = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "warroom", "serve", env=os.environ | given | {"WARROOM_PORT": str(port)}
        )
        try:
            async with httpx.AsyncClient(trust_env=False, verify=False) as http, asyncio.timeout(30):
                while True:
                    try:
                        ready = await http.get(f"http://127.0.0.1:{port}/readyz")
                        break
                    except httpx.ConnectError:
                        await asyncio.sleep(0.1)
                assert (ready.status_code, ready.json()["socket_mode"]) == (503, False)
                assert (await http.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
            bot.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                assert await bot.wait() == 0
        finally:
            if bot.returncode is None:
                bot.kill()


async def _free_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port
