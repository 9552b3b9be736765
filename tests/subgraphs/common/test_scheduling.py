"""Time slices: operations with large answers take turns, and others run in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from subgraphs.common.scheduling import (
    MAX_PAUSE_SECONDS,
    PAUSE_ITERATIONS,
    SLICE_SECONDS,
    OperationScheduler,
)

STEP_SECONDS = SLICE_SECONDS / 10


class LargeOperation:
    """An operation that runs step after step, in several tasks, and counts its steps."""

    def __init__(self) -> None:
        self.steps = 0
        self._scheduler = OperationScheduler()

    @asynccontextmanager
    async def run(self, tasks: int = 1) -> AsyncIterator[LargeOperation]:
        running = [asyncio.create_task(self._run_steps()) for _ in range(tasks)]
        try:
            yield self
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _run_steps(self) -> None:
        while True:
            await self._scheduler.wait()
            self.steps += 1
            compute(STEP_SECONDS)


def compute(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def count_iterations_with_steps(operations: Sequence[LargeOperation], iterations: int) -> int:
    count = 0
    for _ in range(iterations):
        before = sum(each.steps for each in operations)
        await asyncio.sleep(0)
        count += sum(each.steps for each in operations) > before
    return count


async def test_a_large_operation_runs_in_few_iterations_of_the_event_loop_and_continues() -> None:
    async with LargeOperation().run() as operation:
        slices = 20
        count = await count_iterations_with_steps([operation], slices * (PAUSE_ITERATIONS + 3))
        assert slices / 2 <= count <= slices * 3


async def test_many_large_operations_leave_as_much_time_to_others_as_one_does() -> None:
    first, second, third = LargeOperation(), LargeOperation(), LargeOperation()
    async with first.run(), second.run(), third.run():
        slices = 20
        count = await count_iterations_with_steps((first, second, third), slices * (PAUSE_ITERATIONS + 3))
        assert count <= slices * 3


async def test_large_operations_take_turns_however_many_tasks_each_has() -> None:
    narrow, wide = LargeOperation(), LargeOperation()
    async with narrow.run(), wide.run(tasks=500), asyncio.timeout(30):
        while min(narrow.steps, wide.steps) < 100:  # noqa: ASYNC110 - each iteration counts
            await asyncio.sleep(0)
        assert max(narrow.steps, wide.steps) < 400


async def test_a_small_operation_has_time_while_a_large_one_waits() -> None:
    async with LargeOperation().run() as large, asyncio.timeout(30):
        while True:
            started, steps = await run_small_operation_after_slice_of(large)
            # A busy machine can take the time of a whole pause, and then the next slice has come.
            if time.perf_counter() < started + MAX_PAUSE_SECONDS:
                break
        assert steps == 0


async def run_small_operation_after_slice_of(large: LargeOperation) -> tuple[float, int]:
    """Run a small operation in a large one's pause; return when it began and the large one's steps in it."""
    small = OperationScheduler()
    before = large.steps
    while large.steps == before:  # noqa: ASYNC110 - each iteration counts
        await asyncio.sleep(0)
    started = time.perf_counter()
    await asyncio.sleep(0)
    after_slice = large.steps
    for _ in range(PAUSE_ITERATIONS // 2):
        await small.wait()
        await asyncio.sleep(0)
    return started, large.steps - after_slice


async def test_others_that_take_long_do_not_keep_a_large_operation_waiting() -> None:
    async with LargeOperation().run() as large:
        for _ in range(100):
            compute(SLICE_SECONDS)
            await asyncio.sleep(0)
        assert large.steps >= 100


async def test_a_large_operation_continues_when_its_waiting_steps_have_been_cancelled() -> None:
    operation = LargeOperation()
    async with operation.run(tasks=200), asyncio.timeout(30):
        while operation.steps < 20:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    before = operation.steps
    async with operation.run(), asyncio.timeout(30):
        while operation.steps < before + 20:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
