import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from tests.platform.support import Service, a_service
from tests.store import databases


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with a_service() as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        yield client


@pytest.fixture(scope="session")
def postgresql() -> str:
    """The URL of a PostgreSQL with a table `orders` of three rows."""
    return asyncio.run(orders())


async def orders() -> str:
    async with databases.postgresql(migrated=False) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE orders (id int, venue text)")
        await connection.execute("INSERT INTO orders VALUES (1,'NYSE'),(2,'IEX'),(3,NULL)")
        await connection.close()
        return url
