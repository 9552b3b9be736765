"""A client of graphql-sse in single connection mode."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from router.transport.sse_decoder import SseDecoder
from tests.router.running_library import Library

HEADER = "x-graphql-event-stream-token"


PUBLISHED = "subscription { published { title stars } }"


SILENCE = "subscription { silence { title } }"


class Stream:
    """A reserved stream, which may be open, and the operations that are sent to it."""

    def __init__(self, library: Library, token: str, headers: dict[str, str]) -> None:
        self.library = library
        self.token = token
        self.headers = headers
        self.response: aiohttp.ClientResponse
        self.received: list[Any] = []
        self.decoder = SseDecoder(1_000_000)

    async def start(self, identifier: str | None, query: str, **headers: str) -> tuple[int, Any]:
        """Sends an operation; returns the status and the body of the answer."""
        body = {"query": query, "extensions": {"operationId": identifier}}
        all_headers = {HEADER: self.token, **self.headers, **headers}
        async with self.library.client.post(self.library.url, json=body, headers=all_headers) as response:
            return response.status, orjson.loads(await response.read() or b"null")

    async def stop(self, identifier: str, **headers: str) -> int:
        parameters = {"operationId": identifier} if identifier else {}
        all_headers = {HEADER: self.token, **self.headers, **headers}
        async with self.library.client.delete(
            self.library.url, params=parameters, headers=all_headers
        ) as response:
            return response.status

    async def next(self) -> tuple[str, Any]:
        """Reads the name and the data of the next event; comments are skipped."""
        async with asyncio.timeout(60):
            while not self.received:
                chunk = await self.response.content.readany()
                self.received += [(each.name, orjson.loads(each.data)) for each in self.decoder.feed(chunk)]
        name, message = self.received.pop(0)
        return name, message


async def reserve_stream(library: Library, **headers: str) -> Stream:
    async with library.client.put(library.url, headers=headers) as response:
        assert (response.status, response.content_type) == (201, "text/plain")
        return Stream(library, await response.text(), headers)


def open_event_source(library: Library, token: str, **headers: str) -> Any:
    """Opens the stream as an EventSource does, with the token as a query parameter."""
    accept = {"accept": "text/event-stream", **headers}
    return library.client.get(library.url, params={"token": token}, headers=accept)


@asynccontextmanager
async def open_stream(library: Library, **headers: str) -> AsyncIterator[Stream]:
    stream = await reserve_stream(library, **headers)
    async with open_event_source(library, stream.token) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        stream.response = response
        yield stream
        response.close()


def authorize(library: Library, **claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {library.identities.issue_token(**claims)}"}
