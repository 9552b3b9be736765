"""Plain sockets to a router in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import psutil

from tests.router.library import SUPERGRAPH, serving
from tests.router.library_subgraphs import BOOKS, REVIEWS, Shelf, subgraph
from tests.support.router_process import listening_at, router

QUESTION = b'{"query": "{ average }"}'
ANSWER = {"data": {"average": 4.5}}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and whether the router then hung up."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Edge:
    """A running router."""

    process: asyncio.subprocess.Process
    port: int

    @property
    def usage(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    async def connect(self, address: str = "127.0.0.1") -> Socket:
        """A connection that comes from a loopback address."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(address, 0), limit=2**26
        )
        return Socket(reader, writer)

    async def say(self, data: bytes) -> Answer:
        """What is answered to these bytes."""
        async with await self.connect() as socket:
            await socket.send(data)
            return await socket.answer()


class Socket:
    """A client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def __aenter__(self) -> Socket:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        """The next answer, as a whole."""
        async with asyncio.timeout(60):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")[:-2]
            pairs = (line.partition(": ") for line in lines)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return Answer(int(first.split(" ")[1]), headers, body)

    async def ended(self) -> bool:
        """Whether the router hangs up, with nothing more to say."""
        async with asyncio.timeout(60):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


def post(body: bytes = QUESTION, *headers: bytes, path: bytes = b"/graphql") -> bytes:
    """A POST request."""
    lines = [b"content-type: application/json", b"content-length: %d" % len(body), *headers]
    return b"POST %s HTTP/1.1\r\nhost: a\r\n%s\r\n\r\n%s" % (path, b"\r\n".join(lines), body)


def get(target: bytes = b"/graphql?query={average}", *headers: bytes) -> bytes:
    """A GET request."""
    return b"".join(
        [b"GET %s HTTP/1.1\r\nhost: a\r\n" % target, *(line + b"\r\n" for line in headers), b"\r\n"]
    )


@asynccontextmanager
async def edge(files: str = "", code: str = "", **environ: str) -> AsyncIterator[Edge]:
    """The library behind a router of its own."""
    async with (
        serving(subgraph(BOOKS, Shelf())) as books,
        serving(subgraph(REVIEWS, Shelf())) as reviews,
        router(
            *("--supergraph", str(SUPERGRAPH), "--port", "0"),
            files=files,
            code=code,
            **{"BOOKS_URL": f"{books}/graphql", "REVIEWS_URL": f"{reviews}/graphql", **environ},
        ) as process,
    ):
        origin = await listening_at(process)
        yield Edge(process, int(origin.rpartition(":")[2]))
