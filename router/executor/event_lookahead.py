"""Event lookahead: the events of a subscription are completed concurrently and emitted in order.

The fetches that complete an event start as soon as it arrives, not when the events before it are emitted:
when the events 1, 2 and 3 arrive together and 1 takes longest, all three are emitted once 1 is complete.
Events that are completed together mostly need the same fetches, which de-duplication then sends once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar

from router.json_text import encode

MAX_LOOKAHEAD = 32
# Another event is read as long as those in progress are smaller than this together.
MAX_LOOKAHEAD_BYTES = 262_144

Completed = TypeVar("Completed")
_Event: TypeAlias = dict[str, Any]


async def complete_events(
    events: AsyncGenerator[_Event, None], complete: Callable[[_Event], Awaitable[Completed]]
) -> AsyncGenerator[Completed, None]:
    """The completed events in their order; reading stops while too many of them are in progress."""
    lookahead = _Lookahead(events, complete)
    try:
        while await lookahead.advance():
            while (task := lookahead.pop_completed()) is not None:
                yield task.result()
    finally:
        await lookahead.cancel()


class _Lookahead(Generic[Completed]):
    """The events in progress, in their order and with their sizes, and the reading of the next one."""

    __slots__ = ("_complete", "_end", "_events", "_in_progress", "_reading")

    def __init__(
        self, events: AsyncGenerator[_Event, None], complete: Callable[[_Event], Awaitable[Completed]]
    ) -> None:
        self._events = events
        self._complete = complete
        self._in_progress: list[tuple[asyncio.Task[Completed], int]] = []
        self._reading: asyncio.Task[_Event | Exception | None] | None = None
        self._end: tuple[Exception | None] | None = None

    async def advance(self) -> bool:
        """Waits until an event has arrived or the first one is completed; false after the last one.

        Raises:
            Exception: what ended the events.
        """
        if self._in_progress or self._reading:
            await self._wait_for_next()
        elif self._end is None:
            # Most streams are idle most of the time, and an idle one needs no task.
            await self._accept(await _read_next(self._events))
        elif (error := self._end[0]) is not None:
            raise error
        else:
            return False
        return True

    def pop_completed(self) -> asyncio.Task[Completed] | None:
        """Removes and returns the first event if it is completed."""
        if self._in_progress and self._in_progress[0][0].done():
            return self._in_progress.pop(0)[0]
        return None

    async def cancel(self) -> None:
        """Cancels all that is in progress."""
        tasks: list[asyncio.Task[Any]] = [task for task, _ in self._in_progress]
        if self._reading:
            tasks.append(self._reading)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_for_next(self) -> None:
        if self._reading is None and self._end is None and self._has_capacity():
            self._reading = asyncio.create_task(_read_next(self._events))
        awaited: list[asyncio.Task[Any]] = [task for task, _ in self._in_progress[:1]]
        if self._reading:
            awaited.append(self._reading)
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        if self._reading and self._reading.done():
            read, self._reading = self._reading.result(), None
            await self._accept(read)

    def _has_capacity(self) -> bool:
        sizes = sum(size for _, size in self._in_progress)
        return len(self._in_progress) < MAX_LOOKAHEAD and sizes < MAX_LOOKAHEAD_BYTES

    async def _accept(self, read: _Event | Exception | None) -> None:
        if not isinstance(read, dict):
            self._end = (read,)
            return
        size = len(encode(read)) if self._in_progress else 0
        self._in_progress.append((asyncio.create_task(_complete(self._complete, read)), size))
        # An event that needs no fetch is completed now, before the next one is read.
        await asyncio.sleep(0)


async def _read_next(events: AsyncGenerator[_Event, None]) -> _Event | Exception | None:
    """The next event, the error that ended the events, or None after the last one."""
    try:
        return await anext(events, None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised after the events before it
        return error


async def _complete(complete: Callable[[_Event], Awaitable[Completed]], event: _Event) -> Completed:
    return await complete(event)
