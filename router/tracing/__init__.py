"""Tracing: what a request's stages tell of themselves, wherever that goes.

    query                         SERVER    a request, an operation of a WebSocket connection or of a batch
    ├── identify
    ├── prepare                             router.operation_cache: hit | miss
    │   └── parse, validate, plan           on a miss
    ├── authorise
    ├── coerce
    └── execute
        ├── POST books            CLIENT    each fetch that is sent; the subgraph continues this span
        └── project

A subscription's span ends when its stream is about to be opened, which has a CLIENT span. Each event begins a
trace of its own, which is linked to the subscription's span.

Stages call a `Tracer`. `NO_TRACER` keeps nothing; `router.tracing.opentelemetry` exports spans, and only a
router whose spans are wanted imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

from starlette.datastructures import Headers

from router.telemetry import Trace


class Tracer(Protocol):
    """Records spans. Methods named `trace_…` open one; the others are about the current span."""

    def run(self) -> AbstractAsyncContextManager[None]:
        """Exports spans while it is open, and those that are left when it closes."""
        ...

    def trace_request(self, method: str, scheme: str, headers: Headers) -> AbstractContextManager[Trace]:
        """An HTTP request, in the trace that its headers continue."""
        ...

    def trace_socket_operation(self, headers: Headers) -> AbstractContextManager[Trace]:
        """An operation over a WebSocket connection, in the trace that the handshake's headers continue."""
        ...

    def trace_batched_operation(self, request: Trace) -> AbstractContextManager[Trace]:
        """One operation of a batch, within the batch's request."""
        ...

    def trace_stage(self, name: str) -> AbstractContextManager[None]:
        """A stage of a request."""
        ...

    def trace_fetch(self, subgraph: str, method: str, url: str) -> AbstractContextManager[Trace | None]:
        """A request to a subgraph, which continues the trace that is yielded, or the caller's if none is."""
        ...

    def trace_event(self, kind: str, name: str | None) -> AbstractContextManager[None]:
        """An event of a subscription, whose name may be missing."""
        ...

    def name_operation(self, kind: str, name: str | None) -> None:
        """Names the span after its operation: query, mutation or subscription."""
        ...

    def record_cache(self, *, hit: bool) -> None:
        """Whether the operation was prepared before."""
        ...

    def record_status(self, status: int) -> None:
        """The HTTP status of the response."""
        ...

    def record_occurrence(self, name: str, subgraph: str) -> None:
        """Something that happened in the span and took no time."""
        ...

    def record_error(self, error: Exception | str) -> None:
        """What failed, by its code alone: messages may be about people."""
        ...

    def record_errors(self, errors: Sequence[dict[str, Any]]) -> None:
        """The GraphQL errors of a response, by the code of the first."""
        ...

    def end(self) -> None:
        """Ends the span now; it stays current."""
        ...


class _NoTracer:
    """Keeps nothing; requests continue their callers' traces all the same."""

    def run(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def trace_request(self, method: str, scheme: str, headers: Headers) -> AbstractContextManager[Trace]:
        return self.trace_socket_operation(headers)

    def trace_socket_operation(self, headers: Headers) -> AbstractContextManager[Trace]:
        return nullcontext(Trace.begin(headers.get("traceparent"), headers.getlist("tracestate")))

    def trace_batched_operation(self, request: Trace) -> AbstractContextManager[Trace]:
        return nullcontext(request)

    def trace_stage(self, name: str) -> AbstractContextManager[None]:
        return _NOTHING

    def trace_fetch(self, subgraph: str, method: str, url: str) -> AbstractContextManager[Trace | None]:
        return _NOTHING

    def trace_event(self, kind: str, name: str | None) -> AbstractContextManager[None]:
        return _NOTHING

    def name_operation(self, kind: str, name: str | None) -> None:
        pass

    def record_cache(self, *, hit: bool) -> None:
        pass

    def record_status(self, status: int) -> None:
        pass

    def record_occurrence(self, name: str, subgraph: str) -> None:
        pass

    def record_error(self, error: Exception | str) -> None:
        pass

    def record_errors(self, errors: Sequence[dict[str, Any]]) -> None:
        pass

    def end(self) -> None:
        pass


_NOTHING: Final = nullcontext()
NO_TRACER: Final[Tracer] = _NoTracer()
