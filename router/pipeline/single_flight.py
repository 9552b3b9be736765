"""Single flight: work in a thread, done once for all requests that need it while it waits or runs.

The queue is bounded and fair to clients, because it is their requests that fill it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, TypeVar

from router.errors import OverloadedError
from router.pipeline.fair_queue import FairQueue, QueueEntry, QueueFullError
from router.pipeline.worker import HungError, Worker

T = TypeVar("T")


class _Flight(Generic[T]):
    """One piece of work, its result, and how many requests wait for it."""

    __slots__ = ("key", "on_hang", "on_result", "result", "waiting", "work")

    def __init__(
        self, key: Hashable, work: Callable[[], T], on_hang: Callable[[], T], on_result: Callable[[T], None]
    ) -> None:
        self.key = key
        self.work = partial(copy_context().run, work)
        self.on_hang = on_hang
        self.on_result = on_result
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.waiting = 0

    def succeed(self, result: T) -> None:
        self.on_result(result)
        if not self.result.done():
            self.result.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.result.done():
            self.result.set_exception(error)
            # Marks the exception as retrieved, in case nobody waits any more.
            self.result.exception()


class SingleFlight:
    """Gives a worker one piece of work at a time; requests with the same key share one piece."""

    def __init__(self, worker: Worker, max_waiting: int, max_waiting_per_client: int) -> None:
        self.worker = worker
        self._entries: dict[Hashable, QueueEntry[_Flight[Any]]] = {}
        self._queue = FairQueue[_Flight[Any]](max_waiting, max_waiting_per_client)
        self._dispatcher: asyncio.Task[None] | None = None

    async def run(
        self,
        key: Hashable,
        work: Callable[[], T],
        on_hang: Callable[[], T],
        on_result: Callable[[T], None],
        *,
        client: str,
        cost: float,
    ) -> T:
        """Returns or raises what the work for this key does, or what `on_hang` does if the work hangs.

        `on_result` is called first, even if nobody waits any more. The work runs in the context of its first
        request, and is dropped if all requests are cancelled before it starts. `cost` estimates its seconds.

        Raises:
            OverloadedError: the queue is full.
        """
        entry = self._entries.get(key)
        if entry is None:
            entry = self._put(QueueEntry(_Flight(key, work, on_hang, on_result), client, cost))
        elif entry.client != client:
            self._queue.share(entry, client)
        flight: _Flight[T] = entry.item
        flight.waiting += 1
        try:
            # Shielded, so that cancelling one request does not cancel the others.
            return await asyncio.shield(flight.result)
        finally:
            flight.waiting -= 1
            if not flight.waiting and self._queue.remove(entry):
                del self._entries[key]

    def close(self) -> None:
        """Cancels all requests, without waiting for the work that is running."""
        if self._dispatcher:
            self._dispatcher.cancel()
        for entry in self._entries.values():
            entry.item.result.cancel()
        self.worker.close()

    def _put(self, entry: QueueEntry[_Flight[T]]) -> QueueEntry[_Flight[T]]:
        try:
            dropped = self._queue.put(entry)
        except QueueFullError:
            raise OverloadedError from None
        if dropped:
            del self._entries[dropped.item.key]
            dropped.item.fail(OverloadedError())
        self._entries[entry.item.key] = entry
        if self._dispatcher is None:
            self._dispatcher = asyncio.create_task(self._dispatch())
        return entry

    async def _dispatch(self) -> None:
        while self._queue:
            entry = self._queue.pop()
            flight, started = entry.item, time.perf_counter()
            try:
                flight.succeed(await self._run(flight))
            except Exception as error:  # noqa: BLE001 - raised where the result is awaited
                flight.fail(error)
            del self._entries[flight.key]
            self._queue.charge(entry.client, time.perf_counter() - started)
        self._dispatcher = None

    async def _run(self, flight: _Flight[T]) -> T:
        try:
            return await self.worker.run(flight.work)
        except HungError:
            return flight.on_hang()


@asynccontextmanager
async def open_single_flight(
    work_timeout: float, max_waiting: int, max_waiting_per_client: int
) -> AsyncIterator[SingleFlight]:
    """A `SingleFlight` with its worker, closed at exit; `work_timeout` is in seconds."""
    flights = SingleFlight(Worker("prepare", work_timeout), max_waiting, max_waiting_per_client)
    try:
        yield flights
    finally:
        flights.close()
