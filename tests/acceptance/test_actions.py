"""Actions on lav_adaf: previewed, approved by somebody else, sent once; halts lifted by two people, or ordered by
breaking the glass."""

from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

from warroom.sandbox import NotOnScreenError

REDUCE = "Reduce positions by 50% within 300 seconds"
ASK = "Ask for approval"
SAFE = pytest.mark.row("S2")


async def ordered(world: World, reason: str = "limits are over 200 %") -> None:
    """Rita asks to reduce positions, in the room of a P0."""
    await world.alert()
    await world.types("rita", world.room, f"/incident action reduce-positions {reason}")
    await world.clicks("rita", ASK)


async def halted(world: World) -> None:
    """Rita halts trading in the room of a P0."""
    await world.alert()
    await world.types("rita", world.room, "/halt all Signals are stale")
    await world.clicks("rita", "Halt trading now")


async def resuming(world: World) -> None:
    """The services are read, and Rita asks to resume."""
    await world.types("ana", world.room, "/diagnostics trading")
    await world.types("rita", world.room, "/halt resume Signals are fresh again")
    await world.clicks("rita", ASK)


@SAFE
async def test_an_extreme_action_takes_two_people_and_is_sent_once(world: World) -> None:
    await world.alert()
    preview = await world.types("rita", world.room, "/incident action reduce-positions limits are over 200 %")
    for part in (
        f"Confirm: {REDUCE}",
        "POST risk_warden/api/emergency/reduce",
        '{"reduction_pct": 0.5, "timeframe": 300}',
        "This cannot be undone.",
        "1 other person (the risk managers and the CTO) must approve within 15 m",
    ):
        assert part in preview.text
    await world.clicks("rita", ASK)
    assert world.sandbox.platform.calls == []
    world.saw(world.room, "Approval needed", REDUCE, "limits are over 200 %", "Rita Okafor", "14:46 UTC")
    assert "waits for approval since 14:31 UTC, asked by Rita Okafor" in world.panel
    world.saw(world.room, "@Clara Jensen: your approval of", REDUCE)

    refused = await world.clicks("rita", "Approve", world.room)
    assert "somebody else must approve it" in refused.text
    assert world.sandbox.platform.calls == []

    said = await world.clicks("clara", "Approve", world.room)
    assert "it goes out now" in said.text
    assert [c["body"]["reduction_pct"] for c in world.sandbox.platform.calls] == [0.5]
    assert world.sandbox.platform.reduction_pct == 0.5
    world.saw(world.room, f"{REDUCE}: CONFIRMED", "approved by: @Clara Jensen")
    world.saw(world.room, f"Approved: {REDUCE}")
    assert world.count(world.room, "Approval needed") == 0
    assert world.facts("ActionRequested") == 1
    assert await world.audited()


@SAFE
async def test_rejected_or_late_nothing_is_sent_and_both_are_told(world: World) -> None:
    await ordered(world)
    await world.clicks("clara", "Reject", world.room)
    await world.fills("clara", reason="Hedge first")
    world.saw(world.room, "rejected by @Clara Jensen", "Hedge first")
    await world.types("rita", world.room, "/incident action reduce-positions still over 200 %")
    await world.clicks("rita", ASK)
    await world.passes(minutes=15)
    world.saw(world.room, f"{REDUCE}: expired, nothing was sent")
    with pytest.raises(NotOnScreenError):
        world.button("clara", "Approve", world.room)
    assert world.sandbox.platform.calls == []


@SAFE
async def test_a_request_outlives_a_restart_and_expires_while_the_bot_is_away(world: World) -> None:
    await ordered(world)
    await world.restarts(minutes=5)
    assert world.count(world.room, "Approval needed") == 1
    await world.clicks("clara", "Approve", world.room)
    assert len(world.sandbox.platform.calls) == 1
    await world.types("rita", world.room, "/incident action reduce-positions once more")
    await world.clicks("rita", ASK)
    await world.restarts(minutes=16)
    world.saw(world.room, f"{REDUCE}: expired, nothing was sent")
    assert len(world.sandbox.platform.calls) == 1


@SAFE
async def test_the_playbooks_button_opens_a_form_whose_second_page_shows_what_is_sent(world: World) -> None:
    await world.alert()
    form = await world.clicks("rita", "Set the market regime by hand for 1 hour", world.room)
    assert "LIVE: this changes the platform." in str(form.view)
    page = await world.fills("rita", reason="Market Sentinel is down")
    assert "POST market_sentinel/api/regime/manual" in str(page.view)
    assert "NORMAL_EXPANSION" in str(page.view)
    assert world.sandbox.platform.calls == []
    done = await world.fills("rita")
    assert "is ordered, not confirmed yet" in str(done.view)
    world.saw(world.room, "Set the market regime by hand for 1 hour: CONFIRMED")
    assert world.times("platform", "POST /market-sentinel/api/regime/manual") == 1


@SAFE
async def test_trading_resumes_through_the_gate_and_by_two_people(world: World) -> None:
    await halted(world)
    closed = await world.types("rita", world.room, "/halt resume Signals are fresh again")
    assert "Not yet: Resume all trading" in closed.text
    assert "Not read yet: /diagnostics trading" in closed.text
    assert ASK not in closed.text
    await resuming(world)
    assert world.sandbox.platform.halt is not None
    await world.clicks("clara", "Approve", world.room)
    assert world.sandbox.platform.halt is None
    for where in (world.room, "war-room", "risk-alerts", "executive-emergency"):
        world.saw(where, "Resume all trading: CONFIRMED", "Trading resumes (all)")
    assert "LIFTED" in world.panel
    assert "trading is halted" not in world.said("war-room")[0]
    status = await world.types("dana", "war-room", "/halt status")
    assert "LIFTED" in status.text
    await world.types("rita", world.room, "/halt all Stale once more")
    await world.clicks("rita", "Halt trading now")
    assert world.sandbox.platform.halt is not None
    assert await world.audited()


@SAFE
async def test_a_halt_of_two_incidents_is_lifted_when_both_ask_and_both_rooms_say_so(world: World) -> None:
    await halted(world)
    await world.types("ana", "random", "/incident declare P0 Orders look wrong")
    ours, theirs = world.rooms
    await world.types("rita", theirs, "/halt all Orders look wrong")
    await world.clicks("rita", "Halt trading now")
    await world.types("ana", ours, "/diagnostics trading")
    await world.types("rita", ours, "/halt resume Signals are fresh again")
    await world.clicks("rita", ASK)
    await world.restarts()
    kept = await world.clicks("clara", "Approve", ours)
    assert "INC-2026-0002 halted trading, too, and nobody there asks to resume" in kept.text
    assert world.sandbox.platform.halt is not None

    await world.types("ana", theirs, "/diagnostics trading")
    await world.types("rita", theirs, "/halt resume Orders are right")
    await world.clicks("rita", ASK)
    await world.clicks("clara", "Approve", ours)
    assert world.sandbox.platform.halt is None
    world.saw(theirs, "The halt of INC-2026-0002 (all) was LIFTED from INC-2026-0001", "approved by: @Clara Jensen")
    world.saw(theirs, "Resume all trading: void, nothing was sent")
    status = await world.types("dana", theirs, "/halt status")
    assert "LIFTED" in status.text
    assert world.facts("HaltLifted", "INC-2026-0002") == 1
    assert await world.audited()


@SAFE
async def test_a_resumption_that_cannot_be_read_back_is_unknown_and_never_told_as_resumed(world: World) -> None:
    await halted(world)
    await resuming(world)
    world.sandbox.platform.switch("halt_status_unreachable", True)
    await world.clicks("clara", "Approve", world.room)
    for where in (world.room, "war-room", "risk-alerts"):
        world.saw(where, "Resume all trading: UNKNOWN", "Do NOT treat trading as resumed")
        assert world.count(where, "Trading resumes") == 0
    assert "LIFTED" not in world.panel
    status = await world.types("dana", "war-room", "/halt status")
    assert "Resuming trading (all): UNKNOWN, check by hand" in status.text


@SAFE
async def test_a_platform_that_refuses_to_resume_leaves_the_halt_in_force(world: World) -> None:
    await halted(world)
    world.sandbox.platform.switch("resume_fails", True)
    await resuming(world)
    await world.clicks("clara", "Approve", world.room)
    world.saw("war-room", "Resume all trading: FAILED", "Trading has NOT resumed by this order")
    assert "LIFTED" not in world.panel


@SAFE
async def test_somebody_without_the_right_breaks_the_glass_and_everybody_learns_of_it(world: World) -> None:
    await world.alert()
    denied = await world.types("ana", world.room, "/halt all Orders run wild")
    assert "/halt break-glass all REASON" in denied.text
    assert world.sandbox.platform.calls == []
    preview = await world.types("ana", world.room, "/halt break-glass all Orders run wild")
    assert "You are not among the people who may halt trading." in preview.text
    await world.clicks("ana", "Break the glass and halt")
    assert world.sandbox.platform.halt is not None
    assert [c["body"]["operator"] for c in world.sandbox.platform.calls] == ["Ana Souza"]
    for where in (world.room, "war-room", "risk-alerts", "executive-emergency"):
        world.saw(where, "Glass broken", "Ana Souza", "Orders run wild")
    assert {"Rita Okafor", "Clara Jensen"} <= set(world.paged())
    world.saw(world.room, "Owed until", "Review the halt that was ordered by breaking the glass")
    assert world.facts("GlassBroken") == 1
    assert await world.audited()


@SAFE
async def test_in_dry_run_asking_and_approving_send_nothing_and_say_so(folder: Path) -> None:
    async with a_world(folder, actions="dry_run") as world:
        await ordered(world)
        world.saw(world.room, "DRY RUN: approving this rehearses it", "nothing will be sent", "Would be sent")
        said = await world.clicks("clara", "Approve", world.room)
        assert "DRY RUN, nothing is sent." in said.text
        world.saw(world.room, f"DRY RUN: {REDUCE}")
        assert world.sandbox.platform.calls == []
