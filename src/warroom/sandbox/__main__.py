"""``python -m warroom.sandbox``: the sandbox in a process of its own, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import json
import signal
from datetime import UTC, datetime

from warroom.sandbox.clock import StoryClock
from warroom.sandbox.sandbox import Sandbox
from warroom.sandbox.server import serve


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser("python -m warroom.sandbox", description=__doc__)
    out.add_argument("--port", type=int, default=0, help="0 takes a free one; the URL is printed")
    out.add_argument("--bot-url", default="", help="where the bot listens")
    out.add_argument("--latency", type=float, default=0.0, help="seconds added to each Slack call")
    out.add_argument("--slack-limits", action="store_true", help="hold the bot to Slack's rate limits")
    out.add_argument("--speed", type=float, default=1.0, help="how much faster than life the time runs")
    out.add_argument("--anchor", type=datetime.fromisoformat, help="the time it starts at, ISO 8601")
    out.add_argument("--scopes", help="OAuth scopes granted to the bot, with commas; default: all it may need")
    out.add_argument("--events", help="event types the bot subscribed to, with commas; default: all")
    return out


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal; prints the settings a bot needs as one line of JSON."""
    anchor: datetime | None = options.anchor
    if anchor is not None and anchor.tzinfo is None:
        anchor = anchor.replace(tzinfo=UTC)
    sandbox = Sandbox(
        StoryClock(anchor, options.speed),
        scopes=frozenset(options.scopes.split(",")) if options.scopes else None,
        slack_limits=options.slack_limits,
        events=frozenset(options.events.split(",")) if options.events else None,
        latency_s=options.latency,
        speed=options.speed,
    )
    sandbox.bot_url = options.bot_url.rstrip("/")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(sandbox, port=options.port) as url:
        print(json.dumps({"url": url, "settings": sandbox.settings()}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run(parser().parse_args()))
