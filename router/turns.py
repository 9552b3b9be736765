"""Turns: what waits for one thing gets it client by client, so that one who asks often holds up nobody."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

Granted = TypeVar("Granted")


class Turns(Generic[Granted]):
    """Those who wait, bounded in number: of each client its first, then of each its second, and so on.

    What was granted to one who has left meanwhile is given back.
    """

    def __init__(self, most: int, give_back: Callable[[Granted], None]) -> None:
        self._most = most
        self._give_back = give_back
        self._count = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[Granted]]] = OrderedDict()

    @property
    def full(self) -> bool:
        """Whether nobody else may wait."""
        return self._count >= self._most

    def __bool__(self) -> bool:
        return bool(self._count)

    async def wait(self, client: str) -> Granted:
        """What is granted to a client, when it is its turn."""
        future: asyncio.Future[Granted] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(future)
        self._count += 1
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._give_back(future.result())
            else:
                self._leave(client, future)
            raise

    def grant(self, granted: Granted) -> bool:
        """Gives something to whose turn it is; false if nobody waits."""
        while self._waiting:
            client, futures = self._waiting.popitem(last=False)
            future = futures.popleft()
            self._count -= 1
            if futures:
                self._waiting[client] = futures
            if not future.done():
                future.set_result(granted)
                return True
        return False

    def _leave(self, client: str, future: asyncio.Future[Granted]) -> None:
        futures = self._waiting.get(client)
        if futures is None or future not in futures:
            return
        futures.remove(future)
        self._count -= 1
        if not futures:
            del self._waiting[client]
