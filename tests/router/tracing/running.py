"""The test library with a router process whose spans are collected."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.router.library import SUPERGRAPH, serving, until
from tests.router.library_subgraphs import BOOKS, REVIEWS, Shelf, subgraph
from tests.support.otlp_collector import Collector
from tests.support.router_process import listening_at, router


@dataclass
class Traced:
    """The running graph, and the spans that its router sends."""

    url: str
    books: Shelf
    reviews: Shelf
    collector: Collector
    process: asyncio.subprocess.Process
    client: aiohttp.ClientSession

    async def ask(self, body: Any, **headers: str) -> Any:
        async with self.client.post(self.url, json=body, headers=headers) as response:
            return await response.json(content_type=None)

    async def collected(self, trace_id: str, name: str) -> None:
        """Waits for a span of a trace; what ends before it is sent before it."""
        await until(lambda: bool(self.collector.named(name, trace_id)))


@asynccontextmanager
async def traced(**environ: str) -> AsyncIterator[Traced]:
    """A router that sends its spans soon, in an environment that has nothing else but what is given."""
    books, reviews, collector = Shelf(), Shelf(), Collector()
    async with (
        serving(collector.app()) as otlp,
        serving(subgraph(BOOKS, books)) as books_origin,
        serving(subgraph(REVIEWS, reviews)) as reviews_origin,
        router(
            *("--supergraph", str(SUPERGRAPH), "--port", "0"),
            **{
                "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
                "OTEL_BSP_SCHEDULE_DELAY": "20",
                "BOOKS_URL": f"{books_origin}/graphql",
                "REVIEWS_URL": f"{reviews_origin}/graphql",
                **environ,
            },
        ) as process,
        aiohttp.ClientSession() as client,
    ):
        origin = await listening_at(process)
        yield Traced(f"{origin}/graphql", books, reviews, collector, process, client)


@dataclass(frozen=True)
class CallersTrace:
    """The trace that a client brings along."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def callers_trace(*, sampled: bool = True) -> CallersTrace:
    """A trace that nobody else has."""
    return CallersTrace(secrets.token_hex(16), secrets.token_hex(8), "01" if sampled else "00")
