"""What the outlets ask of each other's world, as protocols: a mail server, a status page, a wiki, an address book."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from warroom.engine.ports import Job
from warroom.rendering import Message

Compose = Callable[[Job], Message]
"""Renders what an effect says, from the incident as it is now."""


class Recipients(Protocol):
    """Where the members of groups get their mail."""

    @property
    def emails(self) -> tuple[str, ...]:
        """Addresses, each once."""
        ...

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for everybody without one."""
        ...


class AddressBook(Protocol):
    """Knows the members of the groups of warroom.yaml by e-mail."""

    async def addresses(self, groups: Sequence[str]) -> Recipients:
        """The addresses of these groups. Raises TryAgain when somebody cannot be asked for."""
        ...


class Mailer(Protocol):
    """Takes a mail to its recipients."""

    async def send(self, sender: str, recipients: Sequence[str], content: bytes) -> Mapping[str, str]:
        """Send `content` (RFC 5322) to all; returns why for each recipient that was refused while others were not.

        Raises TryAgain, Refused, or Uncertain when the connection broke after the text had gone out.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Notice:
    """An incident on the public status page. `mark` is the id of the effect that wrote it last."""

    id: str
    url: str
    mark: str


class StatusPage(Protocol):
    """The public status page."""

    async def find(self, incident: str) -> Notice | None:
        """The page's incident for ours; None when there is none. Raises TryAgain or Refused."""
        ...

    async def create(self, incident: str, mark: str, name: str, status: str, body: str, impact: str) -> Notice:
        """Publish a new incident. `impact` is the state of the components. Raises TryAgain, Refused or Uncertain."""
        ...

    async def update(self, notice: str, incident: str, mark: str, status: str, body: str, impact: str) -> Notice:
        """Add an update to the page's incident `notice`. Raises TryAgain, Refused or Uncertain."""
        ...


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the wiki; `body` is its XHTML, `version` counts from 1."""

    id: str
    url: str
    version: int
    body: str


class Wiki(Protocol):
    """The wiki."""

    async def find(self, title: str) -> Page | None:
        """The page of this title; None when there is none. Raises TryAgain or Refused."""
        ...

    async def create(self, title: str, body: str) -> Page:
        """A new page. Raises TryAgain, Refused or Uncertain."""
        ...

    async def update(self, page: Page, title: str, body: str) -> Page:
        """The next version of the page. Raises TryAgain (also when somebody was quicker), Refused or Uncertain."""
        ...
