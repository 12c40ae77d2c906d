"""A security breach in its phases: isolation until minute 5, assessment until minute 30, response from then on."""

from datetime import UTC, datetime

from warroom.sandbox.acts import alert, bot_said, expect, paged, press, resolve, type_command
from warroom.sandbox.scenario import Scenario, Step, Story


def sealed(story: Story) -> bool:
    """A sealed archive of evidence was uploaded."""
    return any(str(file["name"]).endswith(".zip") for file in story.sandbox.slack.files.values())


def done(step: str) -> str:
    """What is typed when a step is done."""
    return f"step done {step}"


STEPS = (
    Step(
        "0:05",
        "monitoring",
        "a login that nobody can explain pages Ana",
        alert(
            "lav-adaf-executioner",
            "Unauthorised access to the order gateway",
            key="breach",
            details={"security_breach": True, "account": "svc-router"},
        ),
    ),
    Step(
        "0:30",
        "omar",
        "reads the notice for compliance and is called",
        expect(
            "the notice in #compliance-emergency and a call",
            lambda s: (
                bot_said("0:00", channel="compliance-emergency", words=("security breach",))(s) and paged("omar")(s)
            ),
        ),
    ),
    Step(
        "0:50",
        "clara",
        "reads it with the executives",
        expect(
            "the notice in #executive-emergency",
            bot_said("0:00", channel="executive-emergency", words=("security breach",)),
        ),
    ),
    Step("1:00", "ana", "acknowledges", press("incident.ack")),
    Step("1:30", "mei", "takes command", press("incident.take")),
    Step("2:00", "ana", "sees that the evidence is sealed", expect("a sealed archive", sealed)),
    Step(
        "2:30", "omar", "writes down what he knows", type_command("/incident", "note svc-router logged in from abroad")
    ),
    Step(
        "3:00",
        "rita",
        "halts trading",
        type_command(
            "/halt",
            "all Orders may not be ours",
            modal="halt",
            confirm="halt.confirm",
            scope="all",
            reason="Orders may not be ours",
        ),
    ),
    Step("4:00", "omar", "disconnects the gateway", type_command("/incident", done("breach_disconnect"))),
    Step(
        "5:40",
        "mei",
        "is asked for the assessment",
        expect("the assessment to begin", bot_said("5:00", words=("determine the scope of the breach",))),
    ),
    Step(
        "12:00",
        "omar",
        "knows the scope",
        type_command("/incident", "note One account, one host, since 07:55; the order gateway was not reached"),
    ),
    Step("12:30", "omar", "has determined the scope", type_command("/incident", done("breach_scope"))),
    Step("18:00", "ana", "has identified the data", type_command("/incident", done("breach_data"))),
    Step("25:00", "mei", "has assessed the threats", type_command("/incident", done("breach_threats"))),
    Step(
        "30:40",
        "omar",
        "is asked whether authorities must be told",
        expect("the response to begin", bot_said("30:00", words=("notify authorities if required",))),
    ),
    Step(
        "33:00",
        "omar",
        "decides",
        type_command("/incident", "step skip breach_authorities No client data was touched"),
    ),
    Step("38:00", "omar", "adds controls", type_command("/incident", done("breach_controls"))),
    Step("39:00", "mei", "has carried out the plan", type_command("/incident", done("breach_plan"))),
    Step(
        "42:00",
        "mei",
        "resolves the incident",
        resolve(
            summary="One service account was misused for an hour; no order and no client data was reached.",
            root_cause="The account's key lay in a build log.",
            actions_taken="Host disconnected, key revoked, evidence sealed, access narrowed.",
        ),
    ),
    Step("45:00", "mei", "reads the post-mortem draft", expect("a draft in the room", bot_said("42:00"))),
)

SCENARIO = Scenario(
    name="security-breach",
    title="somebody is in the order gateway at 9:05 in New York",
    begins=datetime(2026, 11, 17, 14, 5, tzinfo=UTC),  # a Tuesday
    packs=("lav_adaf",),
    steps=STEPS,
)
