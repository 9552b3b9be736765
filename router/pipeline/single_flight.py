"""Work apart from the event loop, done once for all who ask for it while it waits or is under way.

The event loop goes on meanwhile. What waits is bounded and in an order that is fair, because it is clients
who send it.
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
from router.pipeline.fair_queue import FairQueue, FullError, Place
from router.pipeline.worker import HungError, Worker

T = TypeVar("T")


class _Flight(Generic[T]):
    """One piece of work, and how many wait for it."""

    __slots__ = ("hung", "key", "landed", "result", "waiting", "work")

    def __init__(
        self, key: Hashable, work: Callable[[], T], hung: Callable[[], T], landed: Callable[[T], None]
    ) -> None:
        self.key = key
        self.work = partial(copy_context().run, work)
        self.hung = hung
        self.landed = landed
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.waiting = 0

    def land(self, result: T) -> None:
        self.landed(result)
        if not self.result.done():
            self.result.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.result.done():
            self.result.set_exception(error)
            # Where nobody waits any more, nobody needs to be told.
            self.result.exception()


class SingleFlight:
    """Hands work to a worker, one piece after the other, each key once at a time."""

    def __init__(self, worker: Worker, max_waiting: int, max_waiting_per_client: int) -> None:
        self.worker = worker
        self._places: dict[Hashable, Place[_Flight[Any]]] = {}
        self._queue = FairQueue[_Flight[Any]](max_waiting, max_waiting_per_client)
        self._flying: asyncio.Task[None] | None = None

    async def result(
        self,
        key: Hashable,
        work: Callable[[], T],
        hung: Callable[[], T],
        landed: Callable[[T], None],
        *,
        client: str,
        cost: float,
    ) -> T:
        """What the work for this key returns or raises, or what `hung` returns where it has no end.

        Whoever still waits, `landed` is told first. The work runs in the context of who asked first, and is
        left undone if the last one stops waiting before it begins. `cost` is about how many seconds it
        takes, as far as that can be told beforehand.

        Raises:
            OverloadedError: too much other work waits.
        """
        place = self._places.get(key)
        if place is None:
            place = self._enter(Place(_Flight(key, work, hung, landed), client, cost))
        elif place.client != client:
            self._queue.share(place, client)
        flight: _Flight[T] = place.item
        flight.waiting += 1
        try:
            # Shielded, as one who stops waiting must not end the waiting of the others.
            return await asyncio.shield(flight.result)
        finally:
            flight.waiting -= 1
            if not flight.waiting and self._queue.remove(place):
                del self._places[key]

    def close(self) -> None:
        """Leaves undone what has not begun, and waits for nothing."""
        if self._flying:
            self._flying.cancel()
        for place in self._places.values():
            place.item.result.cancel()
        self.worker.close()

    def _enter(self, place: Place[_Flight[T]]) -> Place[_Flight[T]]:
        try:
            dropped = self._queue.put(place)
        except FullError:
            raise OverloadedError from None
        if dropped:
            del self._places[dropped.item.key]
            dropped.item.fail(OverloadedError())
        self._places[place.item.key] = place
        if self._flying is None:
            self._flying = asyncio.create_task(self._fly())
        return place

    async def _fly(self) -> None:
        while self._queue:
            place = self._queue.pop()
            flight, started = place.item, time.perf_counter()
            try:
                flight.land(await self._done(flight))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the result is awaited
                flight.fail(error)
            del self._places[flight.key]
            self._queue.charge(place.client, time.perf_counter() - started)
        self._flying = None

    async def _done(self, flight: _Flight[T]) -> T:
        try:
            return await self.worker.do(flight.work)
        except HungError:
            return flight.hung()


@asynccontextmanager
async def single_flight(
    patience: float, max_waiting: int, max_waiting_per_client: int
) -> AsyncIterator[SingleFlight]:
    """A thread for the work of a process, which its end does not wait for."""
    flights = SingleFlight(Worker("prepare", patience), max_waiting, max_waiting_per_client)
    try:
        yield flights
    finally:
        flights.close()
