"""Events completed side by side and told in their order.

What completes events is fetched as soon as they come, not when those before are told. Events that wait
together mostly ask for the same, which is then fetched once, as all fetches are that are under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar

from router.json_text import encode

MAX_AHEAD = 32
# Beside the event that is told next, and the last one, which may be larger.
MAX_AHEAD_BYTES = 262_144

Told = TypeVar("Told")
_Event: TypeAlias = dict[str, Any]


async def completed(
    events: AsyncGenerator[_Event, None], complete: Callable[[_Event], Awaitable[Told]]
) -> AsyncGenerator[Told, None]:
    """Each event as it is told, in their order; only so much is read before the first of them is told."""
    ahead = _Ahead(events, complete)
    try:
        while await ahead.moves():
            while (task := ahead.first()) is not None:
                yield task.result()
    finally:
        await ahead.leave()


class _Ahead(Generic[Told]):
    """What is under way: events that are completed, with their sizes, and the reading of the next one."""

    __slots__ = ("_complete", "_end", "_events", "_reading", "_under_way")

    def __init__(
        self, events: AsyncGenerator[_Event, None], complete: Callable[[_Event], Awaitable[Told]]
    ) -> None:
        self._events = events
        self._complete = complete
        self._under_way: list[tuple[asyncio.Task[Told], int]] = []
        self._reading: asyncio.Task[_Event | Exception | None] | None = None
        self._end: tuple[Exception | None] | None = None

    async def moves(self) -> bool:
        """Waits until an event has come or is completed; false after the last one.

        Raises:
            Exception: what ended the events.
        """
        if self._under_way or self._reading:
            await self._move()
        elif self._end is None:
            # Most streams are silent most of the time, and there are many: that takes no task.
            await self._take(await _next(self._events))
        elif (error := self._end[0]) is not None:
            raise error
        else:
            return False
        return True

    def first(self) -> asyncio.Task[Told] | None:
        """The event that is told next, once it is completed."""
        if self._under_way and self._under_way[0][0].done():
            return self._under_way.pop(0)[0]
        return None

    async def leave(self) -> None:
        """Ends all that is under way."""
        left: list[asyncio.Task[Any]] = [task for task, _ in self._under_way]
        if self._reading:
            left.append(self._reading)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _move(self) -> None:
        if self._reading is None and self._end is None and self._has_room():
            self._reading = asyncio.create_task(_next(self._events))
        awaited: list[asyncio.Task[Any]] = [task for task, _ in self._under_way[:1]]
        if self._reading:
            awaited.append(self._reading)
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        if self._reading and self._reading.done():
            read, self._reading = self._reading.result(), None
            await self._take(read)

    def _has_room(self) -> bool:
        sizes = sum(size for _, size in self._under_way)
        return len(self._under_way) < MAX_AHEAD and sizes < MAX_AHEAD_BYTES

    async def _take(self, read: _Event | Exception | None) -> None:
        if not isinstance(read, dict):
            self._end = (read,)
            return
        size = len(encode(read)) if self._under_way else 0
        self._under_way.append((asyncio.create_task(_completed(self._complete, read)), size))
        # An event that needs nothing more is completed now, and nothing is read meanwhile.
        await asyncio.sleep(0)


async def _next(events: AsyncGenerator[_Event, None]) -> _Event | Exception | None:
    """The next event, what the events broke off with, or None after the last one."""
    try:
        return await anext(events, None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised after the events before it
        return error


async def _completed(complete: Callable[[_Event], Awaitable[Told]], event: _Event) -> Told:
    return await complete(event)
