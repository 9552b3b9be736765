"""The router process that the tests of the edge share."""

from collections.abc import AsyncIterator

import pytest

from tests.router.edge.raw_http import Edge, run_edge


@pytest.fixture(scope="session")
async def running_edge() -> AsyncIterator[Edge]:
    async with run_edge(ROUTER_HEADER_TIMEOUT="1", ROUTER_BODY_TIMEOUT="1") as running:
        yield running
