"""Fan-out: equal subscriptions share one run, which executes each event once for all of them.

Subscriptions are equal if they are the same operation with the same variables and headers, including the
token; only the trace may differ. Clients cannot notice the sharing:

- Before the first result of a run, anybody may join it.
- Later on, only numbered results can be joined, by a subscriber that has received all up to the last one. To
  get there, it has a run of its own, which may begin with events of the past.
- A client that reads too slowly leaves, so that it delays nobody and its queue is bounded. It goes on with a
  run of its own after the last number; if the results have no numbers, it gets an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing
from typing import Any, TypeAlias

from router.errors import TooSlowError
from router.json_text import Encoded

MAX_WAITING_RESULTS = 256
# In addition to one result, which may be larger.
MAX_WAITING_BYTES = 1_048_576

Result: TypeAlias = dict[str, Any]
NumberedResult: TypeAlias = tuple[int | None, Result]
"""A result and its number, which rises; None if it has none, as an event that failed."""
Run: TypeAlias = Callable[[int | None], AsyncGenerator[NumberedResult, None]]
"""Starts a run: the results after a number, or all."""


class FanOut:
    """The runs that further subscribers may join."""

    def __init__(self) -> None:
        self._runs: dict[Hashable, _SharedRun] = {}

    async def follow(
        self, key: Hashable, start: Run, *, is_numbered: bool
    ) -> AsyncGenerator[list[Result], None]:
        """The results of a subscription, those together that are ready together.

        Subscriptions with the same key are equal. Closing the iterator ends the run if nobody else follows.

        Raises:
            Exception: what ended the run.
            TooSlowError: the client reads too slowly.
        """
        seen: int | None = None
        if key not in self._runs:
            self._share(key, start, is_numbered=is_numbered)
        subscriber = self._join(key, seen)
        try:
            while True:
                if subscriber is None:
                    async with aclosing(start(seen)) as own:
                        async for number, result in own:
                            seen = seen if number is None else number
                            yield [result]
                            if subscriber := self._join(key, seen):
                                break
                if subscriber is None:
                    return
                while results := await subscriber.take():
                    yield results
                if not subscriber.is_slow:
                    return
                await subscriber.leave()
                seen, subscriber = subscriber.seen, None
        finally:
            if subscriber is not None:
                await subscriber.leave()

    def _share(self, key: Hashable, start: Run, *, is_numbered: bool) -> None:
        def close() -> None:
            if self._runs.get(key) is run:
                del self._runs[key]

        run = self._runs[key] = _SharedRun(start(None), close, is_numbered=is_numbered)

    def _join(self, key: Hashable, seen: int | None) -> _Subscriber | None:
        """Joins the run, as one that has received all up to a number; None if it would miss something."""
        run = self._runs.get(key)
        return run.join(seen) if run and run.is_joinable(seen) else None


class _SharedRun:
    """A run and its subscribers; `close` is called when nobody may join any more."""

    def __init__(
        self,
        results: AsyncGenerator[NumberedResult, None],
        close: Callable[[], None],
        *,
        is_numbered: bool,
    ) -> None:
        self._close = close
        self._is_numbered = is_numbered
        self._subscribers: list[_Subscriber] = []
        self._has_begun = False
        self._reached: int | None = None
        self._task = asyncio.create_task(self._relay(results))

    def is_joinable(self, seen: int | None) -> bool:
        """Whether one that has received all up to a number misses nothing."""
        if not self._has_begun:
            return True
        return seen is not None and self._reached is not None and seen >= self._reached

    def join(self, seen: int | None) -> _Subscriber:
        """Adds a subscriber that has received all up to a number."""
        subscriber = _Subscriber(self, seen, may_leave=self._is_numbered)
        self._subscribers.append(subscriber)
        return subscriber

    async def remove(self, subscriber: _Subscriber) -> None:
        """Removes a subscriber; the last one ends the run."""
        if subscriber in self._subscribers:
            self._subscribers.remove(subscriber)
        if not self._subscribers:
            self._close()
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _relay(self, numbered: AsyncGenerator[NumberedResult, None]) -> None:
        end: Exception | None = None
        try:
            async with aclosing(numbered) as results:
                async for number, result in results:
                    self._begin(number)
                    shared = Encoded(result)
                    self._subscribers = [each for each in self._subscribers if each.put(number, shared)]
        except Exception as error:  # noqa: BLE001 - raised where the results are read
            end = error
        self._close()
        for each in self._subscribers:
            each.end(end)

    def _begin(self, number: int | None) -> None:
        self._has_begun = True
        self._reached = self._reached if number is None else number
        if not self._is_numbered:
            self._close()


class _Subscriber:
    """The results that wait for one client: lighter than `asyncio.Queue`, as each subscription has one.

    `seen` is the number up to which it gets all results, and `is_slow` whether it is too slow to get others.
    """

    __slots__ = (
        "_bytes",
        "_end",
        "_is_ended",
        "_may_leave",
        "_run",
        "_waiter",
        "_waiting",
        "is_slow",
        "seen",
    )

    def __init__(self, run: _SharedRun, seen: int | None, *, may_leave: bool) -> None:
        self.seen = seen
        self._run = run
        self.is_slow = False
        self._may_leave = may_leave
        self._waiting: list[Result] = []
        self._bytes = 0
        self._is_ended = False
        self._end: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, number: int | None, result: Encoded) -> bool:
        """Adds a result, unless the client has it already; false if it reads too slowly."""
        if number is not None and self.seen is not None and number <= self.seen:
            return True
        size = len(result.text)
        if self._waiting and (
            len(self._waiting) >= MAX_WAITING_RESULTS or self._bytes + size > MAX_WAITING_BYTES
        ):
            self._fall_behind()
            return False
        self.seen = self.seen if number is None else number
        self._waiting.append(result)
        self._bytes += size
        self._wake()
        return True

    def end(self, error: Exception | None) -> None:
        """There are no more results."""
        self._is_ended, self._end = True, error
        self._wake()

    async def take(self) -> list[Result]:
        """Takes the results that wait, once there is one; none at the end.

        Raises:
            Exception: what ended the run, or TooSlowError.
        """
        while not self._waiting and not self._is_ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        taken, self._waiting, self._bytes = self._waiting, [], 0
        if not taken and self._end is not None:
            raise self._end
        return taken

    async def leave(self) -> None:
        """Receives no more results."""
        await self._run.remove(self)

    def _fall_behind(self) -> None:
        if self._may_leave:
            self.is_slow = True
            self.end(None)
            return
        count, size = len(self._waiting), self._bytes
        self._waiting = []
        self.end(TooSlowError(f"The client did not read {count} events ({size} bytes) in time."))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
