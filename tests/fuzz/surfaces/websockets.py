"""WebSocket: handshakes, frames, protocol breaches, floods, and those that never read."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from tests.fuzz.arena import ANSWERED_WITHIN, Arena
from tests.fuzz.attacks import ROUTER, SERVERS, attack
from tests.fuzz.wire import Exchange, Wire, frame, request

MEGABYTE = 1 << 20
PROTOCOL = "graphql-transport-ws"
KEY = base64.b64encode(b"0123456789abcdef").decode()
INIT = {"type": "connection_init"}


def handshake(*headers: tuple[str, str | bytes], protocol: str = PROTOCOL, version: str = "13") -> bytes:
    own = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", KEY)]
    rest = [("sec-websocket-version", version), ("sec-websocket-protocol", protocol)]
    return request("GET", headers=[*own, *rest, *headers])


def message(value: Any) -> bytes:
    return frame(value if isinstance(value, bytes) else orjson.dumps(value))


def subscribe(identifier: str, document: str, variables: Any = None) -> dict[str, Any]:
    payload = {"query": document, "variables": variables}
    return {"id": identifier, "type": "subscribe", "payload": payload}


@asynccontextmanager
async def socket(arena: Arena, *, initialised: bool = True) -> AsyncIterator[Wire]:
    """A socket whose handshake is done."""
    async with arena.wire() as wire:
        await wire.send(arena.introduced(handshake(arena.token)))
        exchange = await wire.answer("a handshake", ANSWERED_WITHIN)
        arena.exchanges.append(exchange)
        if initialised:
            await wire.send(message(INIT | {"payload": {"authorization": arena.token[1]}}))
            if await wire.count(b"connection_ack", 1, ANSWERED_WITHIN) == 0:
                exchange.ending = "silent"
        yield wire


async def converse(arena: Arena, frames: Iterable[bytes], *, initialised: bool = True) -> None:
    """Send frames of which the last is a breach: the other side has to hang up."""
    async with socket(arena, initialised=initialised) as wire:
        for each in frames:
            if not await wire.send(each):
                break
        if not await wire.says_goodbye(ANSWERED_WITHIN):
            arena.exchanges.append(Exchange("a socket that broke the protocol stays open", "silent"))


@attack("websockets.handshakes", SERVERS, may_hang_up=True)
async def handshakes(arena: Arena) -> None:
    for data in (
        handshake(protocol="graphql-ws"),
        handshake(protocol="x, " * 2_000),
        handshake(protocol="\x00"),
        handshake(version="99"),
        handshake(version=""),
        handshake(("sec-websocket-extensions", "permessage-deflate; client_max_window_bits=8, " * 150)),
        handshake(("sec-websocket-extensions", "permessage-deflate; server_max_window_bits=999999")),
        handshake(("origin", "https://elsewhere.example")),
        handshake(("authorization", "Bearer x.y.z")),
        request("GET", headers=[("connection", "Upgrade"), ("upgrade", "websocket")]),
        request(
            "POST", headers=[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", KEY)]
        ),
        handshake().replace(KEY.encode(), b"short"),
        handshake().replace(KEY.encode(), b"=" * 5_000),
        handshake().replace(b"/graphql", b"/elsewhere"),
        handshake() + b"\xff" * 1_000,
    ):
        await arena.send(data, within=10)


BREACHES = (
    frame(b"{}", 3),
    frame(b"{}", 11),
    frame(b"{}", flags=0x40),
    frame(b"{}", masked=False),
    frame(b"more", 0),
    frame(b"a" * 200, 9),
    frame(b"", 9, final=False),
    frame(b"\xff\xfe\xfd"),
    frame(b"\x00", 8),
    frame(b"\x03\xe8" + b"\xff" * 20, 8),
    frame(b"\x00\x01", 8),
    b"\x81\xff" + b"\xff" * 8,
    b"\x81\xff\x00\x00\x00\x7f\xff\xff\xff\xff\x00\x00\x00\x00",
    frame(b"a", final=False) + frame(b"b"),
)


@attack("websockets.frames", ROUTER)
async def frames(arena: Arena) -> None:
    """What no WebSocket may send."""
    for each in BREACHES:
        await converse(arena, [each], initialised=arena.chance.random() < 0.5)


@attack("websockets.messages", ROUTER)
async def messages(arena: Arena) -> None:
    """What no graphql-transport-ws client may send."""
    for value in (
        b"not json",
        b"",
        b"null",
        b"7",
        b"[]",
        b"[" * 100_000,
        b'{"type":' * 5_000,
        {"type": "unknown"},
        {"type": 7},
        {"type": None},
        {},
        INIT,
        INIT | {"payload": 7},
        {"type": "subscribe"},
        {"type": "subscribe", "id": 7, "payload": {"query": "{a}"}},
        {"type": "subscribe", "id": "", "payload": {"query": "{a}"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": []},
        {"type": "subscribe", "id": "1", "payload": {"query": 7}},
        {"type": "subscribe", "id": "1", "payload": {"query": None}},
        {"type": "complete"},
        {"type": "complete", "id": 7},
        {"type": "next", "id": "1", "payload": {}},
        {"type": "ping", "payload": 7},
        {"type": "pong", "payload": "x"},
    ):
        await converse(arena, [message(value), message(b"the end")])


@attack("websockets.before-init", ROUTER)
async def before_init(arena: Arena) -> None:
    for value in (subscribe("1", "{ __typename }"), {"type": "complete", "id": "1"}, {"type": "ping"}):
        await converse(arena, [message(value), message(b"the end")], initialised=False)
    for payload in ({"authorization": "Bearer x"}, {"Authorization": "é" * 5_000}, {"authorization": ["a"]}):
        await converse(arena, [message(INIT | {"payload": payload}), message(b"the end")], initialised=False)


@attack("websockets.never-initialised", ROUTER, burst=True)
async def never_initialised(arena: Arena) -> None:
    """Sockets that say nothing, or only answer pings: they are closed in time."""
    for n in range(40):
        wire = await Wire.open(arena.port, arena.address)
        await wire.send(handshake() + (b"" if n % 2 else message({"type": "ping"})))
        arena.linger(wire)
    arena.exchanges += [Exchange("a silent socket", "closed")] * 40


@attack("websockets.huge-messages", ROUTER)
async def huge_messages(arena: Arena) -> None:
    query = '{"id":"1","type":"subscribe","payload":{"query":"{ __typename }' + " " * (900_000) + '"}}'
    await converse(arena, [message(query.encode()), message(b"the end")])
    await converse(arena, [message(b'{"type":"ping","payload":{"a":"' + b"x" * (40 * MEGABYTE) + b'"}}')])
    await converse(
        arena, [message(b'{"type":"ping","payload":' + b'{"a":' * 800 + b"1" + b"}" * 801), message(b"")]
    )
    deep = b'{"id":"1","type":"subscribe","payload":{"query":"{__typename}","variables":{"a":'
    for depth in (200, 260, 1_000):
        await converse(arena, [message(deep + b"[" * depth + b"]" * depth + b"}}}"), message(b"the end")])


@attack("websockets.fragments", ROUTER)
async def fragments(arena: Arena) -> None:
    """A message in as many pieces as it has letters, and one that never ends."""
    text = orjson.dumps(INIT | {"payload": {"x": "y" * 20_000}})
    pieces = [
        frame(text[:1], 1, final=False),
        *(frame(text[n : n + 1], 0, final=False) for n in range(1, len(text))),
    ]
    await converse(arena, [b"".join(pieces) + frame(b"", 0), message(b"the end")], initialised=False)
    empty = frame(b"{", 1, final=False) + frame(b"", 0, final=False) * 100_000
    await converse(arena, [empty, message(b"the end")])
    endless = frame(b"{", 1, final=False) + frame(b"x" * MEGABYTE, 0, final=False) * 30
    await converse(arena, [endless])


@attack("websockets.pings", ROUTER, burst=True)
async def pings(arena: Arena) -> None:
    """Control frames and messages, ten thousand of each."""
    async with socket(arena) as wire:
        await wire.send(frame(b"x" * 100, 9) * 10_000)
        await wire.send(message({"type": "ping", "payload": {"a": "x" * 100}}) * 5_000)
        await wire.send(message({"type": "pong"}) * 5_000)
        await wire.send(message({"type": "complete", "id": "1"}) * 5_000)
        await wire.send(message(b"the end"))
        if not await wire.says_goodbye(ANSWERED_WITHIN):
            arena.exchanges.append(Exchange("a flood of pings", "silent"))
    arena.exchanges += [Exchange("a ping", "closed")] * 25_000


@attack("websockets.subscribes", ROUTER, burst=True)
async def subscribes(arena: Arena) -> None:
    """A thousand operations at one time over one socket, then the same number over again."""
    async with socket(arena) as wire:
        for n in range(1_000):
            await wire.send(message(subscribe(str(n), f"{{ {arena.salt()}: __typename }}")))
        await wire.send(message(b"the end"))
        if not await wire.says_goodbye(ANSWERED_WITHIN):
            arena.exchanges.append(Exchange("a flood of operations", "silent"))
    arena.exchanges += [Exchange("an operation", "closed")] * 1_000


@attack("websockets.same-operation", ROUTER)
async def same_operation(arena: Arena) -> None:
    slow = subscribe("same", "{ __schema { types { fields { type { fields { name } } } } } }")
    await converse(arena, [message(slow) * 2, message(b"the end")])
    complete = message({"type": "complete", "id": "same"})
    await converse(arena, [(message(slow) + complete) * 50, message(b"the end")])


@attack("websockets.operations", ROUTER)
async def operations(arena: Arena) -> None:
    """Subscriptions to what is not there, over and over."""
    order = "subscription ($id: ID!, $after: Int!) { order(id: $id, after: $after) { sequence } }"
    generation = order.replace("order(", "generation(")
    async with socket(arena) as wire:
        wanted = 0
        for document in (order, generation):
            for id in (
                "",
                "\x00",
                "x" * 200_000,
                "ord_01k00000000000000000000000",
                "\x1b[31m",
                "\u202e",
                7,
                None,
            ):
                for after in (0, -1, 2**31 - 1, 2**31, "0", None):
                    wanted += 1
                    await wire.send(message(subscribe(str(wanted), document, {"id": id, "after": after})))
                    ended = await wire.count(f'"id":"{wanted}"'.encode(), 1, ANSWERED_WITHIN)
                    arena.exchanges.append(
                        Exchange(f"{document[:60]} {id!r:.60} {after!r}", "answered" if ended else "silent")
                    )
                    if not ended:
                        return


@attack("websockets.never-read", ROUTER, burst=True)
async def never_read(arena: Arena) -> None:
    """Large answers for somebody who does not take them."""
    large = (
        "{ __schema { types { name description fields { name description args { name description } } } } }"
    )
    for _ in range(3):
        wire = await Wire.open(arena.port, arena.address)
        await wire.send(handshake())
        await wire.answer("a handshake", ANSWERED_WITHIN)
        wire.stop_reading()
        await wire.send(message(INIT))
        for n in range(400):
            await wire.send(message(subscribe(str(n), large)))
        arena.leave(wire)
    arena.exchanges += [Exchange("an answer that is not read", "closed")] * 1_200


@attack("websockets.abrupt", ROUTER, burst=True)
async def abrupt(arena: Arena) -> None:
    """Gone in the middle of whatever it was."""

    async def once() -> None:
        async with socket(arena) as wire:
            await wire.send(message(subscribe("1", "{ __schema { types { fields { name } } } }")))
            await wire.send(arena.chance.choice([b"\x81", b"\x81\xfe\x00", frame(b"{", 1, final=False), b""]))
            wire.abort()

    await arena.together((once() for _ in range(60)), at_once=20)
