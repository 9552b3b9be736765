"""Time slices: long operations make way for short ones, and still continue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from subgraphs.common.scheduling import OperationScheduler

STEP_SECONDS = 0.0003


class IterationCounter:
    """Counts iterations of the event loop, and those in which a long operation has run."""

    def __init__(self) -> None:
        self.steps = 0
        self.with_long_steps = 0
        self._has_run = False

    def note_step(self) -> None:
        self.steps += 1
        self._has_run = True

    async def run(self, iterations: int) -> None:
        for _ in range(iterations):
            self._has_run = False
            await asyncio.sleep(0)
            self.with_long_steps += self._has_run


def compute(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def create_long_operation() -> OperationScheduler:
    operation = OperationScheduler()
    while operation.is_short:
        await operation.wait()
    return operation


@asynccontextmanager
async def keep_running(operation: OperationScheduler, counter: IterationCounter) -> AsyncIterator[None]:
    """Run step after step of an operation."""

    async def work() -> None:
        while True:
            await operation.wait()
            counter.note_step()
            compute(STEP_SECONDS)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_long_operation_runs_in_every_second_iteration_while_no_short_one_does() -> None:
    counter = IterationCounter()
    async with keep_running(await create_long_operation(), counter):
        await counter.run(100)
    assert counter.with_long_steps >= 45


async def test_a_long_operation_pauses_in_most_iterations_of_a_short_one_and_still_continues() -> None:
    counter = IterationCounter()
    async with keep_running(await create_long_operation(), counter):
        with OperationScheduler().run():
            await counter.run(100)
            assert counter.with_long_steps < 25
            async with asyncio.timeout(30):
                while counter.steps < 50:  # noqa: ASYNC110 - each iteration counts
                    await asyncio.sleep(0)


async def test_long_operations_take_turns() -> None:
    counters = IterationCounter(), IterationCounter()
    first, second = await create_long_operation(), await create_long_operation()
    async with keep_running(first, counters[0]), keep_running(second, counters[1]), asyncio.timeout(30):
        while min(counter.steps for counter in counters) < 50:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    assert max(counter.steps for counter in counters) < 500
