"""The spans themselves: how each kind begins, what it tells, and how it ends.

No span tells a document, its variables, a header or the message of an error, as these may be about people.
What is not sampled has one span, which is not recorded and passes the decision on to the subgraphs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE, ErrorTypeValues
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from router.errors import RouterError
from router.operation import Operation
from router.telemetry import Trace, current_trace
from router.transport.base import RequestContext
from router.transport.http import SubgraphError

OPERATION_NAME = "graphql.operation.name"
OPERATION_TYPE = "graphql.operation.type"
UNKNOWN_OPERATION = "GraphQL Operation"
SERVER_ERROR = 500

_tracer = trace.get_tracer("router")
_propagator = TraceContextTextMapPropagator()


@contextmanager
def server_span(name: str, caller: Context | None, attributes: Mapping[str, Any]) -> Iterator[Span]:
    """The span of one request, below its caller's or the current one; it stays current when it has ended.

    What a stream still does then belongs to its trace.
    """
    span = _tracer.start_span(name, caller, SpanKind.SERVER, attributes)
    context.attach(trace.set_span_in_context(span))
    current_trace.set(trace_of(span))
    try:
        yield span
    finally:
        end(span)


def continued(headers: Mapping[str, str]) -> Context:
    """The caller's place in a trace, if the headers tell one."""
    return _propagator.extract(headers, Context())


@contextmanager
def span_within(
    name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Mapping[str, Any] | None = None
) -> Iterator[Span]:
    """A span below the current one, where that is sampled; else the current one again."""
    current = get_current_span()
    if not current.get_span_context().trace_flags.sampled:
        yield current
        return
    span = _tracer.start_span(name, kind=kind, attributes=attributes)
    token = context.attach(trace.set_span_in_context(span))
    try:
        yield span
    except Exception as error:
        fail(span, error)
        raise
    finally:
        context.detach(token)
        span.end()


@contextmanager
def event_span(operation: Operation) -> Iterator[None]:
    """The span of one event: a trace of its own, linked to the current span, where that is sampled."""
    subscription = get_current_span().get_span_context()
    if not subscription.trace_flags.sampled:
        yield
        return
    span = _tracer.start_span(
        "subscription event", Context(), attributes=described(operation), links=[Link(subscription)]
    )
    token, logged = context.attach(trace.set_span_in_context(span)), current_trace.set(trace_of(span))
    try:
        yield
    except Exception as error:
        fail(span, error)
        raise
    finally:
        current_trace.reset(logged)
        context.detach(token)
        span.end()


def end(span: Span) -> None:
    """Ends a span that may have ended already."""
    if span.is_recording():
        span.end()


def fail(span: Span, error: Exception | str) -> None:
    """Tells that what a span stands for has failed; what the client is to blame for is no error of ours."""
    if not span.is_recording():
        return
    span.set_attribute(ERROR_TYPE, error if isinstance(error, str) else _type(error))
    if not (isinstance(error, RouterError) and error.status < SERVER_ERROR):
        span.set_status(StatusCode.ERROR)


def fail_with(span: Span, errors: list[dict[str, Any]]) -> None:
    """Tells that a response has errors, by the code of the first."""
    code = (errors[0].get("extensions") or {}).get("code")
    fail(span, code if isinstance(code, str) else ErrorTypeValues.OTHER.value)


def described(operation: Operation) -> dict[str, str]:
    """What spans tell of an operation."""
    attributes = {OPERATION_TYPE: operation.kind}
    if operation.name:
        attributes[OPERATION_NAME] = operation.name
    return attributes


def trace_of(span: Span) -> Trace:
    """A span's place in its trace, as logs and subgraphs read it."""
    found = span.get_span_context()
    return Trace(
        trace.format_trace_id(found.trace_id),
        trace.format_span_id(found.span_id),
        f"{found.trace_flags:02x}",
        found.trace_state.to_header(),
    )


def carried(request: RequestContext, span: Span) -> RequestContext:
    """What a subgraph reads, so that it continues a span."""
    place = trace_of(span)
    return replace(request, traceparent=place.traceparent, tracestate=place.tracestate)


def _type(error: Exception) -> str:
    if isinstance(error, RouterError):
        return error.code
    if isinstance(error, SubgraphError):
        return error.outcome.value
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
