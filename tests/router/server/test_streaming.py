"""The bytes of streams."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from router.server.streaming import EVENTS, PARTS, encode


async def results(*items: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    for item in items:
        yield item


def staying() -> asyncio.Future[None]:
    """A client that does not go."""
    return asyncio.get_running_loop().create_future()


async def test_a_stream_speaks_at_once_then_carries_each_result_and_completes_with_a_data_line():
    chunks = [
        chunk async for chunk in encode(results({"data": {"n": 1}}, {"data": {"n": 2}}), EVENTS, staying())
    ]
    assert b"".join(chunks) == (
        b":\n\n"
        b'event: next\ndata: {"data":{"n":1}}\n\n'
        b'event: next\ndata: {"data":{"n":2}}\n\n'
        b"event: complete\ndata: \n\n"
    )


async def test_a_silent_stream_sends_heartbeats_and_loses_no_result():
    release = asyncio.Event()

    async def slow() -> AsyncGenerator[dict[str, Any], None]:
        await release.wait()
        yield {"data": None}

    stream = encode(slow(), EVENTS, staying(), heartbeat=0.001)
    assert [await anext(stream) for _ in range(3)] == [b":\n\n"] * 3
    release.set()
    rest = [chunk async for chunk in stream if chunk != b":\n\n"]
    assert rest == [b'event: next\ndata: {"data":null}\n\n', b"event: complete\ndata: \n\n"]


async def test_a_client_that_goes_closes_the_source():
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[dict[str, Any], None]:
        try:
            yield {"data": 1}
            await asyncio.Event().wait()
        finally:
            closed.set()

    stream = encode(endless(), EVENTS, staying())
    await anext(stream)
    await anext(stream)
    await stream.aclose()
    assert closed.is_set()


async def test_every_part_is_followed_by_its_delimiter_and_the_last_one_closes():
    broken = {"errors": [{"message": "gone"}]}
    chunks = [chunk async for chunk in encode(results({"data": {"n": 1}}, broken), PARTS, staying())]
    assert chunks == [
        b"\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql",
        b'\r\ncontent-type: application/json\r\n\r\n{"payload":{"data":{"n":1}}}\r\n--graphql',
        (
            b"\r\ncontent-type: application/json\r\n\r\n"
            b'{"payload":null,"errors":[{"message":"gone"}]}\r\n--graphql'
        ),
        b"--\r\n",
    ]


async def test_nothing_is_sent_to_a_client_that_is_gone():
    gone = staying()

    async def one() -> AsyncGenerator[dict[str, Any], None]:
        yield {"data": 1}
        gone.set_result(None)
        await asyncio.Event().wait()

    chunks = [chunk async for chunk in encode(one(), EVENTS, gone)]
    assert chunks == [b":\n\n", b'event: next\ndata: {"data":1}\n\n']
