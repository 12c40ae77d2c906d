"""Drafts become files, each complete or not there."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.postmortem.builders import LOADED, ROOM, START, Story, rehearsed

from warroom.domain.decision import NO_PACK
from warroom.domain.effects import Effect
from warroom.domain.facts import Fact
from warroom.engine.ports import Job, Performer
from warroom.errors import Refused, StoreError, TryAgain
from warroom.postmortem.lines import Line
from warroom.postmortem.performer import PostmortemPerformer

WANTED = START + timedelta(hours=1)


class Room:
    """A history that can be read, or not."""

    def __init__(self, story: Story, failure: Exception | None = None) -> None:
        self.story = story
        self.failure = failure
        self.asked: list[tuple[str, datetime]] = []

    async def read(self, channel: str, oldest: datetime) -> Sequence[Line]:
        self.asked.append((channel, oldest))
        if self.failure:
            raise self.failure
        return self.story.lines


def job(story: Story, number: Any = 1, waited: timedelta = timedelta()) -> Job:
    data = {"number": number, "reason": "resolved"}
    effect = Effect(key=f"postmortem:{number}", kind="postmortem.write", data=data, at=WANTED)
    return Job(id="e1", effect=effect, incident=story.incident, pack=LOADED, attempt=1, now=WANTED + waited)


def performer(folder: Path, story: Story, room: Room | None = None) -> PostmortemPerformer:
    async def facts(incident_id: str) -> Sequence[Fact]:
        assert incident_id == story.incident.id
        return story.facts

    return PostmortemPerformer(folder, (room or Room(story)).read, facts, patience=timedelta(minutes=5))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_a_draft_is_a_file_named_after_incident_and_number(tmp_path: Path) -> None:
    story, wanted = rehearsed(), tmp_path / "INC-2026-0042" / "postmortem-2.md"
    room = Room(story)
    doer: Performer = performer(tmp_path, story, room)
    result = await doer.perform(job(story, 2))
    assert result["path"] == str(wanted)
    assert result["text"] == wanted.read_text("utf-8")
    assert result["title"] == "Post-Incident Review: INC-2026-0042"
    assert isinstance(result["questions"], list)
    assert len(result["questions"]) == 10
    assert room.asked == [(ROOM, START)]
    assert "No space left on device" in str(result["text"])
    json.dumps(dict(result))


async def test_the_facts_lie_beside_it_for_machines(tmp_path: Path) -> None:
    story = rehearsed()
    await performer(tmp_path, story).perform(job(story))
    told = json.loads((tmp_path / "INC-2026-0042" / "incident.json").read_text("utf-8"))
    assert told["incident"] == "INC-2026-0042"
    assert len(told["facts"]) == len(story.facts)
    first = told["facts"][0]
    assert first["kind"] == "IncidentOpened"
    assert first["at"] == "2026-03-02T14:31:05+00:00"
    assert first["by"] == {"id": "pagerduty", "name": "PagerDuty"}
    assert first["what"]["severity"] == "P0"


async def test_only_whole_files_are_left_behind(tmp_path: Path) -> None:
    story = rehearsed()
    await performer(tmp_path, story).perform(job(story))
    assert files(tmp_path) == {"INC-2026-0042/postmortem-1.md", "INC-2026-0042/incident.json"}


async def test_after_a_crash_the_draft_is_found_and_told_the_same(tmp_path: Path) -> None:
    story = rehearsed()
    doer = performer(tmp_path, story)
    assert await doer.find(job(story)) is None
    result = await doer.perform(job(story))
    assert await doer.find(job(story)) == result
    assert await doer.find(job(story, 2)) is None


async def test_while_slack_is_down_the_draft_is_tried_again_until_the_patience_ends(tmp_path: Path) -> None:
    story = rehearsed()
    doer = performer(tmp_path, story, Room(story, TryAgain("Slack cannot be reached")))
    with pytest.raises(TryAgain):
        await doer.perform(job(story, waited=timedelta(minutes=4, seconds=59)))
    assert await doer.find(job(story)) is None
    text = str((await doer.perform(job(story, waited=timedelta(minutes=5))))["text"])
    assert "> **Note:** The war room could not be read (Slack cannot be reached): " in text
    assert "Halt all trading: confirmed" in text


async def test_a_reading_that_hangs_is_given_up_and_tried_again(tmp_path: Path) -> None:
    story = rehearsed()

    async def hangs(channel: str, oldest: datetime) -> Sequence[Line]:
        await asyncio.Event().wait()
        return ()

    async def facts(incident_id: str) -> Sequence[Fact]:
        return story.facts

    doer = PostmortemPerformer(tmp_path, hangs, facts, reading=0.01)
    with pytest.raises(TryAgain, match="took too long"):
        await doer.perform(job(story))
    assert "it took too long" in str((await doer.perform(job(story, waited=timedelta(minutes=5))))["text"])


async def test_a_draft_without_the_incidents_pack_is_refused_with_its_name(tmp_path: Path) -> None:
    story = rehearsed()
    with pytest.raises(Refused, match="needs the pack 'lav_adaf'"):
        await performer(tmp_path, story).perform(replace(job(story), pack=NO_PACK))


async def test_a_room_that_can_never_be_read_does_not_cost_the_draft(tmp_path: Path) -> None:
    story = rehearsed()
    doer = performer(tmp_path, story, Room(story, Refused("missing_scope")))
    assert "could not be read (missing_scope)" in str((await doer.perform(job(story)))["text"])


async def test_an_incident_without_a_room_says_so_and_asks_nobody(tmp_path: Path) -> None:
    story = rehearsed()
    story.facts = [fact for fact in story.facts if getattr(fact.what, "key", "") != "room"]
    room = Room(story)
    result = await performer(tmp_path, story, room).perform(job(story))
    assert "The incident had no war room" in str(result["text"])
    assert room.asked == []


async def test_facts_that_cannot_be_read_are_read_again_later(tmp_path: Path) -> None:
    story = rehearsed()

    async def broken(incident_id: str) -> Sequence[Fact]:
        raise StoreError("locked")

    with pytest.raises(TryAgain, match="locked"):
        await PostmortemPerformer(tmp_path, Room(story).read, broken).perform(job(story))


async def test_a_folder_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    story = rehearsed()
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(TryAgain, match="WARROOM_DATA"):
        await performer(tmp_path / "data", story).perform(job(story))


@pytest.mark.parametrize("number", [0, -1, "1", None, "../../x"])
async def test_a_number_that_names_no_file_is_refused(tmp_path: Path, number: Any) -> None:
    story = rehearsed()
    with pytest.raises(Refused):
        await performer(tmp_path, story).perform(job(story, number))
    assert files(tmp_path) == set()
