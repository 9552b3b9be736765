"""Responses that arrive together are processed over as many iterations of the event loop as needed."""

import asyncio
from itertools import pairwise
from typing import Any

from router.transport.base import RequestContext
from router.transport.response_admission import (
    SECONDS_PER_ITERATION,
    AdmittedResponses,
    ResponseAdmission,
)


class Subgraphs:
    """Answers every fetch at the same moment."""

    def __init__(self) -> None:
        self.moment = asyncio.Event()

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        await self.moment.wait()
        return {"data": {"client": body.decode()}}


async def process_by_iteration(seconds: float, clients: list[str]) -> list[list[str]]:
    """Lists the clients whose responses are processed in each iteration, if each takes `seconds`."""
    subgraphs = Subgraphs()
    now = 0.0
    transport = AdmittedResponses(subgraphs, ResponseAdmission(lambda: now))
    processed: list[str] = []

    async def fetch(client: str) -> None:
        nonlocal now
        answer = await transport.fetch("books", client.encode(), RequestContext(None, "", client=client))
        processed.append(answer["data"]["client"])
        now += seconds

    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(fetch(client))
        await asyncio.sleep(0)
        subgraphs.moment.set()
        counts = [0]
        while len(processed) < len(clients):
            await asyncio.sleep(0)
            if processed:
                counts.append(len(processed))
    return [processed[before:after] for before, after in pairwise(counts)]


async def test_slow_responses_are_processed_one_per_iteration_alternating_between_clients():
    iterations = await process_by_iteration(SECONDS_PER_ITERATION, ["often"] * 40 + ["rarely"])
    assert {len(iteration) for iteration in iterations} <= {0, 1}
    processed = [client for iteration in iterations for client in iteration]
    assert processed.index("rarely") < 3
    assert len(processed) == 41


async def test_an_iteration_processes_as_many_responses_as_fit_its_time():
    first, *others = await process_by_iteration(SECONDS_PER_ITERATION / 4, ["often"] * 40)
    assert len(first) == 4
    assert {len(iteration) for iteration in others} <= {0, 1}


async def test_responses_that_take_no_time_are_processed_in_one_iteration():
    assert await process_by_iteration(0.0, ["often"] * 40) == [["often"] * 40]
