"""The timeline file: below WARROOM_DATA or not at all, complete, and only ever text."""

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from tests.domain.play import ID, PACK, Play, Went, succeed

from warroom.engine.ports import Job
from warroom.errors import Refused, StoreError, TryAgain
from warroom.postmortem.timeline_file import TimelinePerformer, place, written

TEMPLATE = "reports/incidents/data/{date}-{id}/timeline.md"
LOADED = replace(PACK, pack=replace(PACK.pack, timeline_file=TEMPLATE))


def a_play() -> Play:
    play = Play(packs={"lav_adaf": LOADED})
    play.alert()
    play.type("/incident note <script>|x| ![a](http://evil.example/p.png) @everyone")
    return play


def a_job(play: Play, template: str = TEMPLATE) -> Job:
    effect = next(e for e in play.sent if e.kind == "timeline.write")
    pack = replace(LOADED, pack=replace(LOADED.pack, timeline_file=template))
    return Job(id="1", effect=effect, incident=play.incident, pack=pack, attempt=1, now=play.now)


async def test_it_is_written_from_all_facts_at_the_packs_path(tmp_path: Path) -> None:
    play = a_play()

    async def facts(incident: str) -> object:
        return play.facts[incident]

    done = await TimelinePerformer(tmp_path, facts).perform(a_job(play))  # type: ignore[arg-type]
    path = tmp_path / "reports" / "incidents" / "data" / f"2026-11-17-{ID}" / "timeline.md"
    assert done == {"path": str(path)}
    assert path.read_text() == written(play.incident, play.facts[ID], LOADED)
    assert [p.name for p in path.parent.iterdir()] == ["timeline.md"]


def test_text_from_outside_stays_text() -> None:
    play = a_play()
    text = written(play.incident, play.facts[ID], LOADED)
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "evil.example" in shown
    for mark in ("<script", "<img", 'href="http://evil'):
        assert mark not in shown
    (row,) = [line for line in text.splitlines() if "evil" in line]
    assert row.count("|") == 4  # three cells


@pytest.mark.parametrize("template", ["../{id}.md", "/etc/{id}", "a/../../{id}.md", ".", "{id}/../.."])
def test_nothing_is_written_outside_the_data_folder(tmp_path: Path, template: str) -> None:
    with pytest.raises(Refused):
        place(tmp_path / "data", template, a_play().incident)


def test_a_link_out_of_the_data_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "out").symlink_to(tmp_path)
    with pytest.raises(Refused):
        place(tmp_path / "data", "out/{id}.md", a_play().incident)


async def test_a_disk_or_a_database_that_is_away_is_tried_again(tmp_path: Path) -> None:
    play = a_play()
    (tmp_path / "reports").write_text("a file in the way")

    async def facts(incident: str) -> object:
        return play.facts[incident]

    async def away(incident: str) -> object:
        raise StoreError("away")

    for read in (facts, away):
        with pytest.raises(TryAgain):
            await TimelinePerformer(tmp_path, read).perform(a_job(play))  # type: ignore[arg-type]


def test_only_what_is_worth_telling_writes_it_and_only_for_packs_that_want_it() -> None:
    play = a_play()
    writes = len([e for e in play.sent if e.kind == "timeline.write"])
    play.type("/incident contacts")
    assert len([e for e in play.sent if e.kind == "timeline.write"]) == writes
    play.type("/incident note more")
    assert len([e for e in play.sent if e.kind == "timeline.write"]) == writes + 1
    without = Play()
    without.alert()
    assert [e for e in without.sent if e.kind == "timeline.write"] == []


def test_a_file_that_cannot_be_written_is_said_and_not_tried_in_a_circle() -> None:
    refusing = Play(
        packs={"lav_adaf": LOADED},
        world=lambda e, i: Went("refused", "read-only") if e.kind == "timeline.write" else succeed(e, i),
    )
    refusing.alert()
    assert 1 <= len([key for _, key in refusing.made if key.startswith("timeline:")]) < 10
    assert "writing the timeline file" in "".join(refusing.seen("dead_letter"))
