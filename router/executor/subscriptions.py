"""Subscriptions at the subgraphs: their events over Server-Sent Events, one connection each.

Strawberry serves subscriptions over graphql-transport-ws and over SSE. SSE is the one used here, because
there a subscription is an ordinary request: it carries the caller's headers, passes through the same
middleware and error masking as a fetch, and ends at the subgraph the moment its connection closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp

from router.executor.event_stream import EventDecoder, EventTooLargeError
from router.executor.subgraph import SubgraphError, graphql_response, outgoing_headers
from router.executor.transport import RequestContext

EVENT_STREAM = "text/event-stream"
ACCEPT = f"{EVENT_STREAM}, application/graphql-response+json;q=0.5, application/json;q=0.4"
MAX_EVENT_BYTES = 4_194_304
# Three heartbeats of the slowest common server; a stream that is silent for longer is dead.
SILENCE_SECONDS = 45.0
SERVER_ERROR = 500


class StreamBrokenError(SubgraphError):
    """The connection of a stream failed, not what came over it: opened again, it may well work."""


class EventSource:
    """Opens subscriptions at the subgraphs' addresses."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str], timeout: float) -> None:
        self._session = session
        self._urls = urls
        self._timeout = timeout

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> Upstream:
        """A stream that the subgraph has begun to answer.

        Raises:
            StreamBrokenError: the subgraph cannot be reached, or whatever stands before it says so.
        """
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._session.post(
                    self._urls[subgraph],
                    data=body,
                    headers=outgoing_headers(context, ACCEPT),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_read=SILENCE_SECONDS),
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _broken(subgraph, error) from error
        if response.status >= SERVER_ERROR and "json" not in response.content_type:
            response.close()
            raise StreamBrokenError(subgraph, f"HTTP {response.status} instead of a stream")
        return Upstream(subgraph, response)


class Upstream:
    """One open stream of a subgraph."""

    def __init__(self, subgraph: str, response: aiohttp.ClientResponse) -> None:
        self._subgraph = subgraph
        self._response = response

    def close(self) -> None:
        """Ends the subscription at the subgraph."""
        self._response.close()

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the stream.

        Raises:
            StreamBrokenError: the stream breaks off.
            SubgraphError: what arrives is not a GraphQL response.
        """
        subgraph, response = self._subgraph, self._response
        try:
            if response.content_type != EVENT_STREAM:
                yield graphql_response(subgraph, response.status, await response.read())
                return
            decoder = EventDecoder(MAX_EVENT_BYTES)
            async for chunk in response.content.iter_any():
                for event in decoder.feed(chunk):
                    if event.name == "complete":
                        return
                    if event.name == "next":
                        yield graphql_response(subgraph, response.status, event.data)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _broken(subgraph, error) from error
        except EventTooLargeError as error:
            raise SubgraphError(subgraph, str(error)) from None
        raise StreamBrokenError(subgraph, "the stream ended before it was complete")


def _broken(subgraph: str, error: Exception) -> StreamBrokenError:
    return StreamBrokenError(subgraph, f"the stream broke: {type(error).__name__}: {error}")
