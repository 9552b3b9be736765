"""The tracing interface: the spans of a request, its stages and its fetches.

    query                         SERVER    a request, or an operation of a WebSocket connection or a batch
    ├── identify
    ├── prepare                             router.operation_cache: hit | miss
    │   └── parse, validate, plan           on a miss
    ├── authorise
    ├── coerce
    └── execute
        ├── POST books            CLIENT    each fetch that is sent; the subgraph continues this span
        └── project

A subscription's span ends when its stream is about to be opened, which has a CLIENT span. Each event starts a
new trace, linked to the subscription's span.

Stages call a `Tracer`. `NO_TRACER` records nothing; `router.tracing.opentelemetry` exports spans, and is
imported only if spans are exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

from starlette.datastructures import Headers

from router.telemetry import Trace


class Tracer(Protocol):
    """Records spans. Methods named `trace_…` open a span; the others describe the current one."""

    def run(self) -> AbstractAsyncContextManager[None]:
        """Exports spans until it is closed, and then the remaining ones."""
        ...

    def trace_request(self, method: str, scheme: str, headers: Headers) -> AbstractContextManager[Trace]:
        """An HTTP request; it continues the trace of its headers."""
        ...

    def trace_socket_operation(self, headers: Headers) -> AbstractContextManager[Trace]:
        """An operation over a WebSocket connection; it continues the trace of the handshake's headers."""
        ...

    def trace_batched_operation(self, request: Trace) -> AbstractContextManager[Trace]:
        """One operation of a batch, within its request."""
        ...

    def trace_stage(self, name: str) -> AbstractContextManager[None]:
        """A stage of a request."""
        ...

    def trace_fetch(self, subgraph: str, method: str, url: str) -> AbstractContextManager[Trace | None]:
        """A request to a subgraph; it continues the yielded trace, or the caller's if that is None."""
        ...

    def trace_event(self, kind: str, name: str | None) -> AbstractContextManager[None]:
        """Events of a subscription, mostly one, that are completed together; `name` is the operation's."""
        ...

    def name_operation(self, kind: str, name: str | None) -> None:
        """Names the span after its operation; `kind` is query, mutation or subscription."""
        ...

    def record_cache(self, *, hit: bool) -> None:
        """Whether the prepared operation was cached."""
        ...

    def record_status(self, status: int) -> None:
        """The HTTP status of the response."""
        ...

    def record_event(self, name: str, subgraph: str) -> None:
        """A span event: something without a duration."""
        ...

    def record_error(self, error: Exception | str) -> None:
        """An error, by its code only, as messages may contain personal data."""
        ...

    def record_errors(self, errors: Sequence[dict[str, Any]]) -> None:
        """The GraphQL errors of a response, by the code of the first one."""
        ...

    def end(self) -> None:
        """Ends the span early; it stays current."""
        ...


class _NoTracer:
    """Records nothing; requests still continue their callers' traces."""

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

    def record_event(self, name: str, subgraph: str) -> None:
        pass

    def record_error(self, error: Exception | str) -> None:
        pass

    def record_errors(self, errors: Sequence[dict[str, Any]]) -> None:
        pass

    def end(self) -> None:
        pass


_NOTHING: Final = nullcontext()
NO_TRACER: Final[Tracer] = _NoTracer()
