"""The market data pipeline: connectors, control plane, quarantine, backfills and checks; and what breaks them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from warroom.sandbox.feed import Feed

Json = dict[str, Any]
MARKETS = ("XNYS", "XNAS")
VENUES = {"XNYS": ("NYSE", "ARCA"), "XNAS": ("NASDAQ",)}
SYMBOLS = {"XNYS": ("IBM", "GE"), "XNAS": ("AAPL", "MSFT")}
CONSUMERS = ("feature_store_writers", "backtest_exporters")
INDICATORS = ("kuramoto", "ricci", "hurst")
ROWS = 1_000
"""rows that a market delivers a minute"""
SWITCHES = ("stall", "corruption", "late_vendor", "network_down", "token_expired", "control_plane_down")
CATCH_UP = timedelta(seconds=60)
"""how long a connector that was seeded again needs until its lag is gone"""
BACKFILL = timedelta(minutes=2)
"""how long a backfill runs"""

_TOLD = {
    "stall": ("ingestion of XNYS stops", "ingestion of XNYS runs again"),
    "corruption": ("XNYS delivers corrupted batches", "the batches of XNYS are sound"),
    "late_vendor": ("the vendor of XNYS is late", "the vendor of XNYS has delivered"),
    "network_down": ("the network to the vendor is down", "the network to the vendor is up"),
    "token_expired": ("the token at the vendor has expired", "the token at the vendor is valid"),
    "control_plane_down": ("the control plane stops", "the control plane runs again"),
}
"""switch → what is told when it is thrown, and when it is put back"""


class WrongOrderError(Exception):
    """The pipeline refuses what it is asked for, and why."""


@dataclass
class Backfill:
    """A job that loads a window of a market again."""

    market: str
    start: datetime
    end: datetime
    output: str
    began: datetime
    staging: bool = False
    production: bool = False


@dataclass
class Quarantine:
    """Batches of a market are sent to the bucket with this tag."""

    bucket: str
    tag: str
    since: datetime


@dataclass
class Fault:
    """Data of a market is missing or wrong from `since` until `ended` (None: still)."""

    since: datetime
    ended: datetime | None = None
    corrupt: bool = False


@dataclass
class MarketData:
    """The state behind the endpoints; one market (XNYS) breaks. Everything ordered is kept in `calls`."""

    now: Callable[[], datetime]
    feed: Feed
    thrown: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    reseeded: datetime | None = None
    paused: set[str] = field(default_factory=set)
    frozen: Json | None = None
    quarantines: dict[str, Quarantine] = field(default_factory=dict)
    backfills: dict[str, Backfill] = field(default_factory=dict)
    calls: list[Json] = field(default_factory=list)

    def switch(self, name: str, on: bool) -> None:
        """Throw a switch or put it back; raises ValueError for an unknown one."""
        if name not in SWITCHES:
            raise ValueError(f"no switch {name!r}; there are {', '.join(SWITCHES)}")
        if on == (name in self.thrown):
            return
        (self.thrown.add if on else self.thrown.discard)(name)
        if name in ("stall", "corruption", "late_vendor"):
            if on:
                self.faults.append(Fault(self.now(), corrupt=name == "corruption"))
            else:
                self._end_fault()
        self.feed.publish("platform", text=_TOLD[name][0 if on else 1])

    def _end_fault(self) -> None:
        for fault in self.faults:
            fault.ended = fault.ended or self.now()

    def note(self, endpoint: str, body: Json) -> None:
        """Keep a call of an endpoint that changes something."""
        self.calls.append({"at": self.now().isoformat(), "endpoint": endpoint, "body": body})

    def stream_lag(self) -> float:
        """Seconds behind the market."""
        if "stall" in self.thrown:
            return 4 + (self.now() - self.faults[-1].since).total_seconds()
        if self.reseeded is None or self.now() - self.reseeded >= CATCH_UP:
            return 4.0
        return 90.0

    def batch_lag(self) -> float:
        """Seconds that the newest batch is late."""
        late = {"stall", "late_vendor"} & self.thrown
        return 20 + (self.now() - self.faults[-1].since).total_seconds() if late else 20.0

    def gaps(self) -> list[Fault]:
        """Windows whose data no finished backfill in production covers."""
        return [fault for fault in self.faults if not self._covered(fault, production=True)]

    def _covered(self, fault: Fault, *, production: bool) -> bool:
        return fault.ended is not None and any(
            self.finished(job)
            and (job.production or not production)
            and job.start <= fault.since.replace(second=0, microsecond=0)
            and job.end >= fault.ended.replace(second=0, microsecond=0)
            for job in self.backfills.values()
        )

    def finished(self, job: Backfill) -> bool:
        """Whether a backfill has loaded everything."""
        return self.now() - job.began >= BACKFILL and "late_vendor" not in self.thrown

    def missing(self) -> list[Fault]:
        """Windows that no finished backfill covers, promoted or not."""
        return [fault for fault in self.faults if not self._covered(fault, production=False)]

    def reconciliation(self) -> Json:
        """Our rows against the vendor's totals of the last hour, and the checksums against their manifests."""
        missing = [fault for fault in self.missing() if not fault.corrupt]
        corrupt = [fault for fault in self.missing() if fault.corrupt]
        lost = sum(self._rows(fault) for fault in missing)
        vendor = 60 * ROWS
        return {
            "rows": max(vendor - lost, 0),
            "vendor_rows": vendor,
            "missing_rows": lost,
            "bad_checksums": len(corrupt) * 3,
            "vendor_delivered": "late_vendor" not in self.thrown,
        }

    def _rows(self, fault: Fault) -> int:
        minutes = ((fault.ended or self.now()) - fault.since).total_seconds() / 60
        return int(minutes * ROWS) + 1

    def reseed(self, market: str) -> str:
        """Start the connector of a market anew. Raises WrongOrderError when the vendor cannot be reached."""
        self.note("reseed", {"market": market})
        broken = {"network_down": "the vendor cannot be reached", "token_expired": "401 from the vendor"}
        for name, why in broken.items():
            if name in self.thrown:
                raise WrongOrderError(f"{market}: {why}")
        self.reseeded = self.now()
        for name in ("stall", "corruption"):
            self.switch(name, False)
        return f"connector {market} re-seeded"

    def connector(self, market: str) -> Json:
        """The state of a market's connector."""
        stalled = market == MARKETS[0] and "stall" in self.thrown
        return {"market": market, "state": "stalled" if stalled else "running"}

    def backfill(self, market: str, start: datetime, end: datetime, output: str) -> str:
        """Begin a backfill; the incident is the folder it writes to. Raises WrongOrderError for a wrong window."""
        self.note("backfill", {"market": market, "start": start.isoformat(), "end": end.isoformat(), "output": output})
        if not start < end <= self.now() + timedelta(minutes=1):
            raise WrongOrderError("the window must begin before it ends, and end before now")
        incident = output.rstrip("/").rpartition("/")[2]
        self.backfills[incident] = Backfill(market, start, end, output, self.now())
        return f"backfill of {market} accepted, writing to {output}"

    def promote(self, incident: str, table: str) -> None:
        """Take a finished backfill to a table. Raises WrongOrderError out of order."""
        job = self.backfills.get(incident)
        if job is None or not self.finished(job):
            raise WrongOrderError("there is no finished backfill of this incident")
        if table == "production" and not job.staging:
            raise WrongOrderError("it is not in the staging tables")
        setattr(job, table, True)

    def quarantine(self, market: str, bucket: str, tag: str) -> None:
        """Send a market's batches to the bucket."""
        self.quarantines[market] = Quarantine(bucket, tag, self.now())

    def data_health(self) -> Json:
        """Every market with its venues, symbols and, where it is not healthy, the window."""
        gaps = self.gaps()
        rows = []
        for market in MARKETS:
            bad = gaps if market == MARKETS[0] else []
            row: Json = {"market": market, "venues": VENUES[market], "symbols": SYMBOLS[market], "status": "healthy"}
            if bad:
                ended = bad[-1].ended
                row |= {
                    "status": "corrupt" if bad[-1].corrupt else "missing",
                    "gap_start": stamp(bad[0].since),
                    "gap_end": stamp(ended) if ended else None,
                }
            rows.append(row)
        return {"unhealthy": sum(row["status"] != "healthy" for row in rows), "markets": rows}

    def as_json(self) -> Json:
        """Everything the page and the tests want to know."""
        return {
            "switches": {name: name in self.thrown for name in SWITCHES},
            "paused": sorted(self.paused),
            "frozen": self.frozen is not None,
            "quarantined": sorted(self.quarantines),
            "stream_lag_s": self.stream_lag(),
            "batch_lag_s": self.batch_lag(),
            "health": self.data_health()["markets"],
            "calls": list(self.calls),
        }

    def sound(self) -> bool:
        """Whether the quality suite and the indicators find nothing: nothing is missing or wrong."""
        return not self.missing()


def stamp(at: datetime) -> str:
    """As the pipeline writes moments."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
