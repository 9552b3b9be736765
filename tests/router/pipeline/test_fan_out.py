"""Sharing one run among equal subscriptions."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from router.errors import TooSlowError
from router.executor import build_stream_request, compile_operation
from router.pipeline import fan_out
from router.pipeline.fan_out import FanOut, NumberedResult
from router.planner import Planner
from router.transport.address import Address
from router.transport.base import RequestContext
from router.transport.http import SubgraphError
from router.transport.reconnect import resume_events
from router.transport.sse_source import SseSource
from tests.router.station import Station, run_station
from tests.support.planning import load_operation, load_supergraph
from tests.support.waiting import wait_until

BEATS = "subscription { beats { text } }"
COUNTS = "subscription { counts { text } }"
CONTEXT = RequestContext(None, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


class Sharing:
    """Subscriptions to a station that share their runs."""

    def __init__(self, url: str) -> None:
        self._source = SseSource({"counters": Address.parse(url)}, 5.0)
        self._fan_out = FanOut()

    def open_stream(
        self, text: str = BEATS, key: str | None = None
    ) -> AsyncGenerator[list[dict[str, Any]], None]:
        compiled = compile_operation(Planner(load_supergraph("counters")), load_operation("counters", text))
        request = build_stream_request(compiled, {})

        async def run(after: int | None) -> AsyncGenerator[NumberedResult, None]:
            async with aclosing(resume_events(self._source, request, CONTEXT, after)) as events:
                async for event in events:
                    yield request.read_position(event), event

        return self._fan_out.follow(key or text, run, is_numbered=request.cursor is not None)

    def listen(self, text: str = BEATS, key: str | None = None) -> "Listener":
        return Listener(self.open_stream(text, key))


def read_texts(results: list[dict[str, Any]]) -> list[str]:
    return [event["text"] for result in results for event in result["data"].values()]


class Listener:
    """A subscriber that reads in the background until `stop`."""

    def __init__(self, results: AsyncGenerator[list[dict[str, Any]], None]) -> None:
        self.received: list[str] = []
        self.results = results
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for results in self.results:
            self.received += read_texts(results)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        await self.results.aclose()


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    async with run_station() as running:
        yield running


@pytest.fixture
def sharing(station: Station) -> Sharing:
    return Sharing(station.url)


async def test_equal_subscriptions_share_one_stream_until_the_last_one_ends(
    station: Station, sharing: Sharing
):
    first, second = sharing.listen(), sharing.listen()
    await wait_until(lambda: len(station.streams) == 1)
    await station.send("a")
    await wait_until(lambda: first.received == second.received == ["a"])
    await first.stop()
    await station.send("b")
    await wait_until(lambda: second.received == ["a", "b"])
    assert (first.received, len(station.cursors)) == (["a"], 1)
    await second.stop()
    await wait_until(lambda: station.streams == [])


async def test_a_subscriber_after_the_first_event_gets_another_stream(station: Station, sharing: Sharing):
    first = sharing.listen()
    await wait_until(lambda: len(station.streams) == 1)
    await station.send("a")
    await wait_until(lambda: first.received == ["a"])
    second, third = sharing.listen(), sharing.listen()
    await wait_until(lambda: len(station.streams) == 2)
    await station.send("b")
    await wait_until(lambda: second.received == third.received == ["b"])
    assert first.received == ["a", "b"]
    for listener in (first, second, third):
        await listener.stop()
    await wait_until(lambda: station.streams == [])


async def test_a_subscriber_after_numbered_events_gets_the_past_ones_and_then_shares_the_stream(
    station: Station, sharing: Sharing
):
    first = sharing.listen(COUNTS)
    await wait_until(lambda: len(station.streams) == 1)
    for text in "abc":
        await station.count(text)
    await wait_until(lambda: first.received == ["a", "b", "c"])
    second = sharing.listen(COUNTS)
    await wait_until(lambda: second.received == ["a", "b", "c"])
    await wait_until(lambda: len(station.streams) == 1)
    await station.count("d")
    await wait_until(lambda: first.received == second.received == ["a", "b", "c", "d"])
    assert len(station.cursors) == 2
    await first.stop()
    await station.count("e")
    await wait_until(lambda: second.received[-1:] == ["e"])
    await second.stop()
    await wait_until(lambda: station.streams == [])


async def test_subscriptions_that_are_not_equal_share_nothing(station: Station, sharing: Sharing):
    first, second = sharing.listen(COUNTS), sharing.listen(COUNTS, "another")
    await wait_until(lambda: len(station.streams) == 2)
    await first.stop()
    await second.stop()


async def test_a_completed_stream_ends_for_all_and_the_next_subscriber_opens_a_new_one(
    station: Station, sharing: Sharing
):
    first, second = sharing.listen(), sharing.listen()
    await wait_until(lambda: len(station.streams) == 1)
    await station.complete()
    await asyncio.gather(first.task, second.task)
    third = sharing.listen()
    await wait_until(lambda: len(station.cursors) == 2)
    await third.stop()


async def test_a_stream_that_cannot_be_opened_is_an_error_for_all():
    sharing = Sharing("http://127.0.0.1:1/graphql")
    listeners = [sharing.listen(), sharing.listen()]
    for listener in listeners:
        with pytest.raises(SubgraphError):
            await listener.task


async def test_results_that_wait_are_received_together(station: Station, sharing: Sharing):
    slow, quick = sharing.open_stream(COUNTS), sharing.listen(COUNTS)
    first = asyncio.ensure_future(anext(slow))
    await wait_until(lambda: len(station.streams) == 1)
    await station.count("a")
    assert read_texts(await first) == ["a"]
    for text in "bcd":
        await station.count(text)
    await wait_until(lambda: quick.received == ["a", "b", "c", "d"])
    assert read_texts(await anext(slow)) == ["b", "c", "d"]
    await slow.aclose()
    await quick.stop()


async def test_a_single_event_may_exceed_the_limit_of_waiting_bytes(
    station: Station, sharing: Sharing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fan_out, "MAX_WAITING_BYTES", 10)
    listener = sharing.listen()
    await wait_until(lambda: len(station.streams) == 1)
    for text in ("first" * 20, "second" * 20):
        await station.send(text)
        await wait_until(lambda: listener.received[-1:] == [text])  # noqa: B023 - awaited within the iteration
    await listener.stop()


@pytest.mark.parametrize(("limit", "most"), [("MAX_WAITING_RESULTS", 3), ("MAX_WAITING_BYTES", 100)])
async def test_a_slow_client_is_dropped_and_the_others_receive_all_events(
    station: Station, sharing: Sharing, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
):
    monkeypatch.setattr(fan_out, limit, most)
    slow, quick = sharing.open_stream(), sharing.listen()
    first = asyncio.ensure_future(anext(slow))
    await wait_until(lambda: len(station.streams) == 1)
    await station.send("0")
    assert await first == [{"data": {"beats": {"text": "0"}}}]
    for number in ("1", "2", "3", "4"):
        await station.send(number)
        await wait_until(lambda: quick.received[-1:] == [number])  # noqa: B023 - awaited within the iteration
    with pytest.raises(TooSlowError, match=r"3 events \(93 bytes\)"):
        await anext(slow)
    assert quick.received == ["0", "1", "2", "3", "4"]
    await quick.stop()
    await wait_until(lambda: station.streams == [])


async def test_a_slow_client_of_numbered_events_goes_on_with_a_stream_of_its_own(
    station: Station, sharing: Sharing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fan_out, "MAX_WAITING_RESULTS", 2)
    slow, quick = sharing.open_stream(COUNTS), sharing.listen(COUNTS)
    first = asyncio.ensure_future(anext(slow))
    await wait_until(lambda: len(station.streams) == 1)
    await station.count("1")
    assert read_texts(await first) == ["1"]
    for number in ("2", "3", "4", "5"):
        await station.count(number)
        await wait_until(lambda: quick.received[-1:] == [number])  # noqa: B023 - awaited within the iteration
    received = [read_texts(await anext(slow)) for _ in range(3)]
    assert received == [["2", "3"], ["4"], ["5"]]
    assert station.cursors == [None, 3]
    # It has caught up, so it shares the stream again.
    last = asyncio.ensure_future(anext(slow))
    await wait_until(lambda: len(station.streams) == 1)
    await station.count("6")
    assert read_texts(await last) == ["6"]
    await slow.aclose()
    await quick.stop()
    await wait_until(lambda: station.streams == [])
