"""Cooperative scheduling: a large answer is completed in many time slices, and other requests run in between.

An operation runs until its time slice is over, and waits for the next one. Its loaders send their batches
when the whole operation is idle: none of its steps waits for a slice, and none has run for some turns of the
event loop. An example with three books, where a slice has time for two:

    slice 1   books 1 and 2 request their pages; book 3 waits
    slice 2   book 3 requests its pages; the operation is idle, so one batch loads all pages
    slice 3   the pages of books 1 and 2 request their pictures; those of book 3 wait
    slice 4   the pages of book 3 request theirs; one batch loads all pictures

A small request takes dozens of iterations of the event loop, since it waits for the database and its batches,
and each iteration would be as long as a slice. So while a short operation is running, and at first every
operation is short, long ones get one slice and then pause for two.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

SLICE_SECONDS: Final = 0.001
"""The time for which answers are completed before the event loop runs other tasks."""
_PAUSE_SECONDS: Final = 2 * SLICE_SECONDS
"""The time between two slices of long operations, while a short one is running."""
_SHORT_STEPS: Final = 300
"""The number of steps for which an operation is short; one of the largest answers takes some ten thousand."""
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
        self._steps_left = _SHORT_STEPS
        self._is_running = False

    @property
    def is_short(self) -> bool:
        """Whether the operation has taken few steps so far."""
        return self._steps_left > 0

    @contextmanager
    def run(self) -> Iterator[None]:
        """Count the operation as running; while it is short, long ones make way for it."""
        self._is_running = True
        self._slices.short_count += 1
        try:
            yield
        finally:
            self._is_running = False
            if self.is_short:
                self._slices.short_count -= 1

    def has_time(self) -> bool:
        """Whether the current slice has time for another step, which the caller must then take."""
        self._idle_turns = 0
        if not self._slices.has_time(is_short=self.is_short):
            return False
        self._steps_left -= 1
        if self._steps_left == 0 and self._is_running:
            self._slices.short_count -= 1
        return True

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
        self.short_count = 0
        self._end: float | None = None
        self._long_end = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def has_time(self, *, is_short: bool) -> bool:
        """Whether the current slice has time left; the first call begins a slice."""
        now = time.perf_counter()
        if self._end is not None and now >= self._end:
            return False
        if not is_short and self.short_count:
            if self._is_pause(now):
                self._ensure_continuation()
                return False
            if now >= self._long_end:
                self._long_end = now + SLICE_SECONDS
        if self._end is None:
            self._begin(now)
        return True

    def _is_pause(self, now: float) -> bool:
        """Whether long operations have to pause for short ones."""
        return self.short_count > 0 and self._long_end <= now < self._long_end + _PAUSE_SECONDS

    def _begin(self, now: float) -> None:
        self._end = now + SLICE_SECONDS
        asyncio.get_running_loop().call_soon(self._finish)

    def _finish(self) -> None:
        self._end = None
        now = time.perf_counter()
        admitted = deque(each for each in self.operations if each.is_short)
        paused = deque(each for each in self.operations if not each.is_short)
        if paused and not self._is_pause(now):
            # Long ones come first, since short ones have the next two slices; each in turn comes first.
            paused.rotate(-1)
            admitted, paused = paused + admitted, deque()
        for _ in range(_RESUMED_PER_SLICE):
            if not admitted:
                break
            operation = admitted.popleft()
            if operation.resume():
                admitted.append(operation)
        self.operations = admitted + paused
        if admitted:
            # If the resumed steps have been cancelled meanwhile, they begin no slice.
            self._begin(now)
        elif paused:
            self._ensure_continuation()

    def _ensure_continuation(self) -> None:
        """Let long operations that have to pause continue, unless a slice is about to end and see to it."""
        if self._end is None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._end_pause)

    def _end_pause(self) -> None:
        self._timer = None
        if self._end is None:
            self._finish()
