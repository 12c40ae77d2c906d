"""Who acts: a person, or one of the two machines."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class By:
    """Who a fact is attributed to, with the name as it was then.

    `id` is "slack:U…", "pagerduty:P…" or "warroom".
    """

    id: str
    name: str

    @property
    def slack_id(self) -> str | None:
        """The Slack member id, when the person was seen in Slack."""
        return self.id.removeprefix("slack:") if self.id.startswith("slack:") else None


WARROOM = By("warroom", "warroom")
PAGERDUTY = By("pagerduty", "PagerDuty")


@dataclass(frozen=True)
class Actor:
    """A person at the other end of a command, click or form, as the directory knows them.

    `groups` are names from `groups:` of warroom.yaml. `verified` is False when the directory could not be asked:
    then only groups that list the Slack id itself are known. `person` is False when it knows that nobody, a bot or a
    deactivated account is behind the id.
    """

    slack_id: str
    name: str
    email: str | None = None
    pagerduty_id: str | None = None
    groups: frozenset[str] = field(default_factory=frozenset)
    verified: bool = True
    person: bool = True

    @property
    def by(self) -> By:
        """The attribution for facts."""
        return By(f"slack:{self.slack_id}", self.name)
