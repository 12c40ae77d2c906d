"""`warroom demo`: what it prints, what it leaves, and how it ends when it is stopped or cannot begin."""

import asyncio
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from warroom.demo import MARK, claim
from warroom.errors import ConfigError
from warroom.sandbox import Sandbox
from warroom.sandbox.people import BOT_USER_ID, person
from warroom.sandbox.server import embedded
from warroom.teller import Teller

Json = dict[str, Any]
WARROOM = Path(sys.executable).with_name("warroom")
BEGIN = datetime(2026, 11, 17, 14, 31, tzinfo=UTC)
ROOM = "inc-2026-0001-market-sentinel-down-no-regime-updates"


class Audience:
    """What the teller prints of what happens in a sandbox, on a terminal `width` columns wide."""

    def __init__(self, width: int) -> None:
        self.sandbox = Sandbox(lambda: BEGIN)
        self.slack = self.sandbox.slack
        self._out = io.StringIO()
        self._teller = Teller(Console(file=self._out, width=width), self.slack)
        self._seen = self.sandbox.subscribe()

    def room(self) -> Any:
        return self.slack.add_channel(ROOM, [BOT_USER_ID], creator=BOT_USER_ID)

    async def reads(self) -> list[str]:
        """The lines printed since the last time."""
        telling = asyncio.create_task(self._teller.tell(self._seen))
        while not self._seen.empty:
            await asyncio.sleep(0)
        telling.cancel()
        printed = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return printed.splitlines()


@pytest.fixture
def wide() -> Audience:
    return Audience(100)


def preformatted(text: str) -> Json:
    part = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [part]}


async def test_calls_for_one_reason_are_one_line(wide: Audience) -> None:
    pagerduty = wide.sandbox.pagerduty
    incident = pagerduty.trigger(pagerduty.service("lav-adaf-kafka"), "Kafka down")
    pagerduty.page(incident, ["PUSRANA", "PUSRMEI", "PUSRRAJ"], "asked to respond: Kafka down. Please join.")
    assert await wide.reads() == [
        "          PagerDuty calls Ana Souza: Kafka down (triggered)",
        "          PagerDuty calls Ana Souza, Mei Tanaka and Raj Patel: asked to respond: Kafka down. Please",
        "            join.",
    ]


async def test_a_message_says_when_where_and_who_with_its_emoji_as_pictures(wide: Audience) -> None:
    wide.slack.post(wide.slack.find("war-room"), person("ana").slack_id, "On it :eyes:\n\n• first")
    assert await wide.reads() == ["14:31:00  #war-room  Ana Souza", "    On it 👀", "", "    • first", ""]


@pytest.mark.parametrize("width", [40, 60, 80])
async def test_nothing_is_wider_than_the_terminal_and_wrapped_lines_are_indented(width: int) -> None:
    audience = Audience(width)
    room = audience.room()
    words = "Full restart with cleanup, and a word for the desk. " * 3
    audience.slack.post(room, BOT_USER_ID, f"1. {words}\n• {words}\n{words}")
    audience.slack.whisper(room, person("rita").slack_id, words)
    lines = await audience.reads()
    assert max(cell_len(line) for line in lines) <= width
    begin = next(n for n, line in enumerate(lines) if line.startswith("    1. "))
    assert lines[begin + 1].startswith("       ")
    bullet = next(n for n, line in enumerate(lines) if line.startswith("    • "))
    assert lines[bullet + 1].startswith("      ")
    assert all(line.startswith(("    ", "14:31:00")) for line in lines if line)


async def test_a_table_wider_than_the_terminal_is_cropped_line_by_line() -> None:
    audience = Audience(40)
    table = "State   Reading                        Result\nok      Redis answers PING             answered"
    audience.slack.post(audience.room(), BOT_USER_ID, "", blocks=[preformatted(table)])
    lines = await audience.reads()
    assert lines[1:-1] == ["    State   Reading                    …", "    ok      Redis answers PING         …"]


async def test_a_sentence_that_stands_as_it_is_read_out_is_wrapped_and_loses_nothing() -> None:
    audience = Audience(40)
    script = "Trading impact: Orders are not being executed, and nobody knows for how long."
    audience.slack.post(audience.room(), BOT_USER_ID, "", blocks=[preformatted(script)])
    lines = await audience.reads()
    assert max(cell_len(line) for line in lines) <= 40
    assert " ".join(line.strip() for line in lines[1:-1]) == script


async def test_a_table_is_narrowed_to_the_terminal_and_keeps_its_last_column() -> None:
    audience = Audience(49)
    table = (
        "State  Reading             Result            Took\n"
        "-----  ------------------  --------------  ------\n"
        "ok     Redis answers PING  answered        0.01 s\n"
        "error  Container           no such answer  2.10 s"
    )
    audience.slack.post(audience.room(), BOT_USER_ID, "", blocks=[preformatted(table)])
    assert (await audience.reads())[1:-1] == [
        "    State  Reading         Result            Took",
        "    -----  --------------  --------------  ------",
        "    ok     Redis answers…  answered        0.01 s",
        "    error  Container       no such answer  2.10 s",
    ]


async def test_a_file_is_told_by_its_title_name_and_size(wide: Audience) -> None:
    file = {"id": "F1", "name": "inc-1-postmortem.md", "title": "Post-mortem draft INC-2026-0001", "size": 12_869}
    wide.slack.post(wide.slack.find("war-room"), BOT_USER_ID, "", files=[file])
    lines = await wide.reads()
    assert lines[1] == "    [file] Post-mortem draft INC-2026-0001 (inc-1-postmortem.md, 13 KB)"


async def test_the_announcements_edit_is_told_once_when_the_room_is_linked(wide: Audience) -> None:
    announcement = wide.slack.post(wide.slack.find("war-room"), BOT_USER_ID, "P0\nWar room: opening now")
    panel = wide.slack.post(wide.room(), BOT_USER_ID, "P0 investigating")
    await wide.reads()
    room = wide.slack.find(ROOM).id
    for text in ("P0\nCommander: nobody", f"P0\nWar room: <#{room}>", f"P0 resolved\nWar room: <#{room}>"):
        wide.slack.edit(announcement, BOT_USER_ID, text, [])
        wide.slack.edit(panel, BOT_USER_ID, text, [])
    assert await wide.reads() == [
        "14:31:00  #war-room (edited)  warroom",
        f"    War room: #{ROOM}",
        "",
    ]


def test_an_earlier_demo_makes_room_for_the_next_one(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with claim(out):
        (out / "data").mkdir()
        (out / "data" / "old.md").write_text("old")
        (out / "warroom.db").write_text("old")
    with claim(out):
        assert [p.name for p in out.iterdir()] == [MARK]


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with claim(tmp_path), pytest.raises(ConfigError, match="Another demo is being played"):
        claim(tmp_path)


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "warroom.db").write_text("the real one")
    with pytest.raises(ConfigError, match=r"not from a demo.*--out"):
        claim(tmp_path)
    assert (tmp_path / "warroom.db").read_text() == "the real one"


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_an_out_that_is_a_file_is_told_in_a_sentence(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file, and the demo needs a folder"):
        claim(tmp_path / "file" / inside)


async def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    async with embedded(Sandbox(lambda: BEGIN).app) as (url, _):
        port = url.rpartition(":")[2]
        ended = await asyncio.to_thread(demo, tmp_path, "--port", port)
    assert ended.returncode == 1
    assert f"Port {port} is taken" in ended.stderr
    assert "Traceback" not in ended.stderr


def demo(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [WARROOM, "demo", "--exit", "--out", out, *options], capture_output=True, text=True, timeout=100, check=False
    )


def transcript(out: Path) -> list[Json]:
    return [json.loads(line) for line in (out / "transcript.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.slow
@pytest.mark.row("S9")
def test_the_whole_story_is_told_and_leaves_its_files(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = demo(tmp_path, "--speed", "120")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - began < 60
    assert "The story is told." in ended.stdout
    assert "PagerDuty calls Mei Tanaka, Raj Patel, Lukas Weber" in ended.stdout
    assert "Rita Okafor presses [Halt trading now]" in ended.stdout
    assert "Raj Patel fills in the form “" in ended.stdout
    assert ended.stdout.count("#war-room (edited)") == 1
    said = transcript(tmp_path)
    assert all(set(row) == {"at", "channel", "author", "text", "ts", "thread_ts"} for row in said)
    assert [row["at"] for row in said] == sorted(row["at"] for row in said)
    assert "2026-11-17T14:31" <= said[0]["at"] < "2026-11-17T14:41"  # five seconds of a busy machine at this speed
    assert {"warroom", "Ana Souza", "Raj Patel", "Mei Tanaka"} <= {row["author"] for row in said}
    assert any(row["channel"] == "war-room" and "CONFIRMED" in row["text"] for row in said)
    files = [row["text"] for row in said if row["text"].startswith("[file] Post-mortem draft INC-2026-0001 (")]
    assert len(files) == 1
    draft = (tmp_path / "postmortem.md").read_text("utf-8")
    headings = [line for line in draft.splitlines() if line.startswith("#")]
    assert "INC-2026-0001" in headings[0]
    for section in ("Summary", "Impact", "Timeline", "Response", "Root cause", "Action items"):
        assert any(section.lower() in heading.lower() for heading in headings), (section, headings)
    kept = json.loads((tmp_path / "incident.json").read_text("utf-8"))
    assert (kept["incident"], kept["pack"]) == ("INC-2026-0001", "lav_adaf")
    assert {"IncidentOpened", "MilestoneReached"} <= {fact["kind"] for fact in kept["facts"]}


class Terminal:
    """A demo that runs in a terminal of its own."""

    def __init__(self, out: Path, *options: str) -> None:
        self.text = ""
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [WARROOM, "demo", "--out", out, *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"TERM": "dumb", "COLUMNS": "80"},
        )
        os.close(theirs)

    def until(self, wanted: Callable[[str], bool], seconds: float = 60) -> None:
        """Reads on until the text is as wanted, or until there is no more."""
        deadline = time.monotonic() + seconds
        with suppress(OSError):  # a terminal whose process has ended
            while not wanted(self.text) and (more := os.read(self._end, 65_536)):
                self.text += more.decode("utf-8", "replace")
                assert time.monotonic() < deadline, self.text[-2_000:]

    def presses_ctrl_c(self) -> int:
        """Ctrl-C, and the exit code that follows."""
        self.process.send_signal(signal.SIGINT)
        self.until(lambda text: False, 20)
        return self.process.wait(20)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._end)


@contextmanager
def terminal(out: Path, *options: str) -> Iterator[Terminal]:
    opened = Terminal(out, *options)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["Watch and take part", "Ana Souza presses", "not confirmed yet"])
def test_ctrl_c_in_the_middle_ends_with_a_sentence_and_valid_files(tmp_path: Path, moment: str) -> None:
    with terminal(tmp_path, "--speed", "300", "--exit") as screen:
        screen.until(lambda text: moment in text)
        assert screen.presses_ctrl_c() == 1
        assert "of the story. It took" in screen.text
        assert "Traceback" not in screen.text
    assert all(row["ts"] for row in transcript(tmp_path))


@pytest.mark.slow
def test_after_the_story_its_advice_works_until_ctrl_c(tmp_path: Path) -> None:
    with terminal(tmp_path, "--speed", "600") as screen:
        screen.until(lambda text: "Ctrl-C ends it.\r\n" in text.partition("Next")[2])
        page = next(word for word in screen.text.split() if word.startswith("http://"))

        def act(what: str, **body: Any) -> Json:
            request = urllib.request.Request(f"{page}/control/{what}", json.dumps(body).encode())
            with urllib.request.urlopen(request, timeout=10) as answer:
                answered: Json = json.load(answer)
                return answered

        assert f"#{ROOM} type /incident timeline" in " ".join(screen.text.split())
        timeline = act("command", user="ana", channel=ROOM, command="/incident", text="timeline")
        assert "Raj Patel" in timeline["text"]
        assert act("command", user="ana", channel=ROOM, command="/incident", text="help")["ok"]
        assert act("platform/switch", halt="drops")["switches"]["halt"] == "drops"
        act("say", user="raj", channel=ROOM, text="Thank you all.")
        assert screen.presses_ctrl_c() == 0
        assert "Stopped." in screen.text
    assert transcript(tmp_path)[-1]["text"] == "Thank you all."
