"""What a deployment's platform is made of: addresses, tools, databases, secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from warroom.engine.ports import Clock
from warroom.errors import WarroomError
from warroom.platform.redaction import Redactor, is_secret_name
from warroom.platform.words import nearest


class NoAnswerError(WarroomError):
    """No usable answer, or nothing to ask; the message is one sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """One pack's deployment.

    `urls`: name → URL or host:port. `tools`: first word of a command → the argument list it stands for
    (`docker` → `/usr/bin/docker`; a variable the tool needs goes in as `/usr/bin/env NAME=value /usr/bin/docker`).
    `databases`: name → SQLAlchemy async URL. `environ`: where `auth` looks its secrets up, and PATH of commands.
    `data`: the folder that records are written below. `known`: the values of {slots}, by name.
    """

    urls: Mapping[str, str]
    tools: Mapping[str, tuple[str, ...]]
    databases: Mapping[str, str] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    http: httpx.AsyncClient = field(repr=False)
    clock: Clock = field(repr=False)
    data: Path = field(default=Path("data"), repr=False)
    known: Mapping[str, object] = field(default_factory=dict)

    def knowing(self, values: Mapping[str, object]) -> Self:
        """The same with values for the {slots} and bound parameters of probes."""
        return replace(self, known={**self.known, **values})

    def url(self, reference: str) -> str:
        """The URL of "BASE/path". Raises NoAnswerError when BASE has no address."""
        base, slash, path = reference.partition("/")
        address = self._address(base)
        if "://" not in address:
            address = f"http://{address}"
        return address.rstrip("/") + slash + path

    def endpoint(self, name: str) -> tuple[str, int]:
        """Host and port of a name of `urls`. Raises NoAnswerError when there is none, or no port."""
        address = self._address(name)
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not port:
            raise NoAnswerError(f"the address of {name} has no host and port: set it to host:port")
        return host, port

    def tool(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """The argument list of a command. Raises NoAnswerError when its first word is no tool of the deployment."""
        if not command or not self.tools.get(command[0]):
            word = command[0] if command else "the empty command"
            raise NoAnswerError(f"{word} is not set up here: add it under tools: in warroom.yaml")
        return self.tools[command[0]] + command[1:]

    def database(self, name: str) -> str:
        """The URL of a database. Raises NoAnswerError when there is none of that name."""
        if name not in self.databases:
            raise NoAnswerError(f"database {name!r} is not set up here: add it under databases: in warroom.yaml")
        return self.databases[name]

    def bearer(self, auth: str | None) -> dict[str, str]:
        """The Authorization header for secret `auth`, none for None. Raises NoAnswerError when it is not set."""
        if auth is None:
            return {}
        secret = self.environ.get(auth, "").strip()
        if not secret:
            raise NoAnswerError(f"{auth} is not set: put the bearer token into this environment variable")
        if not secret.isascii() or not secret.isprintable():
            raise NoAnswerError(f"{auth} holds characters that a header cannot carry: set it to the bearer token alone")
        return {"Authorization": f"Bearer {secret}"}

    def redactor(self, auth: str | None = None) -> Redactor:
        """Hides everything secret here: `auth`, variables that sound secret, and passwords of addresses."""
        secrets = {v.strip() for name, v in self.environ.items() if is_secret_name(name) or name == auth}
        for address in self.urls.values():
            if "@" in address:
                userinfo = address.rpartition("@")[0].rpartition("//")[2]
                secrets.add(userinfo.partition(":")[2])
        for address in self.databases.values():
            secrets.add(_password(address))
        return Redactor(secrets)

    def _address(self, name: str) -> str:
        if name not in self.urls:
            raise NoAnswerError(
                f"{name} has no address: set it under urls: in warroom.yaml. {nearest(name, self.urls)}"
            )
        return self.urls[name]


def _password(database_url: str) -> str:
    try:
        return make_url(database_url).password or ""
    except ArgumentError:
        return ""
