"""Checklists, gates and roles through Slack: ticked by button, proved by readings, resolving gated, roles from groups.

lav_adaf has none of them, so its pack is rewritten here.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

from warroom.domain.policy import Checklist, Gate, Pack, Role, Team
from warroom.domain.procedures import Criterion, Item
from warroom.sandbox.pagerduty_shapes import user_ref

READINGS = "evidence"
ITEMS = (
    Item(id="desk", title="Notify the trading desk", owner="risk_manager", within=timedelta(minutes=5)),
    Item(id="evidence", title="Collect evidence", done_on=(f"probes:{READINGS}",)),
    Item(id="cause", title="Identify the root cause"),
)
CRITERIA = (
    Criterion(title="Checklist complete", checklist="during"),
    Criterion(title="Desk approves", sign_off=("risk_managers",)),
)
RISK = Role(title="Risk manager", duty="Decides about halting.", group="risk_managers")


def gated(pack: Pack) -> Pack:
    """lav_adaf with a checklist that begins by itself, a gate before resolving, and a role filled from a group."""
    return replace(
        pack,
        checklists={"during": Checklist(title="During market hours", items=ITEMS, at="declared", market="open")},
        gates={"fit": Gate(title="Fit to trade", criteria=CRITERIA)},
        roles={**pack.roles, "risk_manager": RISK},
        teams={"emergency": Team(title="Emergency", severities=("P0",), roles=("commander", "risk_manager"))},
    )


@pytest.fixture
async def firm(folder: Path) -> AsyncIterator[World]:
    """Tuesday morning, an alert has just opened a P0."""
    async with a_world(folder, rewrite=gated) as world:
        await world.alert()
        yield world


def checklist(world: World) -> str:
    """The checklist in the room as it reads now; there is only one."""
    return world.saw(world.room, "During market hours", "Tick with the buttons")


async def test_a_checklist_is_put_up_and_ticked_by_button_with_who_and_when(firm: World) -> None:
    assert "0 of 3 done." in checklist(firm)
    answer = await firm.clicks("ana", "1. Notify the trading desk", firm.room)
    assert "“Notify the trading desk” is ticked, 1 of 3" in answer.text
    assert "Notify the trading desk · @Ana Souza, 14:31 UTC" in checklist(firm)
    assert "1 of 3 done." in checklist(firm)
    await firm.passes(minutes=2)
    assert "Checklist During market hours: 1 of 3" in firm.panel
    again = await firm.types("mei", firm.room, "/incident checklist during desk")
    assert "“Notify the trading desk” was ticked by Ana Souza already (14:31 UTC). Nothing was changed." in again.text
    assert firm.facts("ItemDone") == 1


async def test_readings_tick_their_item_and_a_late_one_names_its_owner(firm: World) -> None:
    await firm.types("ana", firm.room, f"/diagnostics {READINGS}")
    assert "Collect evidence · warroom, 14:31 UTC (readings collected)" in checklist(firm)
    await firm.at("5:00")
    late = firm.saw(firm.room, "LATE: Notify the trading desk")
    assert "Risk manager (@Rita Okafor) had until 14:36 UTC." in late
    assert "LATE Notify the trading desk" in checklist(firm)
    assert "1 of 3, 1 late" in firm.panel
    await firm.clicks("rita", "Tick it", firm.room)
    assert "2 of 3 done." in checklist(firm)


async def test_the_modal_shows_what_is_unmet_and_resolves_only_when_it_is_met_or_overridden(firm: World) -> None:
    form = await firm.clicks("raj", "Resolve", firm.room)
    assert "✗ Checklist complete: 0 of 3 done; open: Notify the trading desk" in str(form.view)
    assert "✗ Desk approves: Needs the signature of the risk managers" in str(form.view)
    refused = await firm.fills("raj", summary="Sentinel restarted", root_cause="Disk full")
    assert "Not met yet: Checklist complete" in str(refused.errors)
    assert firm.facts("Resolved") == 0
    done = await firm.fills(
        "raj", summary="Sentinel restarted", root_cause="Disk full", override="Desk agreed by phone"
    )
    assert "Resolved; the notice and the post-mortem draft follow" in str(done.view)
    for where in (firm.room, "war-room"):
        told = firm.saw(where, "overrode “Fit to trade”")
        assert "@Raj Patel overrode “Fit to trade”. Reason: Desk agreed by phone" in told
        assert "Not met: Checklist complete and Desk approves" in told
    assert (firm.facts("GateOverridden"), firm.facts("Resolved")) == (1, 1)
    assert await firm.audited()


async def test_ticked_and_signed_off_it_is_resolved_without_an_override(firm: World) -> None:
    for item in ("desk", "evidence", "cause"):
        await firm.types("ana", firm.room, f"/incident checklist during {item}")
    shown = await firm.types("ana", firm.room, "/incident gate")
    assert "Closed: 1 of 2 met." in shown.text
    denied = await firm.clicks("ana", "Sign off: Desk approves")
    assert "Only the risk managers may do it." in denied.text
    await firm.types("rita", firm.room, "/incident gate fit")
    await firm.clicks("rita", "Sign off: Desk approves")
    assert "Signed off by @Rita Okafor: Desk approves. Fit to trade: 2 of 2 met." in firm.saw(
        firm.room, "Signed off by"
    )
    await firm.clicks("ana", "Resolve", firm.room)
    await firm.fills("ana", summary="Sentinel restarted")
    assert (firm.facts("GateOverridden"), firm.facts("Resolved"), firm.facts("Denied")) == (0, 1, 1)


async def test_resolved_in_pagerduty_the_room_reads_what_was_left_undone(firm: World) -> None:
    pagerduty = firm.sandbox.pagerduty
    pagerduty.resolve(next(iter(pagerduty.incidents.values())), user_ref("PUSRANA"))
    await firm.settles()
    told = firm.saw(firm.room, "although “Fit to trade” was not met")
    assert "Resolved in PagerDuty by Ana Souza" in told
    assert "Not met: Checklist complete and Desk approves" in told


async def test_a_role_is_given_to_the_first_of_its_group_and_told_once(firm: World) -> None:
    told = firm.saw(firm.room, "is Risk manager")
    assert "@Rita Okafor is Risk manager (from the risk managers)." in told
    assert "Another: /incident assign risk_manager @person" in told
    assert "Risk manager: @Rita Okafor" in firm.panel
    assert "Incident commander: nobody yet" in firm.panel


async def test_a_gate_that_closes_while_the_form_is_open_costs_nothing_that_was_typed(folder: Path) -> None:
    def rewrite(pack: Pack) -> Pack:
        gate = Gate(title="Fit to trade", criteria=CRITERIA[1:], severities=("P0",))
        return replace(gated(pack), gates={"fit": gate})

    async with a_world(folder, rewrite=rewrite) as world:
        await world.alert()
        await world.types("raj", world.room, "/incident severity P1 calmer")
        opened = await world.clicks("raj", "Resolve", world.room)
        assert "Fit to trade" not in str(opened.view)
        await world.types("ana", world.room, "/incident severity P0 worse")
        again = await world.fills("raj", summary="Sentinel restarted", root_cause="Disk full")
        assert world.facts("Resolved") == 0
        assert "Not everything holds. Why resolve all the same?" in str(again.view)
        assert "Sentinel restarted" in str(again.view)
        assert "Disk full" in str(again.view)
        await world.fills("raj", override="Desk agreed by phone")
        assert world.rows("SELECT count(*) FROM fact WHERE kind = 'Resolved' AND body LIKE '%Disk full%'") == [(1,)]
