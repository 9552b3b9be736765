"""The test library with a router process whose spans are collected."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.router.library import SUPERGRAPH
from tests.router.library_subgraphs import BOOKS, REVIEWS, SubgraphState, build_subgraph
from tests.support.otlp_collector import Collector
from tests.support.router_process import start_router, wait_for_origin
from tests.support.serving import serve_app
from tests.support.waiting import wait_until


@dataclass
class TracedLibrary:
    """The running library and the spans that its router exports."""

    url: str
    books: SubgraphState
    reviews: SubgraphState
    collector: Collector
    process: asyncio.subprocess.Process
    client: aiohttp.ClientSession

    async def execute(self, body: Any, **headers: str) -> Any:
        async with self.client.post(self.url, json=body, headers=headers) as response:
            return await response.json(content_type=None)

    async def wait_for_span(self, trace_id: str, name: str) -> None:
        """Waits for a span of a trace; spans that ended before it have then arrived too."""
        await wait_until(lambda: bool(self.collector.find_spans(name, trace_id)))


@asynccontextmanager
async def run_traced_library(**environ: str) -> AsyncIterator[TracedLibrary]:
    """Runs the library with a router that exports its spans every 20 ms."""
    books, reviews, collector = SubgraphState(), SubgraphState(), Collector()
    async with (
        serve_app(collector.build_app()) as otlp,
        serve_app(build_subgraph(BOOKS, books)) as books_origin,
        serve_app(build_subgraph(REVIEWS, reviews)) as reviews_origin,
        start_router(
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
        origin = await wait_for_origin(process)
        yield TracedLibrary(f"{origin}/graphql", books, reviews, collector, process, client)


@dataclass(frozen=True)
class CallersTrace:
    """The trace context that a client sends."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def create_callers_trace(*, sampled: bool = True) -> CallersTrace:
    """Creates a random trace context."""
    return CallersTrace(secrets.token_hex(16), secrets.token_hex(8), "01" if sampled else "00")
