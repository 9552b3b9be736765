"""The budget of an operation: its time, the number of objects in its answer, and one expensive field."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, cast

from graphql.pyutils import gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from subgraphs.common.deadline import set_deadline
from subgraphs.common.errors import DeadlineExceeded, OperationTooLarge
from subgraphs.common.scheduling import LazyAwaitable, OperationScheduler

MAX_SECONDS: Final = 60.0
"""The time limit of an operation whose caller sets no earlier deadline."""

MAX_OBJECTS: Final = 10_000
"""Objects in one answer; the largest answer that a client needs has half as many."""

FIELDS_PER_SLICE: Final = 100
"""Fields of an object that are executed together; if all are awaited, that takes some 3 ms."""


class Budget:
    """The remaining budget of an operation."""

    def __init__(self, deadline: float | None = None) -> None:
        latest = time.monotonic() + MAX_SECONDS
        self.deadline = latest if deadline is None else min(deadline, latest)
        self.objects = MAX_OBJECTS
        self.scheduler = OperationScheduler()
        self._expensive_fields = 1
        self._timeout: asyncio.Timeout | None = None

    @asynccontextmanager
    async def enforce(self) -> AsyncIterator[None]:
        """Stop the block when the budget is spent, with DeadlineExceeded or OperationTooLarge."""
        _current.set(self)
        set_deadline(self.deadline)
        try:
            async with asyncio.timeout(self.deadline - time.monotonic()) as timeout:
                self._timeout = timeout
                yield
        except TimeoutError as error:
            if not timeout.expired():
                raise
            raise self._build_error() from error
        if self.objects < 0:
            raise self._build_error()

    def claim_expensive_field(self, refusal: str) -> None:
        """Claim the one expensive field of the operation; OperationTooLarge(refusal) the second time."""
        if self._expensive_fields == 0:
            raise OperationTooLarge(refusal)
        self._expensive_fields -= 1

    def count_object(self) -> None:
        """Count an object of the answer; the first over the limit cancels the operation."""
        self.objects -= 1
        if self.objects == -1 and self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())
        if self.objects < 0:
            raise self._build_error()

    def _build_error(self) -> Exception:
        if self.objects < 0:
            return OperationTooLarge(f"The answer would have more than {MAX_OBJECTS} objects.")
        return DeadlineExceeded()


_current: ContextVar[Budget] = ContextVar("budget")


def get_budget() -> Budget:
    """Return the budget of the current operation."""
    return _current.get()


class BudgetedExecutor(StrawberryGraphQLCoreExecutionContext):
    """An executor that counts objects and completes them in time slices.

    Each event of a subscription has a budget of its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget = get_budget()

    def build_per_event_executor(self, payload: Any) -> BudgetedExecutor:
        """Give each event its own budget."""
        executor = cast("BudgetedExecutor", super().build_per_event_executor(payload))
        executor.budget = Budget()
        return executor

    def complete_list_value(self, *args: Any, **kwargs: Any) -> Any:
        """Complete the list now, or in a later time slice."""
        return self._complete(partial(super().complete_list_value, *args, **kwargs))

    def complete_object_value(self, *args: Any, **kwargs: Any) -> Any:
        """Count the object and complete it, now or in a later time slice."""
        self.budget.count_object()
        return self._complete(partial(super().complete_object_value, *args, **kwargs))

    def execute_fields(self, parent: Any, source: Any, path: Any, fields: Any, *args: Any) -> Any:
        """Execute the fields of an object, in several time slices if there are very many."""
        execute = partial(super().execute_fields, parent, source, path)
        if len(fields) <= FIELDS_PER_SLICE:
            return execute(fields, *args)
        names = list(fields)
        batches = [
            partial(execute, {name: fields[name] for name in names[start : start + FIELDS_PER_SLICE]}, *args)
            for start in range(0, len(names), FIELDS_PER_SLICE)
        ]
        return LazyAwaitable(partial(self._execute_batches, batches))

    async def _execute_batches(self, batches: Sequence[Callable[[], Any]]) -> dict[str, Any]:
        """Execute batches of an object's fields, each in a time slice; return all fields."""
        completed = await gather_with_cancel(*(self._complete_later(batch) for batch in batches))
        return {name: value for batch in completed for name, value in batch.items()}

    def _complete(self, complete: Callable[[], Any]) -> Any:
        if self.budget.scheduler.has_time():
            return complete()
        return LazyAwaitable(partial(self._complete_later, complete))

    async def _complete_later(self, complete: Callable[[], Any]) -> Any:
        await self.budget.scheduler.wait()
        completed = complete()
        return await completed if self.is_awaitable(completed) else completed
