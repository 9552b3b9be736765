"""The export of spans, and that a failing collector does not affect requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.router.tracing.traced_library import create_callers_trace, run_traced_library
from tests.support.serving import refuse_connections

QUERY = {"query": "query Exported { average }"}
# The SDK would keep retrying for an hour; the router has to exit long before.
PATIENT = {"OTEL_EXPORTER_OTLP_TIMEOUT": "3600"}


async def test_pending_spans_are_exported_on_shutdown():
    async with run_traced_library(OTEL_BSP_SCHEDULE_DELAY="3600000") as library:
        caller = create_callers_trace()
        await library.execute(QUERY, traceparent=caller.traceparent)
        assert not library.collector.spans

        library.process.terminate()
        await asyncio.wait_for(library.process.communicate(), 30)

    assert library.collector.find_spans("query", caller.trace_id)


@asynccontextmanager
async def serve_without_answering() -> AsyncIterator[str]:
    """Serves an address that accepts requests and never answers."""
    connections: list[asyncio.Task[None] | None] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert connections
        await asyncio.gather(*(each for each in connections if each))


@pytest.mark.parametrize("collector", [refuse_connections, serve_without_answering])
async def test_an_unresponsive_collector_neither_fails_requests_nor_delays_shutdown(collector):
    async with (
        collector() as address,
        run_traced_library(
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
            OTEL_BSP_MAX_QUEUE_SIZE="20",
            OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10",
            **PATIENT,
        ) as library,
    ):
        answers = [await library.execute(QUERY) for _ in range(50)]

        library.process.terminate()
        await asyncio.wait_for(library.process.communicate(), 20)

    assert answers == [{"data": {"average": 4.5}}] * 50


@pytest.mark.parametrize(
    ("environ", "is_loaded"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({}, True),
    ],
)
async def test_a_router_without_spans_does_not_load_opentelemetry(environ: dict[str, str], is_loaded: bool):
    async with run_traced_library(**environ, PYTHONPROFILEIMPORTTIME="1") as library:
        assert await library.execute(QUERY) == {"data": {"average": 4.5}}
        library.process.terminate()
        _, imported = await library.process.communicate()
    assert b"router.pipeline" in imported
    assert (b"opentelemetry" in imported) is is_loaded
    assert (b"router.tracing.opentelemetry" in imported) is is_loaded
