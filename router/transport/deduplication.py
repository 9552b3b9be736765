"""Fetches that are under way are shared: who asks the same of the same subgraph waits for the same answer.

Two fetches are the same when everything that leaves the router for them is: the subgraph, the body and the
headers. The trace, the deadline and the operation's name are not part of it; a shared fetch has those of
whoever asked first.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeAlias

from router.json_text import decode, encode
from router.telemetry import Metrics
from router.tracing import NO_TRACER, Tracer
from router.transport.base import Failure, Outcome, RequestContext, Transport, sized
from router.transport.request_body import is_mutation, unnamed

# What a fetch may take that has no deadline of its own, with all that is done to get an answer.
WAIT_SECONDS = 60.0

_Key: TypeAlias = tuple[str, bytes, str | None, tuple[tuple[str, str], ...]]


class _Flight:
    """A fetch under way, and the future of those who wait for it, if there are any."""

    __slots__ = ("landing",)

    def __init__(self) -> None:
        self.landing: asyncio.Future[bytes | Failure | None] | None = None

    def land(self, answer: dict[str, Any] | None) -> None:
        """Tells those who wait; without an answer, or when the first ran out of time, they ask themselves."""
        if self.landing is None or self.landing.done():
            return
        told: bytes | Failure | None = None
        try:
            if isinstance(answer, Failure):
                told = None if answer.outcome is Outcome.DEADLINE else answer
            elif answer is not None:
                # Encoded, as each operation merges into the answer that it gets.
                told = encode(answer)
        finally:
            self.landing.set_result(told)


class Deduplication:
    """Sends one of several identical queries and gives its answer to all of them."""

    def __init__(
        self,
        inner: Transport,
        metrics: Metrics,
        timeout: float = WAIT_SECONDS,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._inner = inner
        self._metrics = metrics
        self._timeout = timeout
        self._flights: dict[_Key, _Flight] = {}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The answer of a fetch of its own, or of one that was under way."""
        if is_mutation(body):
            return await self._inner.fetch(subgraph, body, context)
        key = (subgraph, unnamed(body), context.authorization, context.headers)
        while (flight := self._flights.get(key)) is not None:
            answer = await self._wait(flight, context)
            if isinstance(answer, Failure):
                return Failure(subgraph, answer.outcome, answer.retry_after)
            if answer is not None:
                self._metrics.child(self._metrics.shared_fetches, subgraph).inc()
                self._tracer.record_event("shared fetch", subgraph)
                return sized(decode(answer), len(answer))
        return await self._lead(key, body, context)

    async def _wait(self, flight: _Flight, context: RequestContext) -> bytes | Failure | None:
        if flight.landing is None:
            flight.landing = asyncio.get_running_loop().create_future()
        seconds, late = self._timeout, Outcome.TIMEOUT
        if context.deadline is not None and (left := context.deadline - time.monotonic()) < seconds:
            seconds, late = left, Outcome.DEADLINE
        try:
            async with asyncio.timeout(seconds):
                # Shielded, as one who stops waiting must not end the waiting of the others.
                return await asyncio.shield(flight.landing)
        except TimeoutError:
            return Failure("", late)

    async def _lead(self, key: _Key, body: bytes, context: RequestContext) -> dict[str, Any]:
        flight = self._flights[key] = _Flight()
        answer = None
        try:
            answer = await self._inner.fetch(key[0], body, context)
            return answer
        finally:
            del self._flights[key]
            flight.land(answer)
