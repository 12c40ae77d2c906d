"""Each contract test runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.store.databases import postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[str]:
    """A database of its own for each test."""
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/warroom.db"
        return
    async with postgresql() as url:
        yield url
