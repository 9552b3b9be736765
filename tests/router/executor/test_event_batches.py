"""Completion of events in batches, in order and with a limited number that waits."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from router.executor.event_batches import MAX_BATCH, MAX_BATCH_BYTES, complete_events
from tests.support.waiting import wait_until


class Source:
    """A source of numbered events that counts how many were read."""

    def __init__(self, last: int, error: Exception | None = None, size: int = 0) -> None:
        self.read, self.closed = 0, False
        self._last, self._error, self._size = last, error, size

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        try:
            for number in range(self._last):
                self.read += 1
                yield {"n": number, **({"text": "x" * self._size} if self._size else {})}
            if self._error:
                raise self._error
        finally:
            self.closed = True


async def test_events_that_arrive_while_another_is_completed_are_completed_together_and_in_order():
    source, batches = Source(10), []

    async def complete(events: Sequence[dict[str, Any]]) -> list[int]:
        batches.append([event["n"] for event in events])
        if len(batches) == 1:
            await wait_until(lambda: source.read == 10)
        return batches[-1]

    numbers = [number async for number in complete_events(source.events(), complete)]
    assert numbers == list(range(10))
    assert batches == [[0], list(range(1, 10))]


async def test_an_event_that_arrives_alone_is_completed_at_once():
    may_arrive = asyncio.Event()

    async def events() -> AsyncGenerator[dict[str, Any], None]:
        yield {"n": 0}
        await may_arrive.wait()
        yield {"n": 1}

    async def complete(batch: Sequence[dict[str, Any]]) -> list[int]:
        return [event["n"] for event in batch]

    async with asyncio.timeout(60):
        results = complete_events(events(), complete)
        assert await anext(results) == 0
        may_arrive.set()
        assert [number async for number in results] == [1]


async def test_the_number_of_waiting_events_is_limited():
    source, may_end = Source(1000), asyncio.Event()

    async def complete(events: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        await may_end.wait()
        return events

    async with aclosing(complete_events(source.events(), complete)) as results:
        first = asyncio.create_task(anext(results))
        await wait_until(lambda: source.read > MAX_BATCH)
        for _ in range(100):
            await asyncio.sleep(0)
        assert source.read == 1 + MAX_BATCH
        may_end.set()
        assert await first == {"n": 0}


async def test_the_bytes_of_waiting_events_are_limited():
    source, may_end = Source(20, size=MAX_BATCH_BYTES // 4), asyncio.Event()

    async def complete(events: Sequence[dict[str, Any]]) -> list[int]:
        await may_end.wait()
        return [event["n"] for event in events]

    async with aclosing(complete_events(source.events(), complete)) as results:
        first = asyncio.create_task(anext(results))
        await wait_until(lambda: source.read >= 5)
        for _ in range(100):
            await asyncio.sleep(0)
        assert source.read == 5
        may_end.set()
        assert [await first, *[number async for number in results]] == list(range(20))


async def test_a_silent_stream_takes_no_task_of_its_own():
    silent = asyncio.Event()

    async def events() -> AsyncGenerator[dict[str, Any], None]:
        yield {"n": 0}
        await silent.wait()

    async def complete(batch: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        return batch

    results = complete_events(events(), complete)
    assert await anext(results) == {"n": 0}
    before = len(asyncio.all_tasks())
    waiting = asyncio.create_task(anext(results, None))
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before + 1
    silent.set()
    assert await waiting is None


async def test_an_error_of_the_source_is_raised_after_its_events():
    source = Source(3, ValueError("broken"))

    async def complete(events: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        await asyncio.sleep(0)
        return events

    results = complete_events(source.events(), complete)
    assert [await anext(results) for _ in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    with pytest.raises(ValueError, match="broken"):
        await anext(results)


async def test_closing_the_stream_cancels_the_completion_and_the_reading():
    source, begun, ended = Source(1000), 0, 0

    async def complete(_events: Sequence[dict[str, Any]]) -> list[None]:
        nonlocal begun, ended
        begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1
        return []

    events = source.events()
    async with aclosing(complete_events(events, complete)) as results:
        waiting = asyncio.create_task(anext(results))
        await wait_until(lambda: source.read > MAX_BATCH)
        waiting.cancel()
        await asyncio.wait({waiting})
    await events.aclose()
    assert (begun, ended, source.closed) == (1, 1, True)
