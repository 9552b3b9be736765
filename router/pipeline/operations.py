"""Operations prepared once and kept for whoever asks them again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Never, TypeVar

from graphql import GraphQLError

from router.errors import DocumentError, OperationTimeoutError, PlanningTooLongError
from router.pipeline.known import Known
from router.pipeline.preparation import Key, Outcome, Preparation, PreparedOperation
from router.pipeline.single_flight import SingleFlight
from router.policy.overrides import Overrides
from router.policy.withholding import Paths
from router.telemetry import Metrics, log
from router.tracing import NO_TRACER, Tracer

MAX_KNOWN_BYTES = 5_000_000
# As measured: plans and projections weigh far more than the text that they are made of.
BYTES_PER_OPERATION = 6000
BYTES_PER_FIELD = 1100
BYTES_PER_NODE = 1000
MAX_REFUSED = 1000
MAX_REFUSED_BYTES = 1_000_000
BYTES_PER_ERROR = 2000
# What was too long to plan may be planned when there is less to do, and what was refused costs little to
# refuse anew.
REFUSED_SECONDS = 60.0
# About what it takes to prepare a document: all that its length can tell.
SECONDS_PER_CHARACTER = 2e-5
# About what other work takes that is done apart from the event loop.
SECONDS_APART = 0.02

T = TypeVar("T")


class Operations:
    """Has operations prepared, and remembers those asked last, bounded in number and in size.

    What is refused is remembered apart, and only for a while: a client that repeats a wrong document costs
    no second validation, and pushes out nothing that others use.
    """

    def __init__(
        self,
        preparation: Preparation,
        overrides: Overrides,
        metrics: Metrics,
        preparing: SingleFlight,
        *,
        size: int,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._preparation = preparation
        self._overrides = overrides
        self._metrics = metrics
        self._tracer = tracer
        self._known = Known[Key, PreparedOperation](size, MAX_KNOWN_BYTES)
        self._refused = Known[bytes, tuple[DocumentError, float]](MAX_REFUSED, MAX_REFUSED_BYTES)
        self._preparing = preparing

    async def get(
        self, query: str, operation_name: str | None, client: str, deadline: float | None = None
    ) -> PreparedOperation:
        """The operation of this name in this document, until a deadline on the clock `time.monotonic`.

        Raises:
            ParseFailedError: the text is not GraphQL, or too long.
            ValidationFailedError: it does not fit the schema, or exceeds a limit.
            OperationNotFoundError: it has no such operation, or several and none is named.
            UnplannableOperationError: the subgraphs cannot answer it.
            PlanningTooLongError: it takes too long to be planned.
            OverloadedError: too many others are to be prepared.
            OperationTimeoutError: it could not be prepared in time.
        """
        return await self._found(Key(query, operation_name, self._overrides.active()), client, deadline)

    async def deferring(
        self,
        operation: PreparedOperation,
        variables: Mapping[str, Any],
        client: str,
        deadline: float | None = None,
    ) -> PreparedOperation:
        """An operation as it is prepared for clients that take what these variables defer later.

        Raises:
            OverloadedError: too many others are to be prepared.
            OperationTimeoutError: it could not be prepared in time.
        """
        true = frozenset(name for name in operation.deferrable or () if variables.get(name) is True)
        return await self._found(operation.key._replace(deferring=true), client, deadline)

    async def withholding(
        self, operation: PreparedOperation, paths: Paths, client: str, deadline: float | None = None
    ) -> PreparedOperation:
        """An operation without what stands at some paths of its answer.

        Raises:
            OverloadedError: too many others are to be prepared.
            OperationTimeoutError: it could not be prepared in time.
        """
        return await self._found(operation.key._replace(withheld=paths), client, deadline)

    async def apart(self, work: Callable[[], T], client: str, deadline: float | None = None) -> T:
        """What work returns or raises that takes too long for the event loop, in turn with what is prepared.

        Raises:
            OverloadedError: too much waits for that.
            OperationTimeoutError: it was not done in time.
        """
        return await self._in_time(
            self._preparing.result(object(), work, _unfinished, _ignored, client=client, cost=SECONDS_APART),
            deadline,
        )

    async def _found(self, key: Key, client: str, deadline: float | None) -> PreparedOperation:
        known = self._known.get(key, client)
        self._tracer.record_cache(hit=known is not None)
        if known is not None:
            self._metrics.child(self._metrics.operations, "hit").inc()
            return known
        self._preparation.refuse_length(key)
        outcome: Outcome | None = self._refusal(key, client)
        self._metrics.child(self._metrics.operations, "miss" if outcome is None else "hit").inc()
        if outcome is None:
            outcome = await self._prepared(key, client, deadline)
        if isinstance(outcome, DocumentError):
            raise outcome.copy()
        return outcome

    async def _prepared(self, key: Key, client: str, deadline: float | None) -> Outcome:
        preparing = self._preparing.result(
            (self, key),
            partial(self._preparation.attempt, key),
            partial(self._give_up, key),
            partial(self._remember, key, client),
            client=client,
            cost=len(key.query) * SECONDS_PER_CHARACTER,
        )
        return await self._in_time(preparing, deadline)

    async def _in_time(self, done: Awaitable[T], deadline: float | None) -> T:
        seconds = None if deadline is None else deadline - time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                return await done
        except TimeoutError:
            raise OperationTimeoutError from None

    def _refusal(self, key: Key, client: str) -> DocumentError | None:
        digest = _digest(key)
        error, until = self._refused.get(digest, client) or (None, 0.0)
        if error is not None and until <= time.monotonic():
            self._refused.discard(digest)
            return None
        return error

    def _give_up(self, key: Key) -> Outcome:
        """What becomes of a document that the preparing thread has hung with."""
        self._metrics.hung_preparations.inc()
        self._preparation.renew()
        log.error("Preparing an operation hung", extra={"metadata": {"document": _digest(key).hex()}})
        return PlanningTooLongError(
            [GraphQLError("The operation could not be prepared in the time that this may take.")]
        )

    def _remember(self, key: Key, client: str, outcome: Outcome) -> None:
        if isinstance(outcome, DocumentError):
            refusal = outcome, time.monotonic() + REFUSED_SECONDS
            self._refused.put(_digest(key), client, refusal, _weight_of_refusal(outcome))
        else:
            self._known.put(key, client, outcome, _weight(key, outcome))


def _unfinished() -> Never:
    raise OperationTimeoutError


def _ignored(_: object) -> None:
    """What is to be done with a result that only its caller needs."""


def _digest(key: Key) -> bytes:
    return sha256(repr(key).encode("utf-8", "surrogatepass")).digest()


def _weight(key: Key, operation: PreparedOperation) -> int:
    """About how many bytes are kept for an operation: its texts, and what plans and projections weigh."""
    texts = len(key.query) + len(key.operation_name or "")
    per_field = BYTES_PER_FIELD
    if operation.cost and operation.cost.keeps_document:
        per_field += BYTES_PER_NODE
    return texts + BYTES_PER_OPERATION + per_field * operation.prepared.names.fields


def _weight_of_refusal(error: DocumentError) -> int:
    return sum(BYTES_PER_ERROR + len(each.message) for each in error.errors)
