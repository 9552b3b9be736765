"""Equal subscriptions of one client share a stream, over any protocol."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from router.app import create_app
from router.config.settings import load
from router.transport.sse_decoder import SseDecoder
from tests.router.server.event_streams import ACCEPT
from tests.router.station import Station, run_station
from tests.router.websocket_client import SUBPROTOCOL
from tests.support.planning import SUPERGRAPHS
from tests.support.serving import serve_app
from tests.support.waiting import wait_until

COUNTS = {"query": "subscription ($a: Int) { counts(after: $a) { text } }", "variables": {"a": 0}}


@dataclass
class Radio:
    """A router before a station, and a client of it."""

    url: str
    station: Station
    client: aiohttp.ClientSession

    @asynccontextmanager
    async def listen(self, **changes: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Subscribes over Server-Sent Events; `changes` are headers and parameters of the request."""
        headers = ACCEPT | changes.pop("headers", {})
        async with self.client.post(self.url, json=COUNTS | changes, headers=headers) as response:
            yield response
            response.close()


@pytest.fixture
async def radio() -> AsyncIterator[Radio]:
    async with run_station() as station, aiohttp.ClientSession() as client:
        settings = load(
            supergraph=SUPERGRAPHS / "counters.graphql",
            subgraph_urls={"counters": station.url},
            jwks_url=None,
        )
        async with serve_app(create_app(settings)) as origin:
            yield Radio(f"{origin}/graphql", station, client)


async def read_texts(response: aiohttp.ClientResponse, count: int) -> list[bytes]:
    """Reads so many events of a stream; returns their data."""
    decoder, texts = SseDecoder(1_000_000), list[bytes]()
    while len(texts) < count:
        texts += [event.data for event in decoder.feed(await response.content.readany())]
    return texts


async def test_a_hundred_equal_subscriptions_have_one_stream_and_each_gets_every_event(radio: Radio):
    station = radio.station
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(radio.listen()) for _ in range(100)]
        await wait_until(lambda: len(station.streams) == 1)
        for text in "abc":
            await station.count(text)
        expected = [b'{"data":{"counts":{"text":"%b"}}}' % text for text in (b"a", b"b", b"c")]
        for listener in listeners:
            assert await read_texts(listener, 3) == expected
        assert len(station.cursors) == 1
    await wait_until(lambda: not station.streams)


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"authorization": "Bearer another"}},
        {"headers": {"user-agent": "another"}},
        {"variables": {"a": 1}},
        {"query": "subscription ($a: Int) { counts(after: $a) { text sequence } }"},
    ],
)
async def test_another_client_or_another_operation_has_a_stream_of_its_own(
    radio: Radio, changes: dict[str, Any]
):
    async with radio.listen(), radio.listen(**changes):
        await wait_until(lambda: len(radio.station.streams) == 2)


async def test_a_socket_shares_the_stream_of_an_equal_subscription_over_http(radio: Radio):
    station = radio.station
    async with (
        radio.listen() as listener,
        radio.client.ws_connect(radio.url, protocols=[SUBPROTOCOL]) as socket,
    ):
        await wait_until(lambda: len(station.streams) == 1)
        await socket.send_json({"type": "connection_init"})
        assert await socket.receive_json(timeout=10) == {"type": "connection_ack"}
        await station.count("a")
        await read_texts(listener, 1)
        await socket.send_json({"type": "subscribe", "id": "1", "payload": COUNTS})
        message = await socket.receive_json(timeout=10)
        assert message == {"id": "1", "type": "next", "payload": {"data": {"counts": {"text": "a"}}}}
        # It has caught up by a stream of its own.
        await wait_until(lambda: len(station.cursors) == 2 and len(station.streams) == 1)
        await station.count("b")
        message = await socket.receive_json(timeout=10)
        assert message["payload"] == {"data": {"counts": {"text": "b"}}}
