"""Sharing the stream of a subgraph among identical subscriptions."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from router.errors import TooSlowError
from router.executor import build_stream_request, compile_operation
from router.planner import Planner
from router.transport import fan_out
from router.transport.address import Address
from router.transport.base import RequestContext
from router.transport.fan_out import SharedStreams
from router.transport.http import SubgraphError
from router.transport.sse_source import SseSource
from tests.support.planning import load_operation, load_supergraph
from tests.support.waiting import wait_until

BEATS = "subscription { beats { text } }"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-%s-01"


@dataclass
class Station:
    """A subgraph that broadcasts events to all of its open streams."""

    streams: list[web.StreamResponse] = field(default_factory=list)
    opened: int = 0
    shared: SharedStreams = field(init=False)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        self.streams.append(response)
        self.opened += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.streams.remove(response)
        return response

    async def send(self, text: str) -> None:
        event = json.dumps({"data": {"beats": {"text": text}}}).encode()
        for stream in self.streams:
            await stream.write(b"event: next\ndata: " + event + b"\n\n")

    async def complete(self) -> None:
        for stream in self.streams:
            await stream.write(b"event: complete\ndata: \n\n")

    def open_stream(
        self, text: str = BEATS, token: str | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        compiled = compile_operation(Planner(load_supergraph("counters")), load_operation("counters", text))
        context = RequestContext(token, TRACE % f"{self.opened:016x}")
        return self.shared.events(build_stream_request(compiled, {}), context)

    def listen(self, text: str = BEATS, token: str | None = None) -> "Listener":
        return Listener(self.open_stream(text, token))


class Listener:
    """A subscriber that reads in the background until `stop`."""

    def __init__(self, events: AsyncGenerator[dict[str, Any], None]) -> None:
        self.received: list[str] = []
        self.events = events
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.events:
            self.received.append(event["data"]["beats"]["text"])

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        await self.events.aclose()


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    async with run_station() as running:
        yield running


@asynccontextmanager
async def run_station() -> AsyncIterator[Station]:
    running = Station()
    app = web.Application()
    app.router.add_post("/graphql", running.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    running.shared = SharedStreams(
        {"counters": SseSource({"counters": Address.parse(f"http://{host}:{port}/graphql")}, 5.0)}
    )
    yield running
    await runner.cleanup()


async def test_identical_subscriptions_share_one_stream_until_the_last_one_ends(station: Station):
    first, second = station.listen(), station.listen()
    await wait_until(lambda: len(station.streams) == 1)
    await station.send("a")
    await wait_until(lambda: first.received == second.received == ["a"])
    await first.stop()
    await station.send("b")
    await wait_until(lambda: second.received == ["a", "b"])
    assert (first.received, station.opened) == (["a"], 1)
    await second.stop()
    await wait_until(lambda: station.streams == [])


async def test_a_subscriber_after_the_first_event_gets_another_stream(station: Station):
    first = station.listen()
    await wait_until(lambda: len(station.streams) == 1)
    await station.send("a")
    await wait_until(lambda: first.received == ["a"])
    second, third = station.listen(), station.listen()
    await wait_until(lambda: len(station.streams) == 2)
    await station.send("b")
    await wait_until(lambda: second.received == third.received == ["b"])
    assert first.received == ["a", "b"]
    for listener in (first, second, third):
        await listener.stop()
    await wait_until(lambda: station.streams == [])


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (BEATS, "Bearer another"),
        ("subscription { beats { text sequence } }", None),
    ],
)
async def test_another_token_or_another_document_gets_its_own_stream(
    station: Station, text: str, token: str | None
):
    first, second = station.listen(), station.listen(text, token)
    await wait_until(lambda: len(station.streams) == 2)
    await first.stop()
    await second.stop()


async def test_resumable_streams_are_not_shared(station: Station):
    first, second = (station.listen("subscription { counts { text } }") for _ in range(2))
    await wait_until(lambda: len(station.streams) == 2)
    await first.stop()
    await second.stop()


async def test_a_completed_stream_ends_for_all_and_the_next_subscriber_opens_a_new_one(station: Station):
    first, second = station.listen(), station.listen()
    await wait_until(lambda: len(station.streams) == 1)
    await station.complete()
    await asyncio.gather(first.task, second.task)
    third = station.listen()
    await wait_until(lambda: station.opened == 2)
    await third.stop()


async def test_a_stream_that_cannot_be_opened_is_an_error_for_all():
    station = Station()
    station.shared = SharedStreams(
        {"counters": SseSource({"counters": Address.parse("http://127.0.0.1:1/graphql")}, 5.0)}
    )
    listeners = [station.listen(), station.listen()]
    for listener in listeners:
        with pytest.raises(SubgraphError):
            await listener.task


async def test_a_single_event_may_exceed_the_limit_of_waiting_bytes(
    station: Station, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fan_out, "MAX_WAITING_BYTES", 10)
    listener = station.listen()
    await wait_until(lambda: len(station.streams) == 1)
    for text in ("first" * 20, "second" * 20):
        await station.send(text)
        await wait_until(lambda: listener.received[-1:] == [text])  # noqa: B023 - awaited within the iteration
    await listener.stop()


@pytest.mark.parametrize(("limit", "most"), [("MAX_WAITING_EVENTS", 3), ("MAX_WAITING_BYTES", 100)])
async def test_a_slow_client_is_dropped_and_the_others_receive_all_events(
    station: Station, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
):
    monkeypatch.setattr(fan_out, limit, most)
    slow, quick = station.open_stream(), station.listen()
    first = asyncio.ensure_future(anext(slow))
    await wait_until(lambda: len(station.streams) == 1)
    await station.send("0")
    assert await first == {"data": {"beats": {"text": "0"}}}
    for number in ("1", "2", "3", "4"):
        await station.send(number)
        await wait_until(lambda: quick.received[-1:] == [number])  # noqa: B023 - awaited within the iteration
    with pytest.raises(TooSlowError, match=r"3 events \(93 bytes\)"):
        await anext(slow)
    assert quick.received == ["0", "1", "2", "3", "4"]
    await quick.stop()
    await wait_until(lambda: station.streams == [])
