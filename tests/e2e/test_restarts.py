"""Processes between a worker and a client are killed; the client resumes by its cursor without a gap."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2

from infra.local import Stack
from tests.e2e.parent_client import WATCH, Object, ParentClient, is_in_order


async def test_a_returning_client_misses_no_event(stack: Stack, parent: ParentClient) -> None:
    generation_id = await parent.generate(await parent.create_book())
    seen: list[Object] = []
    to_kill = {20: "router", 60: "ai"}
    async with asyncio.timeout(240):
        while not has_ended(seen):
            try:
                async with aclosing(follow_generation(parent, generation_id, seen)) as events:
                    async for event in events:
                        seen.append(event)
                        if name := to_kill.pop(len(seen), None):
                            os.kill(stack.processes[name], signal.SIGKILL)
            except (httpx2.HTTPError, AssertionError):
                # The stream was cut, or the router reported that the subgraph is unavailable: try again.
                await asyncio.sleep(0.2)
    assert to_kill == {}
    assert is_in_order(seen)
    assert seen == await parent.watch_to_the_end(generation_id)


def follow_generation(parent: ParentClient, generation_id: str, seen: list[Object]) -> AsyncGenerator[Object]:
    return parent.watch(WATCH, id=generation_id, after=seen[-1]["sequence"] if seen else 0)


def has_ended(seen: list[Object]) -> bool:
    return bool(seen) and seen[-1]["__typename"] == "GenerationCompleted"
