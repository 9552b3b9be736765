"""uvicorn's HTTP protocol with limits on the time and the size of a request."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from subgraphs.common.gate import MAX_BODY_BYTES, MAX_HEADER_BYTES

MAX_REQUEST_BYTES: Final = 2 * MAX_BODY_BYTES
"""The size of a whole request: head, body and the overhead of chunks."""
PIECE_BYTES: Final = 16_384
"""Bytes parsed in one iteration of the event loop; in chunks of one byte each, that takes a millisecond."""
_HEAD_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """The protocol of a connection, which it closes when a request arrives too slowly or is too large."""

    seconds: ClassVar[float] = 30.0
    """The time in which a request must arrive, from its first byte or from the start of the connection."""

    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _received = 0
    _unparsed = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Start the timer of the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data, one piece in each iteration of the event loop."""
        if self._unparsed:
            self._unparsed += data
            return
        self.parse(data[:PIECE_BYTES])
        if len(data) > PIECE_BYTES and not self.transport.is_closing():
            self._unparsed = data[PIECE_BYTES:]
            self.transport.pause_reading()
            self.loop.call_soon(self._parse_rest)

    def _parse_rest(self) -> None:
        data, self._unparsed = self._unparsed, b""
        if self.transport.is_closing():
            return
        self.data_received(data)
        if not (self._unparsed or self.flow.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def parse(self, piece: bytes) -> None:
        """Parse a piece, and close the connection if the request has become too large."""
        super().data_received(piece)
        self._received += len(piece)
        if self._in_head and self._received > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()
        elif self._received > MAX_REQUEST_BYTES and self._timer:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Start to count the bytes and the time of a request."""
        super().on_message_begin()
        self._in_head, self._received = True, 0
        self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Handle a header; trailers are ignored."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Handle the end of the head."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop the timer: the request is complete."""
        self._stop_timer()
        super().on_message_complete()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(self.seconds, self._close_overdue)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_overdue(self) -> None:
        self._timer = None
        self.transport.close()
