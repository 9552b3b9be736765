"""Operations prepared once and kept for whoever asks them again."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from router.errors import DocumentError, OperationTimeoutError
from router.policy.overrides import Overrides
from router.server.preparation import Key, Outcome, Preparation, PreparedOperation
from router.server.single_flight import SingleFlight
from router.telemetry import Metrics

MAX_KNOWN_BYTES = 5_000_000
# As measured: plans and projections weigh far more than the text that they are made of.
BYTES_PER_OPERATION = 6000
BYTES_PER_FIELD = 1100
BYTES_PER_ERROR = 2000


class Operations:
    """Has operations prepared, and remembers those asked last, bounded in number and in size.

    What is refused is remembered too: a client that repeats a wrong document costs no second validation.
    """

    def __init__(
        self,
        preparation: Preparation,
        overrides: Overrides,
        metrics: Metrics,
        executor: Executor,
        *,
        size: int,
        max_waiting: int,
    ) -> None:
        self._preparation = preparation
        self._overrides = overrides
        self._metrics = metrics
        self._size = size
        self._known: OrderedDict[Key, Outcome] = OrderedDict()
        self._bytes = 0
        self._preparing = SingleFlight[Key, Outcome](executor, max_waiting)

    async def get(
        self, query: str, operation_name: str | None, deadline: float | None = None
    ) -> PreparedOperation:
        """The operation of this name in this document, until a deadline on the clock `time.monotonic`.

        Raises:
            ParseFailedError: the text is not GraphQL, or too long.
            ValidationFailedError: it does not fit the schema, or exceeds a limit.
            OperationNotFoundError: it has no such operation, or several and none is named.
            UnplannableOperationError: the subgraphs cannot answer it.
            OverloadedError: too many others are to be prepared.
            OperationTimeoutError: it could not be prepared in time.
        """
        return await self._found(Key(query, operation_name, self._overrides.active()), deadline)

    async def deferring(
        self, operation: PreparedOperation, variables: Mapping[str, Any], deadline: float | None = None
    ) -> PreparedOperation:
        """An operation as it is prepared for clients that take what these variables defer later.

        Raises:
            OverloadedError: too many others are to be prepared.
            OperationTimeoutError: it could not be prepared in time.
        """
        true = frozenset(name for name in operation.deferrable or () if variables.get(name) is True)
        return await self._found(operation.key._replace(deferring=true), deadline)

    async def _found(self, key: Key, deadline: float | None) -> PreparedOperation:
        known = self._known.get(key)
        if known is None:
            self._metrics.operations.labels("miss").inc()
            known = await self._prepared(key, deadline)
        else:
            self._metrics.operations.labels("hit").inc()
            self._known.move_to_end(key)
        if isinstance(known, DocumentError):
            raise known.again()
        return known

    async def _prepared(self, key: Key, deadline: float | None) -> Outcome:
        seconds = None if deadline is None else deadline - time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                return await self._preparing.result(
                    key, partial(self._preparation.attempt, key), partial(self._remember, key)
                )
        except TimeoutError:
            raise OperationTimeoutError from None

    def _remember(self, key: Key, outcome: Outcome) -> None:
        self._known[key] = outcome
        self._bytes += _weight(key, outcome)
        while len(self._known) > self._size or self._bytes > MAX_KNOWN_BYTES:
            self._bytes -= _weight(*self._known.popitem(last=False))


def _weight(key: Key, outcome: Outcome) -> int:
    """About how many bytes are kept for an operation: its texts, and what plans and projections weigh."""
    texts = len(key.query) + len(key.operation_name or "")
    if isinstance(outcome, DocumentError):
        return texts + BYTES_PER_ERROR * len(outcome.errors)
    return texts + BYTES_PER_OPERATION + BYTES_PER_FIELD * outcome.prepared.names.fields
