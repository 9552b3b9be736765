"""A thread for work that may take long, which is replaced when it hangs, and which no end waits for."""

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
    """Work did not end within the patience of its worker."""


class _Abandoned(BaseException):
    """Raised within a thread that hangs, where no handler of errors may take it for one."""


class Worker:
    """One thread that does one piece of work after the other.

    Work that does not end in time is given up together with its thread, and another thread goes on. The old
    one is ended where it stands if it computes, so that it does not take the interpreter from the new one.
    """

    def __init__(self, name: str, patience: float) -> None:
        self._name = name
        self.patience = patience
        self._thread = _Thread(name)

    async def do(self, work: Callable[[], T]) -> T:
        """What the work returns or raises.

        Raises:
            HungError: it did not end in time.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._thread.give(lambda: _fulfil(loop, done, work))
        try:
            async with asyncio.timeout(self.patience):
                return await done
        except TimeoutError:
            if not done.cancelled():
                raise
            hung, self._thread = self._thread, _Thread(self._name)
            await hung.abandon()
            raise HungError from None

    def close(self) -> None:
        """Lets the thread end once it has nothing to do; whether it does, nobody waits for."""
        self._thread.give(None)


class _Thread:
    """A daemon thread, which the end of the process does not wait for."""

    def __init__(self, name: str) -> None:
        self._given: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        # macOS does not tell what a thread has used.
        self._clock = (
            time.pthread_getcpuclockid(self._thread.ident or 0)
            if hasattr(time, "pthread_getcpuclockid")
            else None
        )

    def give(self, work: _Work | None) -> None:
        """Has work done after all that was given before; None is the end."""
        self._given.put(work)

    async def abandon(self) -> None:
        """Ends the thread where it stands if it computes, or else as soon as its work comes to an end.

        A thread that only waits costs nothing, and is left alone: an exception that a thread has not taken
        yet slows down all others, and stops those that are traced (CPython 3.11, `eval_breaker`).
        """
        self.give(None)
        if await self._computes():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(_Abandoned)
            )

    async def _computes(self) -> bool:
        """Whether the thread takes processor time within a second."""
        if self._clock is None:
            return False
        try:
            before = time.clock_gettime_ns(self._clock)
            for _ in range(50):
                await asyncio.sleep(0.02)
                if time.clock_gettime_ns(self._clock) > before:
                    return True
        except OSError:  # It has ended by itself.
            return False
        return False

    def _run(self) -> None:
        try:
            while (work := self._given.get()) is not None:
                work()
        except _Abandoned:
            return


def _fulfil(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the work was given
        _tell(loop, done, partial(done.set_exception, error))
    else:
        _tell(loop, done, partial(done.set_result, result))


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], outcome: Callable[[], None]) -> None:
    """Hands an outcome to the event loop, unless that has ended or nobody waits for it any more."""

    def tell() -> None:
        if not done.done():
            outcome()

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:
        return
