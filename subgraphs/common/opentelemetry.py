"""The recorder of spans that exports them by OpenTelemetry.

No span contains parameters, headers, bodies or messages of errors, as these may contain personal data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final, Literal

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Engine, event

_FLUSH_SECONDS: Final = 2.0
_KINDS: Final[Mapping[str, SpanKind]] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class SpanRecorder:
    """Records the spans of this process; a thread exports them."""

    def __init__(self, service: str, exporter: Literal["otlp", "console"]) -> None:
        resource = Resource.create({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_create_exporter(exporter)))
        self._tracer = self._provider.get_tracer("subgraphs")

    @contextmanager
    def open_span(
        self, name: str, kind: str, attributes: Mapping[str, Any], traceparent: str | None
    ) -> Iterator[None]:
        """Open a span below that of a `traceparent`, or else below the current one.

        A request to another service has a span only within another span, so that polling leaves no traces.
        """
        parent = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
        if kind == "client" and not get_current_span().is_recording():
            yield
            return
        span = self._tracer.start_span(name, parent, _KINDS[kind], dict(attributes))
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield
            except BaseException as error:
                _mark_failed(span, error)
                raise

    def build_traceparent(self) -> str | None:
        """Build the `traceparent` of the current span; None without one."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def instrument_engine(self, engine: Engine) -> None:
        """Record a span for each statement that belongs to a span."""

        def begin(_: Any, __: Any, statement: str, ___: Any, context: Any, ____: bool) -> None:
            if context is None or not get_current_span().is_recording():
                return
            words = statement.split(maxsplit=1)
            context.span = self._tracer.start_span(
                words[0].upper() if words else "SQL",
                kind=SpanKind.CLIENT,
                attributes={"db.system.name": "postgresql", "db.query.text": statement[:1000]},
            )

        def end(_: Any, __: Any, ___: str, ____: Any, context: Any, _____: bool) -> None:
            if span := getattr(context, "span", None):
                span.end()

        def fail(failure: Any) -> None:
            if span := getattr(failure.execution_context, "span", None):
                _mark_failed(span, failure.original_exception)
                span.end()

        event.listen(engine, "before_cursor_execute", begin)
        event.listen(engine, "after_cursor_execute", end)
        event.listen(engine, "handle_error", fail)

    def shut_down(self) -> None:
        """Export the remaining spans; the SDK would wait without limit for an exporter that hangs."""
        shutdown = Thread(target=self._provider.shutdown, daemon=True)
        shutdown.start()
        shutdown.join(_FLUSH_SECONDS)


def _create_exporter(exporter: Literal["otlp", "console"]) -> SpanExporter:
    if exporter == "console":
        # One line per span, like the log.
        return ConsoleSpanExporter(formatter=lambda span: f"{span.to_json(indent=None)}\n")
    return OTLPSpanExporter()


def _mark_failed(span: Span, error: BaseException) -> None:
    span.set_attribute(ERROR_TYPE, type(error).__qualname__)
    span.set_status(StatusCode.ERROR)
