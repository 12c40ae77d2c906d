"""Violation reports from several senders at once: how many a second, what is lost, and whether a P0 waits for them.

The bot is killed the moment the last report is answered; every violation it accepted has to be in the database then.
"""

import asyncio
import hashlib
import hmac
import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from lab import Call, Lab, lab
from table import Figure, main, median, percentile

TITLE = "Violation reports, from eight senders"
SENDERS = 8
REPORTS = 25
"""Reports of each sender, one after the other."""

EACH = 250
"""Violations of a report."""

SECRET = "benchmark"


async def _measure() -> list[Figure]:
    bot = {"WARROOM_SLACK_LIMITS": "off", "WARROOM_VIOLATION_SECRET": SECRET}
    async with lab(bot=bot, packs=("lav_adaf", "pit")) as it:
        await asyncio.gather(*(_send(it, f"warm-{n}", 1) for n in range(SENDERS)))
        await it.all_done(30)
        trip = await it.round_trip()
        await it.control("journal/clear", {})
        began = time.monotonic()
        senders = asyncio.gather(*(_send(it, f"s{n}", REPORTS) for n in range(SENDERS)))
        await asyncio.sleep(0.3)
        title = "Market Sentinel down: security breach"
        await it.control("pagerduty/trigger", {"service": "PSVCSEN", "title": title, "key": "p0"})
        took = [seconds for sender in await senders for seconds in sender]
        elapsed = time.monotonic() - began
        first = await _announced(it)
        await it.kill()
        lost = SENDERS * (REPORTS + 1) * EACH - _kept(it)
    sent = SENDERS * REPORTS * EACH
    plain = sent / _plain(sent)
    return [
        Figure("violations", sent),
        Figure("accepted a second", sent / elapsed),
        Figure("rows a second that SQLite alone takes, in commits of one report", plain),
        Figure("SQLite alone is so many times as fast", plain * elapsed / sent, "times", bound=30),
        Figure("a report answered: median", median(took) * 1000, "ms"),
        Figure("a report answered: 99 of 100 within", percentile(took, 0.99) * 1000, "ms", bound=2000),
        Figure("P0 in the middle of it: webhook to announcement", first / trip, "round trips", bound=8),
        Figure("accepted and not on disk after SIGKILL", lost, bound=0),
    ]


async def _send(it: Lab, name: str, reports: int) -> list[float]:
    """Seconds that each report took. Raises RuntimeError when one is not taken."""
    took = []
    for number in range(reports):
        body = json.dumps({"pack": "pit", "violations": _violations(f"{name}-{number}")}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        began = time.monotonic()
        headers = {"X-Warroom-Signature": f"v1={signature}"}
        async with it.http.post(f"{it.bot}/violations", data=body, headers=headers) as answer:
            said = await answer.json()
        took.append(time.monotonic() - began)
        if answer.status != 200 or said["accepted"] != EACH:
            raise RuntimeError(f"a report was answered {answer.status}: {said}")
    return took


def _violations(name: str) -> list[dict[str, str]]:
    at = datetime.now(UTC).isoformat()
    about = {"type": "documentation_gap", "service": "feature-store", "feature": "momentum_20d", "detected_at": at}
    return [{"id": f"{name}-{n}", "description": "No description of the window", **about} for n in range(EACH)]


async def _announced(it: Lab) -> float:
    """Seconds from the webhook of the P0 to the end of its announcement."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        calls: Sequence[Call] = await it.journal()
        hooks = [c.started for c in calls if c.surface == "webhook"]
        posts = [c.finished for c in calls if c.method == "chat.postMessage"]
        if hooks and any(post > min(hooks) for post in posts):
            return min(post for post in posts if post > min(hooks)) - min(hooks)
        await asyncio.sleep(0.1)
    return float("inf")


def _kept(it: Lab) -> int:
    with sqlite3.connect(it.folder / "warroom.db") as connection:
        return int(connection.execute("SELECT count(*) FROM violation").fetchone()[0])


def _plain(rows: int) -> float:
    """Seconds that SQLite takes for the same rows with the same indexes and the same safety, a commit a report."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE v (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, level TEXT, at TEXT, more TEXT)")
        connection.execute("CREATE INDEX ix ON v (level, at)")
        began = time.monotonic()
        for begin in range(0, rows, EACH):
            connection.execute("BEGIN IMMEDIATE")
            values = [(f"v{n}", "low", "2026-11-17 14:31:00", "x" * 100) for n in range(begin, begin + EACH)]
            connection.executemany("INSERT INTO v (id, level, at, more) VALUES (?, ?, ?, ?)", values)
            connection.execute("COMMIT")
        took = time.monotonic() - began
        connection.close()
    return took


def measure() -> Sequence[Figure]:
    """The figures."""
    return asyncio.run(_measure())


if __name__ == "__main__":
    main(TITLE, measure)
