"""A client's connection, for whichever protocol is spoken over it.

uvicorn's protocols have no deadlines and no connection limits. This wraps them: it feeds them what arrives in
small chunks, so that no connection holds the event loop for long, and registers with the listener.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from router.server.http_protocol import HttpProtocol
from router.server.listener import ListenerConfig
from router.server.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    from uvicorn.server import ServerState

# WebSocket frames are parsed in Python: this many bytes of the smallest frames take some ten milliseconds.
READ_BYTES = 8192
# For the first read of a connection: usually a whole request, but not many pipelined ones.
FIRST_READ_BYTES = 2048

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 20\r\nretry-after: 1\r\nconnection: close\r\n\r\nToo many connections"
)
# Shared by all connections, as each chunk is copied before the next is read.
_BUFFER = memoryview(bytearray(READ_BYTES))
_FIRST_BUFFER = _BUFFER[:FIRST_READ_BYTES]


Protocol: TypeAlias = HttpProtocol | WebSocketProtocol


class ClientConnection(asyncio.BufferedProtocol):
    """One connection, from accept to close."""

    def __init__(
        self,
        config: ListenerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._listener = config.listener
        self._waiting: asyncio.Task[None] | None = None
        self._is_admitted = False
        self._protocol: Protocol | None = HttpProtocol(config, server_state, app_state)
        self.unsent = 0
        self.slow_since = 0.0
        self._progressed_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the protocol, or refuses the connection."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if isinstance(address, tuple) else ""
        if self._protocol and self._listener.admit(self, self._peer):
            self._protocol.connection_made(self._transport)
        else:
            self._protocol = None
            self._transport.write(REFUSAL)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the protocol."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._protocol is not None:
            self._listener.release(self, self._peer)
            self._protocol.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:
        """The buffer for the next read."""
        return _BUFFER if self._is_admitted else _FIRST_BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Feeds a chunk to the protocol; the first one of a connection waits for admission."""
        chunk = bytes(_BUFFER[:nbytes])
        if self._is_admitted or self._listener.admission.try_enter():
            self._is_admitted = True
            self._feed(chunk)
        else:
            self._transport.pause_reading()
            self._waiting = asyncio.create_task(self._feed_when_admitted(chunk))

    async def _feed_when_admitted(self, chunk: bytes) -> None:
        await self._listener.admission.enter(self._peer)
        self._waiting, self._is_admitted = None, True
        self._feed(chunk)
        self._resume_reading()

    def _feed(self, chunk: bytes) -> None:
        if self._protocol is None:
            return
        self._protocol.data_received(chunk)
        self._follow_upgrade()
        if len(chunk) in (FIRST_READ_BYTES, READ_BYTES) and self._is_reading():
            # There is more, and the event loop would read all of it before it turns to other connections.
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._resume_reading)

    def pause_writing(self) -> None:
        """The write buffer is full, as the client reads too slowly."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        if self._protocol is not None:
            self._protocol.resume_writing()

    def check(self, now: float) -> None:
        """Enforces the timeouts for sending to and receiving from the client."""
        unsent = self._transport.get_write_buffer_size()
        if not self.unsent:
            self.slow_since = now
        if not self.unsent or unsent < self.unsent:
            self._progressed_at = now
        self.unsent = unsent
        if unsent and now - self._progressed_at >= self._listener.settings.send_timeout:
            self.abort()
        elif self._protocol is not None:
            self._protocol.check_timeout(now)

    def abort(self) -> None:
        """Closes the connection at once, dropping unsent data."""
        if self._protocol is not None:
            self._protocol.disconnect()
        self._transport.abort()

    def _is_reading(self) -> bool:
        """Whether the protocol accepts more data."""
        return self._protocol is not None and self._protocol.is_reading and not self._transport.is_closing()

    def _resume_reading(self) -> None:
        if self._is_reading():
            self._transport.resume_reading()

    def _follow_upgrade(self) -> None:
        """Wraps the protocol that an upgrade has installed on the transport."""
        protocol = self._transport.get_protocol()
        if protocol is not self:
            self._protocol = cast("Protocol", protocol)
            self._transport.set_protocol(self)
