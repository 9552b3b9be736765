"""The classes that a router is put together from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from router.pipeline import Pipeline
from router.pipeline.operations import Operations
from router.pipeline.preparation import Preparation
from router.server.http import HttpEndpoint
from router.server.websocket import Connection
from router.transport.breaker import CircuitBreakers
from router.transport.deduplication import Deduplication
from router.transport.event_source import EventSource
from router.transport.http import HttpTransport
from router.transport.websocket import WebSocketSource


@dataclass(frozen=True, slots=True)
class Parts:
    """As they are, or as `router.tracing` extends them; `lifespan` is open for as long as they work."""

    endpoint: type[HttpEndpoint] = HttpEndpoint
    connection: type[Connection] = Connection
    pipeline: type[Pipeline] = Pipeline
    operations: type[Operations] = Operations
    preparation: type[Preparation] = Preparation
    events: type[EventSource] = EventSource
    sockets: type[WebSocketSource] = WebSocketSource
    transport: type[HttpTransport] = HttpTransport
    breakers: type[CircuitBreakers] = CircuitBreakers
    deduplication: type[Deduplication] = Deduplication
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
