"""Connections: half a request, one byte at a time, very many, and those that leave without reading."""

from __future__ import annotations

import asyncio

from tests.fuzz.arena import ANSWERED_WITHIN, Arena
from tests.fuzz.attacks import ROUTER, SERVERS, attack
from tests.fuzz.wire import Exchange, Wire, posted, request

HALF_HEAD = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\nx-wait"
HALF_BODY = request(headers=[("content-type", "application/json"), ("content-length", "99")], body=b'{"q')


async def open_many(arena: Arena, count: int, data: bytes) -> None:
    """Open connections that say something and then nothing, and leave them."""

    async def open_one() -> None:
        try:
            wire = await Wire.open(arena.port, arena.address)
        except (OSError, TimeoutError):
            # More than may be open at one time.
            return
        await wire.send(data)
        arena.linger(wire)
        arena.exchanges.append(Exchange(repr(data[:20]), "closed"))

    await arena.together(open_one() for _ in range(count))


@attack("connections.half-head", SERVERS, burst=True)
async def half_head(arena: Arena) -> None:
    await open_many(arena, 60, HALF_HEAD)


@attack("connections.half-body", SERVERS, burst=True)
async def half_body(arena: Arena) -> None:
    await open_many(arena, 60, HALF_BODY)


@attack("connections.silent", SERVERS, burst=True)
async def silent(arena: Arena) -> None:
    await open_many(arena, 60, b"")


@attack("connections.one-byte", SERVERS, burst=True)
async def one_byte(arena: Arena) -> None:
    await open_many(arena, 60, b"P")


@attack("connections.very-many", ROUTER, burst=True)
async def very_many(arena: Arena) -> None:
    """From one address, more than a process with usual limits can have."""
    await open_many(arena, 1_100, b"P")


@attack("connections.trickle", SERVERS, burst=True)
async def trickle(arena: Arena) -> None:
    """A head that always goes on, so that whoever counts only silence waits for ever."""

    async def feed(wire: Wire) -> None:
        for _ in range(4000):
            if not await wire.send(b"x"):
                return
            await asyncio.sleep(0.1)

    wire = await Wire.open(arena.port, arena.address)
    await wire.send(HALF_HEAD)
    arena.feed(feed(wire))
    arena.linger(wire)


@attack("connections.health", SERVERS, burst=True)
async def health(arena: Arena) -> None:
    """Whether it is well, asked three hundred times at once."""
    ask = request("GET", "/health/ready", [("connection", "close")])
    await arena.together(arena.send(ask) for _ in range(300))


@attack("connections.pipelined", SERVERS, burst=True, may_hang_up=True)
async def pipelined(arena: Arena) -> None:
    """Three hundred requests in one packet, of which the answers are read."""
    one = arena.introduced(posted("{ __typename }").replace(b"connection: close\r\n", b""))
    async with arena.wire() as wire:
        await wire.send(one * 300)
        answered = await wire.count(b"HTTP/1.1 ", 300, ANSWERED_WITHIN)
    arena.exchanges += [Exchange("one of 300 in one packet", "answered", 200)] * answered


@attack("connections.pipelined-and-left", SERVERS, burst=True, may_hang_up=True)
async def pipelined_and_left(arena: Arena) -> None:
    one = posted("{ __schema { types { name fields { name type { name } } } } }").replace(
        b"connection: close\r\n", b""
    )
    for _ in range(5):
        async with arena.wire() as wire:
            await wire.send(one * 60)
            wire.abort()
    arena.exchanges += [Exchange("left without reading", "closed")] * 300


@attack("connections.not-read", SERVERS, burst=True, may_hang_up=True)
async def not_read(arena: Arena) -> None:
    """Large answers that nobody takes: what waits to be sent must not grow."""
    one = posted("{ __schema { types { name description fields { name description } } } }")
    one = one.replace(b"connection: close\r\n", b"")
    for _ in range(4):
        wire = await Wire.open(arena.port, arena.address)
        wire.stop_reading()
        await wire.send(one * 30)
        arena.linger(wire)
    arena.exchanges += [Exchange("not read", "closed")] * 120


@attack("connections.left-while-computing", SERVERS, burst=True, may_hang_up=True)
async def left_while_computing(arena: Arena) -> None:
    document = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    for _ in range(10):
        async with arena.wire() as wire:
            await wire.send(posted(f"{document} # {arena.salt()}", headers=[arena.token]))
            wire.abort()
    arena.exchanges += [Exchange("left at once", "closed")] * 10


@attack("connections.reset", SERVERS, burst=True, may_hang_up=True)
async def reset(arena: Arena) -> None:
    """Two hundred that end as soon as they are there."""

    async def once() -> None:
        try:
            wire = await Wire.open(arena.port, arena.address)
        except (OSError, TimeoutError):
            return
        await wire.send(arena.chance.choice([b"", HALF_HEAD, HALF_BODY, request("GET", "/health/live")]))
        wire.abort()
        arena.exchanges.append(Exchange("left at once", "closed"))

    await arena.together(once() for _ in range(200))
