"""Turns of the event loop: a large answer is completed in many of them, and others are served between.

An operation goes on until the turn is over, and waits for the next one then. Its loaders call when all of it
is at rest: nothing of it waits for a turn, and for some iterations of the loop nothing of it has gone on.
Three books, of which a turn has time for two:

    turn 1   books 1 and 2 ask for their pages; book 3 waits
    turn 2   book 3 asks for its pages; nothing waits, and soon nothing has gone on: one call for all pages
    turn 3   the pages of books 1 and 2 ask for their pictures, those of book 3 wait
    turn 4   the pages of book 3 ask; one call for all pictures
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

TURN_SECONDS: Final = 0.003
"""How long answers are completed before the loop turns to others."""
_RESUMED_PER_TURN: Final = 50
# A list of objects in a list of objects begins two iterations after the field that it is the value of.
_ITERATIONS_AT_REST: Final = 4


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
        self._calls: list[Callable[[], object]] = []
        self._iterations_at_rest = 0

    def go_on(self) -> bool:
        """Whether this turn has time for more, of which the caller does some then."""
        self._iterations_at_rest = 0
        return self._turn.has_time()

    async def wait(self) -> None:
        """Wait for a turn that has time."""
        while not self.go_on():
            waiting = asyncio.get_running_loop().create_future()
            if not self._waiting:
                self._turn.operations.append(self)
            self._waiting.append(waiting)
            await waiting

    def resume(self) -> bool:
        """Let go on what waited the longest; whether more waits."""
        waiting = self._waiting.popleft()
        if not waiting.done():
            waiting.set_result(None)
        return bool(self._waiting)

    def when_at_rest(self, call: Callable[[], object]) -> None:
        """Call once nothing of this operation goes on any more before it has what it calls for."""
        if not self._calls:
            asyncio.get_running_loop().call_soon(self._call_if_at_rest)
        self._calls.append(call)
        self._iterations_at_rest = 0

    def _call_if_at_rest(self) -> None:
        self._iterations_at_rest = 0 if self._waiting else self._iterations_at_rest + 1
        if self._iterations_at_rest <= _ITERATIONS_AT_REST:
            asyncio.get_running_loop().call_soon(self._call_if_at_rest)
            return
        calls, self._calls = self._calls, []
        for call in calls:
            call()


class _Turn:
    """The turn of one event loop, and the operations that wait for the next."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn]] = WeakKeyDictionary()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> _Turn:
        """The one of a loop."""
        return cls._of_loops.setdefault(loop, cls())

    def __init__(self) -> None:
        self.operations: deque[Turns] = deque()
        self._until: float | None = None

    def has_time(self) -> bool:
        """Whether the turn, which begins with the first who asks, is not over."""
        now = time.perf_counter()
        if self._until is None:
            self._begin_at(now)
            return True
        return now < self._until

    def _begin_at(self, now: float) -> None:
        self._until = now + TURN_SECONDS
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self._until = None
        for _ in range(_RESUMED_PER_TURN):
            if not self.operations:
                return
            operation = self.operations.popleft()
            if operation.resume():
                self.operations.append(operation)
        if self.operations:
            # Those that are resumed may have been stopped by now, and would begin no turn.
            self._begin_at(time.perf_counter())
