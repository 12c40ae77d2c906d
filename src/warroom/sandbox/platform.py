"""The LAV/ADAF trading platform: three services, their switches, and the emergency halt."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from warroom.sandbox.feed import Feed

Json = dict[str, Any]
SERVICES = ("market-sentinel", "risk-warden", "executioner")
VENUES = ("NYSE", "NASDAQ", "ARCA", "CBOE", "IEX")
HALT_MODES = ("works", "fails", "ignored", "drops", "unreachable")


_BREAKS = {
    "sentinel_down": ("Market Sentinel stops", "Market Sentinel runs again"),
    "warden_down": ("Risk Warden stops", "Risk Warden runs again"),
    "executioner_down": ("Executioner stops", "Executioner runs again"),
    "venues_down": ("venues go down", "all venues are up"),
    "pool_exhausted": ("the database has no connection left", "the database has connections again"),
    "alert_storm": ("a storm of risk alerts begins", "the storm of risk alerts is over"),
    "fill_rate_low": ("few orders are filled", "orders are filled as usual"),
    "kafka_backlog": ("Kafka falls behind", "Kafka has caught up"),
    "redis_down": ("Redis stops", "Redis runs again"),
    "halt": ("the halt will not work as it should", "the halt works"),
    "halt_status_unreachable": ("nobody can read whether trading is halted", "the state of the halt can be read"),
    "resume_fails": ("resuming will fail", "resuming works"),
}
"""switch → what is told when it is thrown, and when it is put back"""


@dataclass
class Switches:
    """What is broken. ``halt``: works, fails (500), ignored (accepted, no effect), drops (takes effect, the
    connection closes), unreachable (closes before any effect). ``slow_s`` delays every answer."""

    sentinel_down: bool = False
    warden_down: bool = False
    executioner_down: bool = False
    venues_down: list[str] = field(default_factory=list)
    pool_exhausted: bool = False
    alert_storm: bool = False
    fill_rate_low: bool = False
    kafka_backlog: bool = False
    redis_down: bool = False
    halt: str = "works"
    halt_status_unreachable: bool = False
    resume_fails: bool = False
    slow_s: float = 0.0


@dataclass
class Halt:
    """Trading is halted. ``scope`` and the rest are as the caller gave them."""

    since: datetime
    by: str
    reason: str
    scope: str


class Platform:
    """The state behind the endpoints. Counts every call of the dangerous ones in ``calls``."""

    def __init__(self, now: Callable[[], datetime], feed: Feed) -> None:
        self.now = now
        self.feed = feed
        self.switches = Switches()
        self.halt: Halt | None = None
        self.calls: list[Json] = []
        self.regime = "NORMAL_EXPANSION"
        self.regime_by_hand_until: datetime | None = None
        self.last_regime = now()
        self.routing_mode = "SMART"
        self.disabled_venues: dict[str, datetime] = {}
        self.reduction_pct = 0.0
        self.replicas = 1
        self.retention_ms: int | None = None
        self.manual_mode = False
        self.logs: list[str] = []
        self.log("market-sentinel", "INFO", "regime NORMAL_EXPANSION confirmed, confidence 0.94")

    @property
    def redis_up(self) -> bool:
        return not self.switches.redis_down

    def switch(self, name: str, value: Any) -> None:
        """Set a switch; raises ValueError for an unknown one or a value it cannot have."""
        known = {f.name: type(getattr(self.switches, f.name)) for f in fields(self.switches)}
        if name not in known:
            raise ValueError(f"no switch {name!r}; there are {', '.join(known)}")
        if name == "halt" and value not in HALT_MODES:
            raise ValueError(f"halt cannot be {value!r}; it can be {', '.join(HALT_MODES)}")
        wanted = float if name == "slow_s" else known[name]
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, wanted):
            raise ValueError(f"{name} takes a {wanted.__name__}, not {value!r}")
        if name == "sentinel_down":
            self.touch_regime()
        setattr(self.switches, name, value)
        if name == "sentinel_down":
            level, text = ("FATAL", "feed handler stopped: heap out of memory") if value else ("INFO", "started")
            self.log("market-sentinel", level, text)
        broken = value not in (False, "works", 0.0, [])
        words = _BREAKS.get(name, (f"{name} is {value}", f"{name} is {value}"))
        self.feed.publish("platform", text=words[0] if broken else words[1])

    def up(self, service: str) -> bool:
        """Whether the service answers at all."""
        s = self.switches
        down = {
            "market-sentinel": s.sentinel_down,
            "risk-warden": s.warden_down,
            "executioner": s.executioner_down,
        }
        return not down[service]

    def touch_regime(self) -> None:
        """While Market Sentinel runs, the last regime update is now."""
        if not self.switches.sentinel_down:
            self.last_regime = self.now()

    def regime_age_s(self) -> float:
        """Seconds since the last regime update."""
        self.touch_regime()
        return (self.now() - self.last_regime).total_seconds()

    def set_regime(self, regime: str, duration: timedelta) -> None:
        """Set the regime by hand."""
        self.regime, self.regime_by_hand_until = regime, self.now() + duration
        self.log("market-sentinel", "WARN", f"regime set by hand to {regime} for {duration}")

    def restart(self, services: list[str]) -> None:
        """Start these again; connections that hung are gone. A Market Sentinel that runs out of memory stays down."""
        if "gateway" in services and self.switches.pool_exhausted:
            self.switch("pool_exhausted", False)
        for service in services:
            self.log(service, "WARN", "restarted")

    def halt_all(self, by: str, reason: str, scope: str) -> Json:
        """Halt; a second halt changes nothing. Says what was done."""
        already = self.halt is not None
        if not already and self.switches.halt != "ignored":
            self.halt = Halt(self.now(), by, reason, scope)
            self.log("executioner", "WARN", f"HALT ALL by {by}: {reason}")
            self.feed.publish("halt", text=f"Trading halted by {by}: {reason}", halted=True)
        return {"status": "accepted", "already_halted": already, "accepted_at": self.now().isoformat()}

    def resume(self, by: str) -> Json:
        """End the halt; without one nothing changes."""
        was = self.halt is not None
        self.halt = None
        if was:
            self.log("executioner", "WARN", f"trading resumed by {by}")
            self.feed.publish("halt", text=f"Trading resumed by {by}", halted=False)
        return {"status": "resumed", "was_halted": was, "at": self.now().isoformat()}

    def halt_status(self) -> Json:
        halt = self.halt
        return {
            "halted": halt is not None,
            "since": halt.since.isoformat() if halt else None,
            "by": halt.by if halt else None,
            "reason": halt.reason if halt else None,
            "scope": halt.scope if halt else None,
        }

    def venue_down(self, venue: str) -> bool:
        return venue in self.switches.venues_down

    def venue_disabled(self, venue: str) -> bool:
        until = self.disabled_venues.get(venue)
        return until is not None and until > self.now()

    def note_call(self, endpoint: str, body: Json) -> None:
        """Count a call of an endpoint that changes something."""
        self.calls.append({"at": self.now().isoformat(), "endpoint": endpoint, "body": body})

    def count(self, endpoint: str) -> int:
        """How often an endpoint that changes something was called, whatever came of it."""
        return sum(call["endpoint"] == endpoint for call in self.calls)

    def log(self, service: str, level: str, text: str) -> None:
        self.logs.append(f"{self.now():%Y-%m-%dT%H:%M:%S}Z {level:5} {service} {text}")

    def as_json(self) -> Json:
        """Everything the page and the tests want to know."""
        return {
            "switches": {f.name: getattr(self.switches, f.name) for f in fields(self.switches)},
            "halt": self.halt_status(),
            "halt_calls": self.count("emergency/halt-all"),
            "resume_calls": self.count("emergency/resume"),
            "calls": list(self.calls),
            "services": {name: "up" if self.up(name) else "down" for name in SERVICES},
            "regime": self.regime,
            "regime_age_s": self.regime_age_s(),
            "routing_mode": self.routing_mode,
            "venues_disabled": [v for v in VENUES if self.venue_disabled(v)],
            "reduction_pct": self.reduction_pct,
        }
