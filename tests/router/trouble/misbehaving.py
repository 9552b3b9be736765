"""The test library behind a router, with a misbehaving server as its reviews subgraph."""

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
from tests.router.library import SUPERGRAPH
from tests.router.library_subgraphs import BOOKS, SubgraphState, build_subgraph
from tests.support.serving import serve_app

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

QUERY = "{ books { title stars } }"
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
    """A running router, a client of it and its metrics."""

    origin: str
    client: aiohttp.ClientSession
    metrics: Metrics

    async def execute(self, query: str = QUERY) -> Any:
        """Sends a query; it must be answered with status 200 within a minute, whatever the subgraphs do."""
        async with (
            asyncio.timeout(60),
            self.client.post(f"{self.origin}/graphql", json={"query": query}) as response,
        ):
            assert response.status == 200
            return await response.json()

    async def list_samples(self, metric: str) -> list[str]:
        """Lists the exposition lines that begin with the name of a metric."""
        lines = generate_latest(self.metrics.registry).decode().splitlines()
        return [line for line in lines if line.startswith(metric)]


@asynccontextmanager
async def run_library(reviews: Answer, **traffic: Any) -> AsyncIterator[Library]:
    """Runs the library; `reviews` answers each connection of the reviews subgraph."""
    connections: set[asyncio.Task[Any]] = set()

    async def handle_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(cast("asyncio.Task[Any]", asyncio.current_task()))
        try:
            await read_request(reader)
            await reviews(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    server = await asyncio.start_server(handle_connection, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with (
        server,
        run_library_at(f"http://{host}:{port}/graphql", **traffic) as running,
    ):
        yield running
    # Some of these servers never stop by themselves.
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


@asynccontextmanager
async def run_library_at(reviews_url: str, **traffic: Any) -> AsyncIterator[Library]:
    """Runs the library with its reviews subgraph at an address."""
    async with serve_app(build_subgraph(BOOKS, SubgraphState())) as books, aiohttp.ClientSession() as client:
        settings = load(
            supergraph=SUPERGRAPH,
            subgraph_urls={"books": f"{books}/graphql", "reviews": reviews_url},
            traffic=Traffic.model_validate(traffic),
        )
        app = create_app(settings)
        async with serve_app(app) as origin:
            yield Library(origin, client, app.metrics)


async def read_request(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    """Reads one request: its headers and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
    return headers, await reader.readexactly(int(headers["content-length"]))


def build_response(body: bytes, status: str = "200 OK") -> bytes:
    """Builds a complete HTTP response."""
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )


def answer_with(response: bytes) -> Answer:
    """Builds a server that always sends the same bytes and closes the connection."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()

    return answer


async def never_answer(*_: Any) -> None:
    """A server that never answers."""
    await asyncio.Event().wait()
