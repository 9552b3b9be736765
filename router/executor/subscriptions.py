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


class EventSource:
    """Opens subscriptions at the subgraphs' addresses."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str], timeout: float) -> None:
        self._session = session
        self._urls = urls
        self._timeout = timeout

    async def events(
        self, subgraph: str, body: bytes, context: RequestContext
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive; closing the iterator ends the subscription there.

        Raises:
            SubgraphError: the stream cannot be opened, or breaks off.
        """
        try:
            response = await self._open(subgraph, body, context)
            try:
                if response.content_type != EVENT_STREAM:
                    yield graphql_response(subgraph, response.status, await response.read())
                    return
                async for event in _read(subgraph, response):
                    yield event
            finally:
                response.close()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SubgraphError(subgraph, f"the stream broke: {type(error).__name__}: {error}") from error
        except EventTooLargeError as error:
            raise SubgraphError(subgraph, str(error)) from None

    async def _open(self, subgraph: str, body: bytes, context: RequestContext) -> aiohttp.ClientResponse:
        async with asyncio.timeout(self._timeout):
            return await self._session.post(
                self._urls[subgraph],
                data=body,
                headers=outgoing_headers(context, ACCEPT),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_read=SILENCE_SECONDS),
            )


async def _read(subgraph: str, response: aiohttp.ClientResponse) -> AsyncGenerator[dict[str, Any], None]:
    decoder = EventDecoder(MAX_EVENT_BYTES)
    async for chunk in response.content.iter_any():
        for event in decoder.feed(chunk):
            if event.name == "complete":
                return
            if event.name == "next":
                yield graphql_response(subgraph, response.status, event.data)
    raise SubgraphError(subgraph, "the stream ended before it was complete")
