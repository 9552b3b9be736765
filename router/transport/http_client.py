"""A minimal HTTP/1.1 client for fetches: POST a body, read the complete response, over pooled connections.

A general client costs more per fetch than planning, merging and projecting together. This one omits what
fetches do not use: cookies, redirects, proxies and streaming.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import httptools

from router.config.header_rules import HeaderValue
from router.config.traffic import TlsFiles
from router.round_robin import RoundRobin
from router.transport.address import Address
from router.transport.content_coding import IDENTITY, ContentDecoder, ContentError, ContentTooLargeError

# Shorter than uvicorn's keep-alive timeout of five seconds, so that no connection closes during a POST.
IDLE_SECONDS = 4.0
# A nearby subgraph takes milliseconds.
CONNECT_SECONDS = 5.0
MAX_RESPONSE_BYTES = 33_554_432
MAX_CONNECTIONS = 256
MAX_WAITING = 1024

_UNSENDABLE = re.compile(r"[\r\n\0\u0100-\U0010ffff]")
_FRAMING_HEADERS = frozenset({b"content-length", b"transfer-encoding"})
_KEPT_HEADERS = frozenset({b"content-encoding", b"location", b"retry-after"})


class HttpError(Exception):
    """There is no complete HTTP response; the message says why."""


class ResponseTooLargeError(HttpError):
    """The response exceeds the allowed size."""


class UnreachableError(HttpError):
    """No connection could be opened, so nothing was sent."""


class UnsendableError(HttpError):
    """A header is invalid, so nothing was sent."""


class PoolExhaustedError(HttpError):
    """All connections to the address are in use, and too many requests are waiting for one."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete HTTP response."""

    status: int
    body: bytes
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    """Its `content-encoding`, `location` and `retry-after` headers."""


class HttpClient:
    """Posts to addresses, each with a pool of at most `max_connections`, for which `max_waiting` may wait."""

    def __init__(
        self,
        idle_seconds: float = IDLE_SECONDS,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        max_connections: int = MAX_CONNECTIONS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._max_response_bytes = max_response_bytes
        self._max_connections = max_connections
        self._max_waiting = max_waiting
        self._pools: dict[tuple[str, int, TlsFiles | None], _Pool] = {}

    async def post(
        self, address: Address, headers: Mapping[str, HeaderValue], body: bytes, seconds: float
    ) -> HttpResponse:
        """Sends a request, once and only once; returns the response.

        Raises:
            TimeoutError: there is no complete response within `seconds`.
            HttpError: there is no complete response.
        """
        pool = self._pools.get(address.pool)
        if pool is None:
            pool = self._pools[address.pool] = _Pool(self._max_connections, self._max_waiting)
        request = encode_request(address, headers, body)
        if pool.idle:
            return await pool.idle.pop().exchange(request, seconds)
        async with asyncio.timeout(seconds) as deadline:
            connection = await self._acquire(pool, address, headers)
        when = deadline.when()
        assert when is not None
        return await connection.exchange(request, when - asyncio.get_running_loop().time())

    async def __aenter__(self) -> HttpClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes all connections."""
        for pool in self._pools.values():
            for connection in list(pool.open):
                connection.close()

    async def _acquire(
        self, pool: _Pool, address: Address, headers: Mapping[str, HeaderValue]
    ) -> _PooledConnection:
        """A new connection, or at the pool's limit the next one that is released, callers taking turns."""
        if pool.capacity:
            pool.capacity -= 1
        else:
            if pool.waiting.is_full:
                raise PoolExhaustedError("too many requests are waiting for a connection")
            if connection := await pool.waiting.wait(str(headers.get("authorization", ""))):
                return connection
        return await self._connect(pool, address)

    async def _connect(self, pool: _Pool, address: Address) -> _PooledConnection:
        """Opens a connection, for which the pool has reserved capacity."""
        loop = asyncio.get_running_loop()
        connection = _PooledConnection(loop, pool, self._idle_seconds, self._max_response_bytes)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(lambda: connection, address.host, address.port, ssl=address.tls)
        except BaseException as error:
            connection.abandon()
            if isinstance(error, TimeoutError):
                raise UnreachableError(f"no connection within {CONNECT_SECONDS:g} seconds") from None
            if isinstance(error, OSError):
                raise UnreachableError(f"no connection: {error}") from error
            raise
        return connection


class _Pool:
    """The connections to one address."""

    def __init__(self, max_connections: int, max_waiting: int) -> None:
        self.capacity = max_connections
        """How many more connections may be opened."""
        self.open: set[_PooledConnection] = set()
        self.idle: list[_PooledConnection] = []
        self.waiting = RoundRobin[_PooledConnection | None](max_waiting, self._release)
        """Requests waiting for a connection; None grants the capacity to open one."""

    def put_idle(self, connection: _PooledConnection) -> bool:
        """Makes a connection available; false if a waiting request got it at once."""
        if self.waiting and self.waiting.grant(connection):
            return False
        self.idle.append(connection)
        return True

    def add_capacity(self) -> None:
        """A connection was closed, or not opened: another may be opened."""
        if not (self.waiting and self.waiting.grant(None)):
            self.capacity += 1

    def _release(self, connection: _PooledConnection | None) -> None:
        if connection is None:
            self.add_capacity()
        else:
            connection.release()


class _PooledConnection(asyncio.Protocol):
    """A connection that carries one exchange at a time, and is idle in its pool between them."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pool: _Pool, idle_seconds: float, max_bytes: int
    ) -> None:
        self._loop = loop
        self._pool = pool
        self._idle_seconds = idle_seconds
        self._max_bytes = max_bytes
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._response: asyncio.Future[HttpResponse] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._decoder: ContentDecoder | None = None
        self._reset()

    async def exchange(self, request: bytes, seconds: float) -> HttpResponse:
        """Sends a request and waits for its response; cancelling it closes the connection.

        Its own timer costs half of what `asyncio.timeout` does, and each fetch needs one.
        """
        if self._expiry is not None:
            self._expiry.cancel()
        response: asyncio.Future[HttpResponse] = self._loop.create_future()
        self._response = response
        assert self._transport is not None
        self._transport.write(request)
        timer = self._loop.call_later(seconds, self._time_out)
        try:
            return await response
        finally:
            timer.cancel()
            if response.cancelled():
                self.close()

    def close(self) -> None:
        """Closes the connection at once."""
        if self in self._pool.idle:
            self._pool.idle.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def abandon(self) -> None:
        """Closes the connection if it is open; otherwise only releases its capacity."""
        if self._transport is None:
            self._pool.add_capacity()
        else:
            self.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        # uvloop's transports are not subclasses of `asyncio.Transport`.
        self._transport = cast("asyncio.Transport", transport)
        self._pool.open.add(self)

    def data_received(self, data: bytes) -> None:
        """More of the response has arrived."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not an HTTP response: {error}")

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, which also ends a response of unknown length (RFC 9112 section 6.3)."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._pool.open.discard(self)
        self._pool.add_capacity()
        if self._status and not self._has_length and error is None:
            self._complete()
        self._fail(f"the connection closed before the response was complete: {error or 'end of stream'}")

    def on_message_begin(self) -> None:
        """A response starts; an unsolicited one closes the connection."""
        if self._response is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; only those of the framing and those in `_KEPT_HEADERS` matter."""
        name = name.lower()
        if name in _FRAMING_HEADERS:
            self._has_length = True
        elif name in _KEPT_HEADERS:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        """The headers are complete; those of an interim response (1xx) are dropped with it."""
        self._status = self._parser.get_status_code()
        if self._status >= 200 and (found := self._headers.get(b"content-encoding")):
            coding = found.strip().lower().decode("latin-1")
            try:
                self._decoder = None if coding in IDENTITY else ContentDecoder(coding)
            except ContentError as error:
                self._fail(str(error))

    def on_body(self, chunk: bytes) -> None:
        """A part of the body."""
        try:
            if self._decoder is not None:
                chunk = self._decoder.feed(chunk, max(self._max_bytes - self._size, 0))
            self._size += len(chunk)
            if self._size > self._max_bytes:
                raise ContentTooLargeError
        except ContentTooLargeError:
            self._end_with(ResponseTooLargeError(f"the response is larger than {self._max_bytes} bytes"))
        except ContentError as error:
            self._fail(str(error))
        else:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """The response is complete, unless it is an interim one (1xx)."""
        if self._status < 200:
            self._reset()
            return
        is_reusable = self._parser.should_keep_alive()
        self._complete()
        if is_reusable:
            self.release()
        else:
            self.close()

    def release(self) -> None:
        """Returns the connection to its pool, where it is closed after the idle timeout."""
        if self._transport is None or self._transport.is_closing():
            self.close()
            return
        self._reset()
        if self._pool.put_idle(self):
            self._expiry = self._loop.call_later(self._idle_seconds, self.close)

    def _reset(self) -> None:
        self._chunks: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._decoder = None
        self._size = 0
        self._status = 0
        self._has_length = False

    def _complete(self) -> None:
        response, self._response = self._response, None
        if response is not None and not response.done():
            response.set_result(HttpResponse(self._status, b"".join(self._chunks), self._headers))

    def _fail(self, reason: str) -> None:
        self._end_with(HttpError(reason))

    def _time_out(self) -> None:
        self._end_with(TimeoutError())

    def _end_with(self, error: HttpError | TimeoutError) -> None:
        response, self._response = self._response, None
        if response is not None and not response.done():
            response.set_exception(error)
        self.close()


def encode_request(address: Address, headers: Mapping[str, HeaderValue], body: bytes) -> bytes:
    """The bytes of a request; headers are encoded in latin-1, which keeps the bytes that the client sent.

    Raises:
        UnsendableError: a header contains invalid characters.
    """
    lines = [address.head]
    for name, value in headers.items():
        if value.__class__ is tuple:
            lines += [f"{name}: {each}\r\n" for each in value]
        else:
            lines.append(f"{name}: {value}\r\n")
    lines.append(f"content-length: {len(body)}\r\n\r\n")
    text = "".join(lines)
    # Each line has one end, the head has two, and the last part an empty line: any more are in values.
    ends = len(lines) + 2
    if text.count("\n") != ends or text.count("\r") != ends or "\0" in text:
        raise UnsendableError(f"the header {_find_unsendable(headers)} cannot be sent")
    try:
        return text.encode("latin-1") + body
    except UnicodeEncodeError:
        raise UnsendableError(f"the header {_find_unsendable(headers)} cannot be sent") from None


def _find_unsendable(headers: Mapping[str, HeaderValue]) -> str:
    return next(name for name, value in headers.items() if _UNSENDABLE.search("".join(value)))
