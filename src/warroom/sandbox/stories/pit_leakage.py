"""The story of a leak: a feature looks into the future, and trading signals are stopped before anybody reads of it."""

from datetime import UTC, datetime

from warroom.sandbox.acts import bot_said, expect, order, paged, press, resolve, say, type_command
from warroom.sandbox.pit_reporter import report, violation
from warroom.sandbox.scenario import Act, MissingError, Scenario, Step, Story

FEATURE = "momentum_20d"
WINDOW = "The window of momentum_20d ends one day after the decision it is used for"


def leaks() -> Act:
    """The feature begins to use data from the future."""

    async def act(story: Story, who: str) -> None:
        story.sandbox.pit.leak(FEATURE)

    return act


def reports(ident: str, **told: str) -> Act:
    """The platform's monitor reports a violation, signed."""

    async def act(story: Story, who: str) -> None:
        answer = await report(story.sandbox, violation(story.sandbox, ident, feature=FEATURE, **told))
        if answer.status_code != 200:
            raise MissingError(f"expected the report to be taken, got HTTP {answer.status_code}: {answer.text}")

    return act


STEPS = (
    Step("0:00", "platform", "the feature begins to look into the future", leaks()),
    Step("0:05", "platform", "its monitor reports the violation", reports("v-1001", description=WINDOW)),
    Step(
        "0:20",
        "rita",
        "sees that the circuit breaker has stopped all signals",
        expect("trading signals to be stopped", lambda s: s.sandbox.pit.stopped),
    ),
    Step(
        "0:40",
        "ana",
        "reads the announcement",
        expect("an announcement", bot_said("0:00", channel="pit-incidents", words=("P0 VIOLATION", FEATURE))),
    ),
    Step("1:00", "ana", "acknowledges", press("incident.ack")),
    Step("1:30", "mei", "is called with the emergency team", expect("PagerDuty to call Mei", paged("mei"))),
    Step("2:30", "raj", "takes command", press("incident.take")),
    Step(
        "3:00", "mei", "reads the diagnostics", expect("readings", bot_said("0:00", words=("Diagnostics: assessment",)))
    ),
    Step("3:20", "mei", "says what she sees", say("The window is shifted by a day since yesterday's deploy of 7.3.")),
    Step("4:00", "mei", "shuts the feature down", order(f"emergency-disable {FEATURE} looks into the future")),
    Step(
        "5:00",
        "mei",
        "sees that it is off",
        expect("the feature to be off", lambda s: s.sandbox.pit.feature(FEATURE).status == "DISABLED"),
    ),
    Step("5:20", "mei", "stops what depends on it", order("disable-cascade nothing may be computed from it")),
    Step(
        "6:00",
        "clara",
        "is told with the other executives",
        expect("the notice to the executives", bot_said("5:00", channel="executive-emergency")),
    ),
    Step(
        "7:00",
        "rita",
        "says what it touches",
        type_command("/incident", "set strategies momentum and carry"),
    ),
    Step("7:30", "rita", "says what it costs", type_command("/incident", "set financial_impact about 120k USD")),
    Step(
        "8:00",
        "omar",
        "says what must be reported",
        type_command("/incident", "set regulatory_implications reportable within 24 hours"),
    ),
    Step("9:00", "mei", "verifies the data", type_command("/diagnostics", "verification")),
    Step(
        "12:00",
        "omar",
        "prepares the notification",
        type_command("/incident", "step done p0_regulatory"),
    ),
    Step(
        "14:00",
        "raj",
        "writes the update he was asked for",
        press(
            "incident.update",
            "update",
            status="identified",
            summary="Release 7.3 shifted the window of momentum_20d by a day. Signals are stopped, the feature is off.",
            next_steps="Restore the data of the last clean checkpoint, then validate the contract.",
            eta="30 minutes",
            impact="Momentum and carry traded for 12 minutes on a feature that knew the next day.",
        ),
    ),
    Step(
        "15:30",
        "omar",
        "approves the notification to the regulators",
        press("approval.approve"),
    ),
    Step(
        "16:00",
        "omar",
        "sees it go out",
        expect(
            "a mail to the regulators",
            lambda s: any("regulators@outside.example" in m.recipients for m in s.sandbox.mail.mails),
        ),
    ),
    Step("18:00", "lukas", "asks to restore the data", order("restore-data back to the last clean checkpoint")),
    Step("19:00", "rita", "approves it", press("approval.approve")),
    Step(
        "20:00",
        "lukas",
        "sees that it is restored",
        expect("the data to be restored", lambda s: s.sandbox.pit.feature(FEATURE).restored_from),
    ),
    Step("21:00", "mei", "validates the contract", type_command("/diagnostics", "restoration")),
    Step("22:00", "mei", "asks to re-enable it at 10%", order("gradual-enable the window is right in 7.3.1")),
    Step("23:00", "lukas", "approves it", press("approval.approve")),
    Step(
        "24:00",
        "mei",
        "sees a tenth of the traffic on it",
        expect("10% of the traffic", lambda s: s.sandbox.pit.feature(FEATURE).traffic_percentage == 10),
    ),
    Step(
        "26:00",
        "rita",
        "asks to resume trading signals",
        type_command("/halt", "resume the feature is restored and watched", confirm="action.confirm"),
    ),
    Step("27:00", "raj", "approves it", press("approval.approve")),
    Step(
        "28:00",
        "rita",
        "sees that signals run again",
        expect("trading signals to run", lambda s: s.sandbox.pit.stopped is None),
    ),
    Step(
        "29:00",
        "raj",
        "resolves the incident",
        resolve(
            summary="A feature looked one day ahead for 12 minutes; signals were stopped within seconds.",
            root_cause="Release 7.3 shifted the window; the contract test did not run in its pipeline.",
            actions_taken="Signals stopped, feature off, data restored, contract validated, re-enabled at 10%.",
        ),
    ),
    Step("31:30", "raj", "reads the post-mortem draft", expect("a post-mortem draft", bot_said("29:00"))),
)

SCENARIO = Scenario(
    name="pit-leakage",
    title="a feature that looks into the future, at 10:00 in New York",
    begins=datetime(2026, 11, 17, 15, 0, tzinfo=UTC),  # a Tuesday
    packs=("pit",),
    steps=STEPS,
)
