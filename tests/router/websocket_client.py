"""A client of graphql-transport-ws."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.router.running_library import Library

SUBPROTOCOL = "graphql-transport-ws"


PUBLISHED = "subscription { published { title stars } }"


SILENCE = "subscription { silence { title } }"


class Socket:
    """A client's end of a connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = socket

    async def send(self, **message: Any) -> None:
        await self.raw.send_json(message)

    async def receive(self) -> Any:
        return await self.raw.receive_json(timeout=10)

    async def subscribe(self, identifier: str, query: str, **payload: Any) -> None:
        await self.send(type="subscribe", id=identifier, payload={"query": query, **payload})

    async def wait_for_close(self) -> tuple[int | None, str]:
        """Reads up to the close frame; returns its code and reason."""
        while True:
            message = await self.raw.receive(timeout=10)
            if message.type is aiohttp.WSMsgType.CLOSE:
                return message.data, message.extra or ""


@asynccontextmanager
async def open_socket(library: Library, *protocols: str, **headers: str) -> AsyncIterator[Socket]:
    client = library.client.ws_connect(
        library.url, protocols=protocols or (SUBPROTOCOL,), headers=headers, autoclose=False
    )
    async with client as socket:
        yield Socket(socket)


@asynccontextmanager
async def open_acknowledged_socket(library: Library, payload: Any = None) -> AsyncIterator[Socket]:
    async with open_socket(library) as socket:
        await socket.send(type="connection_init", payload=payload)
        assert await socket.receive() == {"type": "connection_ack"}
        yield socket
