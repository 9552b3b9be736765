"""A worker is killed during a generation, and another one finishes the book."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import aclosing

from infra.local import Stack
from tests.e2e.parent_client import WATCH, ParentClient, is_in_order

STEPS = """query ($id: ID!) { generation(id: $id) {
  status stepsDone stepsTotal steps { id kind status attempts }
} }"""


async def test_a_book_whose_worker_is_killed_is_finished_by_another(
    stack: Stack, parent: ParentClient
) -> None:
    """The subscriber misses no event, and no finished step is repeated."""
    generation_id = await parent.generate(await parent.create_book())
    killed, done_before = stack.processes["worker"], set[str]()
    seen = []
    async with aclosing(parent.watch(WATCH, id=generation_id, after=0)) as events:
        async for event in events:
            seen.append(event)
            if not done_before and count_illustrations(seen) >= 3:
                done_before = await read_finished_steps(parent, generation_id)
                os.kill(killed, signal.SIGKILL)
    assert is_in_order(seen)
    assert seen[-1]["__typename"] == "GenerationCompleted"
    assert await parent.watch_to_the_end(generation_id) == seen
    assert len(done_before) >= 3

    generation = await parent.get(STEPS, id=generation_id)
    assert (generation["status"], generation["stepsDone"]) == ("COMPLETED", generation["stepsTotal"])
    attempts = {step["id"]: step["attempts"] for step in generation["steps"]}
    assert {attempts[step] for step in done_before} == {1}
    written = Counter(event["written"]["number"] for event in seen if event["__typename"] == "PageWritten")
    assert written == Counter(range(4, 32, 2))
    await wait_for_another_worker(stack, killed)


def count_illustrations(seen: list[dict[str, object]]) -> int:
    return sum(event["__typename"] == "IllustrationReady" for event in seen)


async def read_finished_steps(parent: ParentClient, generation_id: str) -> set[str]:
    steps = (await parent.get(STEPS, id=generation_id))["steps"]
    return {step["id"] for step in steps if step["status"] == "DONE"}


async def wait_for_another_worker(stack: Stack, killed: int) -> None:
    async with asyncio.timeout(60):
        while stack.processes.get("worker") in {None, killed}:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.1)
