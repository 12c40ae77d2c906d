"""The deployment: environment variables and warroom.yaml, read once, checked as a whole, frozen.

Every variable is a field below, in small letters; its description says where the value is found.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from warroom.domain.decision import LoadedPack
from warroom.domain.policy import Pack
from warroom.errors import ConfigError
from warroom.packs.bindings import FROM_ENVIRONMENT, Binding, Deployment, check_deployment
from warroom.packs.document import Document
from warroom.packs.library import Library, read_used
from warroom.packs.loader import loaded_pack, shipped_ids
from warroom.packs.platform_references import wrong_url
from warroom.packs.problems import Problem, nearest, without_consequences
from warroom.packs.typed import read

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
        if not _split(value):
            raise ValueError("there is no secret between the commas")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            raise ValueError("it begins with sqlite+aiosqlite:/// or postgresql+asyncpg://")
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


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a deployment says. `bindings` is its part of each pack; `packs` are the packs with it in place.

    `databases` are the addresses of each pack's databases, by name; `messages` are folders of messages by pack;
    `routing_keys` are the Events API keys of packs that have one of their own.
    """

    environment: Environment
    deployment: Deployment
    bindings: Mapping[str, Binding]
    packs: Mapping[str, LoadedPack]
    databases: Mapping[str, Mapping[str, SecretStr]]
    messages: Mapping[str, Path]
    routing_keys: Mapping[str, SecretStr]

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings in `environ` and the file it names. Raises ConfigError with a sentence for each mistake."""
        reading = read_settings(environ)
        if reading.settings is None:
            raise ConfigError([str(problem) for problem in reading.problems])
        return reading.settings

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Who is in which group: e-mails, Slack member ids and user group ids."""
        return self.deployment.groups

    @property
    def outside(self) -> frozenset[str]:
        """The groups that stand for people outside: those who get the mails for external audiences."""
        audiences = [audience for loaded in self.packs.values() for audience in loaded.pack.audiences.values()]
        return frozenset(group for audience in audiences if audience.external for group in audience.mail)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """PagerDuty's webhook secrets: more than one while they are rotated."""
        return _split(self.environment.pagerduty_webhook_secret)

    @property
    def violation_secrets(self) -> tuple[str, ...]:
        """The secrets of violation reports; none: they are not taken."""
        secret = self.environment.warroom_violation_secret
        return _split(secret) if secret else ()

    def secrets(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Every value that must never be shown: ours, and those the packs' actions and probes take from `environ`."""
        ours = [v.get_secret_value() for v in dict(self.environment).values() if isinstance(v, SecretStr)]
        smtp = self.environment.warroom_smtp_url
        password = urlsplit(smtp.get_secret_value()).password if smtp else None
        ours += [password, unquote(password)] if password else []
        packs = [loaded.pack for loaded in self.packs.values()]
        named = {a.auth for pack in packs for a in pack.actions.values() if a.auth}
        named |= {p.auth for pack in packs for p in pack.probes.values() if p.auth}
        databases = [url.get_secret_value() for urls in self.databases.values() for url in urls.values()]
        return (
            *ours,
            *self.webhook_secrets,
            *self.violation_secrets,
            *databases,
            *(key.get_secret_value() for key in self.routing_keys.values()),
            *(environ[name] for name in named if name in environ),
        )


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a deployment's settings came to; `settings` are None when anything is wrong."""

    settings: Settings | None
    library: Library
    problems: list[Problem]


def read_settings(environ: Mapping[str, str]) -> Reading:
    """The settings in `environ` and in the files it names, and everything that is wrong with them."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    environment, problems = _read_environment(given)
    problems += _misspelt(given) + _only_in_the_sandbox(given)
    file = given.get("WARROOM_CONFIG")
    deployment, library, more = _read_deployment(Path(file)) if file else (None, Library(), [])
    problems += more
    if deployment is not None:
        problems += _unset_databases(deployment, given, str(file))
        problems += _wrong_urls(library.packs, given)
        problems += _wrong_routing_keys(deployment, given)
        problems += _unset_secrets(library.packs, given)
    if problems or environment is None or deployment is None:
        return Reading(settings=None, library=library, problems=sorted(set(problems)))
    bindings = {name: _with_urls(library.packs[name], binding, given) for name, binding in deployment.packs.items()}
    settings = Settings(
        environment=environment,
        deployment=deployment,
        bindings=bindings,
        packs={name: loaded_pack(library.packs[name], binding) for name, binding in bindings.items()},
        databases={
            name: {key: SecretStr(_database(url, given)) for key, url in binding.databases.items()}
            for name, binding in bindings.items()
        },
        messages=library.messages,
        routing_keys={name: SecretStr(given[key]) for name in bindings if (key := _routing_key(name)) in given},
    )
    return Reading(settings=settings, library=library, problems=[])


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


def _read_environment(given: Mapping[str, str]) -> tuple[Environment | None, list[Problem]]:
    values = {name.lower(): value for name, value in given.items() if name in variables()}
    try:
        return Environment.model_validate(values), []
    except ValidationError as error:
        return None, [_sentence(e["type"], e["loc"], e["msg"]) for e in error.errors(include_input=False)]


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


def _routing_key(pack: str) -> str:
    """The variable with the pack's own Events API key."""
    return ROUTING_KEY_PREFIX + pack.upper()


def _wrong_routing_keys(deployment: Deployment, given: Mapping[str, str]) -> list[Problem]:
    known = {_routing_key(pack) for pack in deployment.packs}
    wrong = [name for name in given if name.startswith(ROUTING_KEY_PREFIX) and name not in known]
    return [Problem(ENVIRONMENT, 0, name, f"no pack in use is called so{nearest(name, known)}") for name in wrong]


def _read_deployment(path: Path) -> tuple[Deployment | None, Library, list[Problem]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return None, Library(), [Problem(ENVIRONMENT, 0, "WARROOM_CONFIG", f"{path} cannot be read: {reason}")]
    return read_deployment(text, str(path))


def read_deployment(text: str, file: str) -> tuple[Deployment | None, Library, list[Problem]]:
    """warroom.yaml, the packs it uses, and everything that is wrong with them."""
    document = Document(text, file)
    deployment, mistyped = read(document, Deployment)
    problems = without_consequences(document.problems, mistyped)
    if deployment is None:
        return None, Library(), sorted(set(problems))
    library = read_used(deployment, Path(file).parent)
    found = [*library.misnamed, *check_deployment(deployment, library.packs, shipped_ids())]
    wrong = [document.problem(path, said) for path, said in found]
    problems = without_consequences(problems + library.problems, wrong)
    return deployment, library, sorted(set(problems))


def _wrong_urls(packs: Mapping[str, Pack], given: Mapping[str, str]) -> list[Problem]:
    known = {_variable(url) for pack in packs.values() for url in pack.urls}
    found = []
    for name, value in given.items():
        if not name.startswith(URL_PREFIX):
            continue
        if name not in known:
            found.append(Problem(ENVIRONMENT, 0, name, f"no pack in use has such an address{nearest(name, known)}"))
        elif said := wrong_url(value):
            found.append(Problem(ENVIRONMENT, 0, name, said))
    return found


def _variable(url: str) -> str:
    """The environment variable that goes before the address `url` of a pack."""
    return URL_PREFIX + url.upper().replace("-", "_")


def _with_urls(pack: Pack, binding: Binding, given: Mapping[str, str]) -> Binding:
    urls = dict(binding.urls)
    for name in pack.urls:
        if override := given.get(_variable(name)):
            urls[name] = override
    return replace(binding, urls=urls)


def _database(url: str, given: Mapping[str, str]) -> str:
    return given[url.removeprefix(FROM_ENVIRONMENT)] if url.startswith(FROM_ENVIRONMENT) else url


def _unset_databases(deployment: Deployment, given: Mapping[str, str], file: str) -> list[Problem]:
    found = []
    for pack_id, binding in deployment.packs.items():
        for key, url in binding.databases.items():
            name = url.removeprefix(FROM_ENVIRONMENT)
            if url.startswith(FROM_ENVIRONMENT) and name not in given:
                where = f"packs.{pack_id}.databases.{key}"
                found.append(Problem(file, 0, where, f"{name} is not set in the environment; set it to the address"))
    return found


def _unset_secrets(packs: Mapping[str, Pack], given: Mapping[str, str]) -> list[Problem]:
    """A halt that is live needs its token: better missed now than when somebody presses the button."""
    if given.get("WARROOM_ACTIONS") != "live":
        return []
    needed: dict[str, str] = {}
    for action in (action for pack in packs.values() for action in pack.actions.values()):
        if action.auth and action.auth not in given:
            needed.setdefault(action.auth, action.title)
    said = "this is not set, and “{}” needs it; dry_run goes without"
    return [Problem(ENVIRONMENT, 0, name, said.format(title)) for name, title in needed.items()]


def _split(secrets: SecretStr) -> tuple[str, ...]:
    return tuple(part.strip() for part in secrets.get_secret_value().split(",") if part.strip())
