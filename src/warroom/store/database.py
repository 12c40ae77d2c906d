"""Connections: how SQLite and PostgreSQL are opened, kept to one process, and brought up to date."""

import fcntl
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from warroom.errors import ConfigError

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000")
UPGRADE_LOCK = 7_246_101
HEAD = "0003"
"""The newest of migrations/versions."""


def parse(database_url: str) -> URL:
    """The URL with the asynchronous driver filled in.

    `sqlite:///file` and `postgresql://…` are what we serve; anything else raises ConfigError.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise ConfigError(["the database URL cannot be read; write sqlite:///warroom.db or postgresql://…"]) from error
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return url.set(drivername="postgresql+asyncpg")
    raise ConfigError([f"a database of the kind {url.drivername!r} is not served; use a SQLite file or PostgreSQL"])


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
    """Keeps a SQLite file to one serving process, for as long as the process lives."""

    def __init__(self, database: str) -> None:
        self.path = Path(f"{database}.lock")
        self._file: int | None = None

    def take(self) -> None:
        """Raises ConfigError when another process holds it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError([f"{self.path} cannot be written: {error.strerror}"]) from error
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
    """Brings the tables up to date. Processes that start together take turns."""
    engine = connect(parse(database_url), writer=True)
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
            if await connection.run_sync(_version) != HEAD:
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
