"""The deployment: environment variables and warroom.yaml, read once, checked as a whole, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from warroom.domain.decision import LoadedPack
from warroom.domain.policy import Pack
from warroom.environment import (
    ENVIRONMENT,
    ROUTING_KEY_PREFIX,
    URL_PREFIX,
    Environment,
    read_environment,
    split_secrets,
)
from warroom.errors import ConfigError
from warroom.packs.bindings import FROM_ENVIRONMENT, Binding, Deployment, check_deployment
from warroom.packs.document import Document
from warroom.packs.library import Library, read_used
from warroom.packs.loader import loaded_pack, shipped_ids
from warroom.packs.platform_references import wrong_url
from warroom.packs.problems import Problem, nearest, without_consequences
from warroom.packs.typed import read


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
        return split_secrets(self.environment.pagerduty_webhook_secret)

    @property
    def violation_secrets(self) -> tuple[str, ...]:
        """The secrets of violation reports; none: they are not taken."""
        secret = self.environment.warroom_violation_secret
        return split_secrets(secret) if secret else ()

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
    """What a deployment's settings came to; `settings` are None when anything is wrong.

    Beside them what they were read from, as far as it could be: the environment's values that are not blank, and
    warroom.yaml.
    """

    settings: Settings | None
    library: Library
    problems: list[Problem]
    given: Mapping[str, str]
    deployment: Deployment | None
    document: Document | None


def read_settings(environ: Mapping[str, str]) -> Reading:
    """The settings in `environ` and in the files it names, and everything that is wrong with them."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    environment, problems = read_environment(given)
    file = given.get("WARROOM_CONFIG")
    deployment, library, more, document = _read_deployment(Path(file)) if file else (None, Library(), [], None)
    problems += more
    if deployment is not None and document is not None:
        problems += _unset_databases(document, deployment, given)
        problems += _wrong_urls(library, given)
        problems += [] if library.unknown or not deployment.packs else _wrong_routing_keys(deployment, given)
        problems += _unset_secrets(library.packs, given)
    if problems or environment is None or deployment is None:
        problems = sorted(set(problems))
        return Reading(
            settings=None, library=library, problems=problems, given=given, deployment=deployment, document=document
        )
    bindings = {name: _with_urls(library.packs[name], binding, given) for name, binding in deployment.packs.items()}
    settings = Settings(
        environment=environment,
        deployment=deployment,
        bindings=bindings,
        packs={
            name: loaded_pack(library.packs[name], binding, environment.warroom_actions)
            for name, binding in bindings.items()
        },
        databases={
            name: {key: SecretStr(_database(url, given)) for key, url in binding.databases.items()}
            for name, binding in bindings.items()
        },
        messages=library.messages,
        routing_keys={name: SecretStr(given[key]) for name in bindings if (key := _routing_key(name)) in given},
    )
    return Reading(
        settings=settings, library=library, problems=[], given=given, deployment=deployment, document=document
    )


def _routing_key(pack: str) -> str:
    """The variable with the pack's own Events API key."""
    return ROUTING_KEY_PREFIX + pack.upper()


def _wrong_routing_keys(deployment: Deployment, given: Mapping[str, str]) -> list[Problem]:
    known = {_routing_key(pack) for pack in deployment.packs}
    wrong = [name for name in given if name.startswith(ROUTING_KEY_PREFIX) and name not in known]
    return [Problem(ENVIRONMENT, 0, name, f"no pack in use is called so{nearest(name, known)}") for name in wrong]


def _read_deployment(path: Path) -> tuple[Deployment | None, Library, list[Problem], Document | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        said = f"{path} cannot be read: {reason}"
        return None, Library(), [Problem(ENVIRONMENT, 0, "WARROOM_CONFIG", said)], None
    return read_deployment(text, str(path))


def read_deployment(text: str, file: str) -> tuple[Deployment | None, Library, list[Problem], Document]:
    """warroom.yaml, the packs it uses, everything that is wrong with them, and the file with its lines."""
    document = Document(text, file)
    deployment, mistyped = read(document, Deployment)
    problems = without_consequences(document.problems, mistyped)
    if deployment is None:
        return None, Library(), sorted(set(problems)), document
    library = read_used(deployment, Path(file).parent)
    found = [*library.misnamed, *check_deployment(deployment, library.packs, shipped_ids())]
    wrong = [document.problem(path, said) for path, said in found]
    problems = without_consequences(problems + library.problems, wrong)
    return deployment, library, sorted(set(problems)), document


def _wrong_urls(library: Library, given: Mapping[str, str]) -> list[Problem]:
    known = {_variable(url) for pack in library.packs.values() for url in pack.urls}
    found = []
    for name, value in given.items():
        if not name.startswith(URL_PREFIX):
            continue
        if name not in known and known and not library.unread:
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


def _unset_databases(document: Document, deployment: Deployment, given: Mapping[str, str]) -> list[Problem]:
    found = []
    for pack_id, binding in deployment.packs.items():
        for key, url in binding.databases.items():
            name = url.removeprefix(FROM_ENVIRONMENT)
            if url.startswith(FROM_ENVIRONMENT) and name not in given:
                said = f"{name} is not set in the environment; set it to the address"
                found.append(document.problem(("packs", pack_id, "databases", key), said))
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
