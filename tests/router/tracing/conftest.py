"""The traced router that the tests of tracing share."""

from collections.abc import AsyncIterator

import pytest

from tests.router.tracing.traced_library import TracedLibrary, run_traced_library


@pytest.fixture(scope="session")
async def shared_library() -> AsyncIterator[TracedLibrary]:
    async with run_traced_library(ROUTER_MAX_BATCH="5") as library:
        yield library
