"""A subgraph that sends what is not GraphQL."""

import pytest

from tests.router.trouble.misbehaving import PARTIAL, http, library, saying


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00",
        b"",
        http(b""),
        http(b"<h1>Bad Gateway</h1>", "502 Bad Gateway"),
        http(b"\xff\xfe\x00"),
        http(b"[" * 100_000),
        http(b'{"data": {"_entities": ' + b"[" * 900 + b"]" * 900 + b"}"),
        http(b"42"),
        http(b'{"hello": "world"}'),
        http(b'{"data": {}, "errors": {"0": "torn"}}'),
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ],
)
async def test_it_has_not_answered(answer: bytes):
    async with library(saying(answer), retries=0) as running:
        assert await running.ask() == PARTIAL
