"""Cooperative scheduling: a large answer is completed in many time slices, and other requests run in between.

An operation runs until its time slice is over, and then waits for the next one, which comes after a pause of
some iterations of the event loop. A small request waits for the database and for its batches, and so takes
dozens of iterations; without pauses, each of them would be as long as a slice. An example with operations A
and B, whose answers are large, and C, whose answer is small:

    iteration 1       A runs for 2 ms, B finds no time left
    iteration 2       B runs for 2 ms; A waits for its next slice
    iterations 3-12   pause: C requests its pages, loads them and returns them
    iteration 13      A runs for 2 ms
    iterations 14-23  pause
    iteration 24      B runs for 2 ms

The loaders of an operation send their batches when the whole operation is idle: none of its steps waits for
time, and none has run for some iterations. So keys requested in different slices are loaded together.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

SLICE_SECONDS: Final = 0.002
"""The time of an operation between two pauses, and of all operations in one iteration of the event loop."""
PAUSE_ITERATIONS: Final = 10
"""Iterations of the event loop in a pause; one in which nothing runs takes some 10 µs."""
MAX_PAUSE_SECONDS: Final = SLICE_SECONDS
_RESUMED_AT_ONCE: Final = 50
# A list of objects within a list of objects starts two iterations of the event loop after its field.
_IDLE_ITERATIONS: Final = 4


class LazyAwaitable:
    """An awaitable that creates its coroutine when awaited; Python warns of coroutines that never are."""

    def __init__(self, start: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._start = start

    def __await__(self) -> Generator[Any, Any, Any]:
        """Start the coroutine and wait for its result."""
        return self._start().__await__()


class OperationScheduler:
    """The scheduler of an operation; all operations of an event loop share its time slices."""

    def __init__(self) -> None:
        self.used_seconds = 0.0
        self._slices = _TimeSlices.of(asyncio.get_running_loop())
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle_callbacks: list[Callable[[], object]] = []
        self._idle_iterations = 0

    @property
    def has_slice(self) -> bool:
        """Whether the operation has time left in its slice."""
        return self.used_seconds < SLICE_SECONDS

    def has_time(self) -> bool:
        """Whether there is time for another step now, which the caller must then take."""
        self._idle_iterations = 0
        return self._slices.has_time(self)

    async def wait(self) -> None:
        """Wait until there is time for another step."""
        while not self.has_time():
            waiting = asyncio.get_running_loop().create_future()
            if not self._waiting:
                self._slices.add(self)
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
        self._idle_iterations = 0

    def _call_if_idle(self) -> None:
        self._idle_iterations = 0 if self._waiting else self._idle_iterations + 1
        if self._idle_iterations <= _IDLE_ITERATIONS:
            asyncio.get_running_loop().call_soon(self._call_if_idle)
            return
        callbacks, self._idle_callbacks = self._idle_callbacks, []
        for callback in callbacks:
            callback()


class _TimeSlices:
    """The time slices of an event loop, and the operations that wait for time."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _TimeSlices]] = WeakKeyDictionary()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> _TimeSlices:
        """Return the time slices of an event loop."""
        return cls._of_loops.setdefault(loop, cls())

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Operations whose slice is over, and those that found no time left in an iteration.
        self._paused: deque[OperationScheduler] = deque()
        self._late: deque[OperationScheduler] = deque()
        self._is_pause = False
        self._iteration_end: float | None = None
        self._last_step: tuple[OperationScheduler, float]

    def has_time(self, operation: OperationScheduler) -> bool:
        """Whether the operation and this iteration of the event loop have time for another step.

        The time since the step before counts as that step's.
        """
        now = time.perf_counter()
        if self._iteration_end is None:
            self._iteration_end = now + SLICE_SECONDS
            self._loop.call_soon(self._end_iteration)
        else:
            last, started = self._last_step
            last.used_seconds += now - started
        self._last_step = operation, now
        return operation.has_slice and now < self._iteration_end

    def add(self, operation: OperationScheduler) -> None:
        """Add an operation that waits for time."""
        if operation.has_slice:
            self._late.append(operation)
        else:
            self._paused.append(operation)
            self._ensure_pause()

    def _end_iteration(self) -> None:
        """Resume operations that found no time left, in turn, one step each."""
        self._iteration_end = None
        for _ in range(_RESUMED_AT_ONCE):
            if not self._late:
                return
            operation = self._late.popleft()
            if operation.resume():
                self._late.append(operation)
        if self._late:
            self._loop.call_soon(self._end_iteration)

    def _ensure_pause(self) -> None:
        if not self._is_pause:
            self._is_pause = True
            self._loop.call_soon(self._begin_pause)

    def _begin_pause(self) -> None:
        self._pause(PAUSE_ITERATIONS, time.perf_counter() + MAX_PAUSE_SECONDS)

    def _pause(self, iterations: int, deadline: float) -> None:
        """Let everything else run for some iterations, at most until a deadline, and give the next slice."""
        if iterations and time.perf_counter() < deadline:
            self._loop.call_soon(self._pause, iterations - 1, deadline)
            return
        self._is_pause = False
        self._give_slice(self._paused.popleft())
        if self._paused:
            self._ensure_pause()

    def _give_slice(self, operation: OperationScheduler) -> None:
        operation.used_seconds = 0.0
        for _ in range(_RESUMED_AT_ONCE):
            if not operation.resume():
                return
        self._paused.append(operation)
