"""Subscriptions over WebSocket to subgraphs, including ones that misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from router.config.header_rules import HeaderRule, HeaderRules, Propagate, Remove, SetValue
from router.transport import reconnect, websocket
from router.transport.address import Address
from router.transport.base import RequestContext
from router.transport.http import NO_RULES, StreamBrokenError, SubgraphError, open_session
from router.transport.sse_source import MAX_EVENT_BYTES
from router.transport.websocket import WebSocketSource
from tests.router.library_subgraphs import BOOKS, SubgraphState, build_subgraph
from tests.router.transport.subscriptions import NUMBERED, follow
from tests.support.serving import serve_app
from tests.support.waiting import wait_until

Script = Callable[[web.WebSocketResponse], Awaitable[None]]

CONTEXT = RequestContext("Bearer token", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
BODY = b'{"query":"subscription{n}"}'
COMPLETE = {"id": "1", "type": "complete"}


def build_next(number: int) -> dict[str, Any]:
    return {"id": "1", "type": "next", "payload": {"data": {"n": number}}}


@dataclass
class Peer:
    """A subgraph that runs a script after `subscribe` and records headers and messages."""

    script: Script
    protocols: tuple[str, ...] = ("graphql-transport-ws",)
    acknowledges: bool = True
    headers: list[Any] = field(default_factory=list)
    received: list[Any] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(request.headers)
        socket = web.WebSocketResponse(protocols=self.protocols, autoping=False)
        await socket.prepare(request)
        self.received.append(await socket.receive_json())
        if self.acknowledges:
            await socket.send_json({"type": "connection_ack"})
            self.received.append(await socket.receive_json())
        await self.script(socket)
        return socket


@asynccontextmanager
async def open_source(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    patience: float = 5.0,
    rules: HeaderRules = NO_RULES,
) -> AsyncIterator[WebSocketSource]:
    app = web.Application()
    app.router.add_get("/graphql", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    urls = dict.fromkeys(("books", "counters"), Address.parse(f"http://{host}:{port}/graphql"))
    async with open_session() as session:
        yield WebSocketSource(session, urls, patience, rules)
    await runner.cleanup()


def build_peer(*messages: Any, staying: bool = False) -> Peer:
    """Builds a subgraph that sends messages, each an object or a text, and then closes unless `staying`."""

    async def script(socket: web.WebSocketResponse) -> None:
        for message in messages:
            await socket.send_str(message if isinstance(message, str) else json.dumps(message))
        if staying:
            await socket.receive()

    return Peer(script)


def build_closing_peer(code: int) -> Peer:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_json(build_next(1))
        await socket.close(code=code, message=b"because")

    return Peer(script)


def cut_connection(socket: web.WebSocketResponse) -> None:
    assert socket._req is not None
    assert socket._req.transport is not None
    socket._req.transport.abort()


async def collect(events: WebSocketSource, received: list[dict[str, Any]]) -> None:
    upstream = await events.open("books", BODY, CONTEXT)
    try:
        async for event in upstream.events():
            received.append(event)  # noqa: PERF401 - events before an error are kept
    finally:
        await upstream.close()


async def collect_all(events: WebSocketSource) -> list[dict[str, Any]]:
    received: list[dict[str, Any]] = []
    await collect(events, received)
    return received


async def test_events_arrive_in_their_order_until_the_subscription_completes():
    peer = build_peer(build_next(1), build_next(2), COMPLETE, build_next(3))
    async with open_source(peer.answer) as events:
        assert await collect_all(events) == [{"data": {"n": 1}}, {"data": {"n": 2}}]
    assert peer.received[1] == {
        "id": "1",
        "type": "subscribe",
        "payload": {"query": "subscription{n}"},
    }


async def test_the_handshake_and_the_first_message_carry_the_token_and_the_headers_of_the_client():
    peer = build_peer(COMPLETE)
    rules = HeaderRules([HeaderRule(Propagate("x-tenant")), HeaderRule(SetValue("x-graph", "memorable"))])
    context = RequestContext("Bearer token", CONTEXT.traceparent, (("x-tenant", "f\xc3\xb6x"),))
    async with open_source(peer.answer, rules=rules) as events:
        await (await events.open("books", BODY, context)).close()
    [headers] = peer.headers
    assert headers["authorization"] == "Bearer token"
    assert headers["traceparent"] == CONTEXT.traceparent
    assert (headers["x-tenant"], headers["x-graph"]) == ("föx", "memorable")
    assert "content-type" not in headers
    assert peer.received[0] == {
        "type": "connection_init",
        "payload": {"authorization": "Bearer token", "x-tenant": "föx"},
    }


async def test_a_token_that_header_rules_remove_is_not_in_the_first_message_either():
    peer = build_peer(COMPLETE)
    async with open_source(peer.answer, rules=HeaderRules([HeaderRule(Remove("authorization"))])) as events:
        await collect_all(events)
    assert "authorization" not in peer.headers[0]
    assert peer.received[0] == {"type": "connection_init"}


async def test_an_event_may_have_errors_and_an_error_message_is_the_last_event():
    failed = {"data": {"n": None}, "errors": [{"message": "torn"}]}
    refused = [{"message": "no such field"}]
    peer = build_peer(
        {"id": "1", "type": "next", "payload": failed}, {"id": "1", "type": "error", "payload": refused}
    )
    async with open_source(peer.answer) as events:
        assert await collect_all(events) == [failed, {"data": None, "errors": refused}]


async def test_a_ping_is_answered_with_its_payload_and_a_pong_is_ignored():
    answers: list[Any] = []

    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"type": "ping", "payload": {"n": 1}})
        await socket.send_json({"type": "pong"})
        answers.append(await socket.receive_json())
        await socket.send_json(COMPLETE)

    async with open_source(Peer(script).answer) as events:
        assert await collect_all(events) == []
    assert answers == [{"type": "pong", "payload": {"n": 1}}]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, 4408])
async def test_a_connection_that_ends_is_a_broken_stream(code: int):
    received: list[Any] = []
    async with open_source(build_closing_peer(code).answer) as events:
        with pytest.raises(StreamBrokenError, match=f"closed with {code}"):
            await collect(events, received)
    assert received == [{"data": {"n": 1}}]


@pytest.mark.parametrize("code", [1002, 1008, 4400, 4401, 4403, 4409, 4429, 4500])
async def test_a_refusal_is_final(code: int):
    async with open_source(build_closing_peer(code).answer) as events:
        with pytest.raises(SubgraphError, match=f"closed with {code}") as refusal:
            await collect_all(events)
    assert not isinstance(refusal.value, StreamBrokenError)


async def test_a_connection_that_is_cut_is_a_broken_stream():
    async def script(socket: web.WebSocketResponse) -> None:
        cut_connection(socket)

    async with open_source(Peer(script).answer) as events:
        with pytest.raises(StreamBrokenError):
            await collect_all(events)


@pytest.mark.parametrize(
    "message",
    [
        "garbage",
        "[]",
        {"type": "connection_ack"},
        {"id": "2", "type": "complete"},
        {"id": "1", "type": "next", "payload": {"n": 1}},
        {"id": "1", "type": "next", "payload": []},
        {"id": "1", "type": "error", "payload": "no"},
        json.dumps(build_next(1) | {"padding": "x" * MAX_EVENT_BYTES}),
    ],
    ids=lambda message: str(message)[:50],
)
async def test_a_message_outside_the_protocol_is_an_error_after_the_events(message: Any):
    received: list[Any] = []
    async with open_source(build_peer(build_next(1), message, staying=True).answer) as events:
        with pytest.raises(SubgraphError) as failure:
            await collect(events, received)
    assert not isinstance(failure.value, StreamBrokenError)
    assert received == [{"data": {"n": 1}}]


async def test_a_silent_subgraph_is_pinged_and_given_up_without_a_pong(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(websocket, "SILENCE_SECONDS", 0.15)
    frames: list[Any] = []

    async def script(socket: web.WebSocketResponse) -> None:
        frames.append((await socket.receive()).type)
        await asyncio.Event().wait()

    async with open_source(Peer(script).answer) as events:
        with pytest.raises(StreamBrokenError):
            await collect_all(events)
    assert frames == [aiohttp.WSMsgType.PING]


async def test_a_silent_subgraph_that_answers_pings_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(websocket, "SILENCE_SECONDS", 0.6)

    async def script(socket: web.WebSocketResponse) -> None:
        for _ in range(2):
            ping = await socket.receive()
            await socket.pong(ping.data)
        await socket.send_json(COMPLETE)

    async with open_source(Peer(script).answer) as events:
        assert await collect_all(events) == []


async def test_a_subgraph_that_does_not_acknowledge_is_given_up():
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.receive()

    async with open_source(Peer(script, acknowledges=False).answer, patience=0.05) as events:
        with pytest.raises(StreamBrokenError, match="no stream within"):
            await collect_all(events)


async def test_a_subgraph_that_speaks_another_protocol_is_an_error():
    async def script(_: web.WebSocketResponse) -> None:
        return

    async with open_source(Peer(script, protocols=()).answer) as events:
        with pytest.raises(SubgraphError, match="does not speak graphql-transport-ws"):
            await collect_all(events)


@pytest.mark.parametrize(("status", "broken"), [(503, True), (401, False), (404, False), (200, False)])
async def test_a_refused_handshake_is_retried_only_after_a_server_error(status: int, broken: bool):
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with open_source(handler) as events:
        with pytest.raises(SubgraphError, match=f"HTTP {status}") as failure:
            await collect_all(events)
    assert isinstance(failure.value, StreamBrokenError) is broken


async def test_a_subgraph_that_is_down_is_a_broken_stream():
    async with open_session() as session:
        events = WebSocketSource(session, {"books": Address.parse("http://127.0.0.1:1/graphql")}, 5.0)
        with pytest.raises(StreamBrokenError):
            await collect_all(events)


async def test_closing_the_stream_ends_the_subscription_at_a_strawberry_subgraph():
    state = SubgraphState()
    async with serve_app(build_subgraph(BOOKS, state)) as origin, open_session() as session:
        source = WebSocketSource(session, {"books": Address.parse(f"{origin}/subscriptions")}, 5.0)
        upstream = await source.open("books", b'{"query":"subscription { silence { id } }"}', CONTEXT)
        assert await anext(upstream.events()) == {"data": {"silence": {"id": "1"}}}
        assert state.open_streams == 1
        await upstream.close()
        await wait_until(lambda: state.open_streams == 0)


async def test_a_numbered_stream_resumes_without_gaps_or_duplicates(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(reconnect, "FIRST_DELAY_SECONDS", 0.001)
    ends: list[Any] = ["cut at 4", "closed at 6", "refused", "forgetful", "never"]
    cursors: list[int] = []

    async def count(socket: web.WebSocketResponse) -> None:
        after, end = cursors[-1], ends.pop(0)
        for number in range(1 if end == "forgetful" else after + 1, 10):
            if end == f"cut at {number}":
                cut_connection(socket)
                return
            if end == f"closed at {number}" or (end == "forgetful" and number == 8):
                await socket.close(code=aiohttp.WSCloseCode.SERVICE_RESTART)
                return
            event = {"data": {"counts": {"text": str(number), "sequence": number}}}
            await socket.send_json({"id": "1", "type": "next", "payload": event})
        await socket.send_json(COMPLETE)

    async def handler(request: web.Request) -> web.StreamResponse:
        if ends[0] == "refused":
            ends.pop(0)
            return web.Response(status=503)

        async def script(socket: web.WebSocketResponse) -> None:
            cursors.append(peer.received[1]["payload"].get("variables", {}).get("cursor", 0))
            await count(socket)

        peer = Peer(script)
        return await peer.answer(request)

    async with open_source(handler) as events:
        assert await follow(events, NUMBERED, []) == [str(number) for number in range(1, 10)]
    assert cursors == [0, 3, 5, 7]
