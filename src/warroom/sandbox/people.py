"""The people of the sandbox firm, their Slack and PagerDuty ids, and the groups they are in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody with a Slack account. ``key`` is the short name tests and scenarios use."""

    key: str
    name: str
    title: str
    slack_id: str
    pagerduty_id: str | None
    groups: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        return f"{self.key}@sandbox.example"

    @property
    def phone(self) -> str:
        """A number from the range that is reserved for fiction."""
        return f"+1-202-555-01{int(self.slack_id[-2:]):02d}"


@dataclass(frozen=True)
class Group:
    """A Slack user group, mentioned as @handle."""

    id: str
    handle: str
    name: str


PEOPLE = (
    Person("ana", "Ana Souza", "On-call engineer", "U0SANDBX01", "PUSRANA", ("oncall", "engineering")),
    Person(
        "raj",
        "Raj Patel",
        "Senior engineer",
        "U0SANDBX02",
        "PUSRRAJ",
        ("engineering", "incident-commanders"),
    ),
    Person(
        "mei",
        "Mei Tanaka",
        "Senior engineer",
        "U0SANDBX03",
        "PUSRMEI",
        ("oncall", "engineering", "incident-commanders"),
    ),
    Person("lukas", "Lukas Weber", "System architect", "U0SANDBX04", "PUSRLUK", ("architects",)),
    Person("rita", "Rita Okafor", "Risk manager", "U0SANDBX05", "PUSRRIT", ("risk",)),
    Person("clara", "Clara Jensen", "CTO", "U0SANDBX06", "PUSRCLA", ("executives",)),
    Person("omar", "Omar Haddad", "Compliance officer", "U0SANDBX07", "PUSROMA", ("compliance",)),
    Person("dana", "Dana Brooks", "Head of the trading desk", "U0SANDBX08", "PUSRDAN", ("desk",)),
    Person("tom", "Tom Fischer", "Trader", "U0SANDBX09", None, ("desk",)),
    Person("ivy", "Ivy Chen", "Deputy risk manager", "U0SANDBX10", "PUSRIVY", ("risk",)),
    Person("sam", "Sam Stranger", "Contractor", "U0SANDBX11", None),
)

GROUPS = (
    Group("S0SANDBX01", "oncall", "On-call engineers"),
    Group("S0SANDBX02", "engineering", "Senior and on-call engineers"),
    Group("S0SANDBX03", "incident-commanders", "Incident commanders"),
    Group("S0SANDBX04", "architects", "System architects"),
    Group("S0SANDBX05", "risk", "Risk management"),
    Group("S0SANDBX06", "executives", "Executive team"),
    Group("S0SANDBX07", "compliance", "Compliance"),
    Group("S0SANDBX08", "desk", "Trading desk"),
)

TEAM_ID = "T0SANDBX01"
TEAM_NAME = "Sandbox Trading"
TEAM_DOMAIN = "sandbox-trading"
BOT_USER_ID = "U0WARROOM1"
BOT_ID = "B0WARROOM1"
APP_ID = "A0WARROOM1"
BOT_NAME = "warroom"
SLACKBOT_ID = "USLACKBOT"

# channel → keys of the people in it; the bot is in all of them except those in BOT_NOT_IN
CHANNELS: dict[str, tuple[str, ...]] = {
    "war-room": ("ana", "raj", "mei", "lukas", "rita", "clara", "dana"),
    "lav-adaf-oncall": ("ana", "mei", "raj"),
    "lav-adaf-engineering": ("ana", "raj", "mei", "lukas"),
    "lav-adaf-architecture": ("lukas", "raj"),
    "risk-alerts": ("rita", "ivy", "dana"),
    "compliance-emergency": ("omar", "clara"),
    "executive-emergency": ("clara", "rita"),
    "trading-desk": ("dana", "tom", "rita"),
    "eafix-incidents": ("ana", "raj", "mei"),
    "eafix-dev": ("raj", "mei", "lukas"),
    "trading-operations": ("dana", "tom", "rita"),
    "pit-incidents": ("ana", "raj", "mei", "lukas", "rita", "clara"),
    "pit-engineering": ("ana", "raj", "mei", "lukas"),
    "pit-management": ("clara", "raj"),
    "customer-success": ("dana", "clara"),
    "incidents": ("ana", "raj", "mei", "lukas", "rita", "dana", "tom"),
    "leadership-tech": ("clara", "omar", "lukas"),
    "trading-ops": ("dana", "tom", "rita", "omar"),
    "random": ("ana", "tom", "sam"),
}
BOT_NOT_IN = frozenset({"random"})


def find_person(who: str) -> Person | None:
    """The person with this key, Slack id, PagerDuty id, e-mail or full name."""
    wanted = who.removeprefix("@").lower()
    for person in PEOPLE:
        names = (person.key, person.slack_id, person.pagerduty_id or "", person.email, person.name)
        if wanted in {name.lower() for name in names if name}:
            return person
    return None


def person(who: str) -> Person:
    """As ``find_person``; raises KeyError for somebody who does not work here."""
    found = find_person(who)
    if found is None:
        raise KeyError(f"nobody here is called {who!r}; there are {', '.join(p.key for p in PEOPLE)}")
    return found


def members_of(handle: str) -> tuple[Person, ...]:
    """Everybody in the user group with this handle."""
    return tuple(p for p in PEOPLE if handle in p.groups)
