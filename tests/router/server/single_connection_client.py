"""A client of graphql-sse in single connection mode."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from router.transport.sse_decoder import SseDecoder
from tests.router.running import Library

HEADER = "x-graphql-event-stream-token"


PUBLISHED = "subscription { published { title stars } }"


SILENCE = "subscription { silence { title } }"


class Stream:
    """A client that holds a reservation, and perhaps the stream for it."""

    def __init__(self, library: Library, token: str, headers: dict[str, str]) -> None:
        self.library = library
        self.token = token
        self.headers = headers
        self.response: aiohttp.ClientResponse
        self.received: list[Any] = []
        self.decoder = SseDecoder(1_000_000)

    async def start(self, identifier: str | None, query: str, **headers: str) -> tuple[int, Any]:
        """The status and the answer to an operation that is sent."""
        body = {"query": query, "extensions": {"operationId": identifier}}
        carried = {HEADER: self.token, **self.headers, **headers}
        async with self.library.client.post(self.library.url, json=body, headers=carried) as response:
            return response.status, orjson.loads(await response.read() or b"null")

    async def stop(self, identifier: str, **headers: str) -> int:
        parameters = {"operationId": identifier} if identifier else {}
        carried = {HEADER: self.token, **self.headers, **headers}
        async with self.library.client.delete(
            self.library.url, params=parameters, headers=carried
        ) as response:
            return response.status

    async def next(self) -> tuple[str, Any]:
        """The next event, which is not a heartbeat."""
        async with asyncio.timeout(60):
            while not self.received:
                chunk = await self.response.content.readany()
                self.received += [(each.name, orjson.loads(each.data)) for each in self.decoder.feed(chunk)]
        name, message = self.received.pop(0)
        return name, message


async def reserved(library: Library, **headers: str) -> Stream:
    async with library.client.put(library.url, headers=headers) as response:
        assert (response.status, response.content_type) == (201, "text/plain")
        return Stream(library, await response.text(), headers)


def entering(library: Library, token: str, **headers: str) -> Any:
    """The request of an EventSource."""
    accept = {"accept": "text/event-stream", **headers}
    return library.client.get(library.url, params={"token": token}, headers=accept)


@asynccontextmanager
async def connected(library: Library, **headers: str) -> AsyncIterator[Stream]:
    stream = await reserved(library, **headers)
    async with entering(library, stream.token) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        stream.response = response
        yield stream
        response.close()


def bearer(library: Library, **claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {library.identities.token(**claims)}"}
