"""Admission: a bounded number of things begin in one turn of the event loop, client by client.

Whatever begins in a turn delays all that is in flight until the next. A client with a thousand connections
would begin a thousand requests in one turn, and everybody else's next step would wait for all of them. So a
few begin, first one of each client, then a second of each; the rest wait for the turns that follow, which
come as fast as the loop can go.
"""

from __future__ import annotations

import asyncio
import sys

from router.turns import Turns

# Each takes a fraction of a millisecond until it waits for something.
AT_ONCE = 4


def _ignore(_: None) -> None:
    """A place that nobody takes is not missed: there are others in the next turn."""


class Admission:
    """Lets requests, messages or answers be handled, so many at once.

    Each connection and each fetch waits with one at most, so their limits bound those who wait.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._begun = 0
        self._waiting = Turns[None](sys.maxsize, _ignore)

    async def enter(self, client: str) -> None:
        """Waits until the client may begin something, if others have begun enough in this turn."""
        if not self.admits():
            await self._waiting.wait(client)

    def admits(self) -> bool:
        """Whether something may begin at once; it then has to."""
        if self._begun >= self._at_once:
            return False
        self._begin()
        return True

    def _begin(self) -> None:
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._turn)
        self._begun += 1

    def _turn(self) -> None:
        """Begins a turn with those who have waited longest."""
        self._begun = 0
        while self._begun < self._at_once and self._waiting.grant(None):
            self._begin()
