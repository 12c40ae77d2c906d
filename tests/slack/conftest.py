"""The sandbox's Slack over HTTP, our gateway on it, and our app in front of a scripted desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.slack.support import SECRET, TOKEN, Desk, Watch

from warroom.rendering import Catalog
from warroom.sandbox import Sandbox, serve
from warroom.sandbox.server import embedded
from warroom.slack.api import Api
from warroom.slack.app import Endpoint, create_app
from warroom.slack.directory import Directory
from warroom.slack.gate import Gate
from warroom.slack.gateway import Gateway

GROUPS = {
    "halt_operators": ("S0SANDBX05", "ana@sandbox.example"),
    "commanders": ("U0SANDBX02", "mei@sandbox.example"),
    "ghosts": ("nobody@sandbox.example", "S0NOBODY99"),
}


async def pager_of(email: str) -> str | None:
    return {"ana@sandbox.example": "PUSRANA", "rita@sandbox.example": "PUSRRIT"}.get(email)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def sandbox(watch: Watch) -> Sandbox:
    return Sandbox(watch, speed=1000)


@pytest.fixture
async def url(sandbox: Sandbox) -> AsyncIterator[str]:
    async with serve(sandbox) as at:
        yield at


@pytest.fixture
async def api(url: str) -> AsyncIterator[Api]:
    async with Api(TOKEN, f"{url}/slack/api/") as api:
        yield api


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load(Path(__file__).parent / "messages")


@pytest.fixture
def directory(api: Api) -> Directory:
    return Directory(api, GROUPS, pager_of)


@pytest.fixture
def gateway(api: Api, catalog: Catalog, directory: Directory) -> Gateway:
    views = {"panel": lambda i, pack, now, data: {"id": i.id, "status": i.status}}
    return Gateway(api, catalog, directory, views)


@pytest.fixture
def after_a_stop(api: Api, catalog: Catalog, directory: Directory) -> Gateway:
    """The gateway of the next process: it remembers nothing."""
    return Gateway(api, catalog, directory, {})


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def bot(
    sandbox: Sandbox, api: Api, catalog: Catalog, directory: Directory, desk: Desk, watch: Watch
) -> AsyncIterator[str]:
    """The whole way from Slack to `submit`, served over HTTP; yields its address."""
    app = create_app(
        signing_secret=SECRET,
        api=api,
        submit=lambda given: desk.submit(given),
        directory=directory,
        catalog=catalog,
        clock=watch,
        pack_of=lambda incident: "toy",
    )
    async with embedded(Gate(Endpoint(app), SECRET)) as (at, _):
        sandbox.bot_url = at
        yield at


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        yield client
