"""Subscriptions at the subgraphs over Server-Sent Events, one connection each.

This is the way that needs no setting, because here a subscription is an ordinary request: it carries the
caller's headers, passes through the same middleware and error masking as a fetch, and ends at the subgraph
the moment its connection closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from router.executor.event_stream import EventDecoder, EventTooLargeError
from router.executor.headers import HeaderRules
from router.executor.http_client import Address, HttpError
from router.executor.http_stream import HttpStream, open_stream
from router.executor.subgraph import (
    NO_RULES,
    StreamBrokenError,
    SubgraphError,
    graphql_response,
    outgoing_headers,
)
from router.executor.transport import Outcome, RequestContext

EVENT_STREAM = "text/event-stream"
HEADERS = {
    "accept": f"{EVENT_STREAM}, application/graphql-response+json;q=0.5, application/json;q=0.4",
    "content-type": "application/json",
}
MAX_EVENT_BYTES = 4_194_304
# Three heartbeats of the slowest common server; a stream that is silent for longer is dead.
SILENCE_SECONDS = 45.0
SERVER_ERROR = 500


class EventSource:
    """Opens subscriptions at the subgraphs' addresses."""

    def __init__(self, urls: Mapping[str, str], timeout: float, rules: HeaderRules = NO_RULES) -> None:
        self._urls = urls
        self._timeout = timeout
        self._rules = rules
        self._addresses: dict[str, Address] = {}

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> EventStream:
        """A stream that the subgraph has begun to answer.

        Raises:
            StreamBrokenError: the subgraph cannot be reached, or whatever stands before it says so.
        """
        headers = outgoing_headers(subgraph, context, self._rules, HEADERS)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await open_stream(self._address(subgraph), headers, body, SILENCE_SECONDS)
        except TimeoutError:
            reason = f"no stream within {self._timeout:g} seconds"
            raise StreamBrokenError(subgraph, reason, Outcome.TIMEOUT) from None
        except HttpError as error:
            raise StreamBrokenError(subgraph, str(error), Outcome.UNREACHABLE) from error
        if answer.status >= SERVER_ERROR and "json" not in answer.content_type:
            answer.close()
            raise StreamBrokenError(subgraph, f"HTTP {answer.status} instead of a stream")
        return EventStream(subgraph, answer)

    def _address(self, subgraph: str) -> Address:
        if subgraph not in self._addresses:
            self._addresses[subgraph] = Address.of(self._urls[subgraph])
        return self._addresses[subgraph]


class EventStream:
    """One open stream of a subgraph, which is one HTTP answer."""

    __slots__ = ("_answer", "_subgraph")

    def __init__(self, subgraph: str, answer: HttpStream) -> None:
        self._subgraph = subgraph
        self._answer = answer

    async def close(self) -> None:
        """Ends the subscription at the subgraph."""
        self._answer.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the stream.

        Raises:
            StreamBrokenError: the stream breaks off.
            SubgraphError: what arrives is not a GraphQL response.
        """
        subgraph, answer = self._subgraph, self._answer
        try:
            if answer.content_type != EVENT_STREAM:
                yield graphql_response(subgraph, answer.status, await self._whole())
                return
            decoder = EventDecoder(MAX_EVENT_BYTES)
            while chunk := await answer.read():
                for event in decoder.feed(chunk):
                    if event.name == "complete":
                        return
                    if event.name == "next":
                        yield graphql_response(subgraph, answer.status, event.data)
        except HttpError as error:
            raise StreamBrokenError(subgraph, str(error)) from error
        except EventTooLargeError as error:
            raise SubgraphError(subgraph, str(error)) from None
        raise StreamBrokenError(subgraph, "the stream ended before it was complete")

    async def _whole(self) -> bytes:
        body = bytearray()
        while chunk := await self._answer.read():
            body += chunk
            if len(body) > MAX_EVENT_BYTES:
                raise SubgraphError(self._subgraph, f"an answer of more than {MAX_EVENT_BYTES} bytes")
        return bytes(body)
