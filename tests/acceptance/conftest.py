"""A firm and its bot for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.acceptance.world import CLOSED, World, a_world


@pytest.fixture
async def world(folder: Path) -> AsyncIterator[World]:
    """Tuesday morning, the market is open, actions are live."""
    async with a_world(folder) as world:
        yield world


@pytest.fixture
async def evening(folder: Path) -> AsyncIterator[World]:
    """The same day after the market has closed."""
    async with a_world(folder, begins=CLOSED) as world:
        yield world


@pytest.fixture
async def eafix(folder: Path) -> AsyncIterator[World]:
    """The EAFIX platform on Tuesday morning at 9:31 in New York: its market is open."""
    async with a_world(folder, packs=("eafix",)) as world:
        yield world


@pytest.fixture
async def eafix_evening(folder: Path) -> AsyncIterator[World]:
    """The same day at 18:00 in New York: the market and the office are closed."""
    async with a_world(folder, begins=CLOSED, packs=("eafix",)) as world:
        yield world
