"""Answers that come at one moment are handed on over several turns of the event loop."""

import asyncio
from itertools import pairwise
from typing import Any

from router.admission import MAX_PER_ITERATION, Admission
from router.transport.base import RequestContext
from router.transport.response_admission import ResponseAdmission


class Subgraphs:
    """Answers every fetch at the same moment."""

    def __init__(self) -> None:
        self.moment = asyncio.Event()

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        await self.moment.wait()
        return {"data": {"asked": body.decode()}}


async def test_answers_of_one_moment_are_handed_on_a_few_in_each_turn_and_client_by_client():
    subgraphs = Subgraphs()
    transport = ResponseAdmission(subgraphs, Admission())
    answered: list[str] = []

    async def ask(client: str) -> None:
        answer = await transport.fetch(
            "books", client.encode(), RequestContext(None, "00-trace", client=client)
        )
        answered.append(answer["data"]["asked"])

    async with asyncio.TaskGroup() as tasks:
        for client in ["often"] * 20 * MAX_PER_ITERATION + ["rarely"]:
            tasks.create_task(ask(client))
        await asyncio.sleep(0)
        subgraphs.moment.set()
        counts: list[int] = []
        while not answered or len(answered) > counts[-1]:
            counts.append(len(answered))
            await asyncio.sleep(0)
    assert {after - before for before, after in pairwise(counts)} == {MAX_PER_ITERATION}
    assert MAX_PER_ITERATION <= answered.index("rarely") < 3 * MAX_PER_ITERATION
    assert len(answered) == 20 * MAX_PER_ITERATION + 1
