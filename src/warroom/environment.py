"""The environment variables: each a field below, in small letters; its description says where the value is found."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from warroom.errors import ConfigError
from warroom.packs.problems import Problem, nearest

ENVIRONMENT = "environment"
ROUTING_KEY_PREFIX = "PAGERDUTY_ROUTING_KEY_"
URL_PREFIX = "WARROOM_URL_"
OURS = ("WARROOM_", "SLACK_", "PAGERDUTY_")
_MISSPELT = 0.9  # SLACK_ and PAGERDUTY_ belong to others as well: only what is one slip away is ours


@dataclass(frozen=True)
class Anchor:
    """At the real moment `real` the scaled clock shows `scaled` (both UTC)."""

    real: datetime
    scaled: datetime


class Environment(BaseModel):
    """The environment variables, each with where to find its value. A blank one is one that is not set."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    slack_bot_token: SecretStr = Field(description="api.slack.com/apps, your app, OAuth & Permissions: xoxb-…")
    slack_signing_secret: SecretStr = Field(description="api.slack.com/apps, your app, Basic Information")
    slack_app_token: SecretStr | None = Field(
        default=None, description="api.slack.com/apps, Basic Information, App-Level Tokens: xapp-… (Socket Mode)"
    )
    slack_api_url: str = Field(default="https://slack.com/api/", description="Slack's own unless you test")
    pagerduty_api_token: SecretStr = Field(description="PagerDuty, Integrations, API Access Keys")
    pagerduty_from_email: str = Field(description="the e-mail of the PagerDuty user we act as")
    pagerduty_webhook_secret: SecretStr = Field(
        description="PagerDuty, Integrations, Generic Webhooks (v3); several are separated by commas"
    )
    warroom_violation_secret: SecretStr | None = Field(
        default=None,
        description="any long random text, shared with whoever reports violations; several are separated by commas",
    )
    pagerduty_routing_key: SecretStr = Field(
        description="PagerDuty, the service, Integrations, Events API V2: the integration key"
    )
    pagerduty_api_url: str = Field(default="https://api.pagerduty.com", description="PagerDuty's own, or the EU's")
    pagerduty_events_url: str = Field(
        default="https://events.pagerduty.com", description="PagerDuty's own, or the EU's"
    )
    database_url: SecretStr = Field(
        default=SecretStr("sqlite+aiosqlite:///warroom.db"),
        description="sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME",
    )
    warroom_config: Path = Field(description="the path of your warroom.yaml; start from warroom.example.yaml")
    warroom_host: str = Field(default="127.0.0.1", description="the address to listen on")
    warroom_port: int = Field(default=3000, ge=1, le=65535, description="the port to listen on, 1 to 65535")
    warroom_actions: Literal["off", "dry_run", "live"] = Field(
        default="dry_run", description="off, dry_run (nothing is sent to the platform) or live"
    )
    warroom_clock_speed: float = Field(default=1.0, gt=0, le=3600, description="1; drills may run faster")
    warroom_clock_anchor: Anchor | None = Field(
        default=None, description="REAL=SCALED, two ISO times with their offset; for drills"
    )
    warroom_slack_limits: bool = Field(
        default=True, description="on or off, PagerDuty's too (off only against a sandbox)"
    )
    warroom_smtp_url: SecretStr | None = Field(
        default=None, description="the mail server: smtp://USER:PASSWORD@HOST:PORT, or smtps://… for TLS throughout"
    )
    warroom_mail_from: str | None = Field(default=None, description="the sender of our e-mails: one address")
    warroom_statuspage_url: str = Field(default="https://api.statuspage.io", description="Statuspage's own")
    warroom_statuspage_page: str | None = Field(default=None, description="Statuspage, API info: the page id")
    warroom_statuspage_key: SecretStr | None = Field(default=None, description="Statuspage, API info: an API key")
    warroom_statuspage_components: str = Field(
        default="", description="Statuspage: ids of the components our incidents affect, separated by commas"
    )
    warroom_confluence_url: str | None = Field(
        default=None, description="the address of Confluence; in its cloud it ends with /wiki"
    )
    warroom_confluence_space: str | None = Field(default=None, description="Confluence: the key of the space")
    warroom_confluence_parent: str = Field(
        default="", description="Confluence: the id of the page above ours, or unset"
    )
    warroom_confluence_user: str | None = Field(default=None, description="the e-mail of the Confluence user")
    warroom_confluence_token: SecretStr | None = Field(
        default=None, description="id.atlassian.com, Security, API tokens"
    )
    warroom_data: Path = Field(default=Path("data"), description="the directory for post-mortems")

    @field_validator("slack_bot_token", "slack_app_token")
    @classmethod
    def _token(cls, value: SecretStr | None, info: Any) -> SecretStr | None:
        prefix = {"slack_bot_token": "xoxb-", "slack_app_token": "xapp-"}[info.field_name]
        if value is not None and not value.get_secret_value().startswith(prefix):
            raise ValueError(f"it begins with {prefix}; another kind of token was given")
        return value

    @field_validator(
        "slack_api_url",
        "pagerduty_api_url",
        "pagerduty_events_url",
        "warroom_statuspage_url",
        "warroom_confluence_url",
    )
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError("write https://HOST without user and password")
        if parts.scheme == "http" and not is_loopback(value):
            raise ValueError("write https://; plain http is for this machine alone")
        return value

    @field_validator("warroom_smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
                raise ValueError("write smtp://USER:PASSWORD@HOST:PORT or smtps://…, with % codes for : @ / in it")
        return value

    @field_validator("pagerduty_from_email", "warroom_mail_from")
    @classmethod
    def _email(cls, value: str | None) -> str | None:
        if value is None:
            return None
        name, _, domain = value.partition("@")
        if not name or not domain or set(value) & set(" <>,;"):
            raise ValueError("write one e-mail address")
        return value

    @field_validator("pagerduty_webhook_secret")
    @classmethod
    def _secrets(cls, value: SecretStr) -> SecretStr:
        if not split_secrets(value):
            raise ValueError("there is no secret between the commas")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        file = url.removeprefix("sqlite+aiosqlite:///") if url.startswith("sqlite+aiosqlite:///") else None
        if file in ("", ":memory:"):
            raise ValueError("it names no file")
        if file is None and not url.startswith("postgresql+asyncpg://"):
            raise ValueError("it begins with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        try:
            _ = urlsplit(url).port
        except ValueError as error:
            raise ValueError("its port is no number up to 65535") from error
        return value

    @field_validator("warroom_slack_limits", mode="before")
    @classmethod
    def _on_off(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value not in ("on", "off"):
                raise ValueError(f"write on or off{nearest(value, ('on', 'off'))}")
            return value == "on"
        return value

    @field_validator("warroom_clock_anchor", mode="before")
    @classmethod
    def _anchor(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        real, _, scaled = value.partition("=")
        try:
            moments = [datetime.fromisoformat(part) for part in (real, scaled)]
        except ValueError as error:
            raise ValueError("write REAL=SCALED, e.g. 2026-03-02T10:00:00+00:00=2026-03-02T14:30:00+00:00") from error
        if any(moment.tzinfo is None for moment in moments):
            raise ValueError("both times need their offset, e.g. +00:00")
        return Anchor(*(moment.astimezone(UTC) for moment in moments))


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def variables() -> Mapping[str, str]:
    """Every environment variable by name, and where its value is found."""
    return {name.upper(): field.description or "" for name, field in Environment.model_fields.items()}


def read_environment(given: Mapping[str, str]) -> tuple[Environment | None, list[Problem]]:
    """The environment in `given` (names to values that are not blank), None when one is wrong, and all that is wrong:
    also names that are nearly ours, and what is for the sandbox only."""
    values = {name.lower(): value for name, value in given.items() if name in variables()}
    strange = _misspelt(given) + _only_in_the_sandbox(given)
    try:
        return Environment.model_validate(values), strange
    except ValidationError as error:
        return None, [_sentence(e["type"], e["loc"], e["msg"]) for e in error.errors(include_input=False)] + strange


def database_url(environ: Mapping[str, str]) -> str:
    """Where the database is, for commands that need nothing else. Raises ConfigError in the words of `check`."""
    given = {"DATABASE_URL": url} if (url := environ.get("DATABASE_URL", "").strip()) else {}
    wrong = [str(problem) for problem in read_environment(given)[1] if problem.where == "DATABASE_URL"]
    if wrong:
        raise ConfigError(wrong)
    default: SecretStr = Environment.model_fields["database_url"].default
    return given.get("DATABASE_URL", default.get_secret_value())


def _sentence(kind: str, loc: tuple[int | str, ...], message: str) -> Problem:
    name = str(loc[0]).upper() if loc else ""
    where = variables().get(name, "")
    if kind == "missing":
        return Problem(ENVIRONMENT, 0, name, f"this is not set; its value is here: {where}")
    said = message.removeprefix("Value error, ")
    if kind == "value_error":
        return Problem(ENVIRONMENT, 0, name, f"{said} ({where})" if where else said)
    return Problem(ENVIRONMENT, 0, name, f"this value is not possible; write {where}")


def _only_in_the_sandbox(given: Mapping[str, str]) -> list[Problem]:
    """A clock that is not the real one, and no limits, are for a Slack and a PagerDuty on this machine.

    Looks at the text, so that it speaks up beside any other mistake.
    """
    defaults = Environment.model_fields
    names = ["SLACK_API_URL", "PAGERDUTY_API_URL", "PAGERDUTY_EVENTS_URL"]
    names += [name for name in ("WARROOM_SMTP_URL", "WARROOM_CONFLUENCE_URL") if name in given]
    names += ["WARROOM_STATUSPAGE_URL"] if "WARROOM_STATUSPAGE_PAGE" in given else []
    if all(is_loopback(given.get(name, str(defaults[name.lower()].default))) for name in names):
        return []
    asked = {
        "WARROOM_CLOCK_SPEED": given.get("WARROOM_CLOCK_SPEED", "1") not in ("1", "1.0"),
        "WARROOM_CLOCK_ANCHOR": "WARROOM_CLOCK_ANCHOR" in given,
        "WARROOM_SLACK_LIMITS": given.get("WARROOM_SLACK_LIMITS") == "off",
    }
    said = f"this is for the sandbox only: take it away, or set {', '.join(names)} to addresses of this machine"
    return [Problem(ENVIRONMENT, 0, name, said) for name, wanted in asked.items() if wanted]


def _misspelt(given: Mapping[str, str]) -> list[Problem]:
    known = variables()
    found = []
    for name in given:
        if not name.startswith(OURS) or name in known or name.startswith((URL_PREFIX, ROUTING_KEY_PREFIX)):
            continue
        if name.startswith("WARROOM_") or get_close_matches(name, known, cutoff=_MISSPELT):
            found.append(Problem(ENVIRONMENT, 0, name, f"there is no such setting{nearest(name, known)}"))
    return found


def split_secrets(secrets: SecretStr) -> tuple[str, ...]:
    """The secrets between the commas: more than one while they are rotated."""
    return tuple(part.strip() for part in secrets.get_secret_value().split(",") if part.strip())
