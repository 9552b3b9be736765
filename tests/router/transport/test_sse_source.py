"""Subscriptions over SSE to subgraphs, including ones that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from router.transport import sse_source
from router.transport.address import Address
from router.transport.base import RequestContext
from router.transport.http import SubgraphError
from router.transport.sse_source import SseSource
from tests.router.library_subgraphs import BOOKS, SubgraphState, build_subgraph
from tests.support.serving import serve_app
from tests.support.waiting import wait_until

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTEXT = RequestContext("Bearer token", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
NEXT = b'event: next\ndata: {"data":{"n":%d}}\n\n'
COMPLETE = b"event: complete\ndata: \n\n"


@asynccontextmanager
async def open_source(handler: Handler, patience: float = 5.0) -> AsyncIterator[SseSource]:
    app = web.Application()
    app.router.add_post("/graphql", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield SseSource({"books": Address.parse(f"http://{host}:{port}/graphql")}, patience)
    await runner.cleanup()


def stream_chunks(*chunks: bytes, silent: bool = False) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if silent:
            await asyncio.Event().wait()
        return response

    return handler


async def collect(events: SseSource, received: list[dict[str, Any]]) -> None:
    upstream = await events.open("books", b'{"query":"subscription{n}"}', CONTEXT)
    try:
        async for event in upstream.events():
            received.append(event)  # noqa: PERF401 - events before an error are kept
    finally:
        await upstream.close()


async def collect_all(events: SseSource) -> list[dict[str, Any]]:
    received: list[dict[str, Any]] = []
    await collect(events, received)
    return received


async def test_events_arrive_in_their_order_until_the_stream_completes():
    async with open_source(stream_chunks(b":\n\n", NEXT % 1, NEXT % 2, COMPLETE, NEXT % 3)) as events:
        assert await collect_all(events) == [{"data": {"n": 1}}, {"data": {"n": 2}}]


async def test_a_subscription_carries_the_token_and_the_trace_and_accepts_a_stream():
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers)
        return web.json_response({"data": {"n": 1}})

    async with open_source(handler) as events:
        await collect_all(events)
    assert seen[0]["authorization"] == "Bearer token"
    assert seen[0]["traceparent"] == CONTEXT.traceparent
    assert seen[0]["accept"].startswith("text/event-stream, ")


async def test_a_plain_answer_in_place_of_a_stream_is_its_only_event():
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response({"data": None, "errors": [{"message": "refused"}]}, status=401)

    async with open_source(handler) as events:
        assert await collect_all(events) == [{"data": None, "errors": [{"message": "refused"}]}]


@pytest.mark.parametrize(
    "chunks",
    [
        (NEXT % 1,),
        (NEXT % 1, b"event: next\ndata: garbage\n\n"),
        (NEXT % 1, b"event: next\ndata: []\n\n"),
        (NEXT % 1, b"data: " + b"x" * (sse_source.MAX_EVENT_BYTES + 1)),
    ],
)
async def test_a_stream_that_breaks_is_an_error_after_its_events(chunks: tuple[bytes, ...]):
    received: list[Any] = []
    async with open_source(stream_chunks(*chunks)) as events:
        with pytest.raises(SubgraphError):
            await collect(events, received)
    assert received == [{"data": {"n": 1}}]


async def test_a_silent_stream_times_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sse_source, "SILENCE_SECONDS", 0.05)
    async with open_source(stream_chunks(b":\n\n", silent=True)) as events:
        with pytest.raises(SubgraphError):
            await collect_all(events)


async def test_a_stream_that_does_not_open_times_out():
    async def handler(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    async with open_source(handler, patience=0.05) as events:
        with pytest.raises(SubgraphError):
            await collect_all(events)


async def test_a_subgraph_that_is_down_is_an_error():
    events = SseSource({"books": Address.parse("http://127.0.0.1:1/graphql")}, 5.0)
    with pytest.raises(SubgraphError) as failure:
        await collect_all(events)
    assert failure.value.to_error()["extensions"] == {
        "code": "DOWNSTREAM_SERVICE_ERROR",
        "serviceName": "books",
    }


async def test_closing_the_stream_ends_the_subscription_at_a_strawberry_subgraph():
    state = SubgraphState()
    async with serve_app(build_subgraph(BOOKS, state)) as origin:
        source = SseSource({"books": Address.parse(f"{origin}/graphql")}, 5.0)
        upstream = await source.open("books", b'{"query":"subscription { silence { id } }"}', CONTEXT)
        assert await anext(upstream.events()) == {"data": {"silence": {"id": "1"}}}
        assert state.open_streams == 1
        await upstream.close()
        await wait_until(lambda: state.open_streams == 0)
