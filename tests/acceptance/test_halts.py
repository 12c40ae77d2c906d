"""Halting trading: previewed, confirmed, sent once, read back, and told as what it is."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.acceptance.world import World, a_world

HALT = "emergency/halt-all"
CONFIRM = "Halt trading now"


async def a_halt(world: World, reason: str = "Signals are stale") -> None:
    """Rita orders a halt in the room of a P0."""
    await world.alert()
    await world.types("rita", world.room, f"/halt all {reason}")
    await world.clicks("rita", CONFIRM)


def told(world: World) -> tuple[str, str, str]:
    """What the room, the announcement channel and the panel say about the outcome."""
    return world.saw(world.room, "Ordered by"), world.saw("war-room", "Ordered by"), world.panel


@pytest.mark.row("L5")
@pytest.mark.row("S2")
async def test_a_halt_is_previewed_confirmed_read_back_announced_and_written_down(world: World) -> None:
    await world.alert()
    preview = await world.types("rita", world.room, "/halt all Signals are stale")
    for field in (
        "Confirm: Halt all trading",
        "Scope: all",
        "Reason: Signals are stale",
        "Will be sent:\n• POST executioner/api/emergency/halt-all",
        "Consequence: No order leaves the platform",
        "Incident: INC-2026-0001",
        "Nothing has been done yet.",
    ):
        assert field in preview.text
    assert {m["ephemeral_to"] for m in preview.messages} == {"Rita Okafor"}
    assert world.sandbox.platform.calls == []
    assert world.facts("ActionRequested") == 0

    ordered = await world.clicks("rita", CONFIRM)
    assert "Halt ordered (all), not confirmed yet." in ordered.text
    (call,) = world.sandbox.platform.calls
    assert call["endpoint"] == HALT
    assert call["body"] == {"operator": "Rita Okafor", "reason": "Signals are stale", "scope": "all"}
    assert world.sandbox.platform.halt is not None
    room, desk, panel = told(world)
    assert "Halt all trading: CONFIRMED. Trading is halted (all)." in room
    assert "Read back once: it is in effect" in room
    assert "Trading desk: send no new orders" in desk
    assert "http://" not in desk
    assert "Trading halt (all): CONFIRMED by reading back" in panel
    assert "Trading desk: trading is halted." in world.said("war-room")[0]
    assert (world.facts("ActionRequested"), world.facts("ActionSettled")) == (1, 1)
    assert await world.audited()

    again = await world.clicks("rita", CONFIRM)
    assert "This halt was ordered already" in again.text
    assert len(world.sandbox.platform.calls) == 1


@pytest.mark.row("S2")
async def test_a_stranger_is_told_no_and_it_is_written_down(world: World) -> None:
    await world.alert()
    answer = await world.types("sam", "random", "/halt all because I can")
    assert "/halt was not done. Only the people who may halt trading may do it." in answer.text
    assert world.facts("Denied") == 1
    answer = await world.clicks("raj", "Halt trading", "war-room")
    assert "was not done" in answer.text
    assert world.facts("Denied") == 2
    assert world.sandbox.platform.calls == []
    assert world.times("platform", "POST /executioner/api/emergency/halt-all") == 0


@pytest.mark.row("S2")
async def test_a_preview_passed_on_to_a_stranger_confirms_nothing(world: World) -> None:
    await world.alert()
    await world.types("rita", world.room, "/halt all Signals are stale")
    message, action, value = world.button("rita", CONFIRM)
    message.ephemeral_to = "U0SANDBX02"
    await world.sandbox.click("raj", message.channel, message.ts, action, value)
    await world.settles()
    assert world.sandbox.platform.calls == []
    assert world.facts("Denied") == 1


@pytest.mark.row("S2")
async def test_a_halt_without_an_incident_opens_one(world: World) -> None:
    await world.types("rita", "war-room", "/halt all The book is wrong")
    await world.clicks("rita", CONFIRM)
    assert len(world.sandbox.platform.calls) == 1
    assert "P0" in world.said("war-room")[0]
    world.saw(world.room, "CONFIRMED.", "The book is wrong")


@pytest.mark.row("S2")
async def test_the_form_halts_too(world: World) -> None:
    await world.alert()
    opened = await world.clicks("rita", "Halt trading", "war-room")
    assert "LIVE: this stops trading as soon as you send it." in str(opened.view)
    sent = await world.fills("rita", scope="all", reason="Signals are stale")
    assert "Halt ordered (all), not confirmed yet." in str(sent.view)
    assert len(world.sandbox.platform.calls) == 1


@pytest.mark.row("S2")
async def test_pressed_twice_at_the_same_moment_it_is_sent_once(world: World) -> None:
    await world.alert()
    await world.types("rita", world.room, "/halt all Signals are stale")
    message, action, value = world.button("rita", CONFIRM)
    press = (world.sandbox.click("rita", message.channel, message.ts, action, value) for _ in range(3))
    await asyncio.gather(*press)
    await world.settles()
    assert len(world.sandbox.platform.calls) == 1
    assert world.facts("ActionRequested") == 1


@pytest.mark.row("S2")
async def test_a_platform_that_refuses_is_told_as_failed(world: World) -> None:
    world.sandbox.platform.switch("halt", "fails")
    await a_halt(world)
    room, desk, panel = told(world)
    assert "Halt all trading: FAILED. Trading is NOT halted by this order. Halt on the platform by hand now." in room
    assert "FAILED" in desk
    assert "Trading halt (all): FAILED" in panel
    assert len(world.sandbox.platform.calls) == 1
    assert "Engage the circuit breakers · Risk manager · done" not in panel


@pytest.mark.row("S2")
async def test_a_connection_lost_after_it_took_effect_is_settled_by_reading_back(world: World) -> None:
    world.sandbox.platform.switch("halt", "drops")
    await a_halt(world)
    room, desk, _ = told(world)
    assert "CONFIRMED" in room
    assert "CONFIRMED" in desk
    assert len(world.sandbox.platform.calls) == 1


@pytest.mark.row("S2")
async def test_accepted_but_never_effective_is_told_as_failed(world: World) -> None:
    world.sandbox.platform.switch("halt", "ignored")
    await a_halt(world)
    room, _, panel = told(world)
    assert "FAILED. Trading is NOT halted" in room
    assert "every 1 s: it is not in effect" in room
    assert "CONFIRMED" not in panel
    assert world.times("platform", "GET /executioner/api/emergency/status") >= 10
    assert len(world.sandbox.platform.calls) == 1


@pytest.mark.row("S2")
async def test_what_cannot_be_read_back_is_unknown_and_never_shown_as_success(world: World) -> None:
    world.sandbox.platform.switch("halt_status_unreachable", True)
    await a_halt(world)
    room, desk, panel = told(world)
    for text in (room, desk):
        assert "UNKNOWN. Nobody can say whether it took effect. Treat trading as NOT halted" in text
        assert "CONFIRMED" not in text
    assert "Trading halt (all): UNKNOWN, check by hand" in panel
    assert "An action's outcome is UNKNOWN" in panel
    assert "trading is halted" not in world.said("war-room")[0]
    assert len(world.sandbox.platform.calls) == 1
    # the protocol still waits for somebody to make sure
    await world.at("5:00")
    assert world.count(world.room, "LATE: Engage the circuit breakers") == 1


@pytest.mark.row("S2")
async def test_a_platform_out_of_reach_is_told(world: World) -> None:
    world.sandbox.platform.switch("halt", "unreachable")
    await a_halt(world)
    room, _, _ = told(world)
    assert "CONFIRMED" not in room
    assert "NOT halted" in room
    assert world.sandbox.platform.halt is None


@pytest.mark.row("L5")
async def test_without_the_token_nothing_is_sent_and_it_is_said(folder: Path) -> None:
    environs: list[dict[str, str]] = []
    async with a_world(folder, change=environs.append) as world:
        environs[0].pop("EMERGENCY_TOKEN")  # at start its absence would be refused
        await a_halt(world)
        room, _, _ = told(world)
        assert "FAILED" in room
        assert "EMERGENCY_TOKEN" in room
        assert world.times("platform", "POST /executioner/api/emergency/halt-all") == 0


@pytest.mark.row("S2")
async def test_in_dry_run_every_word_about_the_halt_says_so_and_nothing_reaches_the_platform(folder: Path) -> None:
    async with a_world(folder, actions="dry_run") as world:
        await world.alert()
        before = len(world.seen)
        form = await world.clicks("rita", "Halt trading", "war-room")
        assert "DRY RUN: nothing will be halted." in str(form.view)
        await world.sandbox.close_view("rita")
        preview = await world.types("rita", world.room, "/halt all Signals are stale")
        await world.clicks("rita", CONFIRM)
        about = [s for s in world.seen[before:] if s["kind"] in ("message", "ephemeral") and "alt" in s["text"]]
        assert len(about) == 5
        for seen in about:
            assert "DRY RUN" in seen["text"], seen["text"]
            assert "DRY RUN" in seen["fallback"], seen["fallback"]
        assert "DRY RUN" in preview.text
        assert "Trading halt (all): DRY RUN, nothing was sent" in world.panel
        assert world.sandbox.platform.calls == []
        assert world.times("platform", "POST /executioner/api/emergency/halt-all") == 0
        assert "trading is halted" not in world.said("war-room")[0]


@pytest.mark.row("S2")
async def test_switched_off_it_says_where_to_halt_instead(folder: Path) -> None:
    async with a_world(folder, actions="off") as world:
        await world.alert()
        answer = await world.types("rita", world.room, "/halt all Signals are stale")
        assert "Halting is switched off here (WARROOM_ACTIONS=off)." in answer.text
        assert "Halt on the platform itself, now:" in answer.text
        assert "/api/emergency/halt-all" in answer.text


async def test_what_an_older_warroom_did_not_wait_for_is_waited_for_from_the_start_on(folder: Path) -> None:
    async with a_world(folder) as world:
        await world.alert()
        await world.types("rita", world.room, "/halt all Signals are stale")
        await world.clicks("rita", CONFIRM)
        await world.types("raj", world.room, "/incident resolve")
        await world.fills("raj", summary="It is back.", root_cause="A leak.", actions_taken="Rolled back.")
        await world.at("5:00")
        await world.stops()
        with sqlite3.connect(folder / "warroom.db") as database:
            database.execute("DELETE FROM timer")
        await world.starts()
        await world.at("70:00")
        assert world.count("war-room", "its halt still stands") == 1
        assert await world.audited()
