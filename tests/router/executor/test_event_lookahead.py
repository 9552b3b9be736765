"""Concurrent completion of events, in order and with limited lookahead."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from router.executor.event_lookahead import MAX_LOOKAHEAD, MAX_LOOKAHEAD_BYTES, complete_events
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


async def test_events_are_yielded_in_order_however_long_each_takes():
    source, may_end = Source(10), asyncio.Event()
    begun: list[int] = []

    async def complete(event: dict[str, Any]) -> int:
        begun.append(event["n"])
        if event["n"] == 0:
            await may_end.wait()
        if event["n"] == 9:
            may_end.set()
        number: int = event["n"]
        return number

    numbers = [number async for number in complete_events(source.events(), complete)]
    assert (numbers, begun) == (list(range(10)), list(range(10)))


async def test_the_number_of_events_read_ahead_is_limited():
    source, may_end = Source(1000), asyncio.Event()

    async def complete(event: dict[str, Any]) -> dict[str, Any]:
        await may_end.wait()
        return event

    async with aclosing(complete_events(source.events(), complete)) as results:
        first = asyncio.create_task(anext(results))
        await wait_until(lambda: source.read >= MAX_LOOKAHEAD)
        for _ in range(100):
            await asyncio.sleep(0)
        assert source.read == MAX_LOOKAHEAD
        may_end.set()
        assert await first == {"n": 0}


async def test_the_bytes_of_events_read_ahead_are_limited():
    source, may_end = Source(20, size=MAX_LOOKAHEAD_BYTES // 4), asyncio.Event()

    async def complete(event: dict[str, Any]) -> int:
        await may_end.wait()
        number: int = event["n"]
        return number

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

    async def complete(event: dict[str, Any]) -> dict[str, Any]:
        return event

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

    async def complete(event: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return event

    results = complete_events(source.events(), complete)
    assert [await anext(results) for _ in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    with pytest.raises(ValueError, match="broken"):
        await anext(results)


async def test_closing_the_stream_cancels_running_completions():
    source, begun, ended = Source(1000), 0, 0

    async def complete(_event: dict[str, Any]) -> None:
        nonlocal begun, ended
        begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1

    events = source.events()
    async with aclosing(complete_events(events, complete)) as results:
        waiting = asyncio.create_task(anext(results))
        await wait_until(lambda: begun == MAX_LOOKAHEAD)
        waiting.cancel()
        await asyncio.wait({waiting})
    await events.aclose()
    assert (ended, source.closed) == (MAX_LOOKAHEAD, True)
