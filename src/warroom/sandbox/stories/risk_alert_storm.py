"""A storm of risk alerts: one incident for all of them, and positions reduced by two people."""

from datetime import UTC, datetime

from warroom.sandbox.acts import bot_said, expect, order, press, resolve, say, switch, type_command
from warroom.sandbox.scenario import Act, Scenario, Step, Story

ALERTS = 24
KINDS = ("VaR limit of PF-{n} at 101%", "concentration of PF-{n} over its limit", "gross exposure of PF-{n} at 99%")


def storm(count: int) -> Act:
    """So many risk alerts, one after the other."""

    async def act(story: Story, who: str) -> None:
        pagerduty = story.sandbox.pagerduty
        service = pagerduty.service("lav-adaf-risk-warden")
        for number in range(count):
            title = f"Risk Warden: {KINDS[number % 3].format(n=number % 5 + 1)} ({number + 1})"
            pagerduty.trigger(service, title, details={"portfolio": f"PF-{number % 5 + 1}"}, urgency="low")

    return act


STEPS = (
    Step("0:00", "platform", "limits oscillate near their boundaries", switch(alert_storm=True)),
    Step("0:05", "monitoring", "the first risk alerts arrive", storm(3)),
    Step(
        "0:40",
        "ana",
        "sees one incident, not three",
        expect("an announcement in #war-room", bot_said("0:00", channel="war-room")),
    ),
    Step("1:00", "ana", "acknowledges", press("incident.ack")),
    Step("1:30", "monitoring", "the storm grows", storm(ALERTS - 3)),
    Step(
        "2:10",
        "rita",
        "reads that it is a storm, and how grave",
        expect("the storm in the room", bot_said("1:30", words=("within", "one incident"))),
    ),
    Step("2:30", "rita", "takes command", press("incident.take")),
    Step("3:00", "ana", "runs the diagnostics", type_command("/diagnostics")),
    Step("4:00", "rita", "decides", say("Limits flap on four portfolios. We take half off, then look at the ranking.")),
    Step(
        "4:30",
        "rita",
        "asks to reduce positions",
        order("reduce-positions Limits flap on four portfolios"),
    ),
    Step("5:00", "clara", "reads the request and approves", press("approval.approve")),
    Step(
        "5:40",
        "rita",
        "sees that it took effect",
        expect("the reduction to be read back", bot_said("5:00", words=("reduce positions by 50%", "confirmed"))),
    ),
    Step("6:00", "ana", "ranks what is left", type_command("/diagnostics", "warden-positions")),
    Step(
        "8:00",
        "rita",
        "tells the desk",
        type_command("/incident", "update Positions are halved. No new risk in PF-1 to PF-4 until we say so."),
    ),
    Step("20:00", "platform", "the storm is over", switch(alert_storm=False)),
    Step(
        "24:00",
        "rita",
        "resolves the incident",
        resolve(
            summary="Risk limits flapped for 20 minutes; positions were halved.",
            root_cause="Limits without hysteresis: positions stood within 1% of them.",
            actions_taken="Positions reduced by 50% by two people; portfolios reviewed.",
        ),
    ),
    Step("27:00", "rita", "reads the post-mortem draft", expect("a draft in the room", bot_said("24:00"))),
)

SCENARIO = Scenario(
    name="risk-alert-storm",
    title="a storm of risk alerts at 11:00 in New York",
    begins=datetime(2026, 11, 17, 16, 0, tzinfo=UTC),  # a Tuesday
    packs=("lav_adaf",),
    steps=STEPS,
)
