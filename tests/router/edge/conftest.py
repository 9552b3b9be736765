"""A router for the tests that do not need one of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.router.edge.conversation import Edge, edge


@pytest.fixture(scope="session")
async def running_edge() -> AsyncIterator[Edge]:
    async with edge(ROUTER_HEADER_TIMEOUT="1", ROUTER_BODY_TIMEOUT="1") as running:
        yield running
