"""Responses that are read while they are sent, from servers that write the given bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from router.transport.address import Address
from router.transport.http_client import HttpError
from router.transport.http_stream import MAX_UNREAD_BYTES, HttpStream, open_stream

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"

ConnectionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def open_test_stream(write: ConnectionHandler, idle_timeout: float = 10.0) -> AsyncIterator[HttpStream]:
    tasks: list[asyncio.Task[Any] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n{}")
        try:
            await write(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        response = await open_stream(
            Address.parse(f"http://127.0.0.1:{port}/graphql"), {}, b"{}", idle_timeout
        )
        try:
            yield response
        finally:
            response.close()
            for task in filter(None, tasks):
                task.cancel()


def write_pieces(*pieces: bytes, silent: bool = False) -> ConnectionHandler:
    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if silent:
            await reader.read()

    return write


async def read_all(answer: HttpStream) -> bytes:
    body = b""
    while chunk := await answer.read():
        body += chunk
    return body


@pytest.mark.parametrize(
    "pieces",
    [
        (CHUNKED, b"3\r\none\r\n", b"3\r\ntwo\r\n0\r\n\r\n"),
        (CHUNKED + b"3\r\no", b"ne\r\n3\r\ntwo\r\n", b"0\r\n\r\n"),
        (HEAD + b"content-length: 6\r\n\r\n", b"one", b"two"),
        (HEAD + b"\r\n", b"one", b"two"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", CHUNKED + b"6\r\nonetwo\r\n0\r\n\r\n"),
    ],
)
async def test_a_response_is_read_to_its_end_however_it_is_split(pieces: tuple[bytes, ...]):
    async with open_test_stream(write_pieces(*pieces)) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        assert await read_all(answer) == b"onetwo"


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((CHUNKED, b"3\r\none\r\n"), "the connection closed"),
        ((HEAD + b"content-length: 6\r\n\r\n", b"one"), "the connection closed"),
        ((CHUNKED, b"3\r\none\r\n", b"garbage\r\n"), "not an HTTP response"),
    ],
)
async def test_data_before_a_failure_is_delivered_before_the_error(pieces: tuple[bytes, ...], reason: str):
    async with open_test_stream(write_pieces(*pieces)) as answer:
        assert await answer.read() == b"one"
        with pytest.raises(HttpError, match=reason):
            await answer.read()


@pytest.mark.parametrize("piece", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200"])
async def test_a_server_that_does_not_answer_in_http_is_an_error(piece: bytes):
    with pytest.raises(HttpError):
        async with open_test_stream(write_pieces(piece)):
            pass


async def test_a_silent_response_times_out():
    async with open_test_stream(
        write_pieces(CHUNKED, b"3\r\none\r\n", silent=True), idle_timeout=0.05
    ) as answer:
        assert await answer.read() == b"one"
        with pytest.raises(HttpError, match=r"silent for 0\.05 seconds"):
            await answer.read()


async def test_a_slow_reader_applies_backpressure_to_the_sender():
    sent = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(CHUNKED)
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
            sent += 65_536

    async with open_test_stream(endless) as answer:
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.1)
        assert MAX_UNREAD_BYTES < len(await answer.read()) <= MAX_UNREAD_BYTES + 1_048_576
        async with asyncio.timeout(60):
            while sent == before:
                await answer.read()
