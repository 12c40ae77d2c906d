from datetime import UTC, datetime
from pathlib import Path

import pytest

from warroom.environment import is_loopback, variables
from warroom.errors import ConfigError
from warroom.settings import Settings, read_deployment

EXAMPLE = Path(__file__).parents[1] / "warroom.example.yaml"
SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-very-secret",
    "SLACK_SIGNING_SECRET": "signing-very-secret",
    "PAGERDUTY_API_TOKEN": "api-very-secret",
    "PAGERDUTY_WEBHOOK_SECRET": "old-very-secret, new-very-secret",
    "PAGERDUTY_ROUTING_KEY": "routing-very-secret",
}
GIVEN = {**SECRETS, "PAGERDUTY_FROM_EMAIL": "bot@firm.example", "WARROOM_CONFIG": str(EXAMPLE)}
SANDBOX = {
    "SLACK_API_URL": "http://127.0.0.1:8081/api/",
    "PAGERDUTY_API_URL": "http://localhost:8082",
    "PAGERDUTY_EVENTS_URL": "http://[::1]:8082",
}


def refused(**changes: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        Settings.load({**GIVEN, **changes})
    return error.value.problems


def test_the_example_is_right_and_the_rest_has_defaults() -> None:
    settings = Settings.load(GIVEN)
    environment = settings.environment
    assert (environment.warroom_host, environment.warroom_port) == ("127.0.0.1", 3000)
    assert environment.warroom_actions == "dry_run"
    assert environment.warroom_clock_speed == 1
    assert environment.warroom_slack_limits is True
    assert environment.database_url.get_secret_value() == "sqlite+aiosqlite:///warroom.db"
    assert environment.warroom_data == Path("data")
    assert (environment.slack_api_url, environment.pagerduty_api_url) == (
        "https://slack.com/api/",
        "https://api.pagerduty.com",
    )
    assert environment.pagerduty_events_url == "https://events.pagerduty.com"
    assert set(settings.packs) == {"lav_adaf"}
    assert settings.groups["halt_operators"] == ("risk@firm.example", "U0HALTOP1")


def test_a_halt_that_is_live_needs_its_token() -> None:
    (said,) = refused(WARROOM_ACTIONS="live")
    assert "EMERGENCY_TOKEN: this is not set, and “Halt all trading” needs it" in said
    Settings.load({**GIVEN, "WARROOM_ACTIONS": "live", "EMERGENCY_TOKEN": "t"})
    Settings.load({**GIVEN, "WARROOM_ACTIONS": "dry_run"})


def test_every_variable_is_one_of_the_agreed_ones_and_says_where_its_value_is_found() -> None:
    assert all(variables().values())
    assert set(variables()) == {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "SLACK_API_URL",
        "PAGERDUTY_API_TOKEN",
        "PAGERDUTY_FROM_EMAIL",
        "PAGERDUTY_WEBHOOK_SECRET",
        "PAGERDUTY_ROUTING_KEY",
        "PAGERDUTY_API_URL",
        "PAGERDUTY_EVENTS_URL",
        "DATABASE_URL",
        "WARROOM_CONFIG",
        "WARROOM_HOST",
        "WARROOM_PORT",
        "WARROOM_ACTIONS",
        "WARROOM_VIOLATION_SECRET",
        "WARROOM_SMTP_URL",
        "WARROOM_MAIL_FROM",
        "WARROOM_STATUSPAGE_URL",
        "WARROOM_STATUSPAGE_PAGE",
        "WARROOM_STATUSPAGE_KEY",
        "WARROOM_STATUSPAGE_COMPONENTS",
        "WARROOM_CONFLUENCE_URL",
        "WARROOM_CONFLUENCE_SPACE",
        "WARROOM_CONFLUENCE_PARENT",
        "WARROOM_CONFLUENCE_USER",
        "WARROOM_CONFLUENCE_TOKEN",
        "WARROOM_CLOCK_SPEED",
        "WARROOM_CLOCK_ANCHOR",
        "WARROOM_SLACK_LIMITS",
        "WARROOM_DATA",
    }


def test_no_secret_shows_when_settings_are_printed() -> None:
    url = {"DATABASE_URL": "postgresql+asyncpg://me:db-very-secret@db/warroom"}
    shown = repr(Settings.load({**GIVEN, **url}))
    assert "very-secret" not in shown


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_secret_shows_in_a_refusal(name: str) -> None:
    told = "\n".join(
        refused(**{name: "\x00very-secret", "WARROOM_PORT": "very-secret", "SLACK_BOT_TOKEN": "very-secret"})
    )
    assert "very-secret" not in told


def test_settings_are_frozen() -> None:
    settings = Settings.load(GIVEN)
    with pytest.raises(AttributeError):
        settings.groups = {}  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        settings.environment.warroom_port = 1


def test_everything_missing_is_told_at_once_with_where_to_find_it() -> None:
    with pytest.raises(ConfigError) as error:
        Settings.load({})
    assert [problem.split(": ")[1] for problem in error.value.problems] == sorted(
        [*SECRETS, "PAGERDUTY_FROM_EMAIL", "WARROOM_CONFIG"]
    )
    assert (
        "environment: SLACK_SIGNING_SECRET: this is not set; "
        "its value is here: api.slack.com/apps, your app, Basic Information" in error.value.problems
    )


def test_the_environment_of_the_process_does_not_leak_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", " ")
    monkeypatch.setenv("WARROOM_PORT", "abc")
    assert Settings.load(GIVEN).environment.warroom_port == 3000
    (said,) = refused(SLACK_SIGNING_SECRET=" ")
    assert "SLACK_SIGNING_SECRET: this is not set" in said


def test_blank_is_the_same_as_not_set() -> None:
    assert len(refused(PAGERDUTY_API_TOKEN="  ")) == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-1", "it begins with xoxb-; another kind of token was given"),
        ("SLACK_APP_TOKEN", "xoxb-1", "it begins with xapp-; another kind of token was given"),
        ("SLACK_API_URL", "http://slack.example/api", "write https://; plain http is for this machine alone"),
        ("PAGERDUTY_API_URL", "https://me:pass@api.example", "write https://HOST without user and password"),
        ("PAGERDUTY_FROM_EMAIL", "bot", "write one e-mail address"),
        ("PAGERDUTY_WEBHOOK_SECRET", ",", "there is no secret between the commas"),
        ("DATABASE_URL", "sqlite+aiosqlite:///", "it names no file"),
        ("DATABASE_URL", "postgresql+asyncpg://u@h:x/y", "its port is no number"),
        ("DATABASE_URL", "postgresql://x", "it begins with sqlite+aiosqlite:/// or postgresql+asyncpg://"),
        ("WARROOM_PORT", "99999", "this value is not possible; write the port to listen on, 1 to 65535"),
        ("WARROOM_ACTIONS", "on", "this value is not possible; write off, dry_run"),
        ("WARROOM_SLACK_LIMITS", "of", "write on or off; did you mean off?"),
        ("WARROOM_CLOCK_SPEED", "0", "this value is not possible"),
        ("WARROOM_CLOCK_ANCHOR", "now=then", "write REAL=SCALED"),
        ("WARROOM_CLOCK_ANCHOR", "2026-03-02T10:00:00=2026-03-02T10:00:00", "both times need their offset"),
        ("WARROOM_CONFIG", "/nowhere/warroom.yaml", "cannot be read"),
        ("WARROOM_ACTION", "live", "there is no such setting; did you mean WARROOM_ACTIONS?"),
        ("SLACK_BOT_TOKENS", "x", "there is no such setting; did you mean SLACK_BOT_TOKEN?"),
        ("WARROOM_URL_EXECUTIONR", "http://x:1", "did you mean WARROOM_URL_EXECUTIONER?"),
        ("WARROOM_URL_EXECUTIONER", "nonsense", "this is no address"),
    ],
)
def test_a_wrong_value_is_refused_in_a_sentence(name: str, value: str, said: str) -> None:
    told = [p for p in refused(**{**SANDBOX, name: value}) if p.startswith(f"environment: {name}: ")]
    assert len(told) == 1
    assert said in told[0]


def test_variables_of_others_are_none_of_our_business() -> None:
    Settings.load({**GIVEN, "SLACK_CLI_TELEMETRY": "1", "PATH": "/bin", "PAGERDUTY_TEAM": "x"})


SCALED = {
    "WARROOM_CLOCK_SPEED": "60",
    "WARROOM_CLOCK_ANCHOR": "2026-03-02T10:00:00+00:00=2026-03-02T09:31:00-05:00",
    "WARROOM_SLACK_LIMITS": "off",
}


@pytest.mark.parametrize("name", sorted(SCALED))
@pytest.mark.parametrize("real", sorted(SANDBOX))
def test_a_clock_of_its_own_needs_slack_and_pagerduty_on_this_machine(name: str, real: str) -> None:
    near = {key: value for key, value in SANDBOX.items() if key != real}
    (told,) = refused(**near, **{name: SCALED[name]})
    assert told.startswith(f"environment: {name}: this is for the sandbox only")


def test_against_the_sandbox_the_clock_may_run_faster() -> None:
    environment = Settings.load({**GIVEN, **SANDBOX, **SCALED}).environment
    assert environment.warroom_clock_speed == 60
    assert environment.warroom_slack_limits is False
    assert environment.warroom_clock_anchor is not None
    assert environment.warroom_clock_anchor.real == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert environment.warroom_clock_anchor.scaled == datetime(2026, 3, 2, 14, 31, tzinfo=UTC)


def test_the_sandbox_is_told_about_beside_other_mistakes() -> None:
    told = refused(WARROOM_CLOCK_SPEED="60", WARROOM_PORT="x")
    assert [problem.split(": ")[1] for problem in told] == ["WARROOM_CLOCK_SPEED", "WARROOM_PORT"]


def test_a_host_that_only_looks_like_this_machine_is_not() -> None:
    assert not is_loopback("http://127.0.0.1.evil.example")
    assert not is_loopback("http://localhost@evil.example")
    assert is_loopback("http://127.0.0.2:1")


def test_webhook_secrets_are_several_while_they_are_rotated() -> None:
    assert Settings.load(GIVEN).webhook_secrets == ("old-very-secret", "new-very-secret")


def test_an_address_in_the_environment_goes_before_the_file_and_the_pack() -> None:
    settings = Settings.load({**GIVEN, "WARROOM_URL_MARKET_SENTINEL": "http://127.0.0.1:9/platform/market-sentinel"})
    urls = settings.packs["lav_adaf"].pack.urls
    assert urls["market_sentinel"] == "http://127.0.0.1:9/platform/market-sentinel"
    assert urls["executioner"] == "http://localhost:3003"
    assert settings.bindings["lav_adaf"].urls["market_sentinel"] == urls["market_sentinel"]


def deployment(tmp_path: Path, lav_adaf: str) -> str:
    path = tmp_path / "warroom.yaml"
    text = f"packs:\n  lav_adaf:\n    services: [P1]\n{lav_adaf}\ngroups:\n  halt_operators: [U01]\n"
    text += "  risk_managers: [U01]\n  commanders: [U01]\n  senior_engineers: [U01]\n"
    path.write_text(text)
    return str(path)


def test_the_address_of_a_database_is_taken_from_the_environment(tmp_path: Path) -> None:
    config = deployment(tmp_path, "    databases:\n      platform: env:PLATFORM_DB")
    url = "postgresql+asyncpg://me:db-very-secret@db/platform"
    settings = Settings.load({**GIVEN, "WARROOM_CONFIG": config, "PLATFORM_DB": url})
    assert settings.databases["lav_adaf"]["platform"].get_secret_value() == url
    assert "very-secret" not in repr(settings)
    (told,) = refused(WARROOM_CONFIG=config)
    assert "databases.platform: PLATFORM_DB is not set in the environment" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pack: {}\n", "warroom.yaml:1: pack: there is no key 'pack' here; did you mean packs?"),
        ("packs: {}\n", "warroom.yaml:1: packs: name at least one pack"),
        (
            "packs:\n  lav_adf: {services: [P1]}\n",
            "warroom.yaml:2: packs.lav_adf: there is no pack 'lav_adf'; did you mean",
        ),
        ("packs:\n  lav_adaf: {}\n", "warroom.yaml:2: packs.lav_adaf.services: name the PagerDuty service ids"),
        (
            "packs:\n  lav_adaf: {services: [lav-adaf]}\n",
            "warroom.yaml:2: packs.lav_adaf.services[0]: 'lav-adaf' is no PagerDuty service id",
        ),
        (
            'packs:\n  lav_adaf:\n    services: [P1]\n    channels: {war_rom: "#x"}\n',
            "warroom.yaml:4: packs.lav_adaf.channels.war_rom: lav_adaf has no 'war_rom' under channels; did",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\n    channels: {war_room: war-room}\n",
            "warroom.yaml:4: packs.lav_adaf.channels.war_room: 'war-room' is no channel",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\n    urls: {redis: redis}\n",
            "warroom.yaml:4: packs.lav_adaf.urls.redis: this is no address",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\n    contacts: {cto_phone: '+1'}\n",
            "warroom.yaml:4: packs.lav_adaf.contacts.cto_phone: lav_adaf has no 'cto_phone' under contacts",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\n    databases: {platform: 'postgres://x'}\n",
            "warroom.yaml:4: packs.lav_adaf.databases.platform: write postgresql+asyncpg://",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\ngroups:\n  halt_operator: [U01]\n",
            "warroom.yaml:5: groups.halt_operator: no pack in use has a group 'halt_operator'; did",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\ngroups:\n  cto: [The CTO]\n",
            "warroom.yaml:5: groups.cto[0]: 'The CTO' is nobody; write an e-mail",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\ngroups:\n  on_call: [U01]\n",
            "warroom.yaml:5: groups.on_call: PagerDuty knows who is on call",
        ),
        (
            "packs:\n  lav_adaf:\n    services: [P1]\ngroups:\n  cto: [U01]\n",
            "warroom.yaml:4: groups.halt_operators: nobody is in this group",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(text: str, said: str) -> None:
    told = [str(problem) for problem in read_deployment(text, "warroom.yaml")[2]]
    assert any(problem.startswith(said) for problem in told), told


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WARROOM_SMTP_URL", "mail.firm.example:25", "write smtp://USER:PASSWORD@HOST:PORT or smtps://"),
        ("WARROOM_MAIL_FROM", "the war room", "write one e-mail address"),
        ("WARROOM_CONFLUENCE_URL", "http://wiki.firm.example", "write https://; plain http is for this machine alone"),
    ],
)
def test_a_way_out_that_cannot_be_is_a_mistake(name: str, value: str, said: str) -> None:
    (problem,) = refused(**{name: value})
    assert name in problem
    assert said in problem


def test_the_password_of_the_mail_server_is_a_secret_by_itself() -> None:
    url = "smtp://warroom:p%40ss-very-secret@mail.firm.example:587"
    settings = Settings.load({**GIVEN, "WARROOM_SMTP_URL": url})
    assert {url, "p%40ss-very-secret", "p@ss-very-secret"} <= set(settings.secrets({}))
    assert "very-secret" not in repr(settings.environment)


def test_a_drill_reaches_no_real_mail_server_status_page_or_wiki() -> None:
    drill = {**SANDBOX, "WARROOM_CLOCK_SPEED": "10"}
    for name, value in (
        ("WARROOM_SMTP_URL", "smtp://mail.firm.example"),
        ("WARROOM_CONFLUENCE_URL", "https://firm.atlassian.net/wiki"),
        ("WARROOM_STATUSPAGE_PAGE", "abc"),
    ):
        assert any("this is for the sandbox only" in said for said in refused(**drill, **{name: value}))
    Settings.load({**GIVEN, **drill, "WARROOM_SMTP_URL": "smtp://127.0.0.1:2525"})
