"""The test library, running, for the tests of the edge."""

from collections.abc import AsyncIterator

import pytest

from tests.router.running import Library, opened


@pytest.fixture(scope="session")
async def running_library() -> AsyncIterator[Library]:
    async with opened() as running:
        yield running


@pytest.fixture
def library(running_library: Library) -> Library:
    """The shared library, with its shelf as it was at first."""
    running_library.shelf.reset()
    return running_library
