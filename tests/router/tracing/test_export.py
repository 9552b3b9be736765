"""Where spans go, and that a collector in trouble troubles nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.router.tracing.running import callers_trace, traced
from tests.support.serving import refusing

QUERY = {"query": "query Exported { average }"}
# The SDK would wait for the rest of its time; the test ends the router long before.
PATIENT = {"OTEL_EXPORTER_OTLP_TIMEOUT": "3600"}


async def test_what_is_not_yet_sent_is_sent_at_the_end():
    async with traced(OTEL_BSP_SCHEDULE_DELAY="3600000") as library:
        caller = callers_trace()
        await library.ask(QUERY, traceparent=caller.traceparent)
        assert not library.collector.spans

        library.process.terminate()
        await asyncio.wait_for(library.process.communicate(), 30)

    assert library.collector.named("query", caller.trace_id)


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """An address that takes requests and never answers."""
    heard: list[asyncio.Task[None] | None] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(asyncio.current_task())
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert heard
        await asyncio.gather(*(each for each in heard if each))


@pytest.mark.parametrize("collector", [refusing, hanging])
async def test_a_collector_that_does_not_answer_neither_fails_a_request_nor_holds_up_the_end(collector):
    async with (
        collector() as address,
        traced(
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
            OTEL_BSP_MAX_QUEUE_SIZE="20",
            OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10",
            **PATIENT,
        ) as library,
    ):
        answers = [await library.ask(QUERY) for _ in range(50)]

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
    async with traced(**environ, PYTHONPROFILEIMPORTTIME="1") as library:
        assert await library.ask(QUERY) == {"data": {"average": 4.5}}
        library.process.terminate()
        _, imported = await library.process.communicate()
    assert b"router.pipeline" in imported
    assert (b"opentelemetry" in imported) is is_loaded
    assert (b"router.tracing.opentelemetry" in imported) is is_loaded
