"""Streaming HTTP responses, each over its own connection.

Subscriptions last for hours, and there are many of them, so a stream keeps only a socket, a parser and a
bounded buffer of unread data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import httptools

from router.config.header_rules import HeaderValue
from router.transport.address import Address
from router.transport.content_coding import IDENTITY, ContentDecoder, ContentError
from router.transport.http_client import HttpError, encode_request

# When the buffer exceeds this, reading from the socket is paused.
MAX_UNREAD_BYTES = 65_536
# The maximum decompressed size of a chunk.
MAX_CHUNK_BYTES = 4_194_304


async def open_stream(
    address: Address, headers: Mapping[str, HeaderValue], body: bytes, idle_timeout: float
) -> HttpStream:
    """Posts a request over a new connection and waits for the headers of the response.

    The stream fails when no data arrives for `idle_timeout` seconds.

    Raises:
        HttpError: there is no HTTP response.
    """
    loop = asyncio.get_running_loop()
    request = encode_request(address, headers, body)
    try:
        _, stream = await loop.create_connection(
            lambda: HttpStream(loop, idle_timeout), address.host, address.port, ssl=address.tls
        )
    except OSError as error:
        raise HttpError(f"no connection: {error}") from error
    try:
        await stream.send(request)
    except BaseException:
        stream.close()
        raise
    return stream


class HttpStream(asyncio.Protocol):
    """A response that is read while it arrives."""

    __slots__ = (
        "_content_type",
        "_decoder",
        "_failure",
        "_has_length",
        "_headers",
        "_idle_timeout",
        "_idle_timer",
        "_is_complete",
        "_is_paused",
        "_loop",
        "_parser",
        "_received_at",
        "_status",
        "_transport",
        "_unread",
        "_waiting",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, idle_timeout: float) -> None:
        self._loop = loop
        self._idle_timeout = idle_timeout
        self._received_at = loop.time()
        self._idle_timer = loop.call_later(idle_timeout, self._check_idle)
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[None] | None = None
        self._unread = b""
        self._status = 0
        self._content_type = ""
        self._headers: dict[bytes, bytes] = {}
        self._decoder: ContentDecoder | None = None
        self._is_paused = self._has_length = self._is_complete = False
        self._failure: str | None = None

    @property
    def status(self) -> int:
        """The status of the response."""
        return self._status

    @property
    def content_type(self) -> str:
        """The media type of the response, without parameters."""
        return self._content_type

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """The content coding, location and retry time of the response, where it has them."""
        return self._headers

    async def send(self, request: bytes) -> None:
        """Sends the request and waits for the headers of the response."""
        assert self._transport is not None
        self._transport.write(request)
        while not self._status:
            await self._wait()

    async def read(self) -> bytes:
        """The data since the last read; empty at the end of the response.

        Raises:
            HttpError: the response was cut off.
        """
        while not self._unread and not self._is_complete:
            await self._wait()
        unread, self._unread = self._unread, b""
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return unread

    def close(self) -> None:
        """Closes the connection at once."""
        self._idle_timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        # uvloop's transports are not subclasses of `asyncio.Transport`.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """More of the response has arrived."""
        self._received_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not an HTTP response: {error}")
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, which also ends a response of unknown length (RFC 9112 section 6.3)."""
        self._idle_timer.cancel()
        self._transport = None
        if self._status and not self._has_length and error is None:
            self._is_complete = True
        self._fail(f"the connection closed: {error or 'end of stream'}")
        self._wake()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has arrived; most are ignored."""
        match name.lower():
            case b"content-type":
                self._content_type = value.split(b";")[0].strip().lower().decode("latin-1")
            case b"content-length" | b"transfer-encoding":
                self._has_length = True
            case b"content-encoding" | b"location" | b"retry-after" as lowercase:
                self._headers[lowercase] = value

    def on_headers_complete(self) -> None:
        """The headers are complete, unless they are of an interim response (1xx)."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        coding = self._headers.get(b"content-encoding", b"").strip().lower().decode("latin-1")
        try:
            self._decoder = None if coding in IDENTITY else ContentDecoder(coding)
        except ContentError as error:
            self._fail(str(error))
        else:
            self._status = status

    def on_body(self, chunk: bytes) -> None:
        """A part of the body has arrived."""
        try:
            self._unread += self._decoder.feed(chunk, MAX_CHUNK_BYTES) if self._decoder else chunk
        except ContentError as error:
            self._abort(str(error))
        if len(self._unread) > MAX_UNREAD_BYTES and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The response is complete, unless it is an interim one, whose headers are dropped."""
        if self._status:
            self._is_complete = True
        else:
            self._content_type, self._has_length, self._headers = "", False, {}

    async def _wait(self) -> None:
        if self._failure is not None:
            raise HttpError(self._failure)
        self._waiting = self._loop.create_future()
        await self._waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _check_idle(self) -> None:
        due = self._received_at + self._idle_timeout
        if self._is_paused or self._loop.time() < due:
            # While reading is paused, the sender is not silent.
            self._idle_timer = self._loop.call_at(
                max(due, self._loop.time() + self._idle_timeout / 2), self._check_idle
            )
            return
        self._abort(f"silent for {self._idle_timeout:g} seconds")

    def _abort(self, reason: str) -> None:
        self._fail(reason)
        self._wake()
        self.close()

    def _fail(self, reason: str) -> None:
        if self._failure is None:
            self._failure = reason
