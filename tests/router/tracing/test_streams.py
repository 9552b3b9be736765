"""The spans of sockets and of subscriptions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.router.library import until
from tests.router.tracing.running import CallersTrace, Traced, callers_trace, traced
from tests.support.otlp_collector import Span
from tests.support.router_process import lines

PUBLISHED = {"query": "subscription News { published { title stars } }"}


@asynccontextmanager
async def acknowledged(
    library: Traced, caller: CallersTrace
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A socket that takes operations."""
    client, headers = library.client, {"traceparent": caller.traceparent}
    protocols = ("graphql-transport-ws",)
    async with client.ws_connect(library.url, protocols=protocols, headers=headers) as socket:
        await socket.send_json({"type": "connection_init"})
        assert await socket.receive_json() == {"type": "connection_ack"}
        yield socket


async def over_socket(library: Traced, caller: CallersTrace, payload: Any) -> list[Any]:
    """The messages that answer one operation."""
    async with acknowledged(library, caller) as socket:
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        messages: list[Any] = []
        while not messages or messages[-1]["type"] == "next":
            messages.append(await socket.receive_json(timeout=10))
        return messages


async def over_events(library: Traced, caller: CallersTrace, payload: Any) -> str:
    """The event stream that answers one operation."""
    headers = {"traceparent": caller.traceparent, "accept": "text/event-stream"}
    async with library.client.post(library.url, json=payload, headers=headers) as response:
        return await response.text()


def events_of(library: Traced, caller: CallersTrace) -> list[Span]:
    """The events of the one subscription of a trace."""
    events = library.collector.named("subscription event")
    return [event for event in events if event.links[0][0] == caller.trace_id]


async def test_an_operation_of_a_socket_has_a_span_of_its_own(running: Traced):
    caller = callers_trace()

    messages = await over_socket(running, caller, {"query": "query Socket { average }"})
    await running.collected(caller.trace_id, "query")

    assert [each["type"] for each in messages] == ["next", "complete"]
    assert running.collector.outline(caller.trace_id).splitlines() == [
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
    [server] = running.collector.named("query", caller.trace_id)
    assert server.parent_id == caller.span_id
    assert server.attributes == {
        "network.protocol.name": "websocket",
        "url.path": "/graphql",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Socket",
    }


async def test_an_operation_of_a_socket_that_is_refused_says_why(running: Traced):
    caller = callers_trace()

    await over_socket(running, caller, {"query": "query Socket { nothing }"})
    await running.collected(caller.trace_id, "GraphQL Operation")

    [server] = running.collector.named("GraphQL Operation", caller.trace_id)
    assert server.attributes["error.type"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("subscribe", [over_socket, over_events])
async def test_each_event_is_a_trace_of_its_own_that_is_linked_to_its_subscription(
    running: Traced, subscribe: Callable[[Traced, CallersTrace, Any], Awaitable[Any]]
):
    caller = callers_trace()

    await subscribe(running, caller, PUBLISHED)
    await until(lambda: len(events_of(running, caller)) == 2)

    [subscription] = running.collector.named("subscription", caller.trace_id)
    assert subscription.parent_id == caller.span_id
    [opened] = running.collector.named("POST books", caller.trace_id)
    assert (opened.kind, opened.parent_id) == ("CLIENT", subscription.id)
    [request] = [each for each in running.books.requests if caller.trace_id in each["traceparent"]]
    assert request["traceparent"] == f"00-{caller.trace_id}-{opened.id}-01"

    for event in events_of(running, caller):
        assert event.links == [(subscription.trace_id, subscription.id)]
        assert (event.trace_id != caller.trace_id, event.parent_id) == (True, "")
        assert event.attributes == {
            "graphql.operation.type": "subscription",
            "graphql.operation.name": "News",
        }
        assert running.collector.outline(event.trace_id).splitlines() == [
            "subscription event",
            "  CLIENT POST reviews",
            "  project",
        ]


async def test_a_subscription_is_seen_while_it_lives(running: Traced):
    caller = callers_trace()

    async with acknowledged(running, caller) as socket:
        payload = {"query": "subscription Quiet { silence { title } }"}
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        await running.collected(caller.trace_id, "subscription")


async def test_events_are_sampled_as_their_subscription_is():
    async with traced(OTEL_TRACES_SAMPLER="parentbased_always_off") as library:
        unsampled, sampled = callers_trace(sampled=False), callers_trace()
        for caller in (unsampled, sampled):
            await over_events(library, caller, PUBLISHED)
            await over_socket(library, caller, PUBLISHED)
        await library.collected(sampled.trace_id, "POST books")

    assert {each.trace_id for each in library.collector.named("subscription")} == {sampled.trace_id}
    assert len(events_of(library, sampled)) == len(library.collector.named("subscription event")) == 4


async def test_what_is_logged_of_an_event_has_its_events_trace():
    async with traced(REVIEWS_URL="http://127.0.0.1:9/graphql", ROUTER_RETRIES="0") as library:
        await over_events(library, callers_trace(), PUBLISHED)
        found = [await anext(lines(library.process)) for _ in range(2)]

    events = library.collector.named("subscription event")
    assert [each["message"] for each in found] == ["A fetch failed", "A fetch failed"]
    assert [each["traceId"] for each in found] == [event.trace_id for event in events]
    assert {(event.failed, event.attributes["error.type"]) for event in events} == {
        (True, "DOWNSTREAM_SERVICE_ERROR")
    }


async def test_a_stream_that_cannot_be_opened_is_told_by_its_outcome():
    async with traced(BOOKS_URL="http://127.0.0.1:9/graphql") as library:
        caller = callers_trace()
        events = await over_events(library, caller, PUBLISHED)
        await library.collected(caller.trace_id, "POST books")

    assert "DOWNSTREAM_SERVICE_ERROR" in events
    [opened] = library.collector.named("POST books", caller.trace_id)
    assert opened.failed
    assert opened.attributes["error.type"] == "unreachable"
