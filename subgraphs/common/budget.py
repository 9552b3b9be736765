"""The budget of one operation: the time until its deadline, the objects of its answer, and one dear thing."""

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

from subgraphs.common.errors import DeadlineExceeded, OperationTooLarge
from subgraphs.common.turns import Later, Turns

LONGEST_SECONDS: Final = 60.0
"""How long an operation may take whose caller gives no deadline, or one that is farther away."""

MOST_OBJECTS: Final = 10_000
"""How many objects an answer may hold: the largest that a page of a client needs has half of them."""

FIELDS_AT_ONCE: Final = 100
"""Of one object; to begin so many takes some 3 ms where each of them is awaited."""


class Budget:
    """What one operation may still take."""

    def __init__(self, deadline: float | None = None) -> None:
        latest = time.monotonic() + LONGEST_SECONDS
        self.deadline = latest if deadline is None else min(deadline, latest)
        self.objects = MOST_OBJECTS
        self.turns = Turns()
        self._dear = 1
        self._timeout: asyncio.Timeout | None = None

    @asynccontextmanager
    async def enforced(self) -> AsyncIterator[None]:
        """Stop what runs inside when the budget is spent; DeadlineExceeded or OperationTooLarge tell why."""
        _current.set(self)
        try:
            async with asyncio.timeout(self.deadline - time.monotonic()) as timeout:
                self._timeout = timeout
                yield
        except TimeoutError as error:
            if not timeout.expired():
                raise
            raise self._reason() from error
        if self.objects < 0:
            raise self._reason()

    def take_dear(self, otherwise: str) -> None:
        """Do something that costs as much as a whole operation may; OperationTooLarge the second time."""
        if self._dear == 0:
            raise OperationTooLarge(otherwise)
        self._dear -= 1

    def take_object(self) -> None:
        """Count an object of the answer; with one too many everything that is under way for it ends."""
        self.objects -= 1
        if self.objects == -1 and self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())
        if self.objects < 0:
            raise self._reason()

    def _reason(self) -> Exception:
        if self.objects < 0:
            return OperationTooLarge(f"The answer would have more than {MOST_OBJECTS} objects.")
        return DeadlineExceeded()


_current: ContextVar[Budget] = ContextVar("budget")


def current() -> Budget:
    """The budget of the operation that is executed now."""
    return _current.get()


class BudgetedExecutor(StrawberryGraphQLCoreExecutionContext):
    """An execution that counts its objects, and lets the event loop turn to others between them.

    Each event of a subscription may have as many objects as an operation.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget = current()

    def build_per_event_executor(self, payload: Any) -> BudgetedExecutor:
        """Begin a new count for an event."""
        executor = cast("BudgetedExecutor", super().build_per_event_executor(payload))
        executor.budget = Budget()
        return executor

    def complete_list_value(self, *args: Any, **kwargs: Any) -> Any:
        """Complete the list at once, or when the loop has turned to others."""
        complete = partial(super().complete_list_value, *args, **kwargs)
        return complete() if self.budget.turns.go_on() else Later(partial(self._in_turn, complete))

    def complete_object_value(self, *args: Any, **kwargs: Any) -> Any:
        """Count the object, then complete it: at once, or when the loop has turned to others."""
        self.budget.take_object()
        complete = partial(super().complete_object_value, *args, **kwargs)
        return complete() if self.budget.turns.go_on() else Later(partial(self._in_turn, complete))

    def execute_fields(self, parent: Any, source: Any, path: Any, fields: Any, *args: Any) -> Any:
        """Execute the fields of an object: at once, or many of them in turns."""
        execute = partial(super().execute_fields, parent, source, path)
        if len(fields) <= FIELDS_AT_ONCE:
            return execute(fields, *args)
        names = list(fields)
        pieces = [
            partial(execute, {name: fields[name] for name in names[start : start + FIELDS_AT_ONCE]}, *args)
            for start in range(0, len(names), FIELDS_AT_ONCE)
        ]
        return Later(partial(self._joined, pieces))

    async def _joined(self, pieces: Sequence[Callable[[], Any]]) -> dict[str, Any]:
        """The fields of all pieces of an object, of which each has its turn."""
        completed = await gather_with_cancel(*(self._in_turn(piece) for piece in pieces))
        return {name: value for piece in completed for name, value in piece.items()}

    async def _in_turn(self, complete: Callable[[], Any]) -> Any:
        await self.budget.turns.wait()
        completed = complete()
        return await completed if self.is_awaitable(completed) else completed
