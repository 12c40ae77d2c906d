"""Escalation and business continuity of LAV/ADAF: who is told at which minute, and what is done by when."""

import pytest
from tests.acceptance.world import World

from warroom.platform.evidence import check


@pytest.mark.row("L15")
async def test_a_p0_climbs_the_technical_levels_while_nobody_answers(world: World) -> None:
    await world.alert()
    told = world.saw("lav-adaf-oncall", "Tell L1, the on-call engineers: P0 Market regime feed down")
    assert "Nobody had acknowledged it when this was written" in told
    await world.at("2:00")
    assert "does trading stop?" in world.saw("risk-alerts", "P0 Market regime feed down")
    await world.at("4:59")
    assert world.said("lav-adaf-engineering") == []
    await world.at("5:00")
    world.saw("lav-adaf-engineering", "Escalate to L2, the senior engineers")
    assert {"Raj Patel", "Mei Tanaka"} <= set(world.paged("5:00"))
    await world.at("14:59")
    assert world.count("lav-adaf-architecture", "Escalate to L3") == 0
    await world.at("15:00")
    world.saw("lav-adaf-architecture", "Escalate to L3, the system architects")
    assert "Lukas Weber" in world.paged("15:00")


@pytest.mark.row("L15")
async def test_who_answers_in_time_spares_the_next_levels(world: World) -> None:
    await world.alert()
    await world.at("1:00")
    await world.clicks("mei", "Acknowledge", "war-room")
    await world.at("4:00")
    await world.types("mei", world.room, "/incident note The feed handler died")
    await world.at("16:00")
    assert world.count("lav-adaf-engineering", "Escalate to L2") == 0
    assert world.count("lav-adaf-architecture", "Escalate to L3") == 0
    assert "Escalate to L2, the senior engineers · warroom · not needed (acknowledged)" in world.panel


@pytest.mark.slow
@pytest.mark.row("L15")
async def test_a_p1_reaches_the_senior_engineers_after_15_minutes_and_the_architects_after_an_hour(
    evening: World,
) -> None:
    await evening.alert()
    evening.saw("lav-adaf-oncall", "Tell L1")
    await evening.at("14:59")
    assert evening.said("lav-adaf-engineering") == []
    await evening.at("15:00")
    evening.saw("lav-adaf-engineering", "Escalate to L2")
    await evening.at("60:00")
    evening.saw("lav-adaf-architecture", "Escalate to L3")


@pytest.mark.row("L15")
async def test_contacts_prints_every_level_the_business_and_the_vendors(world: World) -> None:
    await world.alert()
    answer = await world.types("ana", world.room, "/incident contacts")
    for words in (
        "On-call engineer (L1) · #lav-adaf-oncall",
        "Senior engineers (L2) · #lav-adaf-engineering · +1-202-555-0102",
        "System architects (L3) · #lav-adaf-architecture",
        "Risk management (business) · #risk-alerts · +1-202-555-0105",
        "Compliance officer (business) · #compliance-emergency",
        "Executive team (business) · #executive-emergency",
        "Infrastructure (AWS/GCP), support (vendor)",
        "Infrastructure (AWS/GCP), technical account manager (vendor)",
        "Security vendors, support (vendor)",
        "Security vendors, emergency (vendor)",
        "Exchanges and venues (vendor)",
    ):
        assert words in answer.text


@pytest.mark.row("L15")
@pytest.mark.row("L16")
async def test_a_breach_tells_compliance_and_executives_at_once_and_runs_in_three_phases(world: World) -> None:
    await world.alert("Unauthorised access to the order gateway")
    notice = world.saw("compliance-emergency", "Security breach: Unauthorised access to the order gateway")
    assert notice == world.saw("executive-emergency", "Security breach")
    assert "Omar Haddad" in world.paged()
    assert "Disconnect the affected systems (Security lead), due by 14:36 UTC" in world.saw(
        world.room, ":point_right:", "Disconnect"
    )
    assert check(world.attachment("step-breach_evidence.zip")) == []  # sealed before the fifth minute
    await world.at("4:00")
    disconnect = "/incident step done breach_disconnect"
    await world.types("ana", world.room, disconnect)
    await world.at("5:00")
    for title in ("Determine the scope of the breach", "Identify compromised data", "Assess ongoing threats"):
        world.saw(world.room, ":point_right:", title, "due by 15:01 UTC")
    await world.at("29:59")
    assert world.count(world.room, ":point_right:", "Notify authorities if required") == 0
    await world.at("30:00")
    for title in ("Determine the scope of the breach", "Identify compromised data", "Assess ongoing threats"):
        world.saw(world.room, f"LATE: {title}")
    for title in ("Execute the incident response plan", "Notify authorities", "Implement additional controls"):
        world.saw(world.room, ":point_right:", title)
    await world.types("omar", world.room, "/incident step skip breach_authorities No client data was touched")
    assert "Notify authorities if required · Compliance officer · skipped: No client data was touched" in world.panel


@pytest.mark.row("L16")
async def test_a_complete_failure_goes_to_manual_trading_by_two_people(
    world: World,
) -> None:
    await world.alert("Complete system failure: nothing answers")
    assert "Playbook: Complete system failure" in world.saw(world.room, "Playbook:")
    assert "0 of 4 done" in world.saw(world.room, "Manual trading", "Tick with the buttons")
    await world.types("rita", world.room, "/incident action manual-mode Nothing answers")
    await world.clicks("rita", "Ask for approval")
    assert not world.sandbox.platform.manual_mode
    await world.clicks("clara", "Approve", world.room)
    assert world.sandbox.platform.manual_mode
    assert "Activate manual trading procedures · Risk manager · done" in world.panel
    await world.clicks("rita", "2. Orders are placed by hand through broker terminals", world.room)
    await world.at("15:00")
    world.saw(world.room, "LATE: Notify all counterparties")
    world.saw(world.room, "LATE: Positions are monitored via the backup systems")
    world.saw(world.room, ":point_right:", "Assess the scope of the failure", "due by 15:31 UTC")
    assert "Restore from backups · Technical lead · from 15:31 UTC" in world.panel  # one hour after; until four


@pytest.mark.row("L16")
async def test_manual_trading_can_be_chosen_as_a_playbook_of_its_own(evening: World) -> None:
    await evening.types("rita", "war-room", "/incident declare P1 Manual trading until the venues are back")
    assert "Playbook: Manual trading mode" in evening.saw(evening.room, "Playbook:")
    assert evening.count(evening.room, "Risk is monitored by spreadsheet and by hand") == 1
    evening.saw(evening.room, ":point_right:", "Activate manual trading", "due by 23:15 UTC")
