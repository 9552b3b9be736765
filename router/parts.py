"""The classes that a router is put together from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from router.executor.breaker import CircuitBreakers
from router.executor.deduplication import Deduplication
from router.executor.subgraph import HttpTransport
from router.executor.subscriptions import EventSource
from router.executor.websocket import WebSocketSource
from router.server.http import HttpEndpoint
from router.server.operations import Operations
from router.server.pipeline import Pipeline
from router.server.preparation import Preparation
from router.server.websocket import Connection


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
