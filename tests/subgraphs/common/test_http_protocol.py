"""Unfinished requests are timed out and bounded in memory."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from subgraphs.common.gate import MAX_HEADER_BYTES
from subgraphs.common.http_protocol import MAX_REQUEST_BYTES, PIECE_BYTES, BoundedHttpProtocol
from tests.support.serving import serve_app

POST = b"POST / HTTP/1.1\r\nhost: books\r\n"


class ImpatientProtocol(BoundedHttpProtocol):
    seconds = 0.2


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def send_pieces(protocol: type[asyncio.Protocol], *pieces: bytes) -> bytes:
    """Send pieces over a connection; return the answer up to its end or to the close of the connection."""
    async with serve_app(Starlette(routes=[Route("/", length, methods=["POST"])]), protocol) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        answer = b""
        with suppress(ConnectionError):
            answer = await reader.read()
        writer.close()
        return answer


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST / HTT",
        POST,
        POST + b"content-length: 10\r\n\r\n12345",
        POST + b"transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n",
        POST + b"content-length: 1\r\n\r\n1" + POST,
    ],
)
async def test_a_request_that_does_not_end_in_time_closes_its_connection(begun: bytes) -> None:
    answer = await send_pieces(ImpatientProtocol, begun)
    assert answer.count(b"200 OK") == begun.count(b"\r\n\r\n1" + POST)


async def test_the_timeout_of_a_finished_request_does_not_close_the_connection() -> None:
    class RecordingProtocol(ImpatientProtocol):
        ended = 0

        def on_message_complete(self) -> None:
            super().on_message_complete()
            type(self).ended += 1
            assert self._timer is None

    closing = POST + b"connection: close\r\ncontent-length: 2\r\n\r\n22"
    answer = await send_pieces(RecordingProtocol, POST + b"content-length: 1\r\n\r\n1", closing)
    assert (answer.count(b"200 OK"), RecordingProtocol.ended) == (2, 2)


@pytest.mark.parametrize("line", [b"x: " + b"a" * 1000 + b"\r\n", b"a" * 1000])
async def test_a_head_without_end_is_refused(line: bytes) -> None:
    answer = await send_pieces(BoundedHttpProtocol, POST, *[line] * (MAX_HEADER_BYTES // 1000 + 2))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


async def test_bytes_after_a_body_are_bounded_and_dropped() -> None:
    head = POST + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n"
    assert (await send_pieces(BoundedHttpProtocol, head, b"x: y\r\n\r\n")).endswith(b"\r\n\r\n1")
    line = b"x: " + b"a" * 65_536 + b"\r\n"
    assert await send_pieces(BoundedHttpProtocol, head, *[line] * (MAX_REQUEST_BYTES // 65_536 + 2)) == b""


async def test_a_large_body_is_parsed_over_many_iterations_of_the_event_loop() -> None:
    class Watched(BoundedHttpProtocol):
        pieces: ClassVar[list[int]] = []
        iterations: ClassVar[list[int]] = []
        iteration = 0

        def parse(self, piece: bytes) -> None:
            if not self.iterations:
                self._count_iteration()
            self.pieces.append(len(piece))
            self.iterations.append(type(self).iteration)
            super().parse(piece)

        def _count_iteration(self) -> None:
            type(self).iteration += 1
            self.loop.call_soon(self._count_iteration)

    body = b"".join(b"1\r\n%d\r\n" % (number % 10) for number in range(100_000)) + b"0\r\n\r\n"
    head = POST + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = await send_pieces(Watched, head, body)
    assert answer.endswith(b"\r\n\r\n100000")
    assert (sum(Watched.pieces), max(Watched.pieces)) == (len(head) + len(body), PIECE_BYTES)
    assert len({*Watched.iterations}) == len(Watched.iterations)
