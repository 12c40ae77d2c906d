"""Strict stand-ins for Slack, PagerDuty and a trading platform, on loopback over HTTP.

Nothing of the bot is imported here: whatever runs against the sandbox is the production code.

    sandbox = Sandbox(now)
    async with serve(sandbox) as url:      # http://127.0.0.1:<port>
        sandbox.bot_url = "http://127.0.0.1:8080"
        answer = await sandbox.command("ana", "war-room", "/incident", "list")
"""

from warroom.sandbox.sandbox import Sandbox
from warroom.sandbox.server import serve
from warroom.sandbox.slack_people import Answer, NotOnScreenError

__all__ = ["Answer", "NotOnScreenError", "Sandbox", "serve"]
