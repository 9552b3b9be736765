"""The framing of streamed responses, in bytes."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from router.server import streaming
from router.server.streaming import EVENTS, PARTS, Framing, Results, StreamResponse
from tests.support.waiting import wait_until


async def results(*items: dict[str, Any]) -> AsyncGenerator[list[dict[str, Any]], None]:
    for item in items:
        yield [item]


class Client:
    """An ASGI client that keeps what it receives and disconnects after the last chunk."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.disconnected = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.chunks.append(message["body"])
            if not message["more_body"]:
                self.disconnected.set()

    async def read_stream(self, source: Results, framing: Framing) -> list[bytes]:
        await StreamResponse(source, framing)({}, self.receive, self.send)
        return self.chunks


async def test_a_stream_opens_with_a_comment_then_carries_each_result_and_completes_with_a_data_line():
    chunks = await Client().read_stream(results({"data": {"n": 1}}, {"data": {"n": 2}}), EVENTS)
    assert b"".join(chunks) == (
        b":\n\n"
        b'event: next\ndata: {"data":{"n":1}}\n\n'
        b'event: next\ndata: {"data":{"n":2}}\n\n'
        b"event: complete\ndata: \n\n"
    )


async def test_results_that_are_ready_together_are_sent_together():
    async def ready() -> AsyncGenerator[list[dict[str, Any]], None]:
        yield [{"data": 1}, {"data": 2}]

    chunks = await Client().read_stream(ready(), EVENTS)
    assert chunks[1] == b'event: next\ndata: {"data":1}\n\nevent: next\ndata: {"data":2}\n\n'


async def test_a_silent_stream_sends_heartbeats_and_loses_no_result(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.001)
    client, release = Client(), asyncio.Event()

    async def slow() -> AsyncGenerator[list[dict[str, Any]], None]:
        await release.wait()
        yield [{"data": None}]

    stream = asyncio.create_task(client.read_stream(slow(), EVENTS))
    await wait_until(lambda: client.chunks[:3] == [b":\n\n"] * 3)
    release.set()
    rest = [chunk for chunk in await stream if chunk != b":\n\n"]
    assert rest == [b'event: next\ndata: {"data":null}\n\n', b"event: complete\ndata: \n\n"]


async def test_a_disconnecting_client_closes_the_source():
    client, closed = Client(), asyncio.Event()

    async def endless() -> AsyncGenerator[list[dict[str, Any]], None]:
        try:
            yield [{"data": 1}]
            client.disconnected.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    assert await client.read_stream(endless(), EVENTS) == [b":\n\n", b'event: next\ndata: {"data":1}\n\n']
    assert closed.is_set()


async def test_a_source_that_fails_ends_the_stream_without_completing_it():
    client = Client()

    async def failing() -> AsyncGenerator[list[dict[str, Any]], None]:
        yield [{"data": 1}]
        raise RuntimeError("the press stopped")

    with pytest.raises(ExceptionGroup):
        await client.read_stream(failing(), EVENTS)
    assert client.chunks == [b":\n\n", b'event: next\ndata: {"data":1}\n\n']


async def test_every_part_is_followed_by_its_delimiter_and_the_last_one_closes():
    broken = {"errors": [{"message": "gone"}]}
    chunks = await Client().read_stream(results({"data": {"n": 1}}, broken), PARTS)
    assert chunks == [
        b"\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql",
        b'\r\ncontent-type: application/json\r\n\r\n{"payload":{"data":{"n":1}}}\r\n--graphql',
        (
            b"\r\ncontent-type: application/json\r\n\r\n"
            b'{"payload":null,"errors":[{"message":"gone"}]}\r\n--graphql'
        ),
        b"--\r\n",
    ]


async def test_a_client_that_is_gone_before_the_stream_begins_still_closes_the_source():
    class Source:
        closed = False

        def __aiter__(self) -> "Source":
            return self

        async def __anext__(self) -> list[dict[str, Any]]:
            raise AssertionError("nobody asks")

        async def aclose(self) -> None:
            self.closed = True

    client, source = Client(), Source()
    client.disconnected.set()
    assert await client.read_stream(source, EVENTS) == []
    assert source.closed
