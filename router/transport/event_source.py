"""Subscriptions at the subgraphs over Server-Sent Events, one connection each.

This is the way that needs no setting, because here a subscription is an ordinary request: it carries the
caller's headers, passes through the same middleware and error masking as a fetch, and ends at the subgraph
the moment its connection closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from router.config.header_rules import HeaderRules
from router.tracing import NO_TRACER, Tracer
from router.transport.address import Address
from router.transport.base import Outcome, RequestContext
from router.transport.event_stream import EventDecoder, EventTooLargeError
from router.transport.http import (
    NO_RULES,
    StreamBrokenError,
    SubgraphError,
    accepted,
    graphql_response,
    outgoing_headers,
)
from router.transport.http_client import HttpAnswer, HttpError
from router.transport.http_stream import HttpStream, open_stream

EVENT_STREAM = "text/event-stream"
HEADERS = {
    "accept": f"{EVENT_STREAM}, application/graphql-response+json;q=0.5, application/json;q=0.4",
    "content-type": "application/json",
}
MAX_EVENT_BYTES = 4_194_304
# Three heartbeats of the slowest common server; a stream that is silent for longer is dead.
SILENCE_SECONDS = 45.0
SERVER_ERROR = 500
# The events of GraphQL over SSE; before it had names, servers sent responses as events without one.
NEXT, COMPLETE, UNNAMED = "next", "complete", "message"


class EventSource:
    """Opens subscriptions at the subgraphs' addresses."""

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
        self._headers = {**HEADERS, "accept-encoding": accepted(codings)}

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> EventStream:
        """A stream that the subgraph has begun to answer.

        Raises:
            StreamBrokenError: the subgraph cannot be reached, or whatever stands before it says so.
        """
        with self._tracer.trace_fetch(subgraph, "POST", self._addresses[subgraph].url) as trace:
            return await self._open(subgraph, body, context.within(trace))

    async def _open(self, subgraph: str, body: bytes, context: RequestContext) -> EventStream:
        headers = outgoing_headers(subgraph, context, self._rules, self._headers)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await open_stream(self._addresses[subgraph], headers, body, SILENCE_SECONDS)
        except TimeoutError:
            reason = f"no stream within {self._timeout:g} seconds"
            raise StreamBrokenError(subgraph, reason, Outcome.TIMEOUT) from None
        except HttpError as error:
            raise StreamBrokenError(subgraph, str(error), Outcome.UNREACHABLE) from error
        if answer.status >= SERVER_ERROR and "json" not in answer.content_type:
            answer.close()
            raise StreamBrokenError(subgraph, f"HTTP {answer.status} instead of a stream")
        return EventStream(subgraph, answer, self._timeout)


class EventStream:
    """One open stream of a subgraph, which is one HTTP answer."""

    __slots__ = ("_answer", "_subgraph", "_timeout")

    def __init__(self, subgraph: str, answer: HttpStream, timeout: float) -> None:
        self._subgraph = subgraph
        self._answer = answer
        self._timeout = timeout

    async def close(self) -> None:
        """Ends the subscription at the subgraph."""
        self._answer.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the stream.

        Raises:
            StreamBrokenError: the stream breaks off.
            SubgraphError: what arrives is not a GraphQL response.
        """
        try:
            if self._answer.content_type != EVENT_STREAM:
                yield self._read(await self._whole())
                return
            async with aclosing(self._events()) as events:
                async for event in events:
                    yield event
        except HttpError as error:
            raise StreamBrokenError(self._subgraph, str(error)) from error
        except EventTooLargeError as error:
            raise SubgraphError(self._subgraph, str(error)) from None

    async def _events(self) -> AsyncGenerator[dict[str, Any], None]:
        decoder, unnamed = EventDecoder(MAX_EVENT_BYTES), False
        while chunk := await self._answer.read():
            for event in decoder.feed(chunk):
                if event.name == COMPLETE:
                    return
                if event.name in (NEXT, UNNAMED) and event.data:
                    unnamed = event.name == UNNAMED
                    yield self._read(event.data)
        # A server that gives its events no names has none for the end either.
        if unnamed or any(event.name == COMPLETE for event in decoder.feed(b"\n\n")):
            return
        raise StreamBrokenError(self._subgraph, "the stream ended before it was complete")

    def _read(self, body: bytes) -> dict[str, Any]:
        return graphql_response(self._subgraph, HttpAnswer(self._answer.status, body, self._answer.headers))

    async def _whole(self) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                while chunk := await self._answer.read():
                    body += chunk
                    if len(body) > MAX_EVENT_BYTES:
                        raise SubgraphError(self._subgraph, f"an answer of more than {MAX_EVENT_BYTES} bytes")
        except TimeoutError:
            raise SubgraphError(self._subgraph, f"no whole answer within {self._timeout:g} seconds") from None
        return bytes(body)
