"""The EAFIX trading platform: six services on the way of an order, their switches, and what can be done to them."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from warroom.sandbox.feed import Feed

Json = dict[str, Any]
SERVICES = (
    "gui-gateway",
    "data-ingestor",
    "indicator-engine",
    "signal-generator",
    "risk-manager",
    "execution-engine",
)
STOP_MODES = ("works", "fails", "ignored", "drops", "unreachable")
PRICES = {"EURUSD": (1.0850, 1.0852), "GBPUSD": (1.2640, 1.2643), "USDJPY": (151.20, 151.22)}
SYMPTOMS = {
    "data-ingestor": ("prices_stale",),
    "signal-generator": ("signals_stopped",),
    "risk-manager": ("risk_rejects_all",),
    "execution-engine": ("orders_stuck", "broker_down"),
}
"""service → switches that a restart of it puts back"""


@dataclass
class Switches:
    """What is broken.

    ``down``: services that do not answer. ``stop``: what stop-trading does: works, fails (500), ignored (accepted, no
    effect), drops (takes effect, the connection closes), unreachable (closes before any effect). ``restart_heals``:
    whether a restarted service is well again. ``gap_usd``: what our positions and the broker's differ by. ``pnl_usd``:
    the unrealized profit and loss of all open positions.
    """

    down: list[str] = field(default_factory=list)
    prices_stale: bool = False
    signals_stopped: bool = False
    orders_stuck: bool = False
    broker_down: bool = False
    risk_rejects_all: bool = False
    gap_usd: float = 0.0
    pnl_usd: float = 420.0
    stop: str = "works"
    status_unreachable: bool = False
    restart_heals: bool = True


@dataclass
class Stop:
    """Trading is stopped, as the caller said."""

    since: datetime
    operator: str
    reason: str


@dataclass
class Position:
    """An open position; ``stop_loss_pct`` is None until an emergency stop loss was set."""

    symbol: str
    quantity: int
    entry_price: float
    share: float
    stop_loss_pct: float | None = None
    open: bool = True


def _book() -> list[Position]:
    return [
        Position("EURUSD", 400_000, 1.0832, 0.5),
        Position("GBPUSD", -150_000, 1.2661, 0.3),
        Position("USDJPY", 200_000, 150.90, 0.2),
    ]


class EafixPlatform:
    """The state behind the endpoints and the containers. Keeps every change somebody made in ``calls``."""

    def __init__(self, now: Callable[[], datetime], feed: Feed) -> None:
        self.now = now
        self.feed = feed
        self.switches = Switches()
        self.stop: Stop | None = None
        self.positions = _book()
        self.size_factor = 1.0
        self.limit_factor = 1.0
        self.limits_until: datetime | None = None
        self.new_positions = True
        self.since: dict[str, datetime] = {}
        self.calls: list[Json] = []
        self.logs: list[str] = []

    def switch(self, name: str, value: Any) -> None:
        """Set a switch; raises ValueError for an unknown one or a value it cannot have."""
        known = {f.name: type(getattr(self.switches, f.name)) for f in fields(self.switches)}
        if name not in known:
            raise ValueError(f"no switch {name!r}; there are {', '.join(known)}")
        if name == "stop" and value not in STOP_MODES:
            raise ValueError(f"stop cannot be {value!r}; it can be {', '.join(STOP_MODES)}")
        if name == "down" and not set(value) <= set(SERVICES):
            raise ValueError(f"down names some of {', '.join(SERVICES)}")
        if known[name] is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, known[name]):
            raise ValueError(f"{name} takes a {known[name].__name__}, not {value!r}")
        setattr(self.switches, name, value)
        self.since[name] = self.now()
        words = ("begins" if value else "is over") if isinstance(value, bool) else f"is {value}"
        self.feed.publish("platform", text=f"EAFIX: “{name.replace('_', ' ')}” {words}")

    def up(self, service: str) -> bool:
        """Whether the service answers at all."""
        return service not in self.switches.down

    def age_s(self, switch: str, normal_s: float) -> float:
        """Seconds since something last came: ``normal_s``, or all the time since the switch was thrown."""
        if not getattr(self.switches, switch):
            return normal_s
        return normal_s + (self.now() - self.since[switch]).total_seconds()

    @property
    def open_positions(self) -> list[Position]:
        return [p for p in self.positions if p.open]

    def stop_trading(self, operator: str, reason: str) -> Json:
        """Stop; a second stop changes nothing. Says what was done."""
        already = self.stop is not None
        if not already and self.switches.stop != "ignored":
            self.stop = Stop(self.now(), operator, reason)
            self.log("gui-gateway", "WARN", f"trading stopped by {operator}: {reason}")
            self.feed.publish("halt", text=f"EAFIX: trading stopped by {operator}: {reason}", halted=True)
        return {"status": "accepted", "already_stopped": already}

    def resume_trading(self, operator: str) -> Json:
        """End the stop; without one nothing changes."""
        was, self.stop = self.stop is not None, None
        if was:
            self.log("gui-gateway", "WARN", f"trading resumed by {operator}")
            self.feed.publish("halt", text=f"EAFIX: trading resumed by {operator}", halted=False)
        return {"status": "resumed", "was_stopped": was}

    def trading_status(self) -> Json:
        """What ``/api/trading-status`` says."""
        stop = self.stop
        return {
            "trading": stop is None,
            "status": "active" if stop is None else "stopped",
            "since": stop.since.isoformat() if stop else None,
            "operator": stop.operator if stop else None,
            "reason": stop.reason if stop else None,
        }

    def close_all(self) -> int:
        """Close every open position; how many there were."""
        closing = self.open_positions
        for position in closing:
            position.open = False
        return len(closing)

    def set_stop_losses(self, percentage: float) -> int:
        """A stop loss on every open position; how many there are."""
        for position in self.open_positions:
            position.stop_loss_pct = percentage
        return len(self.open_positions)

    def reduce_sizes(self, factor: float) -> None:
        """Positions keep 1 - ``factor`` of their size, and so do new ones."""
        self.size_factor = round(1 - factor, 4)
        for position in self.open_positions:
            position.quantity = round(position.quantity * self.size_factor)

    def tighten_limits(self, factor: float, minutes: float) -> None:
        """Limits are multiplied by ``factor`` for so many minutes."""
        self.limit_factor, self.limits_until = factor, self.now() + timedelta(minutes=minutes)

    def limits(self) -> Json:
        """The limits in force: what was tightened for a time is over by itself."""
        tight = self.limits_until is not None and self.now() < self.limits_until
        return {
            "limit_factor": self.limit_factor if tight else 1.0,
            "until": self.limits_until.isoformat() if tight and self.limits_until else None,
            "size_factor": self.size_factor,
            "new_positions": self.new_positions,
            "max_position_usd": 1_000_000,
        }

    def restart(self, service: str) -> None:
        """The container runs again; what was wrong with it is gone unless ``restart_heals`` is off."""
        self.switches.down = [name for name in self.switches.down if name != service]
        if self.switches.restart_heals:
            for symptom in SYMPTOMS.get(service, ()):
                if getattr(self.switches, symptom):
                    self.switch(symptom, False)
        self.log(service, "INFO", "container restarted")

    def isolate(self, service: str) -> None:
        """The container is stopped."""
        if service not in self.switches.down:
            self.switch("down", [*self.switches.down, service])
        self.log(service, "WARN", "container stopped")

    def note_call(self, endpoint: str, body: Json) -> None:
        """Remember that something was changed, or tried."""
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
            "trading": self.trading_status(),
            "limits": self.limits(),
            "open_positions": len(self.open_positions),
            "services": {name: "up" if self.up(name) else "down" for name in SERVICES},
            "calls": list(self.calls),
        }
