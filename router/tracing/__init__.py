"""OpenTelemetry's spans of the router: the parts that do their work within spans, and where these are sent.

Nothing but `router.app` imports this package, and only for a router whose spans are wanted: each part extends
one that knows nothing of spans.

    query                         SERVER    a request, an operation of a socket or of a batch
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
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from router.parts import Parts
from router.tracing.executor import (
    TracedBreakers,
    TracedDeduplication,
    TracedEventSource,
    TracedTransport,
    TracedWebSocketSource,
)
from router.tracing.export import exporting
from router.tracing.server import (
    TracedConnection,
    TracedEndpoint,
    TracedOperations,
    TracedPipeline,
    TracedPreparation,
)

__all__ = ["traced"]


def traced(exporter: Literal["otlp", "console"]) -> Parts:
    """The parts of a router whose spans go to an exporter."""
    return Parts(
        endpoint=TracedEndpoint,
        connection=TracedConnection,
        pipeline=TracedPipeline,
        operations=TracedOperations,
        preparation=TracedPreparation,
        events=TracedEventSource,
        sockets=TracedWebSocketSource,
        transport=TracedTransport,
        breakers=TracedBreakers,
        deduplication=TracedDeduplication,
        lifespan=partial(exporting, exporter),
    )
