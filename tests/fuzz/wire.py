"""A client of raw sockets: it sends what no library would, and notes how the other side took it."""

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
CONNECTS_WITHIN = 15.0
READ_AT_ONCE = 1 << 16
KEPT_BYTES = 64 << 20
ENDS_WITHIN = 5.0
GRAPHQL = "/graphql"
CLOSE = 8

Headers = Iterable[tuple[str, str | bytes]]
Ending = Literal["answered", "closed", "silent", "refused"]


@dataclass(slots=True)
class Exchange:
    """What was sent, in short, and what came of it."""

    sent: str
    ending: Ending = "silent"
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_json(self) -> bool:
        """Whether the answer says that it is JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0]
        return kind.endswith(("/json", "+json"))

    def json(self) -> Any:
        """The answer.

        Raises:
            ValueError: it is none.
        """
        return orjson.loads(_decoded(self.body, self.headers.get("content-encoding", "identity")))

    def __str__(self) -> str:
        answer = f"{self.status} {self.body[:300]!r}" if self.status else self.ending
        return f"{self.sent} -> {answer}"


def _decoded(body: bytes, encoding: str) -> bytes:
    """A body as it was before it was compressed.

    Raises:
        ValueError: it is not what it says.
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


class _Answer:
    """The callbacks of a parser of one HTTP response."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.body = bytearray()
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._exchange.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        if len(self.body) < KEPT_BYTES:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._reads = True

    @classmethod
    async def open(cls, port: int, source: str = LOOPBACK) -> Wire:
        """Connect from a loopback address, which the other side takes for a client.

        Raises:
            OSError: the connection is refused.
        """
        async with asyncio.timeout(CONNECTS_WITHIN):
            return cls(*await asyncio.open_connection(LOOPBACK, port, local_addr=(source, 0), limit=1 << 22))

    async def send(self, data: bytes) -> bool:
        """Send as far as the other side takes it; False when it has hung up."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return False
        return not self.writer.is_closing()

    async def answer(self, sent: str, within: float) -> Exchange:
        """The response that comes, or how the connection ended instead."""
        exchange = Exchange(sent)
        answer = _Answer(exchange)
        parser = httptools.HttpResponseParser(answer)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._read(parser, answer, exchange)
        exchange.body = bytes(answer.body)
        return exchange

    async def _read(self, parser: Any, answer: _Answer, exchange: Exchange) -> None:
        while not answer.complete:
            try:
                data = await self.reader.read(READ_AT_ONCE)
            except OSError:
                data = b""
            if not data:
                exchange.ending = "answered" if exchange.status >= 200 else "closed"
                return
            try:
                parser.feed_data(data)
            except httptools.HttpParserUpgrade:
                answer.complete = True
            except httptools.HttpParserError:
                # What HTTP/0.9 or garbage is answered need not be HTTP.
                exchange.ending = "closed"
                return
            exchange.status = parser.get_status_code()
            if exchange.status == 100 and answer.complete:
                answer.complete = False
        exchange.ending = "answered"

    async def count(self, mark: bytes, wanted: int, within: float) -> int:
        """How often a mark comes, until it came often enough or the other side ends."""
        seen, tail = 0, b""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(within):
                while seen < wanted and (data := await self.reader.read(READ_AT_ONCE)):
                    text = tail + data
                    seen += text.count(mark)
                    tail = text[-len(mark) + 1 :]
        return seen

    async def says_goodbye(self, within: float) -> bool:
        """Whether the other side of a WebSocket sends its closing frame, or hangs up, in time."""
        try:
            async with asyncio.timeout(within):
                while await self._opcode() != CLOSE:
                    pass
        except TimeoutError:
            return False
        except (OSError, asyncio.IncompleteReadError):
            return True
        return True

    async def _opcode(self) -> int:
        """What the next frame is; what it says is thrown away."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
        await self.reader.readexactly(length)
        return first & 0x0F

    def stop_reading(self) -> None:
        """Take nothing more of what the other side sends."""
        self._reads = False
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a stream reads

    async def is_closed(self, within: float) -> bool:
        """Whether the other side hangs up in time; what it sends until then is thrown away."""
        if not self._reads:
            # Only who reads sees the end: by then it must be next to what the kernel still had.
            await asyncio.sleep(within)
            self.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
            within = ENDS_WITHIN
        try:
            async with asyncio.timeout(within):
                while await self.reader.read(READ_AT_ONCE):
                    pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def abort(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self.writer.wait_closed()


def request(
    method: str = "POST", path: str = GRAPHQL, headers: Headers = (), body: bytes | None = None
) -> bytes:
    """A request as bytes; its length is told unless the headers speak of it themselves."""
    given = [(name, value if isinstance(value, bytes) else value.encode()) for name, value in headers]
    names = {name.lower() for name, _ in given}
    if "host" not in names:
        given.insert(0, ("host", b"localhost"))
    if body is not None and names.isdisjoint({"content-length", "transfer-encoding"}):
        given.append(("content-length", str(len(body)).encode()))
    head = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in given)
    return f"{method} {path} HTTP/1.1\r\n".encode() + head + b"\r\n" + (body or b"")


def posted(document: str, variables: Any = None, headers: Headers = (), **more: Any) -> bytes:
    """An ordinary GraphQL request, for what lies in it to be hostile."""
    body = {"query": document, **({} if variables is None else {"variables": variables}), **more}
    own = [("content-type", "application/json"), ("connection", "close")]
    return request(headers=[*own, *headers], body=orjson.dumps(body))


def frame(
    payload: bytes, opcode: int = 1, *, final: bool = True, masked: bool = True, flags: int = 0
) -> bytes:
    """A WebSocket frame, legal or not."""
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
