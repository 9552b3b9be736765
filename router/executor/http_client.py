"""HTTP/1.1 as fetches need it: POST a body, read a whole answer, over connections that are kept open.

A general client costs more for a fetch than planning, merging and projecting together. This one leaves
out what subgraphs do not use: cookies, redirects, proxies, compression and streaming.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

# Shorter than the five seconds after which uvicorn drops an idle connection: none may close under a POST.
IDLE_SECONDS = 4.0
MAX_ANSWER_BYTES = 33_554_432

_PORTS = {"http": 80, "https": 443}
_UNSENDABLE = re.compile(r"[\r\n\0]")


class HttpError(Exception):
    """An exchange that did not end with a whole HTTP answer; the message tells why."""


class AnswerTooLargeError(HttpError):
    """The answer exceeds the allowed size; the rest of it was not read."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer to a request."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go, and how each of them begins."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    head: str

    @classmethod
    def of(cls, url: str) -> Address:
        """The address that a URL names.

        Raises:
            HttpError: it names none.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or parts.hostname is None:
            raise HttpError(f"{url!r} is not an address of HTTP")
        port = parts.port or _PORTS[parts.scheme]
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.rpartition("@")[2]
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        head = f"POST {target} HTTP/1.1\r\nhost: {host}\r\n"
        return cls(parts.hostname, port, tls, head)


class HttpClient:
    """Posts to a few addresses, with as many connections to each as there are requests at one time."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS, max_answer_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._idle_seconds = idle_seconds
        self._max_answer_bytes = max_answer_bytes
        self._addresses: dict[str, Address] = {}
        self._idle: defaultdict[str, list[_Connection]] = defaultdict(list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer to one request; a request is sent once, whatever becomes of its connection.

        Raises:
            HttpError: there is no whole answer.
        """
        address = self._addresses.get(url)
        if address is None:
            address = self._addresses[url] = Address.of(url)
        request = encoded_request(address, headers, body)
        idle = self._idle[url]
        connection = idle.pop() if idle else await self._connect(address, idle)
        return await connection.exchange(request)

    async def __aenter__(self) -> HttpClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections that wait for a request."""
        for idle in self._idle.values():
            for connection in list(idle):
                connection.close()

    async def _connect(self, address: Address, idle: list[_Connection]) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(loop, idle, self._idle_seconds, self._max_answer_bytes),
                address.host,
                address.port,
                ssl=address.tls,
            )
        except OSError as error:
            raise HttpError(f"no connection: {error}") from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, which carries one exchange at a time and between them waits among the idle ones."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, idle: list[_Connection], idle_seconds: float, max_bytes: int
    ) -> None:
        self._loop = loop
        self._idle = idle
        self._idle_seconds = idle_seconds
        self._max_bytes = max_bytes
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[HttpAnswer] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._begin()

    async def exchange(self, request: bytes) -> HttpAnswer:
        """Sends a request and waits for its answer; whoever stops waiting gives the connection up."""
        if self._expiry is not None:
            self._expiry.cancel()
        answer: asyncio.Future[HttpAnswer] = self._loop.create_future()
        self._answer = answer
        self._transport.write(request)
        try:
            return await answer
        finally:
            if answer.cancelled():
                self.close()

    def close(self) -> None:
        """Closes the connection at once; nothing is sent on it any more."""
        if self in self._idle:
            self._idle.remove(self)
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        # uvloop's transports have the methods of `asyncio.Transport`, but are none.
        self._transport = cast("asyncio.Transport", transport)

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
        if self._status and not self._sized and error is None:
            self._complete()
        self._fail(f"the connection closed before the answer was whole: {error or 'end of stream'}")

    def on_message_begin(self) -> None:
        """An answer begins, which somebody must have asked for."""
        if self._answer is None:
            self.close()

    def on_header(self, name: bytes, _value: bytes) -> None:
        """A header; those that tell where the answer ends are noted."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._sized = True

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._status = self._parser.get_status_code()

    def on_body(self, chunk: bytes) -> None:
        """A part of the body."""
        self._size += len(chunk)
        if self._size > self._max_bytes:
            self._give_up(AnswerTooLargeError(f"the answer is larger than {self._max_bytes} bytes"))
            return
        self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it only announces another."""
        if self._status < 200:
            self._sized, self._status = False, 0
            return
        reusable = self._parser.should_keep_alive()
        self._complete()
        if reusable and not self._transport.is_closing():
            self._begin()
            self._idle.append(self)
            self._expiry = self._loop.call_later(self._idle_seconds, self.close)
        else:
            self.close()

    def _begin(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._status = 0
        self._sized = False

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(HttpAnswer(self._status, b"".join(self._chunks)))

    def _fail(self, reason: str) -> None:
        self._give_up(HttpError(reason))

    def _give_up(self, error: HttpError) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self.close()


def encoded_request(address: Address, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a request.

    Raises:
        HttpError: a header cannot be sent.
    """
    lines = [address.head]
    for name, value in headers.items():
        if _UNSENDABLE.search(value):
            raise HttpError(f"the header {name} cannot be sent")
        lines.append(f"{name}: {value}\r\n")
    lines.append(f"content-length: {len(body)}\r\n\r\n")
    return "".join(lines).encode() + body
