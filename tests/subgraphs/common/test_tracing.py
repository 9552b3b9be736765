"""The spans that a subgraph and its clients export."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.checkout import ROOT
from subgraphs.common.http import create_client
from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.common.telemetry import build_traceparent, start_trace
from subgraphs.common.tracing import find_exporter, is_recording, open_span, record_spans
from subgraphs.domains import DOMAINS
from tests.support.otlp_collector import Collector, Span
from tests.support.serving import refuse_connections, serve_app
from tests.support.subgraph import build_settings, run_subgraph

TRACE = "0af7651916cd43dd8448eb211c80319c"
LIST_LOADED = """
import sys
import workers.__main__
from importlib import import_module
from subgraphs.common.tracing import record_spans
from subgraphs.domains import DOMAINS
from workers.registry import load_tasks

load_tasks()
for domain in DOMAINS:
    import_module(f"subgraphs.{domain}.app")
with record_spans("worker"):
    print(*sys.modules, sep="\\n")
"""
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
NOT_SAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """A collector that OpenTelemetry's variables name."""
    collector = Collector()
    async with serve_app(collector.build_app()) as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        yield collector


@asynccontextmanager
async def record() -> AsyncIterator[None]:
    """Record spans as a process does; they have been exported when it ends."""
    recording = record_spans("auth")
    recording.__enter__()
    try:
        yield
    finally:
        await asyncio.to_thread(recording.__exit__, None, None, None)


@asynccontextmanager
async def open_traced_runtime(servers: Mapping[str, str]) -> AsyncIterator[Runtime]:
    async with record(), open_runtime(DOMAINS["auth"], build_settings("auth", servers)) as runtime:
        yield runtime


def get_span(collector: Collector, name: str) -> Span:
    [span] = collector.find_spans(name, TRACE)
    return span


async def test_statements_commands_and_requests_are_spans_of_the_current_request(
    collector: Collector, servers: Mapping[str, str]
) -> None:
    async with open_traced_runtime(servers) as runtime, create_client("shop", deadline_seconds=9) as client:
        with open_span("POST /graphql", "server", traceparent=PARENT):
            async with runtime.database.read() as session:
                await session.execute(text("SELECT 1"))
            await runtime.redis.get("nothing")
            async with refuse_connections() as address:
                with pytest.raises(httpx2.ConnectError):
                    await client.get(address)
        await runtime.redis.ping()
    assert collector.render_tree(TRACE) == "\n".join(
        [
            "SERVER POST /graphql",
            "  CLIENT SELECT",
            "  CLIENT GET",
            "  CLIENT GET shop",
        ]
    )
    assert get_span(collector, "POST /graphql").parent_id == "b7ad6b7169203331"
    assert get_span(collector, "SELECT").attributes["db.query.text"] == "SELECT 1"
    failed = get_span(collector, "GET shop")
    assert (failed.failed, failed.message, failed.attributes["error.type"]) == (True, "", "ConnectError")
    assert collector.find_spans("PING") == []
    assert b"nothing" not in b"".join(collector.bodies)
    assert collector.resource["service.name"] == "auth"


async def test_a_failed_statement_has_a_failed_span_without_the_values(
    collector: Collector, servers: Mapping[str, str]
) -> None:
    async with open_traced_runtime(servers) as runtime:

        async def fail() -> None:
            async with runtime.database.read() as session:
                await session.execute(text("SELECT CAST(:value AS integer) / 0"), {"value": 31415})

        with open_span("POST /graphql", "server", traceparent=PARENT), pytest.raises(DBAPIError):
            await fail()
    assert get_span(collector, "SELECT").failed
    assert b"31415" not in b"".join(collector.bodies)


async def test_what_is_sent_on_continues_the_current_span(
    collector: Collector, servers: Mapping[str, str]
) -> None:
    async with record():
        start_trace(PARENT)
        with open_span("POST /graphql", "server", traceparent=PARENT):
            sent = build_traceparent()
    assert sent == f"00-{TRACE}-{get_span(collector, 'POST /graphql').id}-01"


async def test_a_trace_that_is_not_sampled_stays_so(collector: Collector) -> None:
    async with record():
        with open_span("POST /graphql", "server", traceparent=NOT_SAMPLED):
            sent = build_traceparent()
    assert (sent[:36], sent[-3:], collector.spans) == (f"00-{TRACE}-", "-00", [])
    start_trace(NOT_SAMPLED)
    assert build_traceparent().endswith("-00")


async def test_a_request_to_a_subgraph_continues_the_routers_span(
    collector: Collector, servers: Mapping[str, str]
) -> None:
    async with record(), run_subgraph("auth", servers) as auth:
        body = {"query": "{ _service { sdl } }"}
        response = await auth.http.post("/graphql", json=body, headers={"traceparent": PARENT})
        assert response.status_code == 200
    span = get_span(collector, "POST /graphql")
    assert (span.kind, span.parent_id) == ("SERVER", "b7ad6b7169203331")


@pytest.mark.parametrize(
    ("environ", "exporter"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, None),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, None),
    ],
)
def test_the_exporter_follows_the_variables_of_opentelemetry(
    environ: dict[str, str], exporter: str | None
) -> None:
    assert find_exporter(environ) == exporter


@pytest.mark.parametrize(
    ("environ", "is_loaded"),
    [({}, False), ({"OTEL_TRACES_EXPORTER": "none"}, False), ({"OTEL_TRACES_EXPORTER": "console"}, True)],
)
def test_without_an_exporter_no_process_loads_opentelemetry(environ: dict[str, str], is_loaded: bool) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED],
        env=clean | environ,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    loaded = done.stdout.splitlines()
    assert {"workers.runner", "subgraphs.print.app"} <= set(loaded)
    assert any(name.startswith("opentelemetry") for name in loaded) is is_loaded


def test_without_an_exporter_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    with record_spans("auth"):
        assert not is_recording()
        with open_span("POST /graphql", "server"):
            start_trace(PARENT)
            assert build_traceparent().startswith(f"00-{TRACE}-")
