"""A subgraph is killed while it streams, and its subscribers behind the router do not notice."""

import os
import signal
from contextlib import aclosing

import pytest

from infra.local import Stack
from tests.e2e.parent_client import WATCH, Object, ParentClient


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_watched_generation_continues_through_a_restart(
    stack: Stack, parent: ParentClient, how: signal.Signals
) -> None:
    generation_id = await parent.generate(await parent.create_book())
    streaming = stack.processes["ai"]
    seen: list[Object] = []
    async with aclosing(parent.watch(WATCH, id=generation_id, after=0)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 20:
                os.kill(streaming, how)
    assert stack.processes["ai"] != streaming
    assert [event["sequence"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["__typename"] == "GenerationCompleted"
    assert seen == await parent.watch_to_the_end(generation_id)
