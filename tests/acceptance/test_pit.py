"""The point-in-time pack through Slack: automatic containment, matrices, diagnostics, remediation, messages."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
import yaml
from tests.acceptance.world import World, a_world
from tests.store.databases import postgresql

SERVICE = "pit-contracts"
MESSAGES = ("pit-engineering", "pit-management", "risk-alerts", "customer-success")


@pytest.fixture
async def pit(folder: Path) -> AsyncIterator[World]:
    """The point-in-time platform with its bot, actions live."""
    async with a_world(folder, packs=["pit"]) as world:
        yield world


async def approves(world: World, who: str) -> None:
    answer = await world.clicks(who, "Approve", world.room)
    assert "You approved" in answer.text, answer.text


async def orders(world: World, who: str, text: str, button: str = "Order it now") -> None:
    await world.types(who, world.room, f"/incident action {text}")
    await world.clicks(who, button)


@pytest.mark.row("P1")
@pytest.mark.parametrize(
    ("title", "severity", "within"),
    [
        ("Future information leakage in momentum_20d", "P0", "5 m"),
        ("Contract violation in momentum_20d", "P1", "15 m"),
        ("Timestamp drift in momentum_20d", "P2", "1 h"),
        ("Documentation gap for momentum_20d", "P3", "1 d"),
    ],
)
async def test_an_alert_of_pagerduty_gets_its_level_and_its_response_clock(
    pit: World, title: str, severity: str, within: str
) -> None:
    await pit.alert(title, SERVICE)
    pit.saw("pit-incidents", f"{severity} VIOLATION", title)
    assert within in pit.panel.partition("Respond")[2].partition("running")[0]


@pytest.mark.row("P2")
@pytest.mark.row("P3")
async def test_a_critical_violation_stops_all_trading_signals_within_thirty_seconds(pit: World) -> None:
    await pit.reports(pit.violation())
    assert pit.clock.now() - pit.began < timedelta(seconds=30)
    assert pit.sandbox.pit.stopped is not None
    assert pit.sandbox.pit.stopped["reason"] == "automatic rule: Activate the circuit breaker"
    pit.saw("pit-incidents", "Stop all trading signals: CONFIRMED")
    assert ":white_check_mark: Activate the circuit breaker · warroom" in pit.panel
    assert pit.sandbox.pit.count("signals/stop") == 1


@pytest.mark.row("P2")
async def test_a_stop_that_does_not_take_effect_is_never_shown_as_done(pit: World) -> None:
    pit.sandbox.pit.signals_deaf = True
    await pit.reports(pit.violation())
    await pit.at("1:00")
    assert pit.count(pit.room, "CONFIRMED") == 0
    assert ":red_circle: Activate the circuit breaker" in pit.panel
    assert "Rita Okafor" in pit.paged()


@pytest.mark.row("P2")
async def test_a_high_violation_quarantines_the_feature_within_thirty_seconds(pit: World) -> None:
    await pit.reports(pit.violation(type="historical_data_corruption"))
    assert pit.clock.now() - pit.began < timedelta(seconds=30)
    feature = pit.sandbox.pit.feature("momentum_20d")
    assert (feature.status, pit.sandbox.pit.stopped) == ("DISABLED", None)
    (call,) = pit.sandbox.pit.calls
    assert call["body"] == {"feature_name": "momentum_20d", "reason": "PIT_QUARANTINE"}
    pit.saw(pit.room, "Quarantine the feature", "CONFIRMED")


@pytest.mark.row("P2")
async def test_a_medium_violation_raises_monitoring_and_books_a_review(pit: World) -> None:
    await pit.reports(pit.violation(type="timestamp_drift"))
    assert pit.sandbox.pit.feature("momentum_20d").monitoring == "enhanced"
    (review,) = (pit.folder / "data" / "reviews" / "pit-reviews.jsonl").read_text().splitlines()
    assert json.loads(review)["incident"] == "INC-2026-0001"
    assert pit.sandbox.pit.stopped is None


@pytest.mark.row("P2")
async def test_automatic_rules_obey_the_switch_for_actions(folder: Path) -> None:
    async with a_world(folder, packs=["pit"], actions="dry_run") as world:
        await world.reports(world.violation())
        assert world.sandbox.pit.calls == []
        assert "DRY RUN" in "\n".join(world.said(world.room))


@pytest.mark.row("P3")
async def test_the_third_high_violation_in_five_minutes_stops_all_signals(pit: World) -> None:
    for moment, ident in (("0:00", "h-1"), ("2:30", "h-2")):
        await pit.at(moment)
        await pit.reports(pit.violation(ident, type="contract_violation"))
    assert pit.sandbox.pit.stopped is None
    await pit.at("5:00")
    await pit.reports(pit.violation("h-3", type="contract_violation"))
    assert pit.sandbox.pit.stopped is not None
    assert len(pit.rooms) == 1


@pytest.mark.row("P4")
async def test_the_emergency_team_is_on_the_panel_and_in_the_room(pit: World) -> None:
    await pit.reports(pit.violation())
    for line in (
        "Technical lead: @Lukas Weber",
        "Domain expert: @Mei Tanaka",
        "Communications lead: @Ana Souza",
        "Risk assessment: @Rita Okafor",
    ):
        assert line in pit.panel
    await pit.types("clara", pit.room, "/incident assign domain_expert <@U0SANDBX02>")
    assert "Domain expert: @Raj Patel" in pit.panel


@pytest.mark.row("P4")
async def test_the_standard_team_answers_a_medium_violation(pit: World) -> None:
    await pit.reports(pit.violation(type="arrival_delay"))
    for line in (
        "Primary engineer: @Mei Tanaka",
        "Data engineer: @",
        "QA engineer: @Ana Souza",
        "Documentation lead: @Ana",
    ):
        assert line in pit.panel


@pytest.mark.row("P5")
@pytest.mark.row("P11")
async def test_the_p0_matrix_minute_by_minute(pit: World) -> None:
    await pit.reports(pit.violation())
    assert set(pit.paged()) <= {"Ana Souza"}  # whoever PagerDuty has on call
    await pit.at("1:00")
    assert {"Raj Patel", "Lukas Weber", "Mei Tanaka", "Rita Okafor"} <= set(pit.paged("1:00"))
    await pit.at("2:00")
    pit.saw(pit.room, ":point_right:", "Assign the incident commander (On-call manager), due by 14:36")
    await pit.at("4:59")
    assert "Clara Jensen" not in pit.paged()
    await pit.at("5:00")
    assert "Clara Jensen" in pit.paged("5:00")
    pit.saw("executive-emergency", "P0 for the executives")
    pit.saw(pit.room, "LATE: Assign the incident commander")
    await pit.at("10:00")
    pit.saw(pit.room, ":point_right:", "Prepare the regulatory notification (Legal team), due by 14:46")
    await pit.at("15:00")
    pit.saw(pit.room, "LATE: Prepare the regulatory notification")
    assert "Omar Haddad" in pit.paged("15:00")
    pit.saw(pit.room, ":point_right:", "Prepare the communication to customers (Customer success), due by 15:01")
    await pit.at("30:00")
    pit.saw(pit.room, ":point_right:", "Prepare public disclosure, if required")


@pytest.mark.row("P5")
@pytest.mark.row("P11")
async def test_the_p1_matrix_and_the_escalation_to_the_management(pit: World) -> None:
    await pit.reports(pit.violation(type="contract_violation"))
    await pit.at("5:00")
    pit.saw("pit-engineering", "P1 for engineering")
    await pit.at("10:00")
    pit.saw(pit.room, ":point_right:", "Assign the technical lead (Engineering manager), due by 14:46")
    assert "Clara Jensen" not in pit.paged()
    await pit.at("15:00")
    assert "Clara Jensen" in pit.paged("15:00")
    pit.saw(pit.room, ":point_right:", "Begin the root cause analysis (Technical lead")
    await pit.at("30:00")
    pit.saw(pit.room, ":point_right:", "Develop the remediation plan")
    await pit.at("60:00")
    pit.saw(pit.room, ":point_right:", "Implement and test")


@pytest.mark.row("P11")
async def test_management_is_left_alone_when_somebody_has_acknowledged(pit: World) -> None:
    await pit.reports(pit.violation(type="contract_violation"))
    await pit.types("ana", pit.room, "/incident ack")
    await pit.at("16:00")
    assert "Clara Jensen" not in pit.paged()


@pytest.mark.row("P6")
async def test_the_first_five_minutes_are_assessed_by_itself(pit: World) -> None:
    pit.sandbox.pit.leak("momentum_20d")
    await pit.reports(pit.violation())
    table = pit.saw(pit.room, "Diagnostics: assessment")
    for title in (
        "Emergency report",
        "Violations of the last hour (20)",
        "PIT compliance of the feature",
        "All feature contracts",
    ):
        assert title in table
    assert table.count("status is violated, expected compliant") == 3
    assert "contract broken: momentum_20d" in pit.file("step-p0_assessment.txt")
    answer = await pit.types("ana", pit.room, "/diagnostics assessment")
    assert answer.ok
    assert pit.count(pit.room, "Diagnostics: assessment") == 2


@pytest.mark.row("P8")
async def test_the_impact_is_asked_for_shown_and_told(pit: World) -> None:
    await pit.reports(pit.violation())
    asked = pit.saw(pit.room, "Say what is affected")
    for part in (
        "Trading strategies affected",
        "Potential financial impact",
        "Regulatory reporting implications",
        "Customer communication needed",
        "System stability",
        "Data integrity",
        "Feature availability",
        "Monitoring coverage",
    ):
        assert part in asked
    await pit.types("rita", pit.room, "/incident set strategies momentum, carry")
    await pit.types("rita", pit.room, "/incident set financial_impact about 120k USD")
    assert "Trading strategies affected: momentum, carry" in pit.panel
    await pit.at("5:00")
    told = pit.saw("executive-emergency", "P0 for the executives")
    assert "strategies: momentum, carry" in told
    assert "Financial impact: about 120k USD" in told
    await pit.types("raj", pit.room, "/incident postmortem")
    assert "about 120k USD" in pit.file("postmortem.md")


@pytest.mark.row("P9")
async def test_containment_verification_and_restoration_at_ten_percent(pit: World) -> None:
    platform = pit.sandbox.pit
    platform.leak("momentum_20d")
    await pit.reports(pit.violation())
    feature = platform.feature("momentum_20d")
    await orders(pit, "mei", "emergency-disable It leaks")
    assert feature.status == "DISABLED"
    await orders(pit, "mei", "disable-cascade It leaks")
    assert feature.dependents_disabled
    pit.saw(pit.room, "Stop all dependent calculations: CONFIRMED")

    await pit.types("mei", pit.room, "/diagnostics verification")
    table = pit.saw(pit.room, "Diagnostics: verification")
    assert ":red_circle:" not in table
    assert "96 rows since 2026-11-17T14:31:00+00:00 differ" in pit.file(".txt")

    await orders(pit, "lukas", "restore-data Back to the last clean state", "Ask for approval")
    assert feature.restored_from == ""
    await approves(pit, "rita")
    assert feature.restored_from == "pre_violation_checkpoint"

    await orders(pit, "mei", "gradual-enable The fix is in", "Ask for approval")
    assert feature.status == "DISABLED"
    refused = await pit.clicks("mei", "Approve", pit.room)
    assert "You asked for" in refused.text
    await approves(pit, "lukas")
    assert (feature.status, feature.traffic_percentage) == ("PARTIAL", 10)
    assert platform.calls[-1]["body"] == {"feature_name": "momentum_20d", "traffic_percentage": 10}
    pit.saw(pit.room, "Re-enable the feature step by step: CONFIRMED")

    await pit.types("mei", pit.room, "/diagnostics restoration")
    assert ":red_circle:" not in pit.saw(pit.room, "Diagnostics: restoration")


@pytest.mark.row("P9")
async def test_a_share_out_of_bounds_is_refused(pit: World) -> None:
    await pit.reports(pit.violation())
    answer = await pit.types("mei", pit.room, "/incident action gradual-enable traffic_percentage=101 All of it")
    assert "100" in answer.text
    assert pit.sandbox.pit.count("gradual-enable") == 0


@pytest.mark.row("P9")
async def test_a_high_violation_brings_its_three_steps_as_a_checklist(pit: World) -> None:
    await pit.reports(pit.violation(type="contract_violation"))
    board = pit.saw(pit.room, "Remediation of a high violation", "1. Preserve existing data")
    for item in ("2. Identify the root cause", "2. Develop and test the fix", "3. Test comprehensively in staging"):
        assert item in board


@pytest.mark.row("P13")
async def test_each_audience_inside_is_told_and_outsiders_only_after_approval(pit: World) -> None:
    await pit.reports(pit.violation())
    await pit.at("5:00")
    for channel, audience in zip(MESSAGES, ("engineering", "management", "risk", "customer success"), strict=True):
        pit.saw(channel, f"P0 for {audience}")
    await pit.at("15:00")
    mails = pit.sandbox.mail.mails
    assert not [m for m in mails if "outside.example" in str(m.recipients)]
    pit.saw(pit.room, "Message to Regulatory bodies", "waits for the approval")
    refused = await pit.clicks("mei", "Approve", pit.room)
    assert "You approved" not in refused.text
    await approves(pit, "omar")
    (sent,) = [m for m in mails if m.recipients == ["regulators@outside.example"]]
    assert "INC-2026-0001" in sent.text
    await pit.at("30:00")
    pit.saw(pit.room, "Message to Customers", "waits for the approval", "Exactly this")
    pit.saw(pit.room, "Message to Partners", "waits for the approval", "Exactly this")
    assert not [m for m in mails if "customers@outside.example" in m.recipients]


TABLES = """
CREATE TABLE pit_violations (id serial, service_name text, feature_name text, violation_type text, description text,
  detected_at timestamptz, as_of_timestamp timestamptz, timestamp timestamptz);
CREATE TABLE feature_data (feature_name text, timestamp timestamptz, status text);
INSERT INTO pit_violations (service_name, feature_name, violation_type, description, detected_at, as_of_timestamp,
  timestamp)
  SELECT 'feature-store', 'momentum_20d', kind, 'window; too long', now() - minutes * interval '1 minute',
    now(), now() - interval '90 seconds'
  FROM (VALUES ('leak', 5), ('leak', 10), ('drift', 20), ('drift', 600)) AS seen (kind, minutes);
INSERT INTO feature_data SELECT 'momentum_20d', TIMESTAMPTZ '2026-11-17 14:31:00+00' + n * interval '1 minute', 'OK'
  FROM generate_series(-2, 3) AS n;
"""


@pytest.mark.slow
@pytest.mark.row("P7")
@pytest.mark.row("P9")
async def test_the_queries_of_the_investigation_and_the_quarantine_of_data_run_on_postgresql(folder: Path) -> None:
    async with postgresql(migrated=False) as url:
        database = await asyncpg.connect(url)
        await database.execute(TABLES)

        def bind(environ: dict[str, str]) -> None:
            config = Path(environ["WARROOM_CONFIG"])
            deployment = yaml.safe_load(config.read_text())
            deployment["packs"]["pit"]["databases"] = {"pit": "env:PIT_DATABASE"}
            config.write_text(yaml.safe_dump(deployment))
            environ["PIT_DATABASE"] = url.replace("postgresql:", "postgresql+asyncpg:")

        async with a_world(folder, packs=["pit"], change=bind) as world:
            await world.reports(world.violation())
            assert "3 rows" in world.saw(world.room, "Diagnostics: assessment")
            await world.types("lukas", world.room, "/diagnostics investigation")
            assert ":red_circle:" not in world.saw(world.room, "Diagnostics: investigation")
            raw = world.file(".txt")
            patterns = raw.partition("=== Features with")[0]
            assert "avg_time_diff" in patterns
            assert "90" in patterns
            assert "drift, leak" in raw
            assert "window; too long" in raw
            await orders(world, "mei", "quarantine-data It leaks", "Ask for approval")
            await approves(world, "lukas")
            world.saw(world.room, "Quarantine the affected data: CONFIRMED")
            rows = await database.fetch("SELECT status, count(*) FROM feature_data GROUP BY status ORDER BY status")
            assert [tuple(row) for row in rows] == [("OK", 2), ("QUARANTINED", 4)]
        await database.close()


@pytest.mark.row("P7")
async def test_what_the_investigation_collects_is_attached_and_sealed(pit: World) -> None:
    await pit.reports(pit.violation())
    await pit.at("5:00")
    pit.saw(pit.room, "Diagnostics: investigation", "Calculation history and dependencies", "User activity", "Seal")
    raw = pit.file("step-p0_investigation.txt")
    for part in ("lookahead", "batch 4711", "p99_ms", "deployed feature-store 7.3"):
        assert part in raw


@pytest.mark.row("P2")
async def test_the_breaker_acts_again_when_its_stop_has_failed_and_it_trips_once_more(pit: World) -> None:
    pit.sandbox.pit.signals_deaf = True
    await pit.reports(pit.violation("v-1"))
    await pit.at("6:00")
    assert pit.sandbox.pit.stopped is None
    pit.sandbox.pit.signals_deaf = False
    await pit.reports(pit.violation("v-2", feature="carry_5d"))
    assert pit.sandbox.pit.stopped is not None
    assert pit.sandbox.pit.count("signals/stop") == 2
    await pit.reports(pit.violation("v-3", feature="value_1y"))
    assert pit.sandbox.pit.count("signals/stop") == 2  # what is stopped stays stopped


@pytest.mark.row("P2")
async def test_every_feature_with_a_high_violation_is_quarantined_and_each_once(pit: World) -> None:
    for number, feature in enumerate(("f_one", "f_two", "f_two")):
        await pit.reports(pit.violation(f"h-{number}", type="historical_data_corruption", feature=feature))
        await pit.passes(minutes=6)
    called = [c["body"] for c in pit.sandbox.pit.calls if "emergency-disable" in c["endpoint"]]
    assert [body["feature_name"] for body in called] == ["f_one", "f_two"]


async def test_a_p0_that_somebody_declares_stops_nothing_by_itself(pit: World) -> None:
    await pit.types("ana", "pit-incidents", "/incident declare P0 Signals look odd")
    await pit.at("0:30")
    assert pit.sandbox.pit.count("signals/stop") == 0
