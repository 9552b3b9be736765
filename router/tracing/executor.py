"""The spans of the executor: each request to a subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from opentelemetry.trace import SpanKind, get_current_span

from router.tracing.spans import carried, fail, span_within
from router.transport.base import Failure, RequestContext
from router.transport.breaker import CircuitBreakers
from router.transport.deduplication import Deduplication
from router.transport.event_source import EventSource, EventStream
from router.transport.http import HttpTransport
from router.transport.http_client import HttpAnswer
from router.transport.websocket import SocketStream, WebSocketSource

SUBGRAPH = "subgraph.name"


class TracedTransport(HttpTransport):
    """Each fetch that is sent has a span, so a query that is sent again has two."""

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The subgraph's answer, or a failure, which is told by its outcome."""
        attributes = request_attributes(subgraph, self._addresses[subgraph].url)
        with span_within(f"POST {subgraph}", SpanKind.CLIENT, attributes) as span:
            if not span.is_recording():
                return await super().fetch(subgraph, body, context)
            answer = await super().fetch(subgraph, body, carried(context, span))
            if isinstance(answer, Failure):
                fail(span, answer.outcome.value)
            return answer

    async def _post(self, subgraph: str, body: bytes, context: RequestContext) -> HttpAnswer:
        answer = await super()._post(subgraph, body, context)
        get_current_span().set_attribute(HTTP_RESPONSE_STATUS_CODE, answer.status)
        return answer


class TracedBreakers(CircuitBreakers):
    """A fetch that is refused has no span, as nothing was sent for it."""

    def _count_refused(self, subgraph: str) -> None:
        super()._count_refused(subgraph)
        get_current_span().add_event("refused fetch", {SUBGRAPH: subgraph})


class TracedDeduplication(Deduplication):
    """Nor has one that another answers."""

    def _count_shared(self, subgraph: str) -> None:
        super()._count_shared(subgraph)
        get_current_span().add_event("shared fetch", {SUBGRAPH: subgraph})


class TracedEventSource(EventSource):
    """Each stream that is opened, also again, has a span until its answer begins."""

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> EventStream:
        """The open stream."""
        attributes = request_attributes(subgraph, self._addresses[subgraph].url)
        with span_within(f"POST {subgraph}", SpanKind.CLIENT, attributes) as span:
            if not span.is_recording():
                return await super().open(subgraph, body, context)
            return await super().open(subgraph, body, carried(context, span))


class TracedWebSocketSource(WebSocketSource):
    """The same of streams over sockets, whose handshake is a GET."""

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> SocketStream:
        """The open stream."""
        attributes = request_attributes(subgraph, self._addresses[subgraph].url, "GET")
        with span_within(f"GET {subgraph}", SpanKind.CLIENT, attributes) as span:
            if not span.is_recording():
                return await super().open(subgraph, body, context)
            return await super().open(subgraph, body, carried(context, span))


@lru_cache
def request_attributes(subgraph: str, url: str, method: str = "POST") -> Mapping[str, Any]:
    """What spans tell of every request to an address, which may hold a password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return {
        SUBGRAPH: subgraph,
        HTTP_REQUEST_METHOD: method,
        SERVER_ADDRESS: parts.hostname or "",
        SERVER_PORT: parts.port or (443 if parts.scheme in ("https", "wss") else 80),
        URL_FULL: f"{parts.scheme}://{host}{parts.path}",
    }
