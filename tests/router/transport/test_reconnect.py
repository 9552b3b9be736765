"""Reconnection of streams: numbered ones resume exactly where they stopped."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from router.transport import reconnect
from router.transport.address import Address
from router.transport.http import StreamBrokenError, SubgraphError
from router.transport.sse_source import SseSource
from tests.router.transport.subscriptions import NUMBERED, OTHER, follow


@dataclass
class Counter:
    """A subgraph that counts to `last` and interrupts its connections by `cuts`, one after the other.

    `cursors` records the cursor of each request, 0 for none.
    """

    last: int
    cuts: list[str]
    cursors: list[int] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        cut = self.cuts.pop(0) if self.cuts else "never"
        after = body.get("variables", {}).get("cursor", 0)
        self.cursors.append(after)
        if cut == "refused":
            return web.Response(status=503, text="starting")
        if cut == "denied":
            return web.json_response({"errors": [{"message": "expired"}]}, status=401)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        key = "counts" if "counts" in body["query"] else "beats"
        first = 1 if cut == "forgetful" else after + 1
        for number in range(first, self.last + 1):
            if cut == f"ended before {number}":
                return response
            if cut == f"within {number}":
                await response.write(build_event(key, number)[:-10])
            if cut in {f"before {number}", f"within {number}"}:
                assert request.transport
                request.transport.abort()
                return response
            await response.write(build_event(key, number))
        await response.write(b"event: complete\ndata: \n\n")
        return response


def build_event(key: str, number: int) -> bytes:
    event = {"data": {key: {"text": str(number), "sequence": number}}}
    return b"event: next\ndata: " + json.dumps(event).encode() + b"\n\n"


@asynccontextmanager
async def run_counter(last: int, *cuts: str) -> AsyncIterator[tuple[Counter, SseSource]]:
    counter = Counter(last, list(cuts))
    app = web.Application()
    app.router.add_post("/graphql", counter.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield counter, SseSource({"counters": Address.parse(f"http://{host}:{port}/graphql")}, 5.0)
    await runner.cleanup()


@pytest.fixture(autouse=True)
def _shorten_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(reconnect, "MAX_DELAY_SECONDS", 0.01)


async def test_a_numbered_stream_resumes_without_gaps_or_duplicates():
    async with run_counter(9, "before 4", "ended before 6", "refused", "before 6") as (counter, source):
        assert await follow(source, NUMBERED, []) == [str(number) for number in range(1, 10)]
    assert counter.cursors == [0, 3, 5, 5, 5]


async def test_a_stream_cut_before_its_first_event_starts_over():
    async with run_counter(2, "before 1") as (counter, source):
        assert await follow(source, NUMBERED, []) == ["1", "2"]
    assert counter.cursors == [0, 0]


async def test_events_that_a_reopened_stream_repeats_are_dropped():
    async with run_counter(4, "before 3", "forgetful") as (counter, source):
        assert await follow(source, NUMBERED, []) == ["1", "2", "3", "4"]
    assert counter.cursors == [0, 2]


async def test_a_break_within_an_event_loses_nothing():
    async with run_counter(3, "within 2") as (counter, source):
        assert await follow(source, NUMBERED, []) == ["1", "2", "3"]
    assert counter.cursors == [0, 1]


async def test_a_numbered_stream_fails_after_the_maximum_of_attempts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconnect, "MAX_RESUMABLE_ATTEMPTS", 3)
    received: list[str] = []
    async with run_counter(9, "before 3", "refused", "refused", "refused") as (counter, source):
        with pytest.raises(StreamBrokenError, match="HTTP 503"):
            await follow(source, NUMBERED, received)
    assert received == ["1", "2"]
    assert counter.cursors == [0, 2, 2, 2]


async def test_every_event_resets_the_count_of_attempts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconnect, "MAX_RESUMABLE_ATTEMPTS", 1)
    async with run_counter(5, *(f"before {number}" for number in range(2, 6))) as (_, source):
        assert await follow(source, NUMBERED, []) == ["1", "2", "3", "4", "5"]


async def test_a_stream_without_numbers_is_reopened_a_limited_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(reconnect, "MAX_OTHER_ATTEMPTS", 2)
    received: list[str] = []
    async with run_counter(9, "before 2", "before 2", "before 3") as (counter, source):
        with pytest.raises(SubgraphError):
            await follow(source, OTHER, received)
    assert received == ["1", "1", "1", "2"]
    assert counter.cursors == [0, 0, 0]


async def test_a_refusal_of_a_reopened_stream_is_its_last_event():
    async with run_counter(9, "before 2", "denied") as (counter, source):
        assert await follow(source, NUMBERED, []) == ["1", "error"]
    assert counter.cursors == [0, 1]


async def test_a_stream_whose_first_connection_fails_is_not_retried():
    async with run_counter(1, "refused") as (counter, source):
        with pytest.raises(StreamBrokenError):
            await follow(source, NUMBERED, [])
    assert counter.cursors == [0]


async def test_a_cancelled_client_does_not_wait_for_the_next_attempt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconnect, "FIRST_DELAY_SECONDS", 3600)
    monkeypatch.setattr(reconnect, "MAX_DELAY_SECONDS", 3600)
    received: list[str] = []
    async with run_counter(2, "before 2") as (counter, source):
        task = asyncio.create_task(follow(source, NUMBERED, received))
        async with asyncio.timeout(60):
            while not received:  # noqa: ASYNC110 - what is waited for has no event to await
                await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert counter.cursors == [0]
