"""The story of the demo: Market Sentinel stops one minute after the New York open, and nobody halts in time."""

from datetime import UTC, datetime

from warroom.sandbox.acts import alert, bot_said, expect, paged, press, resolve, say, switch, type_command
from warroom.sandbox.scenario import Scenario, Step

DETAILS = {
    "service": "market-sentinel",
    "severity": "P0",
    "impact": "No regime updates; signals on all portfolios run on stale data",
    "trading_down": True,
    "minutes_since_update": 6,
    "environment": "production",
}

STEPS = (
    Step("0:00", "platform", "Market Sentinel stops", switch(sentinel_down=True)),
    Step(
        "0:05",
        "monitoring",
        "the alert reaches PagerDuty, which pages Ana",
        alert("lav-adaf-market-sentinel", "Market Sentinel down: no regime updates", key="sentinel", details=DETAILS),
    ),
    Step(
        "0:30",
        "ana",
        "sees the announcement",
        expect("an announcement in #war-room", bot_said("0:00", channel="war-room")),
    ),
    Step("1:00", "ana", "acknowledges", press("incident.ack")),
    Step(
        "1:30", "ana", "says what she sees", say("Health check fails and the dashboard is stale. Looking at the logs.")
    ),
    Step("3:00", "ana", "runs the diagnostics", type_command("/diagnostics")),
    Step(
        "4:00", "mei", "answers her in a thread", say("Heap out of memory in the feed handler, I think.", thread=True)
    ),
    Step(
        "5:20",
        "rita",
        "is called because nobody has halted",
        expect("PagerDuty to call the risk manager", paged("rita")),
    ),
    Step("6:00", "raj", "takes command", press("incident.take")),
    Step(
        "7:00",
        "rita",
        "halts trading",
        type_command(
            "/halt",
            "all Market Sentinel is down, signals are stale",
            modal="halt",
            confirm="halt.confirm",
            scope="all",
            reason="Market Sentinel is down, signals are stale",
        ),
    ),
    Step("7:40", "rita", "sees that it took effect", expect("trading to be halted", lambda s: s.sandbox.platform.halt)),
    Step("9:00", "raj", "asks for a restart", say("Mei, please restart Market Sentinel and watch the heap.")),
    Step("10:00", "mei", "misspells a command", type_command("/incident", "stauts")),
    Step(
        "11:00", "mei", "reports", say("Restarted, it runs out of memory again within a minute. Rolling back to 4.11.")
    ),
    Step(
        "14:20",
        "raj",
        "posts the update he was asked for",
        press(
            "incident.update",
            "update",
            status="investigating",
            summary="Release 4.12 leaks memory in the feed handler. We are rolling back to 4.11.",
            next_steps="Roll back, then watch memory for ten minutes.",
            eta="20 minutes",
            impact="Trading is halted. No positions were opened on stale signals.",
        ),
    ),
    Step("18:00", "dana", "asks for the desk", say("Can the desk expect to trade before 10:15?")),
    Step(
        "18:30", "raj", "answers", say("Likely yes. We decide when the roll-back has run for ten minutes.", thread=True)
    ),
    Step(
        "31:00",
        "raj",
        "missed the second update; the bot posts what is known",
        expect("an update from the bot after 29:00", bot_said("29:00")),
    ),
    Step("34:00", "platform", "Market Sentinel is back", switch(sentinel_down=False)),
    Step("34:30", "mei", "reports", say("4.11 is running, regime updates are fresh, memory is flat.")),
    Step(
        "38:00",
        "raj",
        "resolves the incident",
        resolve(
            summary="Market Sentinel was down for 34 minutes; trading was halted.",
            root_cause="Release 4.12 leaks memory in the feed handler; the health check did not restart it.",
            actions_taken="Trading halted, release rolled back to 4.11, regime updates verified.",
        ),
    ),
    Step("40:00", "raj", "reads the post-mortem draft", expect("a post-mortem draft in the room", bot_said("38:00"))),
)

SCENARIO = Scenario(
    name="market-sentinel-down",
    title="a P0 at 9:31 in New York",
    begins=datetime(2026, 11, 17, 14, 31, tzinfo=UTC),  # a Tuesday
    packs=("lav_adaf",),
    steps=STEPS,
)
