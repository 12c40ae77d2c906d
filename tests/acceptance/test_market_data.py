"""The market data runbook from alert to retrospective, as its people live through it in Slack."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

DETAILS: Mapping[str, object] = {
    "trigger": "ingestion lag",
    "markets": ["XNYS"],
    "market": "XNYS",
    "venues": ["NYSE", "ARCA"],
    "symbols": "IBM, GE",
    "gap_start": "2026-11-17T14:31:00Z",
    "stream_lag_seconds": 64,
}
ID = "INC-2026-0001"


@pytest.fixture
async def firm(folder: Path) -> AsyncIterator[World]:
    """Tuesday 9:31 in New York: nothing is wrong yet."""
    async with a_world(folder, packs=("market_data",)) as world:
        yield world


async def stalls(firm: World) -> None:
    """Ingestion of XNYS stops; the alert comes a minute later."""
    firm.sandbox.market_data.switch("stall", True)
    await firm.at("1:00")
    await firm.alert("Ingestion stalled for XNYS", service="market-data", details=DETAILS)


async def orders(firm: World, who: str, what: str, button: str = "Order it now") -> str:
    """Somebody orders an action, looks at its preview and confirms; gives the preview."""
    preview = await firm.types(who, firm.room, f"/incident action {what}")
    await firm.clicks(who, button)
    return preview.text


def ordered(firm: World) -> list[str]:
    """What the pipeline was asked to change, in order."""
    return [call["endpoint"] for call in firm.sandbox.market_data.calls]


@pytest.mark.row("T1")
async def test_the_scope_is_read_from_the_alert_and_what_is_missing_is_asked_for(firm: World) -> None:
    await firm.alert(
        "Checksum failures", service="market-data", details={"trigger": "checksum failure", "market": "XNYS"}
    )
    assert "because of corrupted data, a checksum failure or a schema mismatch" in firm.said("incidents")[0]
    assert "Playbook: Corrupted payloads" in firm.saw(firm.room, "Playbook")
    asked = firm.saw(firm.room, "Venues affected", "Symbols affected")
    assert "Data missing or wrong from (UTC)" in asked
    assert "Markets impacted" not in asked
    await firm.types("mei", firm.room, "/incident set venues NYSE, ARCA")
    wrong = await firm.types("mei", firm.room, "/incident set gap_start this morning")
    assert "cannot be “this morning”" in wrong.text
    await firm.types("mei", firm.room, "/incident set gap_start 2026-11-17T14:31:00Z")
    assert "Venues affected: NYSE, ARCA" in firm.panel
    assert "Data missing or wrong from (UTC): 2026-11-17T14:31:00Z" in firm.panel
    assert "Venues: NYSE, ARCA" in firm.said("incidents")[0]


@pytest.mark.row("T1")
async def test_a_stall_a_late_vendor_and_a_user_report_have_their_severity_and_playbook(firm: World) -> None:
    for title, details in (
        ("Ingestion stalled for XNYS", DETAILS),
        ("Vendor file of XNYS is late", {"trigger": "late vendor", "market": "XNYS"}),
        ("Strange prices in GE", {"trigger": "user report"}),
    ):
        await firm.alert(title, service="market-data", details=details, urgency="low")
    stall, late, report = firm.said("incidents")
    assert "P1: data incident" in stall
    assert "What happened: Market data has stopped" in stall
    assert "P2: data incident" in late
    assert "What happened: A data vendor delivers late" in late
    assert "P3: data incident" in report
    assert "a user's report that nothing has confirmed yet" in report


@pytest.mark.row("T2")
@pytest.mark.row("T4")
async def test_consumers_are_paused_promotions_frozen_and_batches_quarantined_and_each_can_be_taken_back(
    firm: World,
) -> None:
    await stalls(firm)
    preview = await orders(firm, "mei", "pause-consumers Ingestion stalled")
    assert "POST pipeline/control-plane/consumers/all/pause" in preview
    assert firm.sandbox.market_data.paused == {"feature_store_writers", "backtest_exporters"}
    assert "CONFIRMED" in firm.saw(firm.room, "Pause the downstream consumers: CONFIRMED")
    await orders(firm, "mei", "freeze-promotions Ingestion stalled")
    await orders(firm, "mei", "quarantine-batches Bad batches")
    held = firm.sandbox.market_data.quarantines["XNYS"]
    assert (held.bucket, held.tag) == ("s3://tradepulse-data/quarantine/", ID)
    closed = await firm.types("mei", firm.room, "/incident action resume-consumers Enough")
    assert "Not yet" in closed.text
    assert "The data is validated" in closed.text
    await orders(firm, "mei", "end-quarantine They are sound")
    assert firm.sandbox.market_data.quarantines == {}
    refused = await firm.types("tom", firm.room, "/incident action pause-consumers No")
    assert "data engineers" in refused.text
    assert firm.count(firm.room, "Freeze strategy promotions · Quant on call · done") == 1


@pytest.mark.row("T2")
async def test_a_control_plane_that_is_down_never_counts_as_paused(firm: World) -> None:
    await stalls(firm)
    firm.sandbox.market_data.switch("control_plane_down", True)
    await orders(firm, "mei", "pause-consumers Ingestion stalled")
    assert firm.count(firm.room, "Pause the downstream consumers: CONFIRMED") == 0
    assert firm.said("leadership-tech") == []


@pytest.mark.row("T4")
async def test_the_live_trading_team_is_asked_for_the_kill_switch_and_vendors_are_kept_by_number(firm: World) -> None:
    await stalls(firm)
    await firm.types("mei", firm.room, "/incident severity P0 live strategies trade on it")
    await firm.at("6:30")
    asked = firm.saw("trading-ops", "does live trading stop?")
    assert "@Tom Fischer" in asked
    assert "Markets: XNYS" in asked
    await firm.clicks("tom", "Done", "trading-ops")
    assert ":white_check_mark: Evaluate the kill switch · Live trading · done" in firm.panel
    await firm.types("mei", firm.room, "/incident vendor CF-4711 Feed handler restarted")
    timeline = await firm.types("mei", firm.room, "/incident timeline")
    assert "Vendor CF-4711: Feed handler restarted" in timeline.text


@pytest.mark.row("T5")
async def test_ingestion_is_restored_watched_under_its_sla_and_the_restart_recorded(firm: World) -> None:
    await stalls(firm)
    firm.sandbox.market_data.switch("token_expired", True)
    await firm.at("2:00")
    firm.saw(firm.room, "Streaming lag under 60 seconds: NOT HEALTHY")
    await firm.types("mei", firm.room, "/diagnostics upstream")
    assert "invalid tokens" in firm.saw(firm.room, "Diagnostics: upstream")
    await orders(firm, "mei", "reseed Try")
    assert "401 from the vendor" in firm.saw(firm.room, "Re-seed the connector: FAILED")
    firm.sandbox.market_data.switch("token_expired", False)
    preview = await orders(firm, "mei", "reseed The token is renewed")
    assert "ingestion --reseed --market XNYS" in preview
    firm.saw(firm.room, "Re-seed the connector: CONFIRMED")
    assert firm.said("trading-ops") == []  # nobody is told of a backfill that nobody ordered
    await firm.passes(minutes=2)
    assert firm.count(firm.room, "Streaming lag under 60 seconds is steady") == 0
    await firm.passes(minutes=2)
    firm.saw(firm.room, "Streaming lag under 60 seconds is steady")
    await orders(firm, "mei", "record-restart Lag is under a minute")
    (line,) = (firm.folder / "data/observability/audit/ingestion_events.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert kept["event"] == "restart_confirmed"
    assert kept["incident"] == ID
    assert kept["market"] == "XNYS"


async def restored(firm: World) -> None:
    """Paused, re-seeded, backfilled and reconciled: what T6 to T9 begin with."""
    await stalls(firm)
    await orders(firm, "mei", "pause-consumers Ingestion stalled")
    await orders(firm, "mei", "reseed Upstream is fine")
    await firm.types("mei", firm.room, "/incident set gap_end 2026-11-17T14:33:00Z")
    preview = await orders(firm, "mei", "backfill Two minutes are missing")
    assert "--start 2026-11-17T14:31:00Z --end 2026-11-17T14:33:00Z --output reports/backfill/INC-2026-0001/" in preview


@pytest.mark.row("T6")
async def test_a_backfill_is_promoted_only_when_its_counts_match_and_to_production_by_two_people(firm: World) -> None:
    await restored(firm)
    await firm.types("mei", firm.room, "/diagnostics reconciliation")
    assert "missing rows" in firm.saw(firm.room, "Diagnostics: reconciliation", "1 of 2 not healthy")
    early = await firm.types("mei", firm.room, "/incident action promote-staging Early")
    assert "Not yet" in early.text
    assert "Rows against the vendor's totals" in early.text
    await firm.passes(minutes=2)
    await firm.types("mei", firm.room, "/diagnostics reconciliation")
    await orders(firm, "mei", "promote-staging Counts match")
    early = await firm.types("mei", firm.room, "/incident action promote-production Early")
    assert "Automated quality suite green" in early.text
    assert "Not read yet" in early.text
    await firm.types("lukas", firm.room, "/diagnostics quality")
    await orders(firm, "mei", "promote-production Suite is green", "Ask for approval")
    own = await firm.clicks("mei", "Approve", firm.room)
    assert "somebody else must approve" in own.text
    assert not firm.sandbox.market_data.backfills[ID].production
    await firm.clicks("lukas", "Approve", firm.room)
    assert firm.sandbox.market_data.backfills[ID].production


@pytest.mark.row("T7")
@pytest.mark.row("T8")
@pytest.mark.row("T9")
async def test_all_five_stages_are_told_and_resolving_waits_for_every_exit_criterion(firm: World) -> None:
    await restored(firm)
    # detection
    assert "P1: data incident INC-2026-0001 detected" in firm.said("incidents")[0]
    assert "Markets impacted: XNYS" in firm.said("incidents")[0]
    (pagerduty,) = firm.sandbox.pagerduty.incidents.values()
    assert "Data incident INC-2026-0001 detected, markets impacted: XNYS" in pagerduty.updates[0]["message"]
    assert {"Dana Brooks", "Rita Okafor", "Ana Souza"} <= set(firm.paged())
    # containment
    firm.saw("leadership-tech", "Ingestion paused for XNYS, ETA not known yet")
    (mail,) = firm.sandbox.mail.mails
    assert sorted(mail.recipients) == ["clara@sandbox.example", "omar@sandbox.example"]
    assert "Ingestion paused for XNYS, ETA not known yet" in mail.text
    # recovery start
    firm.saw("trading-ops", "Backfill initiated for XNYS covering 14:31 UTC to 14:33 UTC")
    # re-validation
    await firm.passes(minutes=2)
    for group in ("reconciliation", "quality", "indicators"):
        await firm.types("lukas", firm.room, f"/diagnostics {group}")
    await orders(firm, "mei", "promote-staging Counts match")
    await orders(firm, "mei", "promote-production Suite is green", "Ask for approval")
    await firm.clicks("rita", "Approve", firm.room)
    assert firm.count("trading-ops", "Data restored and validated") == 0
    await firm.types("lukas", firm.room, "/incident checklist revalidation dashboard")
    # validation pass: the trading desk at once, the public page after somebody has read it
    firm.saw("trading-ops", "Data restored and validated, resuming normal ops")
    assert firm.sandbox.status_page.incidents == []
    await firm.clicks("rita", "Approve", firm.room)
    assert "Data restored and validated" in json.dumps(firm.sandbox.status_page.as_json())
    # exit criteria
    form = await firm.clicks("raj", "Resolve", firm.room)
    for words in ("Batch stable for twice its SLA window", "Strategy teams sign off", "Root cause, actions and owners"):
        assert f"✗ {words}" in str(form.view)
    gate = await firm.types("raj", firm.room, "/incident gate exit")
    for words in ("Backfills reconciled", "Automated quality suite green"):
        assert f":white_check_mark: {words}" in gate.text
    assert ":x: Streaming stable for twice its SLA window: Healthy since" in gate.text
    await firm.fills("raj", summary="Data is back", root_cause="Session lost", actions_taken="Backfilled")
    assert firm.facts("Resolved") == 0
    await firm.at("13:00")
    await firm.types("lukas", firm.room, "/incident gate exit")
    await firm.clicks("lukas", "Sign off: Strategy teams sign off the derived signals")
    await firm.types("mei", firm.room, "/incident set root_cause The feed handler lost its session")
    await firm.types("mei", firm.room, "/incident set actions Reconnect by itself; alert at 30 s")
    await firm.types("mei", firm.room, "/incident set owners Mei Tanaka")
    await firm.types("raj", firm.room, "/incident resolve")
    await firm.fills("raj", summary="Data is back", root_cause="Session lost", actions_taken="Backfilled")
    firm.saw("incidents", "RESOLVED: Market data has stopped")
    # post-mortem ready
    assert firm.sandbox.wiki.pages == {}
    await firm.types("raj", firm.room, "/incident milestone reviewed")
    assert f"Incident {ID} retrospective published" in json.dumps(firm.sandbox.wiki.as_json())
    assert await firm.audited()


@pytest.mark.row("T8")
async def test_a_stage_that_nobody_s_action_reaches_is_said_by_hand_once(firm: World) -> None:
    await stalls(firm)
    wrong = await firm.types("mei", firm.room, "/incident milestone contaned")
    assert "/incident milestone contained" in wrong.text
    await firm.types("mei", firm.room, "/incident milestone contained")
    firm.saw("leadership-tech", "Ingestion paused for XNYS")
    again = await firm.types("mei", firm.room, "/incident milestone contained")
    assert "Nothing was changed" in again.text
    early = await firm.types("mei", firm.room, "/incident milestone reviewed")
    assert "it is reviewed after it is resolved" in early.text
    assert len(firm.sandbox.mail.mails) == 1
