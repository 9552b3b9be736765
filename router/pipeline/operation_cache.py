"""The cache of prepared operations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Never, TypeVar

from graphql import GraphQLError

from router.errors import DocumentError, OperationTimeoutError, PlanningTooLongError
from router.pipeline.fair_cache import FairCache
from router.pipeline.preparation import OperationKey, Preparation, PreparationOutcome, PreparedOperation
from router.pipeline.single_flight import SingleFlight
from router.policy.filtering import ResponsePaths
from router.policy.overrides import Overrides
from router.telemetry import Metrics, log
from router.tracing import NO_TRACER, Tracer

MAX_PREPARED_BYTES = 5_000_000
# As measured: plans and projections take far more memory than the document.
BYTES_PER_OPERATION = 6000
BYTES_PER_FIELD = 1100
BYTES_PER_NODE = 1000
MAX_REFUSED = 1000
MAX_REFUSED_BYTES = 1_000_000
BYTES_PER_ERROR = 2000
# Planning that timed out may succeed under less load, and other refusals are cheap to repeat.
REFUSED_SECONDS = 60.0
# A rough estimate of the time to prepare a document.
SECONDS_PER_CHARACTER = 2e-5
# A rough estimate of the time that other offloaded work takes.
OFFLOADED_SECONDS = 0.02

T = TypeVar("T")


class OperationCache:
    """Prepares operations and caches them, bounded in number and in memory.

    Refused documents are cached separately and for a limited time: repeating one costs no second validation
    and evicts nothing that others use.
    """

    def __init__(
        self,
        preparation: Preparation,
        overrides: Overrides,
        metrics: Metrics,
        flights: SingleFlight,
        *,
        size: int,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._preparation = preparation
        self._overrides = overrides
        self._metrics = metrics
        self._tracer = tracer
        self._prepared = FairCache[OperationKey, PreparedOperation](size, MAX_PREPARED_BYTES)
        self._refused = FairCache[bytes, tuple[DocumentError, float]](MAX_REFUSED, MAX_REFUSED_BYTES)
        self._flights = flights

    async def get(
        self, query: str, operation_name: str | None, client: str, deadline: float | None = None
    ) -> PreparedOperation:
        """The operation of a document, prepared; `deadline` is on the clock `time.monotonic`.

        Raises:
            ParseFailedError: the document is not GraphQL, or is too long.
            ValidationFailedError: it does not validate, or exceeds a limit.
            OperationNotFoundError: it has no such operation, or several and no name was given.
            UnplannableOperationError: the subgraphs cannot resolve it.
            PlanningTooLongError: planning it timed out.
            OverloadedError: too many operations are waiting to be prepared.
            OperationTimeoutError: it was not prepared before the deadline.
        """
        key = OperationKey(query, operation_name, self._overrides.draw_active_labels())
        return await self._get(key, client, deadline)

    async def get_incremental(
        self,
        operation: PreparedOperation,
        variables: Mapping[str, Any],
        client: str,
        deadline: float | None = None,
    ) -> PreparedOperation:
        """An operation prepared for incremental delivery of the fragments that the variables defer.

        Raises:
            OverloadedError: too many operations are waiting to be prepared.
            OperationTimeoutError: it was not prepared before the deadline.
        """
        deferring = frozenset(name for name in operation.deferrable or () if variables.get(name) is True)
        return await self._get(operation.key._replace(deferring=deferring), client, deadline)

    async def get_filtered(
        self, operation: PreparedOperation, refused: ResponsePaths, client: str, deadline: float | None = None
    ) -> PreparedOperation:
        """An operation prepared without the fields at the refused response paths.

        Raises:
            OverloadedError: too many operations are waiting to be prepared.
            OperationTimeoutError: it was not prepared before the deadline.
        """
        return await self._get(operation.key._replace(refused=refused), client, deadline)

    async def offload(self, work: Callable[[], T], client: str, deadline: float | None = None) -> T:
        """Runs work that would block the event loop in the preparing thread; returns or raises what it does.

        Raises:
            OverloadedError: the queue is full.
            OperationTimeoutError: it was not done before the deadline.
        """
        result = self._flights.run(
            object(), work, _raise_timeout, _discard, client=client, cost=OFFLOADED_SECONDS
        )
        return await _await_until(deadline, result)

    async def _get(self, key: OperationKey, client: str, deadline: float | None) -> PreparedOperation:
        cached = self._prepared.get(key, client)
        self._tracer.record_cache(hit=cached is not None)
        if cached is not None:
            self._metrics.get_child(self._metrics.operations, "hit").inc()
            return cached
        self._preparation.check_length(key)
        outcome: PreparationOutcome | None = self._find_refusal(key, client)
        self._metrics.get_child(self._metrics.operations, "miss" if outcome is None else "hit").inc()
        if outcome is None:
            outcome = await self._prepare(key, client, deadline)
        if isinstance(outcome, DocumentError):
            raise outcome.copy()
        return outcome

    async def _prepare(self, key: OperationKey, client: str, deadline: float | None) -> PreparationOutcome:
        outcome = self._flights.run(
            (self, key),
            partial(self._preparation.attempt, key),
            partial(self._handle_hang, key),
            partial(self._store, key, client),
            client=client,
            cost=len(key.query) * SECONDS_PER_CHARACTER,
        )
        return await _await_until(deadline, outcome)

    def _find_refusal(self, key: OperationKey, client: str) -> DocumentError | None:
        digest = _digest(key)
        error, until = self._refused.get(digest, client) or (None, 0.0)
        if error is not None and until <= time.monotonic():
            self._refused.discard(digest)
            return None
        return error

    def _handle_hang(self, key: OperationKey) -> PreparationOutcome:
        self._metrics.hung_preparations.inc()
        self._preparation.reset_planners()
        log.error("Preparing an operation hung", extra={"metadata": {"document": _digest(key).hex()}})
        return PlanningTooLongError([GraphQLError("Preparing the operation timed out.")])

    def _store(self, key: OperationKey, client: str, outcome: PreparationOutcome) -> None:
        if isinstance(outcome, DocumentError):
            refusal = outcome, time.monotonic() + REFUSED_SECONDS
            self._refused.put(_digest(key), client, refusal, _estimate_refusal_weight(outcome))
        else:
            self._prepared.put(key, client, outcome, _estimate_weight(key, outcome))


async def _await_until(deadline: float | None, result: Awaitable[T]) -> T:
    seconds = None if deadline is None else deadline - time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            return await result
    except TimeoutError:
        raise OperationTimeoutError from None


def _raise_timeout() -> Never:
    raise OperationTimeoutError


def _discard(_: object) -> None:
    """The result of offloaded work is not cached."""


def _digest(key: OperationKey) -> bytes:
    return sha256(repr(key).encode("utf-8", "surrogatepass")).digest()


def _estimate_weight(key: OperationKey, operation: PreparedOperation) -> int:
    """The approximate memory of a prepared operation in bytes."""
    texts = len(key.query) + len(key.operation_name or "")
    per_field = BYTES_PER_FIELD
    if operation.cost and operation.cost.keeps_document:
        per_field += BYTES_PER_NODE
    return texts + BYTES_PER_OPERATION + per_field * operation.prepared.names.field_count


def _estimate_refusal_weight(error: DocumentError) -> int:
    return sum(BYTES_PER_ERROR + len(each.message) for each in error.errors)
