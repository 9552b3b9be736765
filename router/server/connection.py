"""One client's connection, whatever is spoken over it.

uvicorn's protocols know neither deadlines nor how many they are. They speak through this, which hands on what
arrives in small pieces, so that none holds the event loop for long, and which the listener counts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from router.server.http_protocol import HttpProtocol
from router.server.listener import ListenerConfig
from router.server.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    from uvicorn.server import ServerState

# WebSocket frames are parsed in Python: this many bytes of the smallest take some ten milliseconds.
READ_BYTES = 8192
# Of a connection that is new: mostly a whole request, and no long row of them before others have their turn.
FIRST_BYTES = 2048

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 20\r\nretry-after: 1\r\nconnection: close\r\n\r\nToo many connections"
)
# One place for all, as each piece is handed on before the next is read.
_BUFFER = memoryview(bytearray(READ_BYTES))
_FIRST_BUFFER = _BUFFER[:FIRST_BYTES]


Speaker: TypeAlias = HttpProtocol | WebSocketProtocol


class Connection(asyncio.BufferedProtocol):
    """A connection from its first byte to its last."""

    def __init__(
        self,
        config: ListenerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._listener = config.listener
        self._waiting: asyncio.Task[None] | None = None
        self._admitted = False
        self._speaker: Speaker | None = HttpProtocol(config, server_state, app_state)
        self.unsent = 0
        self.slow_since = 0.0
        self._moved_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to speak, or refuses."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if isinstance(address, tuple) else ""
        if self._speaker and self._listener.admit(self, self._peer):
            self._speaker.connection_made(self._transport)
        else:
            self._speaker = None
            self._transport.write(REFUSAL)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops speaking."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._speaker is not None:
            self._listener.release(self, self._peer)
            self._speaker.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next piece is read to."""
        return _BUFFER if self._admitted else _FIRST_BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Hands on a piece: the first one in its turn, as a client may open many connections at once."""
        piece = bytes(_BUFFER[:nbytes])
        if self._admitted or self._listener.admission.try_enter():
            self._admitted = True
            self._hand_on(piece)
        else:
            self._transport.pause_reading()
            self._waiting = asyncio.create_task(self._wait_for_turn(piece))

    async def _wait_for_turn(self, piece: bytes) -> None:
        await self._listener.admission.enter(self._peer)
        self._waiting, self._admitted = None, True
        self._hand_on(piece)
        self._read_on()

    def _hand_on(self, piece: bytes) -> None:
        if self._speaker is None:
            return
        self._speaker.data_received(piece)
        self._follow_upgrade()
        if len(piece) in (FIRST_BYTES, READ_BYTES) and self._reads():
            # There is more, and the event loop would read on and on before it turns to others.
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._read_on)

    def pause_writing(self) -> None:
        """The client reads slower than it is answered."""
        if self._speaker is not None:
            self._speaker.pause_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._speaker is not None:
            self._speaker.resume_writing()

    def check(self, now: float) -> None:
        """Ends the connection if its client reads nothing for too long, or does not end what it says."""
        unsent = self._transport.get_write_buffer_size()
        if not self.unsent:
            self.slow_since = now
        if not self.unsent or unsent < self.unsent:
            self._moved_at = now
        self.unsent = unsent
        if unsent and now - self._moved_at >= self._listener.settings.send_timeout:
            self.abort()
        elif self._speaker is not None:
            self._speaker.overdue(now)

    def abort(self) -> None:
        """Ends the connection without waiting for what the client has not read."""
        if self._speaker is not None:
            self._speaker.leave()
        self._transport.abort()

    def _reads(self) -> bool:
        """Whether whoever speaks takes what comes."""
        return self._speaker is not None and self._speaker.reads and not self._transport.is_closing()

    def _read_on(self) -> None:
        if self._reads():
            self._transport.resume_reading()

    def _follow_upgrade(self) -> None:
        """Stays between the transport and the protocol that an upgrade has put there."""
        protocol = self._transport.get_protocol()
        if protocol is not self:
            self._speaker = cast("Speaker", protocol)
            self._transport.set_protocol(self)
