"""The spans of sockets and of subscriptions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.router.tracing.traced_library import (
    CallersTrace,
    TracedLibrary,
    create_callers_trace,
    run_traced_library,
)
from tests.support.otlp_collector import Span
from tests.support.router_process import read_log
from tests.support.waiting import wait_until

PUBLISHED = {"query": "subscription News { published { title stars } }"}


@asynccontextmanager
async def open_socket(
    library: TracedLibrary, caller: CallersTrace
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Opens an acknowledged socket with the caller's trace context."""
    client, headers = library.client, {"traceparent": caller.traceparent}
    protocols = ("graphql-transport-ws",)
    async with client.ws_connect(library.url, protocols=protocols, headers=headers) as socket:
        await socket.send_json({"type": "connection_init"})
        assert await socket.receive_json() == {"type": "connection_ack"}
        yield socket


async def run_over_websocket(library: TracedLibrary, caller: CallersTrace, payload: Any) -> list[Any]:
    """Runs one operation; returns the messages that answer it."""
    async with open_socket(library, caller) as socket:
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        messages: list[Any] = []
        while not messages or messages[-1]["type"] == "next":
            messages.append(await socket.receive_json(timeout=10))
        return messages


async def run_over_sse(library: TracedLibrary, caller: CallersTrace, payload: Any) -> str:
    """Runs one operation; returns its event stream as text."""
    headers = {"traceparent": caller.traceparent, "accept": "text/event-stream"}
    async with library.client.post(library.url, json=payload, headers=headers) as response:
        return await response.text()


def find_events(library: TracedLibrary, caller: CallersTrace) -> list[Span]:
    """Finds the event spans that are linked to the subscription of a trace."""
    events = library.collector.find_spans("subscription event")
    return [event for event in events if event.links[0][0] == caller.trace_id]


async def test_an_operation_of_a_socket_has_a_span_of_its_own(shared_library: TracedLibrary):
    caller = create_callers_trace()

    messages = await run_over_websocket(shared_library, caller, {"query": "query Socket { average }"})
    await shared_library.wait_for_span(caller.trace_id, "query")

    assert [each["type"] for each in messages] == ["next", "complete"]
    assert shared_library.collector.render_tree(caller.trace_id).splitlines() == [
        "SERVER query",
        "  prepare",
        "    parse",
        "    validate",
        "    plan",
        "  authorise",
        "  coerce",
        "  execute",
        "    CLIENT POST reviews",
        "    project",
    ]
    [server] = shared_library.collector.find_spans("query", caller.trace_id)
    assert server.parent_id == caller.span_id
    assert server.attributes == {
        "network.protocol.name": "websocket",
        "url.path": "/graphql",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Socket",
    }


async def test_the_span_of_a_refused_socket_operation_has_the_error_code(shared_library: TracedLibrary):
    caller = create_callers_trace()

    await run_over_websocket(shared_library, caller, {"query": "query Socket { nothing }"})
    await shared_library.wait_for_span(caller.trace_id, "GraphQL Operation")

    [server] = shared_library.collector.find_spans("GraphQL Operation", caller.trace_id)
    assert server.attributes["error.type"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("subscribe", [run_over_websocket, run_over_sse])
async def test_each_event_is_a_trace_of_its_own_that_is_linked_to_its_subscription(
    shared_library: TracedLibrary, subscribe: Callable[[TracedLibrary, CallersTrace, Any], Awaitable[Any]]
):
    caller = create_callers_trace()

    await subscribe(shared_library, caller, PUBLISHED)
    await wait_until(lambda: len(find_events(shared_library, caller)) == 2)

    [subscription] = shared_library.collector.find_spans("subscription", caller.trace_id)
    assert subscription.parent_id == caller.span_id
    [fetch] = shared_library.collector.find_spans("POST books", caller.trace_id)
    assert (fetch.kind, fetch.parent_id) == ("CLIENT", subscription.id)
    [request] = [each for each in shared_library.books.requests if caller.trace_id in each["traceparent"]]
    assert request["traceparent"] == f"00-{caller.trace_id}-{fetch.id}-01"

    for event in find_events(shared_library, caller):
        assert event.links == [(subscription.trace_id, subscription.id)]
        assert (event.trace_id != caller.trace_id, event.parent_id) == (True, "")
        assert event.attributes == {
            "graphql.operation.type": "subscription",
            "graphql.operation.name": "News",
        }
        assert shared_library.collector.render_tree(event.trace_id).splitlines() == [
            "subscription event",
            "  CLIENT POST reviews",
            "  project",
        ]


async def test_the_span_of_a_subscription_is_exported_while_it_runs(shared_library: TracedLibrary):
    caller = create_callers_trace()

    async with open_socket(shared_library, caller) as socket:
        payload = {"query": "subscription Quiet { silence { title } }"}
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        await shared_library.wait_for_span(caller.trace_id, "subscription")


async def test_events_are_sampled_as_their_subscription_is():
    async with run_traced_library(OTEL_TRACES_SAMPLER="parentbased_always_off") as library:
        unsampled, sampled = create_callers_trace(sampled=False), create_callers_trace()
        for caller in (unsampled, sampled):
            await run_over_sse(library, caller, PUBLISHED)
            await run_over_websocket(library, caller, PUBLISHED)
        await library.wait_for_span(sampled.trace_id, "POST books")

    assert {each.trace_id for each in library.collector.find_spans("subscription")} == {sampled.trace_id}
    assert len(find_events(library, sampled)) == len(library.collector.find_spans("subscription event")) == 4


async def test_log_lines_of_an_event_carry_the_trace_of_the_event():
    async with run_traced_library(REVIEWS_URL="http://127.0.0.1:9/graphql", ROUTER_RETRIES="0") as library:
        await run_over_sse(library, create_callers_trace(), PUBLISHED)
        log_lines = [await anext(read_log(library.process)) for _ in range(2)]

    events = library.collector.find_spans("subscription event")
    assert [each["message"] for each in log_lines] == ["A fetch failed", "A fetch failed"]
    assert [each["traceId"] for each in log_lines] == [event.trace_id for event in events]
    assert {(event.failed, event.attributes["error.type"]) for event in events} == {
        (True, "DOWNSTREAM_SERVICE_ERROR")
    }


async def test_the_span_of_a_stream_that_cannot_be_opened_has_the_outcome():
    async with run_traced_library(BOOKS_URL="http://127.0.0.1:9/graphql") as library:
        caller = create_callers_trace()
        events = await run_over_sse(library, caller, PUBLISHED)
        await library.wait_for_span(caller.trace_id, "POST books")

    assert "DOWNSTREAM_SERVICE_ERROR" in events
    [fetch] = library.collector.find_spans("POST books", caller.trace_id)
    assert fetch.failed
    assert fetch.attributes["error.type"] == "unreachable"
