"""Turns of the event loop: a large answer is completed in many of them, and others are served between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

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
    """What one operation has to do in turns, of which there is one for all operations of an event loop.

    Of several operations that wait, each begins something in turn, however much one of them wants.
    """

    def __init__(self) -> None:
        self._turn = _Turn.of(asyncio.get_running_loop())
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._afterwards: list[Callable[[], object]] = []

    @property
    def is_over(self) -> bool:
        """Whether this turn has no time for more fields."""
        return self._turn.taken >= FIELDS_PER_TURN

    def take(self, fields: int) -> None:
        """Complete so many fields in this turn."""
        self._turn.take(fields)

    async def wait(self) -> None:
        """Wait for a turn that has time."""
        while self.is_over:
            waiting = asyncio.get_running_loop().create_future()
            if not self._waiting:
                self._turn.operations.append(self)
            self._waiting.append(waiting)
            await waiting

    def wake(self) -> bool:
        """Let go on what waited the longest; whether more waits."""
        waiting = self._waiting.popleft()
        if not waiting.done():
            waiting.set_result(None)
        if not self._waiting:
            # What has been woken comes first, and may wait again.
            calls, self._afterwards = self._afterwards, []
            for call in calls:
                asyncio.get_running_loop().call_soon(self.when_none_waits, call)
        return bool(self._waiting)

    def when_none_waits(self, call: Callable[[], object]) -> None:
        """Call once nothing waits for a later turn: at once, where nothing does."""
        if self._waiting:
            self._afterwards.append(call)
        else:
            call()


class _Turn:
    """The turn of one event loop, and the operations that wait for the next."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn]] = WeakKeyDictionary()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> _Turn:
        """The one of a loop."""
        return cls._of_loops.setdefault(loop, cls())

    def __init__(self) -> None:
        self.taken = 0
        self.operations: deque[Turns] = deque()
        self._next_comes = False

    def take(self, fields: int) -> None:
        self.taken += fields
        if not self._next_comes:
            self._next_comes = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self.taken, self._next_comes = 0, False
        for _ in range(_WOKEN_PER_TURN):
            if not self.operations:
                return
            operation = self.operations.popleft()
            if operation.wake():
                self.operations.append(operation)
        if self.operations:
            # Those that are woken may have been stopped by now, and would take nothing.
            self.take(0)
