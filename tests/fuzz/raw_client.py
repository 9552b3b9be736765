"""A raw socket client that can send invalid HTTP and WebSocket data and records the outcome."""

from __future__ import annotations

import asyncio
import gzip
import os
import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import brotli
import httptools
import orjson
import zstandard

LOOPBACK = "127.0.0.1"
CONNECT_TIMEOUT = 15.0
READ_SIZE = 1 << 16
MAX_BODY_BYTES = 64 << 20
SHUTDOWN_TIMEOUT = 5.0
GRAPHQL = "/graphql"
CLOSE_OPCODE = 8
CLOSE_CONNECTION = ("connection", "close")
JSON = ("content-type", "application/json")

Headers = Iterable[tuple[str, str | bytes]]
Outcome = Literal["answered", "closed", "silent", "refused"]


@dataclass(slots=True)
class Exchange:
    """An abbreviated request and its outcome."""

    sent: str
    outcome: Outcome = "silent"
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_json(self) -> bool:
        """Whether the response's content type is JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0]
        return kind.endswith(("/json", "+json"))

    def parse_json(self) -> Any:
        """Parse the response body as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        return orjson.loads(_decompress(self.body, self.headers.get("content-encoding", "identity")))

    @property
    def operation_count(self) -> int:
        """The number of operations that the response answers: those of an accepted batch, or else one."""
        try:
            answers = self.parse_json() if self.is_json else None
        except ValueError:
            return 1
        return max(1, len(answers)) if isinstance(answers, list) else 1

    def __str__(self) -> str:
        answer = f"{self.status} {self.body[:300]!r}" if self.status else self.outcome
        return f"{self.sent} -> {answer}"


def _decompress(body: bytes, encoding: str) -> bytes:
    """Decompress a body.

    Raises:
        ValueError: The body is not in this encoding.
    """
    try:
        match encoding:
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case "br":
                return bytes(brotli.decompress(body))
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(body)
            case _:
                return body
    except (OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise ValueError(f"the body is not {encoding}") from error


class _ResponseCallbacks:
    """httptools callbacks for one HTTP response."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.body = bytearray()
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._exchange.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        if len(self.body) < MAX_BODY_BYTES:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


class RawConnection:
    """A TCP connection to the target."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._is_reading = True

    @classmethod
    async def open(cls, port: int, source: str = LOOPBACK) -> RawConnection:
        """Connect from a loopback address, by which the server tells clients apart.

        Raises:
            OSError: The connection was refused.
        """
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return cls(*await asyncio.open_connection(LOOPBACK, port, local_addr=(source, 0), limit=1 << 22))

    async def send(self, data: bytes) -> bool:
        """Send data; False if the server has closed the connection."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return False
        return not self.writer.is_closing()

    async def read_response(self, sent: str, within: float) -> Exchange:
        """Read a response; otherwise record how the connection ended."""
        exchange = Exchange(sent)
        answer = _ResponseCallbacks(exchange)
        parser = httptools.HttpResponseParser(answer)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._read(parser, answer, exchange)
        exchange.body = bytes(answer.body)
        return exchange

    async def _read(self, parser: Any, answer: _ResponseCallbacks, exchange: Exchange) -> None:
        while not answer.complete:
            try:
                data = await self.reader.read(READ_SIZE)
            except OSError:
                data = b""
            if not data:
                exchange.outcome = "answered" if exchange.status >= 200 else "closed"
                return
            try:
                parser.feed_data(data)
            except httptools.HttpParserUpgrade:
                answer.complete = True
            except httptools.HttpParserError:
                # A response to HTTP/0.9 or garbage need not be HTTP.
                exchange.outcome = "closed"
                return
            exchange.status = parser.get_status_code()
            if exchange.status == 100 and answer.complete:
                answer.complete = False
        exchange.outcome = "answered"

    async def count_occurrences(self, mark: bytes, wanted: int, within: float) -> int:
        """Count occurrences of `mark`, until `wanted` are found or the server closes the connection."""
        seen, tail = 0, b""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(within):
                while seen < wanted and (data := await self.reader.read(READ_SIZE)):
                    text = tail + data
                    seen += text.count(mark)
                    tail = text[-len(mark) + 1 :]
        return seen

    async def receives_close(self, within: float) -> bool:
        """Whether the server sends a close frame, or closes the connection, in time."""
        try:
            async with asyncio.timeout(within):
                while await self._read_opcode() != CLOSE_OPCODE:
                    pass
        except TimeoutError:
            return False
        except (OSError, asyncio.IncompleteReadError):
            return True
        return True

    async def _read_opcode(self) -> int:
        """Read the next frame and return its opcode."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
        await self.reader.readexactly(length)
        return first & 0x0F

    def stop_reading(self) -> None:
        """Stop reading from the socket."""
        self._is_reading = False
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport has it

    async def is_closed(self, within: float) -> bool:
        """Whether the server closes the connection in time; data received until then is discarded."""
        if not self._is_reading:
            # The end of the stream follows the data buffered by the kernel, so read only after the wait.
            await asyncio.sleep(within)
            self.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
            within = SHUTDOWN_TIMEOUT
        try:
            async with asyncio.timeout(within):
                while await self.reader.read(READ_SIZE):
                    pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def abort(self) -> None:
        """Reset the connection."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self.writer.wait_closed()


def build_request(
    method: str = "POST", path: str = GRAPHQL, headers: Headers = (), body: bytes | None = None
) -> bytes:
    """Build an HTTP request; host and content length are added unless the headers contain them."""
    fields = [(name, value if isinstance(value, bytes) else value.encode()) for name, value in headers]
    names = {name.lower() for name, _ in fields}
    if "host" not in names:
        fields.insert(0, ("host", b"localhost"))
    if body is not None and names.isdisjoint({"content-length", "transfer-encoding"}):
        fields.append(("content-length", str(len(body)).encode()))
    head = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields)
    return f"{method} {path} HTTP/1.1\r\n".encode() + head + b"\r\n" + (body or b"")


def build_graphql_request(document: str, variables: Any = None, headers: Headers = (), **more: Any) -> bytes:
    """Build a well-formed GraphQL POST request."""
    body = {"query": document, **({} if variables is None else {"variables": variables}), **more}
    return build_request(headers=[JSON, CLOSE_CONNECTION, *headers], body=orjson.dumps(body))


def build_frame(
    payload: bytes, opcode: int = 1, *, final: bool = True, masked: bool = True, flags: int = 0
) -> bytes:
    """Build a WebSocket frame, valid or not."""
    head = bytes([(0x80 if final else 0) | flags | opcode])
    mask_bit = 0x80 if masked else 0
    length = len(payload)
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 1 << 16:
        head += struct.pack(">BH", mask_bit | 126, length)
    else:
        head += struct.pack(">BQ", mask_bit | 127, length)
    if not masked:
        return head + payload
    key = os.urandom(4)
    repeated = key * (length // 4 + 1)
    hidden = int.from_bytes(payload) ^ int.from_bytes(repeated[:length])
    return head + key + hidden.to_bytes(length)
