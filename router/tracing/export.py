"""Span export: spans are sampled and queued by the request, and sent by a background thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from threading import Thread
from typing import Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from router.telemetry import SERVICE

FLUSH_SECONDS = 2.0


@asynccontextmanager
async def export_spans(exporter: Literal["otlp", "console"]) -> AsyncIterator[None]:
    """Exports the process's spans; the remaining ones are flushed at exit, within `FLUSH_SECONDS`."""
    provider = _create_provider(exporter)
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        # The SDK's shutdown blocks until its export ends, so it runs in a daemon thread.
        shutdown = Thread(target=provider.shutdown, daemon=True)
        shutdown.start()
        await asyncio.to_thread(shutdown.join, FLUSH_SECONDS)


def _create_provider(exporter: Literal["otlp", "console"]) -> TracerProvider:
    provider = TracerProvider(resource=_detect_resource(), shutdown_on_exit=False)
    provider.sampler = LinkBased(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(_create_exporter(exporter)))
    return provider


def _detect_resource() -> Resource:
    """The resource attributes of the environment; the service name is `router` if it has none."""
    return Resource.create({SERVICE_NAME: SERVICE}).merge(OTELResourceDetector().detect())


def _create_exporter(exporter: Literal["otlp", "console"]) -> SpanExporter:
    if exporter == "console":
        # One line per span, like the log.
        return ConsoleSpanExporter(formatter=lambda span: f"{span.to_json(indent=None)}\n")
    return OTLPSpanExporter()


class LinkBased(Sampler):
    """Samples a span that is linked to a sampled one; otherwise the configured sampler decides."""

    def __init__(self, other: Sampler) -> None:
        self._other = other

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The sampling decision for a span that is about to start."""
        linked = any(link.context.trace_flags.sampled for link in links or ())
        sampler = ALWAYS_ON if linked else self._other
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """The description of the sampler, in the SDK's form."""
        return f"LinkBased{{{self._other.get_description()}}}"
