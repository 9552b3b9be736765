"""Cooperative scheduling: a large answer is completed in many time slices, and other requests run in between.

An operation runs until its time slice is over, and waits for the next one. Its loaders send their batches
when the whole operation is idle: none of its steps waits for a slice, and none has run for some turns of the
event loop. An example with three books, where a slice has time for two:

    slice 1   books 1 and 2 request their pages; book 3 waits
    slice 2   book 3 requests its pages; the operation is idle, so one batch loads all pages
    slice 3   the pages of books 1 and 2 request their pictures; those of book 3 wait
    slice 4   the pages of book 3 request theirs; one batch loads all pictures
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

SLICE_SECONDS: Final = 0.003
"""The time for which answers are completed before the event loop runs other tasks."""
_RESUMED_PER_SLICE: Final = 50
# A list of objects within a list of objects starts two turns of the event loop after its field.
_IDLE_TURNS: Final = 4


class LazyAwaitable:
    """An awaitable that creates its coroutine when awaited; Python warns of coroutines that never are."""

    def __init__(self, start: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._start = start

    def __await__(self) -> Generator[Any, Any, Any]:
        """Start the coroutine and wait for its result."""
        return self._start().__await__()


class OperationScheduler:
    """The scheduler of an operation; all operations of an event loop share its time slices.

    Waiting operations are resumed in turn, one step each, however many steps of one of them are waiting.
    """

    def __init__(self) -> None:
        self._slices = _TimeSlices.of(asyncio.get_running_loop())
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle_callbacks: list[Callable[[], object]] = []
        self._idle_turns = 0

    def has_time(self) -> bool:
        """Whether the current slice has time for another step, which the caller must then take."""
        self._idle_turns = 0
        return self._slices.has_time()

    async def wait(self) -> None:
        """Wait for a slice that has time left."""
        while not self.has_time():
            waiting = asyncio.get_running_loop().create_future()
            if not self._waiting:
                self._slices.operations.append(self)
            self._waiting.append(waiting)
            await waiting

    def resume(self) -> bool:
        """Resume the step that has waited longest; return whether others are waiting."""
        waiting = self._waiting.popleft()
        if not waiting.done():
            waiting.set_result(None)
        return bool(self._waiting)

    def call_when_idle(self, callback: Callable[[], object]) -> None:
        """Call back when this operation is idle, so that it cannot proceed without the callback."""
        if not self._idle_callbacks:
            asyncio.get_running_loop().call_soon(self._call_if_idle)
        self._idle_callbacks.append(callback)
        self._idle_turns = 0

    def _call_if_idle(self) -> None:
        self._idle_turns = 0 if self._waiting else self._idle_turns + 1
        if self._idle_turns <= _IDLE_TURNS:
            asyncio.get_running_loop().call_soon(self._call_if_idle)
            return
        callbacks, self._idle_callbacks = self._idle_callbacks, []
        for callback in callbacks:
            callback()


class _TimeSlices:
    """The time slices of an event loop, and the operations that wait for the next one."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _TimeSlices]] = WeakKeyDictionary()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> _TimeSlices:
        """Return the time slices of an event loop."""
        return cls._of_loops.setdefault(loop, cls())

    def __init__(self) -> None:
        self.operations: deque[OperationScheduler] = deque()
        self._end: float | None = None

    def has_time(self) -> bool:
        """Whether the current slice has time left; the first call begins a slice."""
        now = time.perf_counter()
        if self._end is None:
            self._begin(now)
            return True
        return now < self._end

    def _begin(self, now: float) -> None:
        self._end = now + SLICE_SECONDS
        asyncio.get_running_loop().call_soon(self._finish)

    def _finish(self) -> None:
        self._end = None
        for _ in range(_RESUMED_PER_SLICE):
            if not self.operations:
                return
            operation = self.operations.popleft()
            if operation.resume():
                self.operations.append(operation)
        if self.operations:
            # If the resumed steps have been cancelled meanwhile, they begin no slice.
            self._begin(time.perf_counter())
