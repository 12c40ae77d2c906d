"""Connections: how SQLite and PostgreSQL are opened, kept to one process, and brought up to date."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from warroom.errors import ConfigError, StoreError

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000")
UPGRADE_LOCK = 7_246_101
HEAD = "0004"
"""The newest of migrations/versions."""
PATIENCE_S = 5.0
"""seconds that `trouble` waits for a server"""


def parse(database_url: str) -> URL:
    """The URL with the asynchronous driver filled in.

    `sqlite+aiosqlite:///FILE` and `postgresql+asyncpg://…` are what we serve; anything else raises ConfigError.
    """
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError) as error:
        advice = "write sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"
        raise ConfigError([f"DATABASE_URL cannot be read; {advice}"]) from error
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return url.set(drivername="postgresql+asyncpg")
    raise ConfigError([f"a database of the kind {url.drivername!r} is not served; use a SQLite file or PostgreSQL"])


def reason(error: Exception) -> str:
    """What the database said, in a line, without the values of a statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return (str(cause).splitlines() or [type(cause).__name__])[0]


@contextmanager
def opening(url: URL) -> Iterator[None]:
    """Raises StoreError for whatever keeps the database from being opened: what is wrong, and what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        if url.get_backend_name() == "sqlite":
            name = url.database
            advice = "name a SQLite file in DATABASE_URL, there already or not, in a folder that warroom may write"
        else:
            name = url.render_as_string(hide_password=True)
            advice = "start the server, or correct DATABASE_URL"
        raise StoreError(f"the database {name} cannot be opened ({reason(error)}); {advice}") from error


async def trouble(database_url: str, patience: float = PATIENCE_S) -> str | None:
    """Why the database cannot be used, in a sentence that says what to do; None when it can, or can be made.

    Nothing is made or changed. A server has `patience` seconds to answer.
    """
    try:
        url = parse(database_url)
        with opening(url):
            if url.get_backend_name() == "sqlite":
                _look_at_file(url)
            else:
                async with asyncio.timeout(patience):
                    await version(url)
    except (ConfigError, StoreError) as error:
        return str(error)
    return None


def _look_at_file(url: URL) -> None:
    """Raises OSError or sqlite3.Error when the file is no database of SQLite, or cannot be written or made, ConfigError
    when a newer warroom made its tables."""
    file = Path(url.database or "")
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    with TemporaryFile(dir=folder):  # as SQLite's own files beside the database
        pass
    if file.exists():
        with file.open("r+b"):
            _not_newer(_file_version(file), url)


def _file_version(file: Path) -> str | None:
    """How far the tables in a file are; None when there are none. Raises sqlite3.Error when it is no database.

    Without aiosqlite: where it cannot open a file, its thread may outlive the loop, and say so with a traceback.
    """
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found else None


async def version(url: URL) -> str | None:
    """How far the tables are; None when there are none. Raises ConfigError when a newer warroom made them."""
    if url.get_backend_name() == "sqlite":
        return _not_newer(_file_version(Path(url.database or "")), url)
    engine = connect(url, writer=False)
    try:
        async with engine.connect() as connection:
            return _not_newer(await connection.run_sync(_version), url)
    finally:
        await engine.dispose()


def _not_newer(found: str | None, url: URL) -> str | None:
    if found is not None and found > HEAD:
        name = url.render_as_string(hide_password=True)
        raise ConfigError([f"a newer warroom made the tables of {name}; run that one, or name another in DATABASE_URL"])
    return found


def connect(url: URL, *, writer: bool) -> AsyncEngine:
    """An engine of one connection that writes, or of several that read.

    On SQLite a writer begins IMMEDIATE: one that began to read and wanted to write later would find the database
    locked in spite of busy_timeout.
    """
    if url.get_backend_name() == "postgresql":
        size = 1 if writer else 4
        return create_async_engine(url, pool_size=size, max_overflow=0, pool_pre_ping=True)
    engine = create_async_engine(url, pool_size=1 if writer else 4, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS if writer else (*PRAGMAS, "query_only=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


class FileLock:
    """Keeps a SQLite file, by whatever link it is named, to one serving process, for as long as the process lives."""

    def __init__(self, database: str) -> None:
        self.path = Path(f"{os.path.realpath(database)}.lock")
        self._file: int | None = None

    def take(self) -> None:
        """Raises ConfigError when another process holds it, OSError when it cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            raise ConfigError(
                [f"another warroom process is using {self.path.stem}; stop it first, or use PostgreSQL for replicas"]
            ) from error
        self._file = file

    def release(self) -> None:
        """Lets the next process in."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


async def upgrade(database_url: str) -> None:
    """Brings the tables up to date. Processes that start together take turns.

    Raises ConfigError for another URL and for tables of a newer warroom, StoreError when it cannot be opened.
    """
    url = parse(database_url)
    engine = connect(url, writer=True)
    try:
        with opening(url):
            if url.get_backend_name() == "sqlite":
                Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
                _look_at_file(url)
            async with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
                if _not_newer(await connection.run_sync(_version), url) != HEAD:
                    await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _version(connection: Connection) -> str | None:
    """How far the tables are; None when there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command  # 8 MB and a tenth of a second, for the rare start that finds old tables
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
