"""Events completed side by side and told in their order.

What completes events is fetched as soon as they come, not when those before are told. Events that wait
together mostly ask for the same, which is then fetched once, as all fetches are that are under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

MAX_AHEAD = 32

Told = TypeVar("Told")


async def completed(
    events: AsyncGenerator[dict[str, Any], None], complete: Callable[[dict[str, Any]], Awaitable[Told]]
) -> AsyncGenerator[Told, None]:
    """Each event as it is told, in their order; only so many are read before the first of them is told."""
    under_way: deque[asyncio.Task[Told]] = deque()
    reading: asyncio.Task[dict[str, Any]] | None = asyncio.create_task(_next(events))
    end: BaseException | None = None
    try:
        while reading or under_way:
            awaited: list[asyncio.Task[Any]] = list(under_way)[:1]
            if reading and len(under_way) < MAX_AHEAD:
                awaited.append(reading)
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if reading and reading.done():
                if (end := reading.exception()) is None:
                    under_way.append(asyncio.create_task(_completed(complete, reading.result())))
                reading = None if end else asyncio.create_task(_next(events))
            while under_way and under_way[0].done():
                yield under_way.popleft().result()
    finally:
        left = [*under_way, *([reading] if reading else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    if end and not isinstance(end, _End):
        raise end


class _End(Exception):
    """There are no more events."""


async def _next(events: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    try:
        return await anext(events)
    except StopAsyncIteration:
        raise _End from None


async def _completed(complete: Callable[[dict[str, Any]], Awaitable[Told]], event: dict[str, Any]) -> Told:
    return await complete(event)
