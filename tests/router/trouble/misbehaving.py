"""The test library before a router, with reviews that come from a server that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from prometheus_client import generate_latest

from router.app import create_app
from router.config.settings import load
from router.config.traffic import Traffic
from router.telemetry import Metrics
from tests.router.library import SUPERGRAPH, serve_app
from tests.router.library_subgraphs import BOOKS, Shelf, build_subgraph

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

QUESTION = "{ books { title stars } }"
PARTIAL = {
    "data": {"books": [{"title": "Moon", "stars": None}, {"title": "Sea", "stars": None}]},
    "errors": [
        {
            "message": "The service 'reviews' did not respond.",
            "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": "reviews"},
            "path": ["books", index, "stars"],
            "locations": [{"line": 1, "column": 17}],
        }
        for index in (0, 1)
    ],
}


@dataclass
class Library:
    """A router, and what it says."""

    origin: str
    client: aiohttp.ClientSession
    metrics: Metrics

    async def ask(self, query: str = QUESTION) -> Any:
        """The answer to a query, which comes soon whatever the subgraphs do."""
        async with (
            asyncio.timeout(60),
            self.client.post(f"{self.origin}/graphql", json={"query": query}) as response,
        ):
            assert response.status == 200
            return await response.json()

    async def measured(self, metric: str) -> list[str]:
        """The lines of a metric, and of those that begin with its name."""
        lines = generate_latest(self.metrics.registry).decode().splitlines()
        return [line for line in lines if line.startswith(metric)]


@asynccontextmanager
async def library(reviews: Answer, **traffic: Any) -> AsyncIterator[Library]:
    """Serves the library with reviews that each connection gets from `reviews`."""
    connections: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(cast("asyncio.Task[Any]", asyncio.current_task()))
        try:
            await request(reader)
            await reviews(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with (
        server,
        library_at(f"http://{host}:{port}/graphql", **traffic) as running,
    ):
        yield running
    # Some of these servers would answer for ever.
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


@asynccontextmanager
async def library_at(reviews_url: str, **traffic: Any) -> AsyncIterator[Library]:
    """Serves the library with reviews at an address."""
    async with serve_app(build_subgraph(BOOKS, Shelf())) as books, aiohttp.ClientSession() as client:
        settings = load(
            supergraph=SUPERGRAPH,
            subgraph_urls={"books": f"{books}/graphql", "reviews": reviews_url},
            traffic=Traffic.model_validate(traffic),
        )
        app = create_app(settings)
        async with serve_app(app) as origin:
            yield Library(origin, client, app.metrics)


async def request(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    """Reads one request: its headers and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
    return headers, await reader.readexactly(int(headers["content-length"]))


def http(body: bytes, status: str = "200 OK") -> bytes:
    """A whole answer."""
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )


def saying(answer: bytes) -> Answer:
    """A server that says always the same and hangs up."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return say


async def forever(*_: Any) -> None:
    """A server that never says anything."""
    await asyncio.Event().wait()
