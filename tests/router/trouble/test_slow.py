"""A subgraph that is slow."""

import asyncio

from tests.router.trouble.misbehaving import PARTIAL, build_response, never_answer, run_library


async def test_it_times_out():
    async with run_library(never_answer, subgraph_timeouts={"reviews": 0.1}) as running:
        assert await running.execute() == PARTIAL
        counts = await running.list_samples("router_subgraph_fetch_seconds_count{")
    assert 'router_subgraph_fetch_seconds_count{outcome="timeout",subgraph="reviews"} 1.0' in counts


async def test_an_operation_is_answered_at_its_deadline():
    async with run_library(never_answer, operation_timeout=1) as running:
        assert await running.execute() == PARTIAL
        counts = await running.list_samples("router_subgraph_fetch_seconds_count{")
    assert 'router_subgraph_fetch_seconds_count{outcome="deadline",subgraph="reviews"} 1.0' in counts


async def test_an_answer_that_trickles_in_times_out():
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(build_response(b" " * 1_000_000)[:-1_000_000])
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with run_library(drip, subgraph_timeout=0.3) as running:
        assert await running.execute() == PARTIAL
