"""Large answers that arrive at the same moment are passed on over several turns of the event loop."""

import asyncio
from itertools import pairwise
from typing import Any

from router.transport.base import SIZEABLE_BYTES, RequestContext, SizeableResponse, mark_size
from router.transport.response_admission import ResponseAdmission
from tests.router.executor.shop import CONTEXT, build_data, run_graph


class Subgraphs:
    """Answers every fetch at the same moment."""

    def __init__(self, size: int) -> None:
        self.moment = asyncio.Event()
        self._size = size

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        await self.moment.wait()
        return mark_size({"data": {"client": body.decode()}}, self._size)


async def list_answers_by_turn(size: int, clients: list[str]) -> list[list[str]]:
    """Lists the clients that were answered in each turn, from the first turn with an answer."""
    subgraphs = Subgraphs(size)
    transport = ResponseAdmission(subgraphs)
    answered: list[str] = []

    async def ask(client: str) -> None:
        answer = await transport.fetch("books", client.encode(), RequestContext(None, "", client=client))
        answered.append(answer["data"]["client"])

    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(ask(client))
        await asyncio.sleep(0)
        subgraphs.moment.set()
        counts = [0]
        while len(answered) < len(clients):
            await asyncio.sleep(0)
            if answered:
                counts.append(len(answered))
    return [answered[before:after] for before, after in pairwise(counts)]


async def test_large_answers_are_passed_on_one_per_turn_alternating_between_clients():
    turns = await list_answers_by_turn(SIZEABLE_BYTES + 1, ["often"] * 40 + ["rarely"])
    assert {len(turn) for turn in turns} <= {0, 1}
    answered = [client for turn in turns for client in turn]
    assert answered.index("rarely") < 3
    assert len(answered) == 41


async def test_small_answers_are_passed_on_at_once():
    assert await list_answers_by_turn(SIZEABLE_BYTES, ["often"] * 40) == [["often"] * 40]


async def test_a_response_is_sizeable_by_the_bytes_that_were_read():
    products = [{"id": "1", "name": "x" * SIZEABLE_BYTES}]
    for answer, is_sizeable in ((build_data(products=products), True), (build_data(products=[]), False)):
        async with run_graph("shop", catalogue=answer) as shop:
            response = await shop.transport.fetch("catalogue", b"{}", CONTEXT)
        assert isinstance(response, SizeableResponse) is is_sizeable
