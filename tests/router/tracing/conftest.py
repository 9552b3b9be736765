"""One traced router for the tests that ask it in different ways."""

from collections.abc import AsyncIterator

import pytest

from tests.router.tracing.running import Traced, traced


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[Traced]:
    async with traced(ROUTER_MAX_BATCH="5") as library:
        yield library
