"""Admission: a bounded number of tasks start in each iteration of the event loop, clients taking turns.

Whatever starts in an iteration delays everything in flight until the next one. A client with a thousand
connections would start a thousand requests in one iteration, and every other client's next step would wait
for all of them. So only a few start, one per client before any client's second; the rest wait for the
following iterations, which come as fast as the loop can run.
"""

from __future__ import annotations

import asyncio
import sys

from router.round_robin import RoundRobin

# Each takes a fraction of a millisecond until it waits for something.
MAX_PER_ITERATION = 4


def _discard(_: None) -> None:
    """A slot need not be released: the next iteration has new ones."""


class Admission:
    """Limits how many requests and messages are started in one iteration of the event loop.

    Each connection waits at most once, so its limit also bounds the number of waiters.
    """

    def __init__(self) -> None:
        self._started = 0
        self._waiting = RoundRobin[None](sys.maxsize, _discard)

    async def enter(self, client: str) -> None:
        """Takes a slot, waiting for a later iteration if this one has none left."""
        if not self.try_enter():
            await self._waiting.wait(client)

    def try_enter(self) -> bool:
        """Takes a slot of this iteration; false if none is left."""
        if self._started >= MAX_PER_ITERATION:
            return False
        self._take_slot()
        return True

    def _take_slot(self) -> None:
        if not self._started:
            asyncio.get_running_loop().call_soon(self._start_iteration)
        self._started += 1

    def _start_iteration(self) -> None:
        """Gives the slots of a new iteration to those that have waited longest."""
        self._started = 0
        while self._started < MAX_PER_ITERATION and self._waiting.grant(None):
            self._take_slot()
