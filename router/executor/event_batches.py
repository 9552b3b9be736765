"""Event batches: the events that arrive while others are being completed are then completed together.

An event that arrives alone is completed at once. While the fetches for it run, further events are read;
then all that wait are completed as one batch, so that the entities of all of them are fetched in one request
to each subgraph. A burst of hundreds of events takes some requests, not hundreds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from router.json_text import encode

MAX_BATCH = 32
# Another event is read as long as those that wait are smaller than this together.
MAX_BATCH_BYTES = 262_144

Completed = TypeVar("Completed")
_Event: TypeAlias = dict[str, Any]
_Complete: TypeAlias = Callable[[Sequence[_Event]], Awaitable[Sequence[Completed]]]


async def complete_events(
    events: AsyncGenerator[_Event, None], complete: _Complete[Completed]
) -> AsyncGenerator[Completed, None]:
    """The completed events in their order; reading stops while too many of them wait.

    Raises:
        Exception: what ended the events, after the last of them.
    """
    batches = _Batches(events, complete)
    try:
        while await batches.begin():
            for each in await batches.finish():
                yield each
    finally:
        await batches.cancel()


class _Batches(Generic[Completed]):
    """The batch that is being completed, the events that wait for it, and the reading of the next event."""

    __slots__ = ("_complete", "_completing", "_end", "_events", "_reading", "_waiting", "_waiting_bytes")

    def __init__(self, events: AsyncGenerator[_Event, None], complete: _Complete[Completed]) -> None:
        self._events = events
        self._complete = complete
        self._completing: asyncio.Task[Sequence[Completed]] | None = None
        self._reading: asyncio.Task[_Event | Exception | None] | None = None
        self._waiting: list[_Event] = []
        self._waiting_bytes = 0
        self._end: tuple[Exception | None] | None = None

    async def begin(self) -> bool:
        """Begins to complete the events that wait, or else the next one; false after the last one."""
        if not self._waiting and self._end is None:
            # Most streams are idle most of the time, and an idle one needs no task.
            self._accept(await (self._take_reading() or _read_next(self._events)))
        if not self._waiting:
            if self._end is not None and self._end[0] is not None:
                raise self._end[0]
            return False
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._completing = asyncio.create_task(_run(self._complete, batch))
        # A batch that needs no fetch is completed now, before the next event is read.
        await asyncio.sleep(0)
        return True

    async def finish(self) -> Sequence[Completed]:
        """The completed events of the batch; meanwhile the next ones are read."""
        assert self._completing is not None, "a batch has begun"
        while not self._completing.done():
            if self._reading is None and self._end is None and self._has_capacity():
                self._reading = asyncio.create_task(_read_next(self._events))
            awaited: list[asyncio.Task[Any]] = [self._completing]
            if self._reading:
                awaited.append(self._reading)
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if self._reading and self._reading.done():
                read, self._reading = self._reading.result(), None
                self._accept(read)
                self._waiting_bytes += len(encode(read)) if isinstance(read, dict) else 0
        return self._completing.result()

    async def cancel(self) -> None:
        """Cancels all that is in progress."""
        tasks: list[asyncio.Task[Any]] = [each for each in (self._completing, self._reading) if each]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take_reading(self) -> asyncio.Task[_Event | Exception | None] | None:
        reading, self._reading = self._reading, None
        return reading

    def _has_capacity(self) -> bool:
        return len(self._waiting) < MAX_BATCH and self._waiting_bytes < MAX_BATCH_BYTES

    def _accept(self, read: _Event | Exception | None) -> None:
        if isinstance(read, dict):
            self._waiting.append(read)
        else:
            self._end = (read,)


async def _read_next(events: AsyncGenerator[_Event, None]) -> _Event | Exception | None:
    """The next event, the error that ended the events, or None after the last one."""
    try:
        return await anext(events, None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised after the events before it
        return error


async def _run(complete: _Complete[Completed], batch: Sequence[_Event]) -> Sequence[Completed]:
    return await complete(batch)
