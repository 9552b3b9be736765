"""Work in a thread of its own: what is asked for again while it is under way is done once, for all who ask.

The event loop goes on meanwhile. What waits for the thread is bounded, because it is clients who send it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Generic, TypeVar

from router.errors import OverloadedError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@asynccontextmanager
async def one_thread() -> AsyncIterator[Executor]:
    """A thread that does one piece of work after the other; what has not begun at the end is left undone."""
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")
    try:
        yield executor
    finally:
        await asyncio.to_thread(executor.shutdown, cancel_futures=True)


class SingleFlight(Generic[K, T]):
    """Hands work to an executor, each key once at a time."""

    def __init__(self, executor: Executor, max_waiting: int) -> None:
        self._executor = executor
        self._max_waiting = max_waiting
        self._flights: dict[K, asyncio.Task[T]] = {}

    async def result(self, key: K, work: Callable[[], T], landed: Callable[[T], None]) -> T:
        """What the work for this key returns or raises, and whoever still waits, `landed` is told first.

        The work runs in the context of who asked first.

        Raises:
            OverloadedError: too much other work waits.
        """
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._max_waiting:
                raise OverloadedError
            flight = self._flights[key] = asyncio.create_task(self._fly(key, work, landed))
        # Shielded, as one who stops waiting must not end the waiting of the others.
        return await asyncio.shield(flight)

    async def _fly(self, key: K, work: Callable[[], T], landed: Callable[[T], None]) -> T:
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._executor, copy_context().run, work)
            landed(result)
            return result
        finally:
            del self._flights[key]
