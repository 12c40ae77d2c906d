"""The story of a failure in market hours: orders are stuck at the open; the desk is phoned, trading stops, the first
restart does not help, and trading resumes only when the checks are green and the desk has approved."""

from datetime import UTC, datetime

from warroom.sandbox.acts import alert, bot_said, expect, order, press, resolve, say, switch, type_command
from warroom.sandbox.scenario import Act, Scenario, Step, Story

DETAILS = {
    "service": "execution-engine",
    "execution_latency_seconds": 11.4,
    "orders_stuck": 7,
    "order_value_usd": 64_000,
    "environment": "production",
}


def runs(what: str) -> Act:
    """Run diagnostics."""
    return type_command("/diagnostics", what)


def green(since: str, *whats: str) -> Act:
    """Wait until these readings are in the room, all healthy, taken after story time `since`."""

    def look(story: Story) -> bool:
        return all(bot_said(since, words=(f"Diagnostics: {what}\n", " healthy. "))(story) for what in whats)

    return expect(f"healthy readings: {', '.join(whats)}", look)


STEPS = (
    Step(
        "0:00",
        "platform",
        "orders get stuck, and a restart will not help",
        switch("eafix", orders_stuck=True, restart_heals=False),
    ),
    Step(
        "0:05",
        "monitoring",
        "the alert reaches PagerDuty, which pages Ana",
        alert("eafix-trading", "EAFIX: seven orders are waiting at the broker gate", key="orders", details=DETAILS),
    ),
    Step(
        "0:30",
        "dana",
        "reads in her channel what happened and what to do",
        expect(
            "word for the trading desk",
            bot_said("0:00", channel="trading-operations", words=("What to do", "When you hear more")),
        ),
    ),
    Step("1:00", "ana", "acknowledges", press("incident.ack")),
    Step(
        "1:30", "ana", "says what she sees", say("Seven orders pending for two minutes, the engine answers its checks.")
    ),
    Step(
        "2:30",
        "mei",
        "phones the desk, because more than $50k is affected",
        press(
            "call.done", "call_done", person="Dana Brooks", note="The desk sends nothing and checks with the broker."
        ),
    ),
    Step(
        "3:30",
        "rita",
        "stops trading",
        type_command(
            "/halt",
            "all orders are stuck at the open",
            modal="halt",
            confirm="halt.confirm",
            scope="all",
            reason="orders are stuck at the open",
        ),
    ),
    Step("4:00", "rita", "sees that it took effect", expect("trading to be stopped", lambda s: s.sandbox.eafix.stop)),
    Step("4:30", "rita", "protects the open positions", order("set-stop-losses the book is unprotected")),
    Step("5:30", "raj", "takes command", press("incident.take")),
    Step("6:00", "ana", "runs the playbook's diagnosis", runs("order_execution_failure")),
    Step(
        "8:00",
        "mei",
        "restarts the execution engine",
        order("restart-service service=execution-engine quick recovery attempt"),
    ),
    Step("9:00", "mei", "reports", say("Restarted. Orders get stuck again: the new batch size fills the queue.")),
    Step(
        "12:00",
        "raj",
        "writes the update that he was asked for",
        press(
            "incident.update",
            "update",
            status="identified",
            summary="The batch size of release 2.9 fills the queue of the execution engine. We are rolling back.",
            next_steps="Roll back to 2.8\nCheck the recovery",
            eta="10 minutes",
            impact="No order reaches the broker. Open positions have a stop loss of 2%.",
        ),
    ),
    Step("15:00", "platform", "release 2.8 is back", switch("eafix", orders_stuck=False)),
    Step(
        "15:30",
        "rita",
        "asks to resume too early: the checks are missing",
        type_command("/halt", "resume all 2.8 runs"),
    ),
    Step("16:30", "mei", "runs the recovery checks", runs("recovery")),
    Step("17:00", "mei", "compares the positions with the broker's", runs("positions")),
    Step("17:30", "rita", "sees that both are green", green("16:00", "recovery", "positions")),
    Step(
        "18:00",
        "rita",
        "asks to resume",
        type_command("/halt", "resume all the checks are green", confirm="action.confirm"),
    ),
    Step("19:00", "dana", "approves for the desk", press("approval.approve")),
    Step("19:30", "dana", "sees that trading runs", expect("trading to run", lambda s: s.sandbox.eafix.stop is None)),
    Step("24:00", "mei", "checks trading", runs("trading")),
    Step("24:20", "mei", "checks the latency", runs("performance")),
    Step("24:40", "mei", "checks the recovery once more", runs("recovery")),
    Step("25:10", "dana", "sees that all are green", green("23:30", "trading", "performance", "recovery")),
    Step(
        "25:30",
        "dana",
        "looks at what still stands before resolving",
        type_command("/incident", "gate resolve_market_hours"),
    ),
    Step("25:40", "dana", "signs for the desk", press("gate.sign:4")),
    Step(
        "26:00", "raj", "reads her signature", expect("the signature", bot_said("25:00", words=("signed off", "desk")))
    ),
    Step(
        "27:00",
        "raj",
        "resolves the incident",
        resolve(
            summary="Orders were stuck for 15 minutes; trading was stopped and resumed with the desk's approval.",
            root_cause="The batch size of release 2.9 fills the queue of the execution engine.",
            actions_taken="Trading stopped, stop losses set, rolled back to 2.8, recovery and positions verified.",
        ),
    ),
    Step(
        "27:30",
        "dana",
        "reads that it is over",
        expect("the resolution for the desk", bot_said("27:00", channel="trading-operations", words=("RESOLVED",))),
    ),
    Step("29:30", "raj", "reads the post-mortem draft", expect("a post-mortem draft in the room", bot_said("27:00"))),
)

SCENARIO = Scenario(
    name="order-execution-failure",
    title="orders stuck at the open, 9:31 in New York",
    begins=datetime(2026, 11, 17, 14, 31, tzinfo=UTC),  # a Tuesday
    packs=("eafix",),
    steps=STEPS,
)
