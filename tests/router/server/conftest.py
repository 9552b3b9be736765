"""The running test library that the tests of the server share."""

from collections.abc import AsyncIterator

import pytest

from tests.router.running_library import Library, run_library


@pytest.fixture(scope="session")
async def running_library() -> AsyncIterator[Library]:
    async with run_library() as running:
        yield running


@pytest.fixture
def library(running_library: Library) -> Library:
    """The shared library, with its books subgraph reset."""
    running_library.books.reset()
    return running_library
