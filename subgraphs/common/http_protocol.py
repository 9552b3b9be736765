"""uvicorn's HTTP protocol, with limits on the time and the size of a request."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from subgraphs.common.gate import MAX_BODY_BYTES, MAX_HEADER_BYTES

MAX_REQUEST_BYTES: Final = 2 * MAX_BODY_BYTES
"""Of a whole request: head, body and the overhead of chunks."""
PIECE_BYTES: Final = 16_384
"""Parsed before the event loop runs anything else; in chunks of a byte each, that takes a millisecond."""
_HEAD_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection; it is closed when a request takes too long to arrive, or is too large."""

    seconds: ClassVar[float] = 30.0
    """The time a request may take to arrive, from its first byte or from the start of the connection."""

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _received = 0
    _unparsed = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, one piece in each iteration of the event loop."""
        if self._unparsed:
            self._unparsed += data
            return
        self.parse(data[:PIECE_BYTES])
        if len(data) > PIECE_BYTES and not self.transport.is_closing():
            self._unparsed = data[PIECE_BYTES:]
            self.transport.pause_reading()
            self.loop.call_soon(self._parse_on)

    def _parse_on(self) -> None:
        data, self._unparsed = self._unparsed, b""
        if self.transport.is_closing():
            return
        self.data_received(data)
        if not (self._unparsed or self.flow.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def parse(self, piece: bytes) -> None:
        """Parse a piece, and close the connection if the request is too large with it."""
        super().data_received(piece)
        self._received += len(piece)
        if self._in_head and self._received > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()
        elif self._received > MAX_REQUEST_BYTES and self._deadline:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Start counting bytes and time."""
        super().on_message_begin()
        self._in_head, self._received = True, 0
        self._expect()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are ignored."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Go on with the body."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop the timer: the request is complete."""
        self._stop_waiting()
        super().on_message_complete()

    def _expect(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self.seconds, self._overdue)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _overdue(self) -> None:
        self._deadline = None
        self.transport.close()
