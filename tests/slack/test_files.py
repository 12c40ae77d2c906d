"""Files in the room."""

from pathlib import Path

import pytest
from tests.slack.support import BOT, a_job, with_room

from warroom.engine.ports import Job
from warroom.errors import Refused, TryAgain, Uncertain
from warroom.sandbox import Sandbox
from warroom.slack.gateway import Gateway


def a_file(sandbox: Sandbox, **more: object) -> Job:
    data = {"name": "raw.txt", "title": "Raw answers", "content": "all is well", "comment": "from <!channel>"} | more
    return a_job("slack.file", with_room(sandbox.slack.find("war-room").id), **data)


async def test_a_file_is_shared_with_the_room_and_its_link_comes_back(sandbox: Sandbox, gateway: Gateway) -> None:
    result = await gateway.perform(a_file(sandbox))
    (message,) = [m for m in sandbox.transcript() if m["files"]]
    assert message["channel"] == "war-room"
    assert message["pings"] == []
    assert [f["title"] for f in message["files"]] == ["Raw answers"]
    assert sandbox.slack.contents[str(result["file"])] == b"all is well"
    assert result["permalink"] == sandbox.slack.files[str(result["file"])]["permalink"]


async def test_a_file_is_read_from_its_path(sandbox: Sandbox, gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "draft.md"
    path.write_text("# Draft", "utf-8")
    result = await gateway.perform(a_file(sandbox, content="", path=str(path), name="draft.md"))
    assert sandbox.slack.contents[str(result["file"])] == b"# Draft"


async def test_a_file_that_is_not_there_or_empty_is_refused(sandbox: Sandbox, gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"raw.txt cannot be read"):
        await gateway.perform(a_file(sandbox, path=str(tmp_path / "none.md")))
    with pytest.raises(Refused, match="empty"):
        await gateway.perform(a_file(sandbox, content=""))


async def test_a_share_of_unknown_outcome_is_looked_up(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.faults.add("slack", "files.completeUploadExternal", "drop_after")
    with pytest.raises(Uncertain):
        await gateway.perform(a_file(sandbox))
    found = await gateway.find(a_file(sandbox))
    assert found is not None
    assert str(found["file"]) in sandbox.slack.contents
    assert await gateway.find(a_file(sandbox, title="Another")) is None


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload/*"])
async def test_what_breaks_before_anything_is_visible_is_simply_tried_again(
    sandbox: Sandbox, gateway: Gateway, method: str
) -> None:
    sandbox.faults.add("slack", method, "drop_after")
    with pytest.raises(TryAgain):
        await gateway.perform(a_file(sandbox))
    await gateway.perform(a_file(sandbox, attempt=2))
    assert len([m for m in sandbox.transcript() if m["files"]]) == 1


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_share_that_ended_in_500_is_looked_up_before_it_is_repeated(
    sandbox: Sandbox, gateway: Gateway, after_a_stop: Gateway, stopped: bool
) -> None:
    sandbox.faults.add("slack", "files.completeUploadExternal", "500")
    with pytest.raises(TryAgain):
        await gateway.perform(a_file(sandbox))
    left = {"id": "F1", "name": "raw.txt", "title": "Raw answers", "size": 11, "permalink": "https://x/F1"}
    sandbox.slack.post(sandbox.slack.find("war-room"), BOT, "", files=[left])
    assert (await (after_a_stop if stopped else gateway).perform(a_file(sandbox, attempt=2)))["file"] == "F1"


async def test_a_channel_we_are_not_in_is_joined_for_a_file(sandbox: Sandbox, gateway: Gateway) -> None:
    await gateway.perform(a_file(sandbox, to="random"))
    assert [m["channel"] for m in sandbox.transcript() if m["files"]] == ["random"]
