"""A router in front of one subgraph whose responses the test gives in bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from router.app import create_app
from router.config.settings import load
from router.config.traffic import Traffic
from tests.support.planning import SUPERGRAPHS
from tests.support.serving import serve_app

SUPERGRAPH = SUPERGRAPHS / "single.graphql"

Answer = Callable[[bytes, bytes], bytes | Sequence[bytes]]


def build_response(
    body: bytes, status: str = "200 OK", kind: str = "application/json", extra: str = ""
) -> bytes:
    """Builds a complete HTTP response."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{extra}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def build_data_response(**fields: Any) -> bytes:
    """Builds a complete GraphQL response."""
    return build_response(orjson.dumps({"data": fields}))


@dataclass
class Single:
    """The running router and the requests that reached the subgraph."""

    origin: str
    client: aiohttp.ClientSession
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch_text(self, query: str, variables: bytes = b"{}", **headers: str) -> str:
        """Sends a query; returns the answer as text."""
        body = b'{"query":%b,"variables":%b}' % (orjson.dumps(query), variables)
        sent = {"content-type": "application/json", **headers}
        async with (
            asyncio.timeout(60),
            self.client.post(f"{self.origin}/graphql", data=body, headers=sent) as response,
        ):
            return await response.text()

    async def execute(self, query: str, variables: bytes = b"{}", **headers: str) -> Any:
        """Sends a query; returns the decoded answer."""
        return orjson.loads(await self.fetch_text(query, variables, **headers))

    async def wait_for_requests(self, times: int) -> None:
        """Waits until this many requests have reached the subgraph."""
        async with asyncio.timeout(60):
            while len(self.bodies) < times:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)


PRODUCTION = {
    "environment": "production",
    "jwks_url": "http://127.0.0.1:1/jwks.json",
    "service_token": "0123456789abcdef",
}


@asynccontextmanager
async def run_single(
    answer: Answer | bytes,
    *,
    is_held: bool = False,
    user: str = "",
    production: bool = False,
    **traffic: Any,
) -> AsyncIterator[Single]:
    """Runs the graph; with `is_held`, answers are sent once `may_answer` is set."""
    connections: set[asyncio.StreamWriter] = set()

    async def handle_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
                running.heads.append(head)
                running.bodies.append(body)
                if is_held:
                    await running.may_answer.wait()
                pieces = answer if isinstance(answer, bytes) else answer(head, body)
                for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                    writer.write(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle_connection, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = load(
        supergraph=SUPERGRAPH,
        subgraph_urls={"a": f"http://{user and f'{user}@'}127.0.0.1:{port}/graphql"},
        traffic=Traffic.model_validate(traffic),
        **(PRODUCTION if production else {}),
    )
    async with server, aiohttp.ClientSession() as client, serve_app(create_app(settings)) as origin:
        running = Single(origin, client)
        yield running
        for writer in connections:
            writer.close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def build_chunked_response(*pieces: bytes) -> list[bytes]:
    return [HEAD, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]
