"""Spans of subgraphs and workers, exported if OpenTelemetry's own variables configure an exporter.

    POST /graphql          SERVER    continues the span of the router's fetch
    ├── SELECT             CLIENT    each SQL statement
    ├── EVALSHA            CLIENT    each Redis command
    └── POST graph         CLIENT    each request to another service
    ai.GenerateBook        CONSUMER  a job; it continues the trace of the request that enqueued it
    └── ...

Without an exporter nothing is recorded: a span is then an empty context manager, and statements and commands
are not instrumented at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Engine

Kind = Literal["server", "client", "consumer"]
_NO_SPAN: Final = nullcontext()


class Recorder(Protocol):
    """Records spans."""

    def open_span(
        self, name: str, kind: Kind, attributes: Mapping[str, Any], traceparent: str | None
    ) -> AbstractContextManager[None]:
        """Open a span below that of a `traceparent`, or else below the current one."""

    def build_traceparent(self) -> str | None:
        """Build the `traceparent` of the current span; None without one."""

    def instrument_engine(self, engine: Engine) -> None:
        """Record a span for each statement that belongs to a span."""

    def shut_down(self) -> None:
        """Export the remaining spans, within some seconds."""


_recorder: Recorder | None = None


def find_exporter(environ: Mapping[str, str]) -> Literal["otlp", "console"] | None:
    """Find the exporter that OpenTelemetry's variables configure: it, or OTLP if there is an endpoint."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    endpoint = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    match environ.get("OTEL_TRACES_EXPORTER", "").lower() or ("otlp" if endpoint else "none"):
        case "otlp":
            return "otlp"
        case "console":
            return "console"
        case _:
            return None


@contextmanager
def record_spans(service: str) -> Iterator[None]:
    """Record the spans of this process, as those of a service, if an exporter is configured."""
    global _recorder  # noqa: PLW0603 - one for the process, as its logs and metrics
    exporter = find_exporter(os.environ)
    if exporter is None:
        yield
        return
    from subgraphs.common.opentelemetry import SpanRecorder  # noqa: PLC0415 - not needed without an exporter

    recorder = _recorder = SpanRecorder(service, exporter)
    try:
        yield
    finally:
        _recorder = None
        recorder.shut_down()


def is_recording() -> bool:
    """Whether spans are recorded."""
    return _recorder is not None


def open_span(
    name: str, kind: Kind, attributes: Mapping[str, Any] | None = None, *, traceparent: str | None = None
) -> AbstractContextManager[None]:
    """Open a span below that of a `traceparent`, or else below the current one."""
    if _recorder is None:
        return _NO_SPAN
    return _recorder.open_span(name, kind, attributes or {}, traceparent)


def build_traceparent() -> str | None:
    """Build the `traceparent` of the current span; None without one."""
    return _recorder.build_traceparent() if _recorder else None


def instrument_engine(engine: Engine) -> None:
    """Record a span for each statement of an engine, if spans are recorded."""
    if _recorder is not None:
        _recorder.instrument_engine(engine)
