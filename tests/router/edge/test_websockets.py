"""WebSocket frames: broken, slow or very many ones do not affect other clients."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator

import pytest

from tests.router.edge.raw_http import Edge, Socket, build_get, run_edge
from tests.support.router_process import read_log

HANDSHAKE = build_get(
    b"/graphql",
    *(b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13"),
    *(b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-protocol: graphql-transport-ws"),
)
CONTINUED, TEXT, CLOSE, PING = 0, 1, 8, 9
INIT = b'{"type": "connection_init"}'


def build_frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """Builds a client's frame, masked with zeros."""
    short = len(payload) < 126
    length = struct.pack("!B", 128 | len(payload)) if short else struct.pack("!BH", 128 | 126, len(payload))
    return bytes([opcode | 128 * final]) + length + bytes(4) + payload


async def read_frame(socket: Socket) -> tuple[int, bytes]:
    """Reads a frame of the router; returns its opcode and its payload."""
    async with asyncio.timeout(60):
        first, length = await socket.reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await socket.reader.readexactly(2))
        return first & 15, await socket.reader.readexactly(length)


@pytest.fixture
async def socket(running_edge: Edge) -> AsyncIterator[Socket]:
    """An acknowledged graphql-transport-ws socket."""
    async with await running_edge.connect() as connection:
        await connection.send(HANDSHAKE)
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.send(build_frame(TEXT, INIT))
        assert await read_frame(connection) == (TEXT, b'{"type":"connection_ack"}')
        yield connection


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (build_frame(TEXT, b"\xff\xfe"), 1007),
        (build_frame(TEXT, b"{", final=False) + build_frame(CONTINUED, b" ", final=False) * 1000, 1009),
        (build_frame(TEXT, b'{"type"', final=False), 1008),
        (build_frame(TEXT, b"a" * 1000)[:-1], 1008),
        (build_frame(3), 1002),
    ],
)
async def test_an_invalid_message_closes_the_socket(socket: Socket, data: bytes, code: int):
    await socket.send(data)
    opcode, payload = await read_frame(socket)
    assert (opcode, int.from_bytes(payload[:2])) == (CLOSE, code)
    assert await socket.is_closed()


async def test_a_fragmented_message_is_reassembled(socket: Socket):
    await socket.send(build_frame(TEXT, b'{"type":', final=False) + build_frame(PING, b"a"))
    assert await read_frame(socket) == (10, b"a")
    await socket.send(build_frame(CONTINUED, b' "ping"}'))
    assert await read_frame(socket) == (TEXT, b'{"type":"pong"}')


async def test_a_flood_of_frames_does_not_block_other_clients(socket: Socket, running_edge: Edge):
    sending = asyncio.create_task(socket.send(build_frame(PING) * 200_000))
    async with await running_edge.connect() as other:
        # Handling all frames takes seconds; others are served in between.
        for _ in range(20):
            await other.send(build_get())
            assert (await other.read_answer()).status == 200
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_broken_frames_are_not_logged_as_errors():
    async with run_edge() as running:
        async with await running.connect() as socket:
            await socket.send(HANDSHAKE + build_frame(TEXT, b"\xff") + os.urandom(100))
        async with await running.connect() as socket:
            await socket.send(HANDSHAKE)
            await socket.reader.readuntil(b"\r\n\r\n")
            await socket.send(build_frame(TEXT, b"\xff"))
            await read_frame(socket)
        running.process.terminate()
        assert [line async for line in read_log(running.process)] == []
