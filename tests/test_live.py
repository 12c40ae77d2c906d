"""`warroom check --live`: what Slack and PagerDuty say of the settings."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from warroom.firm import environment
from warroom.live import live_problems
from warroom.sandbox import Sandbox, serve
from warroom.settings import Settings

NOON = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)


async def told(
    folder: Path, scopes: frozenset[str] | None = None, groups: Mapping[str, list[str]] | None = None, **changes: str
) -> list[str]:
    """What `check --live` says of the sandbox firm with other settings, or with others in its `groups`."""
    sandbox = Sandbox(lambda: NOON, scopes=scopes) if scopes else Sandbox(lambda: NOON)
    async with serve(sandbox):
        changed = {name: value.replace("{mail}", str(sandbox.mail_port)) for name, value in changes.items()}
        given = environment(sandbox, folder) | changed
        config = Path(given["WARROOM_CONFIG"])
        deployment = yaml.safe_load(config.read_text())
        deployment["groups"].update(groups or {})
        config.write_text(yaml.safe_dump(deployment))
        settings = Settings.load(given)
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


async def test_who_is_nobody_in_slack_is_named_and_what_nobody_may_do_therefore(tmp_path: Path) -> None:
    strangers = ["nobody@sandbox.example", "U0NOBODY99", "S0NOBODY99"]
    found = await told(tmp_path, groups={"halt_operators": strangers})
    advice = "correct it in warroom.yaml, or give them an account"
    assert [said for said in found if " is nobody " in said] == [
        f"Slack: groups.halt_operators: {who} of group halt_operators is nobody with an account in Slack: {advice}"
        for who in strangers
    ]
    (nobody,) = [said for said in found if " is nobody " not in said]
    assert nobody.startswith(
        "Slack: groups.halt_operators: nobody in it has an account in Slack, so nobody may do “Halt"
    )
    assert nobody.endswith(": list people who have one")


async def test_one_operator_who_is_in_slack_may_halt_and_the_other_is_named(tmp_path: Path) -> None:
    (said,) = await told(tmp_path, groups={"halt_operators": ["rita@sandbox.example", "U0NOBODY99"]})
    assert said.startswith("Slack: groups.halt_operators: U0NOBODY99 of group halt_operators is nobody")
