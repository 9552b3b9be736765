"""A subgraph that is down."""

from collections.abc import AsyncIterator

import pytest

from tests.router.trouble.misbehaving import PARTIAL, run_library_at
from tests.support.serving import refuse_connections


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with refuse_connections() as origin:
        yield f"{origin}/graphql"


async def test_the_fields_of_other_subgraphs_are_answered(address):
    async with run_library_at(address) as running:
        assert await running.execute() == PARTIAL


async def test_its_circuit_opens_and_is_measured(address):
    async with run_library_at(address, breaker_failures=2, breaker_seconds=600, retries=0) as running:
        assert [await running.execute() for _ in range(3)] == [PARTIAL] * 3
        assert await running.list_samples("router_subgraph_breaker_state{") == [
            'router_subgraph_breaker_state{subgraph="reviews"} 2.0'
        ]
        counts = await running.list_samples("router_subgraph_fetch_seconds_count{")
    assert 'router_subgraph_fetch_seconds_count{outcome="unreachable",subgraph="reviews"} 2.0' in counts
    assert 'router_subgraph_fetch_seconds_count{outcome="refused",subgraph="reviews"} 1.0' in counts


async def test_queries_are_retried_while_the_budget_lasts(address):
    async with run_library_at(address, breaker_failures=0, retries=2, retry_share=0) as running:
        for _ in range(6):
            assert await running.execute() == PARTIAL
        retries = await running.list_samples("router_subgraph_retries_total{")
    assert retries == ['router_subgraph_retries_total{subgraph="reviews"} 10.0']
