"""A worker thread that is replaced when it hangs, and that the end of the process does not wait for."""

from __future__ import annotations

import asyncio
import ctypes
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
_Work: TypeAlias = Callable[[], None]


class HungError(Exception):
    """The work did not end within its timeout."""


class _AbandonedError(BaseException):
    """Raised in a thread that hangs; not an `Exception`, so that no handler catches it."""


class Worker:
    """A thread that does one piece of work after another.

    Work that does not end within `timeout` seconds is abandoned together with its thread, and another thread
    takes over. The old thread is killed if it is computing, so that it does not compete for the GIL.
    """

    def __init__(self, name: str, timeout: float) -> None:
        self._name = name
        self.timeout = timeout
        self._thread = _Thread(name)

    async def run(self, work: Callable[[], T]) -> T:
        """Runs work in the thread; returns or raises what it does.

        Raises:
            HungError: it did not end in time.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._thread.submit(lambda: _run(loop, done, work))
        try:
            async with asyncio.timeout(self.timeout):
                return await done
        except TimeoutError:
            if not done.cancelled():
                raise
            hung, self._thread = self._thread, _Thread(self._name)
            await hung.abandon()
            raise HungError from None

    def close(self) -> None:
        """Ends the thread after its current work, without waiting for it."""
        self._thread.submit(None)


class _Thread:
    """A daemon thread with a queue of work."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run_loop, name=name, daemon=True)
        self._thread.start()
        # macOS has no CPU clocks of threads.
        self._clock = (
            time.pthread_getcpuclockid(self._thread.ident or 0)
            if hasattr(time, "pthread_getcpuclockid")
            else None
        )

    def submit(self, work: _Work | None) -> None:
        """Queues work; None ends the thread."""
        self._queue.put(work)

    async def abandon(self) -> None:
        """Kills the thread if it is computing; otherwise it ends as soon as its work does.

        A thread that only waits costs nothing and is not killed: an exception that a thread has not taken yet
        slows down all others, and stops those that are traced (CPython 3.11, `eval_breaker`).
        """
        self.submit(None)
        if await self._is_computing():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(_AbandonedError)
            )

    async def _is_computing(self) -> bool:
        """Whether the thread uses CPU time within a second."""
        if self._clock is None:
            return False
        try:
            before = time.clock_gettime_ns(self._clock)
            for _ in range(50):
                await asyncio.sleep(0.02)
                if time.clock_gettime_ns(self._clock) > before:
                    return True
        except OSError:  # The thread has ended.
            return False
        return False

    def _run_loop(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                work()
        except _AbandonedError:
            return


def _run(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - raised where the work is awaited
        _settle(loop, done, partial(done.set_exception, error))
    else:
        _settle(loop, done, partial(done.set_result, result))


def _settle(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], settle: Callable[[], None]) -> None:
    """Settles a future in its event loop, unless the loop is closed or the future is already done."""

    def settle_if_pending() -> None:
        if not done.done():
            settle()

    try:
        loop.call_soon_threadsafe(settle_if_pending)
    except RuntimeError:
        return
