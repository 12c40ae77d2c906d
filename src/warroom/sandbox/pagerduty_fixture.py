"""The PagerDuty account of the sandbox firm: users, services, escalation policies, priorities."""

from dataclasses import dataclass

from warroom.sandbox import people


@dataclass(frozen=True)
class User:
    """A PagerDuty user; one without a phone is a service account."""

    id: str
    name: str
    email: str
    title: str
    phone: str = ""


@dataclass(frozen=True)
class Service:
    """A PagerDuty service; ``routing_key`` is its Events API v2 integration key."""

    id: str
    name: str
    description: str
    policy: str
    routing_key: str


@dataclass(frozen=True)
class Policy:
    """An escalation policy: PagerDuty user ids per level, and the minutes before the next level."""

    id: str
    name: str
    levels: tuple[tuple[str, ...], ...]
    delay_minutes: int = 15


@dataclass(frozen=True)
class Priority:
    id: str
    name: str
    description: str
    color: str


SERVICE_USER = User("PUSRBOT", people.BOT_NAME, f"{people.BOT_NAME}@sandbox.example", "Service account of the bot")
"""in whose name the bot acts when it acts for nobody: on call for nothing, and without a Slack account"""

USERS = (
    *(User(p.pagerduty_id, p.name, p.email, p.title, p.phone) for p in people.PEOPLE if p.pagerduty_id),
    SERVICE_USER,
)

POLICIES = (
    Policy("PEPTECH", "LAV/ADAF technical", (("PUSRANA",), ("PUSRRAJ", "PUSRMEI"), ("PUSRLUK",))),
    Policy("PEPRISK", "Risk management", (("PUSRRIT",), ("PUSRIVY",))),
    Policy("PEPEXEC", "Executives and compliance", (("PUSRCLA",), ("PUSROMA",))),
    Policy("PEPDESK", "Trading desk", (("PUSRDAN",),)),
)

SERVICES = (
    Service(
        "PSVCSEN",
        "lav-adaf-market-sentinel",
        "Market regime detection",
        "PEPTECH",
        "R0SENTINEL0000000000000000000001",
    ),
    Service("PSVCRSK", "lav-adaf-risk-warden", "Risk limits and alerts", "PEPTECH", "R0RISKWARDEN00000000000000000002"),
    Service(
        "PSVCEXE",
        "lav-adaf-executioner",
        "Order routing and execution",
        "PEPTECH",
        "R0EXECUTIONER0000000000000000003",
    ),
    Service(
        "PSVCDBA",
        "lav-adaf-database",
        "PostgreSQL of the platform",
        "PEPTECH",
        "R0DATABASE0000000000000000000004",
    ),
    Service(
        "PSVCKAF", "lav-adaf-kafka", "Message broker of the platform", "PEPTECH", "R0KAFKA0000000000000000000000005"
    ),
    Service(
        "PSVCEAF", "eafix-trading", "Signal generation and execution", "PEPTECH", "R0EAFIX0000000000000000000000006"
    ),
    Service("PSVCPIT", "pit-contracts", "Point-in-time contracts", "PEPTECH", "R0PIT000000000000000000000000007"),
    Service("PSVCMKD", "market-data", "Market data pipeline", "PEPTECH", "R0MARKETDATA00000000000000000008"),
)

PRIORITIES = (
    Priority("PPRIOP0", "P0", "System-wide failure of trading", "a8171c"),
    Priority("PPRIOP1", "P1", "A critical service is down or degraded", "eb6016"),
    Priority("PPRIOP2", "P2", "Minimal business impact", "f9b406"),
    Priority("PPRIOP3", "P3", "Minor issue", "555555"),
)


def find_user(who: str) -> User | None:
    """The user with this PagerDuty id or e-mail."""
    return next((user for user in USERS if who.lower() in (user.id.lower(), user.email)), None)
