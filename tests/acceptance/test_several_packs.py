"""Several packs in one deployment: each incident is its own platform's."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.acceptance.world import a_world

from warroom.app import running
from warroom.errors import ConfigError
from warroom.settings import Settings

PACKS = ("lav_adaf", "eafix", "pit", "market_data")


async def test_an_alert_goes_to_the_pack_of_its_service_and_a_declared_incident_pages_that_packs_people(
    folder: Path,
) -> None:
    async with a_world(folder, packs=PACKS) as world:
        await world.alert("Ingestion stalled for XNYS", "market-data", details={"stream_lag_seconds": 90})
        world.saw("incidents", "data incident INC-2026-0001 detected")
        assert world.count("war-room", "INC-2026-0001") == 0

        await world.types("ana", "war-room", "/incident declare")
        await world.fills("ana", title="Signals are stale", severity="P0", pack="eafix")
        world.saw("eafix-incidents", "INC-2026-0002")
        declared = [i for i in world.sandbox.pagerduty.incidents.values() if "Signals are stale" in i.title]
        assert [i.service.name for i in declared] == ["eafix-trading"]


HALTABLE = ("lav_adaf", "eafix", "market_data")


async def test_a_halt_outside_a_room_asks_which_platform_and_loses_nothing(folder: Path) -> None:
    async with a_world(folder, packs=HALTABLE) as world:
        await world.alert()
        answer = await world.types("rita", "random", "/halt all bad prices")
        assert "Which platform?" in answer.text
        assert "/halt lav_adaf all bad prices" in answer.text
        assert "/halt eafix all bad prices" in answer.text
        assert "/halt market_data" not in answer.text
        assert "/halt eafix SCOPE REASON" in (await world.types("rita", "random", "/halt")).text
        assert world.facts("ActionRequested") == 0


async def test_a_halt_that_names_its_platform_is_that_platforms_whatever_else_is_open(folder: Path) -> None:
    async with a_world(folder, packs=HALTABLE) as world:
        await world.alert()
        preview = await world.types("rita", "random", "/halt EAFIX all bad prices")
        assert "Platform: EAFIX" in preview.text
        assert "a new P0 will be opened for it" in preview.text
        assert "REASON" in (await world.types("rita", "random", "/halt eafix all")).text
        assert "/halt eafix all bad prices" in (await world.types("rita", "random", "/halt eafix al bad prices")).text
        await world.clicks("rita", "Halt trading now", "random")
        assert world.rows("SELECT pack FROM incident ORDER BY id") == [("lav_adaf",), ("eafix",)]
        assert world.facts("ActionRequested") == 0
        assert world.facts("ActionRequested", "INC-2026-0002") == 1

        joined = await world.types("rita", "random", "/halt eafix all again")
        assert "Incident: INC-2026-0002" in joined.text
        status = await world.types("rita", "random", "/halt status")
        assert "EAFIX" in status.text
        assert "INC-2026-0002" in status.text


async def test_the_halt_form_opens_an_incident_of_the_platform_that_was_named(folder: Path) -> None:
    async with a_world(folder, packs=HALTABLE) as world:
        await world.types("rita", "random", "/halt eafix")
        await world.fills("rita", scope="all", reason="bad prices")
        assert world.rows("SELECT pack FROM incident") == [("eafix",)]


async def test_in_a_room_another_platform_is_not_halted(folder: Path) -> None:
    async with a_world(folder, packs=HALTABLE) as world:
        await world.alert()
        other = await world.types("rita", world.room, "/halt eafix all bad prices")
        assert "Nothing was done" in other.text
        assert "/halt eafix all bad prices" in other.text
        own = await world.types("rita", world.room, "/halt lav_adaf all bad prices")
        assert "Incident: INC-2026-0001" in own.text


async def test_the_only_platform_that_can_be_halted_needs_no_name(folder: Path) -> None:
    async with a_world(folder, packs=("market_data", "lav_adaf")) as world:
        await world.alert("Ingestion stalled for XNYS", "market-data", details={"stream_lag_seconds": 90})
        preview = await world.types("rita", "random", "/halt all bad prices")
        assert "a new P0 will be opened for it" in preview.text
        assert "Platform: LAV/ADAF" in preview.text


async def test_the_bot_does_not_start_without_the_pack_of_an_open_incident(folder: Path) -> None:
    async with a_world(folder, packs=("lav_adaf", "eafix")) as world:
        incident = await world.alert()
        await world.stops()
        settings = Settings.load(world.environ)
        fewer = replace(settings, packs={"eafix": settings.packs["eafix"]})
        said = "INC-2026-0001 is open and needs the pack lav_adaf: put lav_adaf back under `packs` in warroom.yaml"
        with pytest.raises(ConfigError, match=said):
            async with running(fewer, environ=world.environ, clock=world.clock, tended=False):
                pass
        await world.starts()
        world.sandbox.pagerduty.resolve(incident, None)
        await world.settles()
        await world.stops()
        async with running(fewer, environ=world.environ, clock=world.clock, tended=False) as bot:
            assert [card.is_open for card in bot.engine.cards()] == [False]
