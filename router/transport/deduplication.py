"""De-duplication: identical fetches in flight are sent once and share the response.

Fetches are identical if they have the same subgraph, body and headers. The trace, the deadline and the
operation's name may differ; a shared fetch has those of the first.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeAlias

from router.json_text import decode, encode
from router.telemetry import Metrics
from router.tracing import NO_TRACER, Tracer
from router.transport.base import FetchFailure, FetchOutcome, RequestContext, Transport
from router.transport.request_body import is_mutation, without_operation_name
from router.transport.response_admission import ResponseAdmission

# How long to wait for a shared fetch, retries included, if the operation has no deadline.
WAIT_SECONDS = 60.0

_FetchKey: TypeAlias = tuple[str, bytes, str | None, tuple[tuple[str, str], ...]]


class _SharedFetch:
    """A fetch in flight, and the future of the others that wait for it, if there are any."""

    __slots__ = ("result",)

    def __init__(self) -> None:
        self.result: asyncio.Future[bytes | FetchFailure | None] | None = None

    def finish(self, response: dict[str, Any] | None) -> None:
        """Shares the response; None if it was cancelled or exceeded the first one's deadline."""
        if self.result is None or self.result.done():
            return
        result: bytes | FetchFailure | None = None
        try:
            if isinstance(response, FetchFailure):
                result = None if response.outcome is FetchOutcome.DEADLINE else response
            elif response is not None:
                # Encoded, because each operation merges into the response that it gets.
                result = encode(response)
        finally:
            self.result.set_result(result)


class Deduplication:
    """Sends one of several identical queries and shares its response."""

    def __init__(
        self,
        inner: Transport,
        metrics: Metrics,
        admission: ResponseAdmission,
        timeout: float = WAIT_SECONDS,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._inner = inner
        self._metrics = metrics
        self._admission = admission
        self._timeout = timeout
        self._fetches: dict[_FetchKey, _SharedFetch] = {}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The response of a new fetch, or of an identical one in flight."""
        if is_mutation(body):
            return await self._inner.fetch(subgraph, body, context)
        key = (subgraph, without_operation_name(body), context.authorization, context.headers)
        while (fetch := self._fetches.get(key)) is not None:
            result = await self._wait(fetch, context)
            if isinstance(result, FetchFailure):
                return FetchFailure(subgraph, result.outcome, result.retry_after)
            if result is not None:
                self._metrics.child(self._metrics.shared_fetches, subgraph).inc()
                self._tracer.record_event("shared fetch", subgraph)
                await self._admission.enter(context.client)
                shared: dict[str, Any] = decode(result)
                return shared
        return await self._send(key, body, context)

    async def _wait(self, fetch: _SharedFetch, context: RequestContext) -> bytes | FetchFailure | None:
        if fetch.result is None:
            fetch.result = asyncio.get_running_loop().create_future()
        seconds, outcome = self._timeout, FetchOutcome.TIMEOUT
        if context.deadline is not None and (remaining := context.deadline - time.monotonic()) < seconds:
            seconds, outcome = remaining, FetchOutcome.DEADLINE
        try:
            async with asyncio.timeout(seconds):
                # Shielded, so that one that stops waiting does not cancel the others.
                return await asyncio.shield(fetch.result)
        except TimeoutError:
            return FetchFailure("", outcome)

    async def _send(self, key: _FetchKey, body: bytes, context: RequestContext) -> dict[str, Any]:
        fetch = self._fetches[key] = _SharedFetch()
        response = None
        try:
            response = await self._inner.fetch(key[0], body, context)
            return response
        finally:
            del self._fetches[key]
            fetch.finish(response)
