"""`warroom check --live`: what Slack and PagerDuty say of the settings."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from warroom.firm import environment
from warroom.live import live_problems
from warroom.sandbox import Sandbox, serve
from warroom.settings import Settings

NOON = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)


async def told(folder: Path, scopes: frozenset[str] | None = None, **changes: str) -> list[str]:
    sandbox = Sandbox(lambda: NOON, scopes=scopes) if scopes else Sandbox(lambda: NOON)
    async with serve(sandbox):
        changed = {name: value.replace("{mail}", str(sandbox.mail_port)) for name, value in changes.items()}
        settings = Settings.load(environment(sandbox, folder) | changed)
        return [str(problem) for problem in await live_problems(settings)]


async def test_a_good_deployment_has_no_problem(tmp_path: Path) -> None:
    assert await told(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "SLACK_APP_TOKEN: Slack refuses it"),
        ({"PAGERDUTY_API_TOKEN": "wrong"}, "PAGERDUTY_API_TOKEN"),
        (
            {"WARROOM_SMTP_URL": "smtp://warroom:wrong@127.0.0.1:{mail}"},
            "WARROOM_SMTP_URL: The mail server did not take",
        ),
        ({"WARROOM_STATUSPAGE_KEY": "wrong"}, "WARROOM_STATUSPAGE_KEY: The status page refused"),
        ({"WARROOM_CONFLUENCE_TOKEN": "wrong"}, "WARROOM_CONFLUENCE_TOKEN: The wiki refused"),
        ({"PAGERDUTY_FROM_EMAIL": "nobody@sandbox.example"}, "PAGERDUTY_FROM_EMAIL: PagerDuty knows no user"),
    ],
)
async def test_what_a_service_refuses_is_named(tmp_path: Path, change: dict[str, str], said: str) -> None:
    assert any(said in problem for problem in await told(tmp_path, **change))


async def test_a_scope_that_is_not_granted_is_named(tmp_path: Path) -> None:
    found = await told(tmp_path, scopes=frozenset({"chat:write", "channels:read", "groups:read"}))
    assert any("pins:write: this scope is not granted" in problem for problem in found)
