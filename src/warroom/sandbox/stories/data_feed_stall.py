"""A market data feed stalls, is restored, backfilled and validated; the communication plan tells of each stage."""

from datetime import UTC, datetime

from warroom.sandbox.acts import alert, bot_said, expect, order, paged, press, resolve, say, switch, type_command
from warroom.sandbox.scenario import Scenario, Step

DETAILS = {
    "trigger": "ingestion lag",
    "markets": ["XNYS"],
    "market": "XNYS",
    "venues": ["NYSE", "ARCA"],
    "gap_start": "2026-11-17T15:10:00Z",
    "stream_lag_seconds": 64,
}


STEPS = (
    Step("0:00", "platform", "the connector of XNYS stalls", switch("market_data", stall=True)),
    Step(
        "1:05",
        "monitoring",
        "the lag alert reaches PagerDuty, which pages Ana",
        alert("market-data", "Ingestion stalled for XNYS", key="stall", details=DETAILS),
    ),
    Step(
        "1:30",
        "ana",
        "reads stage one, detection",
        expect(
            "the announcement in #incidents",
            bot_said("1:00", channel="incidents", words=("data incident", "detected", "markets impacted: xnys")),
        ),
    ),
    Step("1:50", "rita", "is called to the bridge", expect("PagerDuty to call the risk manager", paged("rita"))),
    Step("2:00", "mei", "acknowledges", press("incident.ack")),
    Step("2:20", "mei", "names the symbols", type_command("/incident", "set symbols IBM, GE")),
    Step("3:00", "raj", "takes command", press("incident.take")),
    Step("3:30", "raj", "gives an estimate", type_command("/incident", "set eta 10:35 New York")),
    Step("4:00", "mei", "pauses the consumers", order("pause-consumers The feed of XNYS stands still")),
    Step(
        "5:00",
        "clara",
        "reads stage two, containment, which also comes by e-mail",
        expect(
            "the containment in #leadership-tech and by e-mail",
            lambda s: (
                bot_said("4:00", channel="leadership-tech", words=("ingestion paused for xnys",))(s)
                and s.sandbox.mail.mails
            ),
        ),
    ),
    Step("5:30", "lukas", "freezes promotions", order("freeze-promotions The feed of XNYS stands still")),
    Step("6:30", "mei", "opens a case", type_command("/incident", "vendor CF-4711 Session dropped by the vendor")),
    Step("7:00", "mei", "checks the upstream", type_command("/diagnostics", "upstream")),
    Step("8:00", "mei", "re-seeds the connector", order("reseed Network and token are fine")),
    Step(
        "9:30",
        "mei",
        "sees the lag fall",
        expect("a healthy lag", bot_said("8:00", words=("streaming lag under 60 seconds: healthy",))),
    ),
    Step("10:00", "mei", "records the restart", order("record-restart Lag is under 60 seconds")),
    Step("10:30", "mei", "closes the gap", type_command("/incident", "set gap_end 2026-11-17T15:19:00Z")),
    Step("11:00", "mei", "starts the backfill", order("backfill Nine minutes of XNYS are missing")),
    Step(
        "11:40",
        "dana",
        "reads stage three, recovery start",
        expect(
            "the backfill in #trading-ops",
            bot_said("11:00", channel="trading-ops", words=("backfill initiated for xnys covering",)),
        ),
    ),
    Step("12:00", "dana", "asks for the desk", say("Can we quote XNYS again before 10:35?")),
    Step("14:00", "mei", "compares the counts", type_command("/diagnostics", "reconciliation")),
    Step("14:30", "mei", "promotes to staging", order("promote-staging Counts match the vendor's")),
    Step("15:00", "lukas", "runs the quality suite", type_command("/diagnostics", "quality")),
    Step("15:30", "lukas", "compares the indicators", type_command("/diagnostics", "indicators")),
    Step("16:00", "mei", "asks to promote to production", order("promote-production Counts and suite are green")),
    Step("16:30", "lukas", "approves", press("approval.approve")),
    Step("17:00", "lukas", "ticks the last item", type_command("/incident", "checklist revalidation dashboard")),
    Step(
        "17:40",
        "dana",
        "reads stage four, validation pass",
        expect(
            "the validation in #trading-ops",
            bot_said("17:00", channel="trading-ops", words=("data restored and validated, resuming normal ops",)),
        ),
    ),
    Step("18:00", "rita", "approves the words for the status page", press("approval.approve")),
    Step(
        "18:40",
        "rita",
        "sees them on the status page",
        expect("a notice on the status page", lambda s: s.sandbox.status_page.incidents),
    ),
    Step("19:00", "mei", "lets the consumers read again", order("resume-consumers The data is validated")),
    Step("19:30", "lukas", "opens promotions again", order("unfreeze-promotions The data is validated")),
    Step("20:00", "lukas", "signs the signals off", type_command("/incident", "gate exit", confirm="gate.sign:4")),
    Step(
        "20:30",
        "mei",
        "writes the root cause down",
        type_command("/incident", "set root_cause The vendor dropped the session; the connector did not reconnect"),
    ),
    Step(
        "21:00", "mei", "and what follows", type_command("/incident", "set actions Reconnect by itself, alert at 30 s")
    ),
    Step("21:30", "mei", "and whose it is", type_command("/incident", "set owners Mei Tanaka")),
    Step(
        "22:00",
        "raj",
        "resolves the incident",
        resolve(
            summary="XNYS stood still for nine minutes; everything is backfilled and validated.",
            root_cause="The vendor dropped the session; the connector did not reconnect.",
            actions_taken="Consumers paused, connector re-seeded, nine minutes backfilled, data validated.",
        ),
    ),
    Step("25:00", "raj", "reads the post-mortem draft", expect("a draft in the room", bot_said("22:00"))),
    Step("26:00", "raj", "publishes the retrospective", type_command("/incident", "milestone reviewed")),
    Step(
        "26:40",
        "clara",
        "reads stage five on the wiki",
        expect("the retrospective on the wiki", lambda s: s.sandbox.wiki.pages),
    ),
)

SCENARIO = Scenario(
    name="data-feed-stall",
    title="a market data feed stalls at 10:10 in New York",
    begins=datetime(2026, 11, 17, 15, 10, tzinfo=UTC),  # a Tuesday
    packs=("market_data",),
    steps=STEPS,
)
