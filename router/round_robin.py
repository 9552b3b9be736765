"""A round-robin wait queue: clients take turns, so that one with many waiters does not delay the others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class RoundRobin(Generic[T]):
    """A bounded number of waiters, served one per client in turn.

    `release` receives what was granted to a waiter that had been cancelled meanwhile.
    """

    def __init__(self, max_waiting: int, release: Callable[[T], None]) -> None:
        self._max_waiting = max_waiting
        self._release = release
        self._count = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[T]]] = OrderedDict()

    @property
    def is_full(self) -> bool:
        """Whether no further waiter is accepted."""
        return self._count >= self._max_waiting

    def __bool__(self) -> bool:
        return bool(self._count)

    async def wait(self, client: str) -> T:
        """Waits for the client's turn; returns what it is granted."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(future)
        self._count += 1
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._release(future.result())
            else:
                self._remove(client, future)
            raise

    def grant(self, value: T) -> bool:
        """Grants a value to the next waiter; false if there is none."""
        while self._waiting:
            client, futures = self._waiting.popitem(last=False)
            future = futures.popleft()
            self._count -= 1
            if futures:
                self._waiting[client] = futures
            if not future.done():
                future.set_result(value)
                return True
        return False

    def _remove(self, client: str, future: asyncio.Future[T]) -> None:
        futures = self._waiting.get(client)
        if futures is None or future not in futures:
            return
        futures.remove(future)
        self._count -= 1
        if not futures:
            del self._waiting[client]
