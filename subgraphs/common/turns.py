"""Turns of the event loop: a large answer is completed in many of them, and others are served between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final

FIELDS_PER_TURN: Final = 300
"""Fields that are completed before the loop turns to others: some 6 ms."""
_WOKEN_PER_TURN: Final = 50


class Later:
    """What may be awaited or left: of a coroutine that is left, Python would warn."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, Any]:
        """Begin it, and wait for its end."""
        return self._begin().__await__()


class Turns:
    """What one operation has completed in this turn of the loop, and what waits for a later one."""

    def __init__(self) -> None:
        self._taken = 0
        self._next_comes = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._afterwards: list[Callable[[], object]] = []

    @property
    def is_over(self) -> bool:
        """Whether this turn has no time for more fields."""
        return self._taken >= FIELDS_PER_TURN

    def take(self, fields: int) -> None:
        """Complete so many fields in this turn."""
        self._taken += fields
        self._ask_for_next()

    async def wait(self) -> None:
        """Wait for a turn that has time."""
        while self.is_over:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def when_none_waits(self, call: Callable[[], object]) -> None:
        """Call once nothing waits for a later turn: at once, where nothing does."""
        if self._waiting:
            self._afterwards.append(call)
        else:
            call()

    def _ask_for_next(self) -> None:
        if not self._next_comes:
            self._next_comes = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._taken, self._next_comes = 0, False
        for _ in range(min(_WOKEN_PER_TURN, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        if self._waiting:
            # Those that are woken may have been stopped by now, and would take nothing.
            self._ask_for_next()
            return
        # What has been woken comes first, and may wait again.
        calls, self._afterwards = self._afterwards, []
        for call in calls:
            asyncio.get_running_loop().call_soon(self.when_none_waits, call)
