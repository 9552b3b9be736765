"""Subscriptions at subgraphs over Server-Sent Events (graphql-sse, distinct connections mode).

This is the default, because such a subscription is an ordinary request: it has the caller's headers, passes
through the same middleware and error masking as a fetch, and ends at the subgraph when its connection closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from router.config.header_rules import HeaderRules
from router.tracing import NO_TRACER, Tracer
from router.transport.address import Address
from router.transport.base import FetchOutcome, RequestContext
from router.transport.http import (
    NO_RULES,
    StreamBrokenError,
    SubgraphError,
    build_accept_encoding,
    build_request_headers,
    parse_response,
)
from router.transport.http_client import HttpError, HttpResponse
from router.transport.http_stream import HttpStream, open_stream
from router.transport.sse_decoder import EventTooLargeError, SseDecoder

EVENT_STREAM = "text/event-stream"
HEADERS = {
    "accept": f"{EVENT_STREAM}, application/graphql-response+json;q=0.5, application/json;q=0.4",
    "content-type": "application/json",
}
MAX_EVENT_BYTES = 4_194_304
# Three heartbeats of the slowest common server; a stream that is silent for longer has failed.
SILENCE_SECONDS = 45.0
SERVER_ERROR = 500
# The event names of graphql-sse; older servers send responses as events without a name.
NEXT, COMPLETE, UNNAMED = "next", "complete", "message"


class SseSource:
    """Opens subscriptions at the subgraphs over Server-Sent Events."""

    def __init__(
        self,
        addresses: Mapping[str, Address],
        timeout: float,
        rules: HeaderRules = NO_RULES,
        codings: Sequence[str] = (),
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._addresses = addresses
        self._timeout = timeout
        self._rules = rules
        self._headers = {**HEADERS, "accept-encoding": build_accept_encoding(codings)}

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> SseStream:
        """Opens a stream; returns once the subgraph has started to respond.

        Raises:
            StreamBrokenError: the subgraph is unreachable or unavailable.
        """
        with self._tracer.trace_fetch(subgraph, "POST", self._addresses[subgraph].url) as trace:
            return await self._open(subgraph, body, context.with_trace(trace))

    async def _open(self, subgraph: str, body: bytes, context: RequestContext) -> SseStream:
        headers = build_request_headers(subgraph, context, self._rules, self._headers)
        try:
            async with asyncio.timeout(self._timeout):
                response = await open_stream(self._addresses[subgraph], headers, body, SILENCE_SECONDS)
        except TimeoutError:
            reason = f"no stream within {self._timeout:g} seconds"
            raise StreamBrokenError(subgraph, reason, FetchOutcome.TIMEOUT) from None
        except HttpError as error:
            raise StreamBrokenError(subgraph, str(error), FetchOutcome.UNREACHABLE) from error
        if response.status >= SERVER_ERROR and "json" not in response.content_type:
            response.close()
            raise StreamBrokenError(subgraph, f"HTTP {response.status} instead of a stream")
        return SseStream(subgraph, response, self._timeout)


class SseStream:
    """An open stream of a subgraph, which is one HTTP response."""

    __slots__ = ("_response", "_subgraph", "_timeout")

    def __init__(self, subgraph: str, response: HttpStream, timeout: float) -> None:
        self._subgraph = subgraph
        self._response = response
        self._timeout = timeout

    async def close(self) -> None:
        """Ends the subscription at the subgraph."""
        self._response.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the stream.

        Raises:
            StreamBrokenError: the connection broke.
            SubgraphError: an event is not a GraphQL response.
        """
        try:
            if self._response.content_type != EVENT_STREAM:
                yield self._parse(await self._read_body())
                return
            async with aclosing(self._read_events()) as events:
                async for event in events:
                    yield event
        except HttpError as error:
            raise StreamBrokenError(self._subgraph, str(error)) from error
        except EventTooLargeError as error:
            raise SubgraphError(self._subgraph, str(error)) from None

    async def _read_events(self) -> AsyncGenerator[dict[str, Any], None]:
        decoder, is_unnamed = SseDecoder(MAX_EVENT_BYTES), False
        while chunk := await self._response.read():
            for event in decoder.feed(chunk):
                if event.name == COMPLETE:
                    return
                if event.name in (NEXT, UNNAMED) and event.data:
                    is_unnamed = event.name == UNNAMED
                    yield self._parse(event.data)
        # A server whose events have no names has no event for the end either.
        if is_unnamed or any(event.name == COMPLETE for event in decoder.feed(b"\n\n")):
            return
        raise StreamBrokenError(self._subgraph, "the stream ended before it was complete")

    def _parse(self, body: bytes) -> dict[str, Any]:
        response = HttpResponse(self._response.status, body, self._response.headers)
        return parse_response(self._subgraph, response)

    async def _read_body(self) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                while chunk := await self._response.read():
                    body += chunk
                    if len(body) > MAX_EVENT_BYTES:
                        reason = f"a response of more than {MAX_EVENT_BYTES} bytes"
                        raise SubgraphError(self._subgraph, reason)
        except TimeoutError:
            reason = f"no complete response within {self._timeout:g} seconds"
            raise SubgraphError(self._subgraph, reason) from None
        return bytes(body)
