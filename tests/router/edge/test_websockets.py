"""WebSocket below its protocol: frames that are broken, many or slow cost others nothing."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator

import pytest

from tests.router.edge.conversation import Edge, Socket, edge, get
from tests.support.router_process import lines

HANDSHAKE = get(
    b"/graphql",
    *(b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13"),
    *(b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-protocol: graphql-transport-ws"),
)
CONTINUED, TEXT, CLOSE, PING = 0, 1, 8, 9
INIT = b'{"type": "connection_init"}'


def frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """A frame of a client, which is masked, here with zeros."""
    short = len(payload) < 126
    length = struct.pack("!B", 128 | len(payload)) if short else struct.pack("!BH", 128 | 126, len(payload))
    return bytes([opcode | 128 * final]) + length + bytes(4) + payload


async def received(socket: Socket) -> tuple[int, bytes]:
    """The next frame of the router: its opcode and its payload."""
    async with asyncio.timeout(60):
        first, length = await socket.reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await socket.reader.readexactly(2))
        return first & 15, await socket.reader.readexactly(length)


@pytest.fixture
async def socket(running_edge: Edge) -> AsyncIterator[Socket]:
    """A socket over which the protocol's first messages were exchanged."""
    async with await running_edge.connect() as opened:
        await opened.send(HANDSHAKE)
        await opened.reader.readuntil(b"\r\n\r\n")
        await opened.send(frame(TEXT, INIT))
        assert await received(opened) == (TEXT, b'{"type":"connection_ack"}')
        yield opened


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(TEXT, b"{", final=False) + frame(CONTINUED, b" ", final=False) * 1000, 1009),
        (frame(TEXT, b'{"type"', final=False), 1008),
        (frame(TEXT, b"a" * 1000)[:-1], 1008),
        (frame(3), 1002),
    ],
)
async def test_a_message_that_is_none_ends_the_socket(socket: Socket, data: bytes, code: int):
    await socket.send(data)
    opcode, payload = await received(socket)
    assert (opcode, int.from_bytes(payload[:2])) == (CLOSE, code)
    assert await socket.ended()


async def test_a_message_in_pieces_is_one(socket: Socket):
    await socket.send(frame(TEXT, b'{"type":', final=False) + frame(PING, b"a"))
    assert await received(socket) == (10, b"a")
    await socket.send(frame(CONTINUED, b' "ping"}'))
    assert await received(socket) == (TEXT, b'{"type":"pong"}')


async def test_very_many_frames_hold_nobody_up(socket: Socket, running_edge: Edge):
    sending = asyncio.create_task(socket.send(frame(PING) * 200_000))
    async with await running_edge.connect() as other:
        # All of it takes seconds; others are served between two pieces of it.
        for _ in range(20):
            await other.send(get())
            assert (await other.answer()).status == 200
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_what_is_broken_is_not_logged_as_an_error():
    async with edge() as running:
        async with await running.connect() as socket:
            await socket.send(HANDSHAKE + frame(TEXT, b"\xff") + os.urandom(100))
        async with await running.connect() as socket:
            await socket.send(HANDSHAKE)
            await socket.reader.readuntil(b"\r\n\r\n")
            await socket.send(frame(TEXT, b"\xff"))
            await received(socket)
        running.process.terminate()
        assert [line async for line in lines(running.process)] == []
