"""The tracer that exports OpenTelemetry spans.

No span contains a document, variables, headers or error messages, as these may contain personal data. A
request that is not sampled has a single non-recording span, which propagates the decision to the subgraphs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE, ErrorTypeValues
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_NAME
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_FULL, URL_PATH, URL_SCHEME
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers

from router.errors import RouterError
from router.telemetry import Trace, current_trace
from router.tracing.export import export_spans

OPERATION_NAME = "graphql.operation.name"
OPERATION_TYPE = "graphql.operation.type"
OPERATION_CACHE = "router.operation_cache"
SUBGRAPH = "subgraph.name"
UNKNOWN_OPERATION = "GraphQL Operation"
SERVER_ERROR = 500

_tracer = trace.get_tracer("router")
_propagator = TraceContextTextMapPropagator()


class OpenTelemetryTracer:
    """Exports a router's spans; `path` is the path of its GraphQL endpoint."""

    def __init__(self, exporter: Literal["otlp", "console"], path: str) -> None:
        self._exporter = exporter
        self._path = path

    def run(self) -> AbstractAsyncContextManager[None]:
        """Exports spans until it is closed, and then the remaining ones."""
        return export_spans(self._exporter)

    def trace_request(self, method: str, scheme: str, headers: Headers) -> AbstractContextManager[Trace]:
        """A SERVER span."""
        attributes = {
            HTTP_REQUEST_METHOD: method,
            HTTP_ROUTE: self._path,
            URL_PATH: self._path,
            URL_SCHEME: scheme,
        }
        return _open_server_span(f"{method} {self._path}", _extract_context(headers), attributes)

    def trace_socket_operation(self, headers: Headers) -> AbstractContextManager[Trace]:
        """A SERVER span."""
        attributes = {NETWORK_PROTOCOL_NAME: "websocket", URL_PATH: self._path}
        return _open_server_span(UNKNOWN_OPERATION, _extract_context(headers), attributes)

    def trace_batched_operation(self, request: Trace) -> AbstractContextManager[Trace]:
        """A SERVER span below the current one, which is that of the request."""
        return _open_server_span(UNKNOWN_OPERATION, None, {})

    @contextmanager
    def trace_stage(self, name: str) -> Iterator[None]:
        """An INTERNAL span."""
        with _open_span(name, SpanKind.INTERNAL, None):
            yield

    @contextmanager
    def trace_fetch(self, subgraph: str, method: str, url: str) -> Iterator[Trace | None]:
        """A CLIENT span, which the subgraph continues if it is recorded."""
        attributes = _build_request_attributes(subgraph, method, url)
        with _open_span(f"{method} {subgraph}", SpanKind.CLIENT, attributes) as span:
            yield _to_trace(span) if span.is_recording() else None

    @contextmanager
    def trace_event(self, kind: str, name: str | None) -> Iterator[None]:
        """A span that starts a trace, linked to the current span if that is sampled."""
        subscription = get_current_span().get_span_context()
        if not subscription.trace_flags.sampled:
            yield
            return
        attributes, links = _build_operation_attributes(kind, name), [Link(subscription)]
        span = _tracer.start_span("subscription event", Context(), attributes=attributes, links=links)
        logged = current_trace.set(_to_trace(span))
        try:
            with _use_span(span):
                yield
        finally:
            current_trace.reset(logged)

    def name_operation(self, kind: str, name: str | None) -> None:
        """Names the request's span after its operation."""
        span = get_current_span()
        span.update_name(kind)
        span.set_attributes(_build_operation_attributes(kind, name))

    def record_cache(self, *, hit: bool) -> None:
        """Whether the prepared operation was cached."""
        get_current_span().set_attribute(OPERATION_CACHE, "hit" if hit else "miss")

    def record_status(self, status: int) -> None:
        """The HTTP status of the response."""
        get_current_span().set_attribute(HTTP_RESPONSE_STATUS_CODE, status)

    def record_event(self, name: str, subgraph: str) -> None:
        """A span event."""
        get_current_span().add_event(name, {SUBGRAPH: subgraph})

    def record_error(self, error: Exception | str) -> None:
        """An error; the span's status is ERROR unless the client caused it."""
        _record_error(get_current_span(), error)

    def record_errors(self, errors: Sequence[dict[str, Any]]) -> None:
        """The GraphQL errors of a response."""
        code = (errors[0].get("extensions") or {}).get("code")
        self.record_error(code if isinstance(code, str) else ErrorTypeValues.OTHER.value)

    def end(self) -> None:
        """Ends the current span, if it has not ended yet."""
        _end(get_current_span())


@contextmanager
def _open_server_span(name: str, caller: Context | None, attributes: Mapping[str, Any]) -> Iterator[Trace]:
    """The span of one request, below its caller's or the current one.

    It stays current after it has ended, so that what a stream still does belongs to its trace.
    """
    span = _tracer.start_span(name, caller, SpanKind.SERVER, attributes)
    context.attach(trace.set_span_in_context(span))
    try:
        yield _to_trace(span)
    finally:
        _end(span)


@contextmanager
def _open_span(name: str, kind: SpanKind, attributes: Mapping[str, Any] | None) -> Iterator[Span]:
    """A span below the current one if that is sampled, else the current one."""
    current = get_current_span()
    if not current.get_span_context().trace_flags.sampled:
        yield current
        return
    span = _tracer.start_span(name, kind=kind, attributes=attributes)
    with _use_span(span):
        yield span


@contextmanager
def _use_span(span: Span) -> Iterator[None]:
    """Makes a span current until it ends; an exception is recorded as its error."""
    token = context.attach(trace.set_span_in_context(span))
    try:
        yield
    except Exception as error:
        _record_error(span, error)
        raise
    finally:
        context.detach(token)
        span.end()


def _extract_context(headers: Mapping[str, str]) -> Context:
    """The caller's trace context, empty if the headers have none."""
    return _propagator.extract(headers, Context())


def _end(span: Span) -> None:
    if span.is_recording():
        span.end()


def _record_error(span: Span, error: Exception | str) -> None:
    if not span.is_recording():
        return
    span.set_attribute(ERROR_TYPE, error if isinstance(error, str) else _get_error_type(error))
    if not (isinstance(error, RouterError) and error.status < SERVER_ERROR):
        span.set_status(StatusCode.ERROR)


def _get_error_type(error: Exception) -> str:
    """The code of an error, or the name of its class if it has none."""
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return code
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _build_operation_attributes(kind: str, name: str | None) -> dict[str, str]:
    return {OPERATION_TYPE: kind, OPERATION_NAME: name} if name else {OPERATION_TYPE: kind}


@lru_cache
def _build_request_attributes(subgraph: str, method: str, url: str) -> Mapping[str, Any]:
    """The attributes of requests to a URL, without the credentials that it may contain."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return {
        SUBGRAPH: subgraph,
        HTTP_REQUEST_METHOD: method,
        SERVER_ADDRESS: parts.hostname or "",
        SERVER_PORT: parts.port or (443 if parts.scheme in ("https", "wss") else 80),
        URL_FULL: f"{parts.scheme}://{host}{parts.path}",
    }


def _to_trace(span: Span) -> Trace:
    """The trace context of a span, for logs and subgraphs."""
    found = span.get_span_context()
    return Trace(
        trace.format_trace_id(found.trace_id),
        trace.format_span_id(found.span_id),
        f"{found.trace_flags:02x}",
        found.trace_state.to_header(),
    )
