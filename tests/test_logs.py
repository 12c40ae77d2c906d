"""What is written to the log, by a process of its own: the settings of logging are everybody's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SECRETS = ("xoxb-very-secret", "very-secret")


def logged(code: str) -> list[dict[str, Any]]:
    """The lines that this code logs once `configure` was called with SECRETS."""
    begin = f"import logging, structlog; from warroom.logs import configure; configure({SECRETS!r})\n"
    environ = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, "-c", begin + code], capture_output=True, text=True, env=environ, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not any(secret in done.stderr for secret in SECRETS)
    return [json.loads(line) for line in done.stderr.splitlines()]


ERROR = """
try:
    raise ValueError("xoxb-very-secret was refused")
except ValueError as error:
    {}
"""


@pytest.mark.parametrize(
    "call",
    [
        'structlog.get_logger("warroom").warning("very-secret", url="https://x/very-secret?a=xoxb-very-secret")',
        'structlog.get_logger("warroom").warning("very-secret", a=[{"xoxb-very-secret": OSError("very-secret")}])',
        'logging.getLogger("asyncio").warning("very-secret in %s", {"url": "https://x/xoxb-very-secret"})',
    ],
)
def test_a_secret_is_shown_nowhere_whoever_logs_it(call: str) -> None:
    (line,) = logged(call)
    assert "***" in line["event"]
    assert "***" in line.get("url", "***")


@pytest.mark.parametrize(
    "call", ['structlog.get_logger("warroom").exception("failed")', 'logging.getLogger("asyncio").exception("failed")']
)
def test_a_secret_is_not_shown_in_a_traceback_either(call: str) -> None:
    (line,) = logged(ERROR.format(call))
    assert "ValueError: *** was refused" in line["exception"]


REQUESTS = """
import asyncio, json, time, httpx
from tests.slack.support import SECRET, Desk, Watch
from warroom.rendering import Catalog
from warroom.sandbox.signing import slack_headers
from warroom.slack.api import Api
from warroom.slack.app import Endpoint, create_app
from warroom.slack.directory import Directory
from warroom.slack.gate import Gate

async def main():
    api = Api("xoxb-very-secret")
    app = create_app(
        signing_secret=SECRET, api=api, submit=Desk().submit, directory=Directory(api, {}, None),
        catalog=Catalog({}), clock=Watch(),
    )
    web = httpx.ASGITransport(Gate(Endpoint(app), SECRET))
    async with httpx.AsyncClient(transport=web, base_url="http://bot") as http:
        body = json.dumps({"type": "event_callback", "event": {"type": "message"}}).encode()
        for secret, status in ((SECRET, 200), ("guess", 401), (SECRET, 200), ("guess", 401)):
            headers = {"Content-Type": "application/json", **slack_headers(secret, body, int(time.time()))}
            answer = await http.post("/slack/events", content=body, headers=headers)
            assert answer.status_code == status, answer.text

asyncio.run(main())
"""


def test_a_good_request_of_slack_does_not_silence_what_comes_after_it() -> None:
    lines = logged(REQUESTS)
    assert [(line["event"], line["reason"]) for line in lines] == [
        ("slack_request_refused", "the signature is wrong")
    ] * 2
