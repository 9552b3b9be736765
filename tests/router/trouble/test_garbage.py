"""A subgraph that answers with anything but GraphQL."""

import pytest

from tests.router.trouble.misbehaving import PARTIAL, answer_with, build_response, run_library


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00",
        b"",
        build_response(b""),
        build_response(b"<h1>Bad Gateway</h1>", "502 Bad Gateway"),
        build_response(b"\xff\xfe\x00"),
        build_response(b"[" * 100_000),
        build_response(b'{"data": {"_entities": ' + b"[" * 900 + b"]" * 900 + b"}"),
        build_response(b"42"),
        build_response(b'{"hello": "world"}'),
        build_response(b'{"data": {}, "errors": {"0": "torn"}}'),
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ],
)
async def test_it_counts_as_unanswered(answer: bytes):
    async with run_library(answer_with(answer), retries=0) as running:
        assert await running.execute() == PARTIAL
