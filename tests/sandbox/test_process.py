"""The sandbox in a process of its own, its page, and what it may import."""

import ast
import asyncio
import json
import signal
import sys
from pathlib import Path

import httpx

import warroom.sandbox
from warroom.sandbox import Sandbox

PACKAGE = Path(warroom.sandbox.__file__).parent


async def test_it_runs_in_a_process_of_its_own_and_stops_on_a_signal() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "warroom.sandbox", "--port", "0", "--speed", "60", "--anchor", "2026-10-19T13:31:00Z"),
        *("--scopes", "chat:write"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    started = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    async with httpx.AsyncClient(trust_env=False, verify=False) as web:
        snapshot = (await web.get(f"{started['url']}/control/snapshot")).json()
    assert snapshot["now"].startswith("2026-10-19T13:3")
    assert started["settings"]["PAGERDUTY_API_URL"] == f"{started['url']}/pagerduty"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_the_page_loads_nothing_from_elsewhere_and_never_parses_data_as_markup(
    http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await http.get("/")
    assert page.status_code == 200
    for forbidden in ("innerHTML", "insertAdjacentHTML", "document.write", "outerHTML", "https://", "src="):
        assert forbidden not in page.text


def test_the_sandbox_imports_nothing_else_of_ours() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not name.startswith("warroom") or name.startswith("warroom.sandbox"), path.name
