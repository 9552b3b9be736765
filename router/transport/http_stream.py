"""HTTP answers that are read while they are sent: one connection each, as light as a connection can be.

A subscription lives for minutes and hours, and there are many of them: what a stream keeps is a socket, a
parser and what was not read yet, which is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import httptools

from router.config.header_rules import HeaderValue
from router.transport.address import Address
from router.transport.content_coding import IDENTITY, ContentError, Decoder
from router.transport.http_client import HttpError, encoded_request

# What a slow reader leaves unread before its sender has to wait.
MAX_UNREAD_BYTES = 65_536
# What one piece of a compressed stream may become.
MAX_PIECE_BYTES = 4_194_304


async def open_stream(
    address: Address, headers: Mapping[str, HeaderValue], body: bytes, silence: float
) -> HttpStream:
    """Posts a request on a connection of its own and waits for the head of its answer.

    Raises:
        HttpError: there is none, or it is not HTTP.
    """
    loop = asyncio.get_running_loop()
    request = encoded_request(address, headers, body)
    try:
        _, stream = await loop.create_connection(
            lambda: HttpStream(loop, silence), address.host, address.port, ssl=address.tls
        )
    except OSError as error:
        raise HttpError(f"no connection: {error}") from error
    try:
        await stream.begin(request)
    except BaseException:
        stream.close()
        raise
    return stream


class HttpStream(asyncio.Protocol):
    """One answer that arrives in pieces; one that is silent for too long is broken."""

    __slots__ = (
        "_content_type",
        "_decoder",
        "_failure",
        "_heard",
        "_kept",
        "_loop",
        "_parser",
        "_paused",
        "_silence",
        "_sized",
        "_status",
        "_timer",
        "_transport",
        "_unread",
        "_waiting",
        "_whole",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, silence: float) -> None:
        self._loop = loop
        self._silence = silence
        self._heard = loop.time()
        self._timer = loop.call_later(silence, self._check)
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[None] | None = None
        self._unread = b""
        self._status = 0
        self._content_type = ""
        self._kept: dict[bytes, bytes] = {}
        self._decoder: Decoder | None = None
        self._paused = self._sized = self._whole = False
        self._failure: str | None = None

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self._status

    @property
    def content_type(self) -> str:
        """The media type of the answer, without its parameters."""
        return self._content_type

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """Those headers of the answer that say what is to be done with it."""
        return self._kept

    async def begin(self, request: bytes) -> None:
        """Sends the request and waits for the head of the answer."""
        assert self._transport is not None
        self._transport.write(request)
        while not self._status:
            await self._news()

    async def read(self) -> bytes:
        """What has arrived since the last reading; nothing when the answer is whole.

        Raises:
            HttpError: the answer broke off.
        """
        while not self._unread and not self._whole:
            await self._news()
        unread, self._unread = self._unread, b""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return unread

    def close(self) -> None:
        """Closes the connection at once."""
        self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        # uvloop's transports are asyncio's by their form only.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """More of the answer has come."""
        self._heard = self._loop.time()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not an HTTP answer: {error}")
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, which is also how an answer of unknown length ends."""
        self._timer.cancel()
        self._transport = None
        if self._status and not self._sized and error is None:
            self._whole = True
        self._fail(f"the connection closed: {error or 'end of stream'}")
        self._wake()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what the answer is and where it ends is noted."""
        match name.lower():
            case b"content-type":
                self._content_type = value.split(b";")[0].strip().lower().decode("latin-1")
            case b"content-length" | b"transfer-encoding":
                self._sized = True
            case b"content-encoding" | b"location" | b"retry-after" as kept:
                self._kept[kept] = value

    def on_headers_complete(self) -> None:
        """The head is whole, unless it only announces another."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        coding = self._kept.get(b"content-encoding", b"").strip().lower().decode("latin-1")
        try:
            self._decoder = None if coding in IDENTITY else Decoder(coding)
        except ContentError as error:
            self._fail(str(error))
        else:
            self._status = status

    def on_body(self, chunk: bytes) -> None:
        """A part of the body."""
        try:
            self._unread += self._decoder.feed(chunk, MAX_PIECE_BYTES) if self._decoder else chunk
        except ContentError as error:
            self._break_off(str(error))
        if len(self._unread) > MAX_UNREAD_BYTES and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self._whole = bool(self._status)

    async def _news(self) -> None:
        if self._failure is not None:
            raise HttpError(self._failure)
        self._waiting = self._loop.create_future()
        await self._waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _check(self) -> None:
        due = self._heard + self._silence
        if self._paused or self._loop.time() < due:
            # A sender that has to wait is not silent.
            self._timer = self._loop.call_at(max(due, self._loop.time() + self._silence / 2), self._check)
            return
        self._break_off(f"silent for {self._silence:g} seconds")

    def _break_off(self, reason: str) -> None:
        self._fail(reason)
        self._wake()
        self.close()

    def _fail(self, reason: str) -> None:
        if self._failure is None:
            self._failure = reason
