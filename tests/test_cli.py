"""The command line: a database that cannot be used is told in one sentence that says what to do."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.test_settings import GIVEN
from warroom import cli
from warroom.__main__ import main as start
from warroom.app import named
from warroom.errors import ConfigError
from warroom.store.database import trouble, upgrade

Run = Callable[..., tuple[int, str]]
FILE = "name a SQLite file in DATABASE_URL, there already or not, in a folder that warroom may write"
SERVER = "start the server, or correct DATABASE_URL"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line: arguments, and DATABASE_URL → exit code, and what it printed."""
    monkeypatch.setattr(cli, "configure", lambda secrets: None)

    def run(*arguments: str, database: str) -> tuple[int, str]:
        for name, value in {**GIVEN, "DATABASE_URL": database}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["warroom", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(str(ended.value.code or 0)), printed.out + printed.err

    return run


def unusable(folder: Path) -> list[tuple[str, str, str]]:
    """Addresses of databases that cannot be used, what is wrong, and what to do."""
    (folder / "notes.txt").write_text("these are my notes, and no database\n" * 100)
    return [
        (f"sqlite+aiosqlite:///{folder}/notes.txt", f"{folder}/notes.txt cannot be opened (file is not a", FILE),
        (f"sqlite+aiosqlite:///{folder}", f"{folder} cannot be opened (", FILE),
        (f"sqlite+aiosqlite:///{folder}/notes.txt/x.db", f"{folder}/notes.txt/x.db cannot be opened (", FILE),
        ("postgresql+asyncpg://u:hidden@127.0.0.1:9/x", "//u:***@127.0.0.1:9/x cannot be opened (", SERVER),
    ]


@pytest.mark.parametrize("command", [["db", "upgrade"], ["audit"], ["serve"], ["postmortem", "1"], ["check"]])
def test_a_database_that_cannot_be_used_is_one_sentence(run: Run, tmp_path: Path, command: list[str]) -> None:
    for url, wrong, advice in unusable(tmp_path):
        if url.endswith("x.db") and command[0] in ("audit", "postmortem"):  # these make none
            wrong, advice = f"there is no database {tmp_path}/notes.txt/x.db", "name the bot's database in DATABASE_URL"
        code, said = run(*command, database=url)
        lines = said.splitlines()
        assert (code, len(lines)) == (1, 2 if command == ["check"] else 1), said
        assert wrong in lines[0]
        assert lines[0].endswith(advice)
        assert "hidden" not in said


def test_an_address_of_no_database_is_told_alike_by_every_command(run: Run) -> None:
    told = {run(*command, database="garbage")[1] for command in (["db", "upgrade"], ["audit"], ["postmortem", "1"])}
    told |= {run(command, database="garbage")[1].splitlines()[0] + "\n" for command in ("serve", "check")}
    (said,) = told
    assert run("serve", database="garbage")[1].splitlines()[1] == "1 mistake. Nothing was started."
    assert run("check", database="garbage")[1].splitlines()[1] == "1 mistake."
    assert "DATABASE_URL: it begins with sqlite+aiosqlite:/// or postgresql+asyncpg://" in said


async def test_looking_at_a_database_makes_and_changes_nothing(tmp_path: Path) -> None:
    assert await trouble(f"sqlite+aiosqlite:///{tmp_path}/deeper/warroom.db") is None
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "other.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = file.read_bytes()
    assert await trouble(f"sqlite+aiosqlite:///{file}") is None
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == before


def test_tables_of_a_newer_warroom_are_left_alone(run: Run, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/warroom.db"
    asyncio.run(upgrade(url))
    connection = sqlite3.connect(tmp_path / "warroom.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    for command in (["db", "upgrade"], ["audit"], ["serve"], ["check"]):
        code, said = run(*command, database=url)
        assert (code, said.count("\n")) == (1, 2 if command == ["check"] else 1)
        assert "a newer warroom made the tables of " in said


def test_a_database_without_tables_is_told_with_the_command_that_makes_them(run: Run, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "warroom.db").close()
    url = f"sqlite+aiosqlite:///{tmp_path}/warroom.db"
    code, said = run("audit", database=url)
    assert (code, said.count("\n")) == (1, 1)
    assert said.endswith("or make them with `warroom db upgrade`\n")
    assert run("db", "upgrade", database=url) == (0, "The tables are up to date.\n")
    assert run("audit", database=url)[0] == 0


@pytest.mark.parametrize("typed", ["2", "0002", "inc-2026-0002", "INC-2026-0002"])
def test_an_incident_is_named_as_in_slack(typed: str) -> None:
    assert named(typed, ["INC-2025-0002", "INC-2026-0001", "INC-2026-0002"]) == "INC-2026-0002"


@pytest.mark.parametrize("typed", ["3", "INC-2027-0002", "everything"])
def test_an_incident_that_is_not_there_is_told_with_what_to_write(typed: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no incident {typed}; write 42 or .*: INC-2026-0002"):
        named(typed, ["INC-2026-0002"])


def test_ctrl_c_before_a_command_has_begun_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "warroom.cli", Slow("warroom.cli"))
    with pytest.raises(SystemExit) as ended:
        start()
    assert ended.value.code == 130
