"""HTTP in raw bytes over plain sockets, to a router in its own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import psutil

from tests.router.library import SUPERGRAPH
from tests.router.library_subgraphs import BOOKS, REVIEWS, SubgraphState, build_subgraph
from tests.support.router_process import start_router, wait_for_origin
from tests.support.serving import serve_app

QUERY_BODY = b'{"query": "{ average }"}'
ANSWER = {"data": {"average": 4.5}}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Edge:
    """A router process and the port it listens on."""

    process: asyncio.subprocess.Process
    port: int

    @property
    def process_info(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    async def connect(self, address: str = "127.0.0.1") -> Socket:
        """Connects from a loopback address, which is the client for the router."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(address, 0), limit=2**26
        )
        return Socket(reader, writer)

    async def request(self, data: bytes) -> Answer:
        """Sends bytes over a new connection; reads one answer."""
        async with await self.connect() as socket:
            await socket.send(data)
            return await socket.read_answer()


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

    async def read_answer(self) -> Answer:
        """Reads one answer with its body."""
        async with asyncio.timeout(60):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")[:-2]
            pairs = (line.partition(": ") for line in lines)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return Answer(int(first.split(" ")[1]), headers, body)

    async def is_closed(self) -> bool:
        """Waits; whether the router closes the connection without sending another byte."""
        async with asyncio.timeout(60):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


def build_post(body: bytes = QUERY_BODY, *headers: bytes, path: bytes = b"/graphql") -> bytes:
    """The bytes of a POST request."""
    lines = [b"content-type: application/json", b"content-length: %d" % len(body), *headers]
    return b"POST %s HTTP/1.1\r\nhost: a\r\n%s\r\n\r\n%s" % (path, b"\r\n".join(lines), body)


def build_get(target: bytes = b"/graphql?query={average}", *headers: bytes) -> bytes:
    """The bytes of a GET request."""
    return b"".join(
        [b"GET %s HTTP/1.1\r\nhost: a\r\n" % target, *(line + b"\r\n" for line in headers), b"\r\n"]
    )


@asynccontextmanager
async def run_edge(files: str = "", code: str = "", **environ: str) -> AsyncIterator[Edge]:
    """Runs the library behind a router process; `files` and `code` as for `start_router`."""
    async with (
        serve_app(build_subgraph(BOOKS, SubgraphState())) as books,
        serve_app(build_subgraph(REVIEWS, SubgraphState())) as reviews,
        start_router(
            *("--supergraph", str(SUPERGRAPH), "--port", "0"),
            files=files,
            code=code,
            **{"BOOKS_URL": f"{books}/graphql", "REVIEWS_URL": f"{reviews}/graphql", **environ},
        ) as process,
    ):
        origin = await wait_for_origin(process)
        yield Edge(process, int(origin.rpartition(":")[2]))
