"""A subgraph that sends far more than the limits allow."""

import asyncio

import psutil
import pytest

from tests.router.trouble.misbehaving import PARTIAL, run_library

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("head", "before", "after"),
    [
        (b"content-length: 100000000\r\n\r\n", b"", b""),
        (b"transfer-encoding: chunked\r\n\r\n", b"f4240\r\n", b"\r\n"),
        (b"\r\n", b"", b""),
    ],
)
async def test_100_megabytes_are_not_read(head: bytes, before: bytes, after: bytes):
    sent = 0

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HEAD + head)
        for _ in range(100):
            writer.write(before + b" " * MEGABYTE + after)
            await writer.drain()
            sent += MEGABYTE

    process = psutil.Process()
    held = process.memory_info().rss
    async with run_library(flood, max_response_bytes=2 * MEGABYTE) as running:
        assert await running.execute() == PARTIAL
        counts = await running.list_samples("router_subgraph_fetch_seconds_count{")
    assert 'router_subgraph_fetch_seconds_count{outcome="too_large",subgraph="reviews"} 1.0' in counts
    assert sent < 50 * MEGABYTE
    assert process.memory_info().rss - held < 50 * MEGABYTE


async def test_headers_without_end_are_not_read():
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000):
            writer.write(b"x-%d: %b\r\n" % (number, b"a" * 100_000))
            await writer.drain()
        await asyncio.Event().wait()

    async with run_library(flood, subgraph_timeout=5, retries=0) as running:
        assert await running.execute() == PARTIAL
