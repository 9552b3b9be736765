"""HTTP/1.1 as fetches need it: POST a body, read a whole answer, over connections that are kept open.

A general client costs more for a fetch than planning, merging and projecting together. This one leaves
out what subgraphs do not use: cookies, redirects, proxies and streaming.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import httptools

from router.config.header_rules import HeaderValue
from router.round_robin import RoundRobin
from router.transport.address import Address
from router.transport.content_coding import IDENTITY, ContentError, ContentTooLargeError, Decoder

# Shorter than the five seconds after which uvicorn drops an idle connection: none may close under a POST.
IDLE_SECONDS = 4.0
# A subgraph that is near takes milliseconds; one that takes longer than this is not there.
CONNECT_SECONDS = 5.0
MAX_ANSWER_BYTES = 33_554_432
MAX_CONNECTIONS = 256
MAX_WAITING = 1024

_UNSENDABLE = re.compile(r"[\r\n\0\u0100-\U0010ffff]")
_SIZES = frozenset({b"content-length", b"transfer-encoding"})
_KEPT = frozenset({b"content-encoding", b"location", b"retry-after"})


class HttpError(Exception):
    """An exchange that did not end with a whole HTTP answer; the message tells why."""


class AnswerTooLargeError(HttpError):
    """The answer exceeds the allowed size; the rest of it was not read."""


class UnreachableError(HttpError):
    """There is nobody at the address, so nothing was sent."""


class UnsendableError(HttpError):
    """A header is none, so nothing was sent."""


class NoConnectionError(HttpError):
    """All connections to the address are in use, and as many requests wait for one as may."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer to a request."""

    status: int
    body: bytes
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    """Those of its headers that say what is to be done with it."""


class HttpClient:
    """Posts to a few addresses, over so many connections to each at most, for which so many requests wait."""

    def __init__(
        self,
        idle_seconds: float = IDLE_SECONDS,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_connections: int = MAX_CONNECTIONS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._max_answer_bytes = max_answer_bytes
        self._max_connections = max_connections
        self._max_waiting = max_waiting
        self._pools: dict[tuple[str, int, str], _Pool] = {}

    async def post(
        self, address: Address, headers: Mapping[str, HeaderValue], body: bytes, seconds: float
    ) -> HttpAnswer:
        """The answer to one request; a request is sent once, whatever becomes of its connection.

        Raises:
            TimeoutError: the answer is not there in so many seconds.
            HttpError: there is no whole answer.
        """
        pool = self._pools.get(address.pool)
        if pool is None:
            pool = self._pools[address.pool] = _Pool(self._max_connections, self._max_waiting)
        request = encoded_request(address, headers, body)
        if pool.idle:
            return await pool.idle.pop().exchange(request, seconds)
        async with asyncio.timeout(seconds) as deadline:
            connection = await self._another(pool, address, headers)
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

    async def _another(
        self, pool: _Pool, address: Address, headers: Mapping[str, HeaderValue]
    ) -> _Connection:
        """A connection where none is idle: a new one, or the next that is free at this caller's turn."""
        if pool.room:
            pool.room -= 1
        else:
            if pool.turns.is_full:
                raise NoConnectionError("too many requests wait for a connection already")
            if connection := await pool.turns.wait(str(headers.get("authorization", ""))):
                return connection
        return await self._connected(pool, address)

    async def _connected(self, pool: _Pool, address: Address) -> _Connection:
        """A new connection, which from then on makes room for another when it is lost."""
        loop = asyncio.get_running_loop()
        connection = _Connection(loop, pool, self._idle_seconds, self._max_answer_bytes)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(lambda: connection, address.host, address.port, ssl=address.tls)
        except BaseException as error:
            connection.give_up()
            if isinstance(error, TimeoutError):
                raise UnreachableError(f"no connection within {CONNECT_SECONDS:g} seconds") from None
            if isinstance(error, OSError):
                raise UnreachableError(f"no connection: {error}") from error
            raise
        return connection


class _Pool:
    """The connections to one address."""

    def __init__(self, most: int, max_waiting: int) -> None:
        self.room = most
        """How many may be opened beside those that are."""
        self.open: set[_Connection] = set()
        self.idle: list[_Connection] = []
        self.turns = RoundRobin[_Connection | None](max_waiting, self._returned)

    def free(self, connection: _Connection) -> bool:
        """Takes back a connection; false if somebody has it again already."""
        if self.turns and self.turns.grant(connection):
            return False
        self.idle.append(connection)
        return True

    def make_room(self) -> None:
        """One connection is closed, or was not opened: there may be another."""
        if not (self.turns and self.turns.grant(None)):
            self.room += 1

    def _returned(self, connection: _Connection | None) -> None:
        if connection is None:
            self.make_room()
        else:
            connection.rest()


class _Connection(asyncio.Protocol):
    """One connection, which carries one exchange at a time and between them waits among the idle ones."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pool: _Pool, idle_seconds: float, max_bytes: int
    ) -> None:
        self._loop = loop
        self._pool = pool
        self._idle_seconds = idle_seconds
        self._max_bytes = max_bytes
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[HttpAnswer] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._decoder: Decoder | None = None
        self._begin()

    async def exchange(self, request: bytes, seconds: float) -> HttpAnswer:
        """Sends a request and waits for its answer; whoever stops waiting gives the connection up.

        A timer of its own costs half of what `asyncio.timeout` does, and each fetch has one.
        """
        if self._expiry is not None:
            self._expiry.cancel()
        answer: asyncio.Future[HttpAnswer] = self._loop.create_future()
        self._answer = answer
        assert self._transport is not None
        self._transport.write(request)
        timer = self._loop.call_later(seconds, self._time_out)
        try:
            return await answer
        finally:
            timer.cancel()
            if answer.cancelled():
                self.close()

    def close(self) -> None:
        """Closes the connection at once; nothing is sent on it any more."""
        if self in self._pool.idle:
            self._pool.idle.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def give_up(self) -> None:
        """Closes the connection, which may not be open yet."""
        if self._transport is None:
            self._pool.make_room()
        else:
            self.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        # uvloop's transports have the methods of `asyncio.Transport`, but are none.
        self._transport = cast("asyncio.Transport", transport)
        self._pool.open.add(self)

    def data_received(self, data: bytes) -> None:
        """More of the answer has come."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not an HTTP answer: {error}")

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, which is also how an answer of unknown length ends."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._pool.open.discard(self)
        self._pool.make_room()
        if self._status and not self._sized and error is None:
            self._complete()
        self._fail(f"the connection closed before the answer was whole: {error or 'end of stream'}")

    def on_message_begin(self) -> None:
        """An answer begins, which somebody must have asked for."""
        if self._answer is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those that tell where the answer ends, and what it is, are noted."""
        name = name.lower()
        if name in _SIZES:
            self._sized = True
        elif name in _KEPT:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._status = self._parser.get_status_code()
        if found := self._headers.get(b"content-encoding"):
            coding = found.strip().lower().decode("latin-1")
            try:
                self._decoder = None if coding in IDENTITY else Decoder(coding)
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
            self._give_up(AnswerTooLargeError(f"the answer is larger than {self._max_bytes} bytes"))
        except ContentError as error:
            self._fail(str(error))
        else:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it only announces another."""
        if self._status < 200:
            self._sized, self._status = False, 0
            return
        reusable = self._parser.should_keep_alive()
        self._complete()
        if reusable:
            self.rest()
        else:
            self.close()

    def rest(self) -> None:
        """Waits for the next exchange, for a while."""
        if self._transport is None or self._transport.is_closing():
            self.close()
            return
        self._begin()
        if self._pool.free(self):
            self._expiry = self._loop.call_later(self._idle_seconds, self.close)

    def _begin(self) -> None:
        self._chunks: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._decoder = None
        self._size = 0
        self._status = 0
        self._sized = False

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(HttpAnswer(self._status, b"".join(self._chunks), self._headers))

    def _fail(self, reason: str) -> None:
        self._give_up(HttpError(reason))

    def _time_out(self) -> None:
        self._give_up(TimeoutError())

    def _give_up(self, error: HttpError | TimeoutError) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self.close()


def encoded_request(address: Address, headers: Mapping[str, HeaderValue], body: bytes) -> bytes:
    """The bytes of a request; those of a header are as the client sent them, which is what latin-1 keeps.

    Raises:
        UnsendableError: a header has characters that none may have.
    """
    lines = [address.head]
    for name, value in headers.items():
        if value.__class__ is tuple:
            lines += [f"{name}: {each}\r\n" for each in value]
        else:
            lines.append(f"{name}: {value}\r\n")
    lines.append(f"content-length: {len(body)}\r\n\r\n")
    text = "".join(lines)
    # Each line ends once, the first part has two and the last has an empty one: more were in the values.
    ends = len(lines) + 2
    if text.count("\n") != ends or text.count("\r") != ends or "\0" in text:
        raise UnsendableError(f"the header {_unsendable(headers)} cannot be sent")
    try:
        return text.encode("latin-1") + body
    except UnicodeEncodeError:
        raise UnsendableError(f"the header {_unsendable(headers)} cannot be sent") from None


def _unsendable(headers: Mapping[str, HeaderValue]) -> str:
    return next(name for name, value in headers.items() if _UNSENDABLE.search("".join(value)))
